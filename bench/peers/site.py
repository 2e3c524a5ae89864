"""What every proxy is given."""

import dataclasses
import pathlib

from harness.certificates import Authority, Certificate

UPSTREAM_NAME = "upstream.bench.example"
FRONT_NAME = "front.bench.example"

# A door is a port of the proxy: what comes in, and what it goes to.
#   plain        HTTP/1.1              to HTTP/1.1
#   tls_in       TLS, h2 or http/1.1   to HTTP/1.1
#   tls_out      HTTP/1.1              to HTTP/1.1 over TLS
#   h2_out       TLS, h2 or http/1.1   to HTTP/2 without TLS
#   grpc         TLS, h2               to gRPC without TLS
#   tcp          bytes                 to the plain upstream
#   passthrough  TLS, not opened       to the TLS upstream, by server name
HTTP_DOORS = ("plain", "tls_in", "tls_out", "h2_out", "grpc")
TCP_DOORS = ("tcp", "passthrough")


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a proxy is set up for some cases."""

    doors: tuple[str, ...] = HTTP_DOORS
    workers: int = 1
    # Path rules on the plain door's host, and hosts there. Both go to the plain upstream.
    rules: int = 0
    hosts: int = 0


def rule_prefix(number: int) -> str:
    """The path prefix of a rule."""
    return f"/service-{number:05}/"


def host_name(number: int) -> str:
    """A host of many."""
    return f"tenant-{number:05}.bench.example"


@dataclasses.dataclass
class Site:
    """Certificates, and the ports of the upstreams."""

    folder: pathlib.Path
    authority: Authority
    front: Certificate
    upstream: object

    @property
    def front_pem(self) -> pathlib.Path:
        """Chain and key in one file, as HAProxy wants them."""
        path = self.folder / "front.pem"
        path.write_text(self.front.chain_text + self.front.key_text)
        return path
