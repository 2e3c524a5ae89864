"""nghttpx, the proxy of nghttp2's authors."""

import shutil

from .proxy import Proxy
from .site import UPSTREAM_NAME


class Nghttpx(Proxy):
    name = "nghttpx"
    cannot = {"tcp": "no TCP proxy", "passthrough": "no TLS passthrough"}
    cannot_route = "a pattern is of a backend, there are no rules"

    @staticmethod
    def available() -> bool:
        return shutil.which("nghttpx") is not None

    def _command(self):
        """Backends belong to a host pattern, not to a frontend: each door is a process of its own behind one parent."""
        commands = [self._door(door) for door in self.port]
        script = "".join(f"{' '.join(command)} &\n" for command in commands[:-1])
        return ["sh", "-c", f"{script}exec {' '.join(commands[-1])}"]

    def _door(self, door: str) -> list[str]:
        site = self.site
        backend = {"plain": f"127.0.0.1,{site.upstream.plain}", "tls_in": f"127.0.0.1,{site.upstream.plain}",
                   "tls_out": f"127.0.0.1,{site.upstream.tls};;tls;sni={UPSTREAM_NAME}",
                   "h2_out": f"127.0.0.1,{site.upstream.h2};;proto=h2",
                   "grpc": f"127.0.0.1,{site.upstream.grpc};;proto=h2"}[door]
        frontend = f"127.0.0.1,{self.port[door]}" + (";no-tls" if door in ("plain", "tls_out") else "")
        path = self._write(f"{door}.conf", f"""
frontend={frontend}
backend={backend}
private-key-file={site.front.key}
certificate-file={site.front.chain}
cacert={site.authority.certificate}
tls-min-proto-version=TLSv1.3
workers={self.layout.workers}
backlog=16384
no-ocsp=yes
add-x-forwarded-for=yes
no-via=yes
no-server-rewrite=yes
no-location-rewrite=yes
frontend-http2-max-concurrent-streams=256
frontend-http2-read-timeout=1h
frontend-read-timeout=1h
frontend-keep-alive-timeout=1h
backend-keep-alive-timeout=1h
errorlog-file={self.folder}/{door}.log
accesslog-file=
""")
        return ["nghttpx", f"--conf={path}"]
