"""What most tests begin with: a scripted upstream behind a gateway."""

from .configuration import to_upstream


class Pair:
    """A scripted upstream and the gateway in front of it; `options` are the gateway's."""

    def __init__(self, owner, **options):
        self.upstream = owner.upstream()
        self.gateway = owner.gateway(to_upstream(self.upstream.port), **options)
        self.port = self.gateway.port()
