"""HAProxy."""

import shutil

from .proxy import Proxy
from .site import UPSTREAM_NAME, host_name, rule_prefix


class HAProxy(Proxy):
    name = "haproxy"

    @staticmethod
    def available() -> bool:
        return shutil.which("haproxy") is not None

    def _command(self):
        path = self._write("haproxy.cfg", f"""
global
  nbthread {self.layout.workers}
  maxconn 16384
  no strict-limits
  ssl-default-bind-options ssl-min-ver TLSv1.3
  tune.h2.max-concurrent-streams 256
defaults
  mode http
  option forwardfor
  option http-keep-alive
  http-reuse always
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
{"".join(self._frontend(door) for door in self.port)}
{self._backends()}""")
        return ["haproxy", "-db", "-f", str(path)]

    def _frontend(self, door: str) -> str:
        bind = f"frontend {door}\n  bind 127.0.0.1:{self.port[door]} backlog 16384"
        tls = f" ssl crt {self.site.front_pem} alpn h2,http/1.1"
        scheme = "\n  http-request set-header X-Forwarded-Proto "
        match door:
            case "plain":
                return f"{bind}{scheme}http\n{self._rules()}  default_backend plain\n"
            case "tls_in":
                return f"{bind}{tls}{scheme}https\n  default_backend plain\n"
            case "tls_out":
                return f"{bind}{scheme}http\n  default_backend tls\n"
            case "h2_out" | "grpc":
                return f"{bind}{tls}{scheme}https\n  default_backend {door}\n"
            case "tcp":
                return f"{bind}\n  mode tcp\n  default_backend tcp\n"
            case "passthrough":
                return (f"{bind}\n  mode tcp\n  tcp-request inspect-delay 5s\n"
                        "  tcp-request content accept if { req.ssl_hello_type 1 }\n"
                        "  use_backend passthrough if { req.ssl_sni -m end .bench.example }\n")
        return ""

    def _rules(self) -> str:
        """Many rules as maps, HAProxy's indexed way. The backend is the same for all."""
        lines = ""
        if self.layout.rules:
            table = self._write("paths.map", "".join(f"{rule_prefix(n)} plain\n" for n in range(self.layout.rules)))
            lines += f"  use_backend %[path,map_beg({table},plain)]\n"
        if self.layout.hosts:
            table = self._write("hosts.map", "".join(f"{host_name(n)} plain\n" for n in range(self.layout.hosts)))
            lines += f"  use_backend %[req.hdr(host),lower,map_str({table},plain)]\n"
        return lines

    def _backends(self) -> str:
        upstream = self.site.upstream
        return f"""
backend plain
  server upstream 127.0.0.1:{upstream.plain} pool-max-conn 256
backend tls
  server upstream 127.0.0.1:{upstream.tls} ssl verify required ca-file {self.site.authority.certificate} sni str({UPSTREAM_NAME}) verifyhost {UPSTREAM_NAME} ssl-min-ver TLSv1.3 pool-max-conn 256
backend h2_out
  server upstream 127.0.0.1:{upstream.h2} proto h2 pool-max-conn 256
backend grpc
  server upstream 127.0.0.1:{upstream.grpc} proto h2 pool-max-conn 256
backend tcp
  mode tcp
  server upstream 127.0.0.1:{upstream.plain}
backend passthrough
  mode tcp
  server upstream 127.0.0.1:{upstream.tls}
"""
