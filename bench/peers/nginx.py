"""nginx."""

import pathlib
import shutil

from .proxy import Proxy
from .site import UPSTREAM_NAME, host_name, rule_prefix

STREAM_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

FORWARDING = """
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    proxy_max_temp_file_size 0; proxy_request_buffering off;"""


class Nginx(Proxy):
    name = "nginx"
    cannot = {"h2_out": "no HTTP/2 to an upstream but for gRPC"}

    @staticmethod
    def available() -> bool:
        return shutil.which("nginx") is not None

    def _command(self):
        tcp = any(door in self.port for door in ("tcp", "passthrough"))
        module = f"load_module {STREAM_MODULE};" if tcp else ""
        path = self._write("nginx.conf", f"""
{module} daemon off; worker_processes {self.layout.workers}; pid {self.folder}/pid;
error_log {self.folder}/error.log crit; events {{ worker_connections 32768; }} worker_rlimit_nofile 65536;
{self._http()}
{self._stream() if tcp else ""}""")
        return ["nginx", "-p", str(self.folder), "-c", str(path)]

    def _http(self) -> str:
        site, temporary = self.site, " ".join(
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600; tcp_nodelay on; {temporary}
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128; http2_max_concurrent_streams 256;
  client_header_timeout 3600; http2_recv_timeout 3600; client_max_body_size 0;
  ssl_protocols TLSv1.3; ssl_certificate {site.front.chain}; ssl_certificate_key {site.front.key};
  upstream plain {{ server 127.0.0.1:{site.upstream.plain}; keepalive 256; keepalive_requests 100000000; }}
  upstream tls {{ server 127.0.0.1:{site.upstream.tls}; keepalive 256; keepalive_requests 100000000; }}
  upstream grpc {{ server 127.0.0.1:{site.upstream.grpc}; keepalive 256; keepalive_requests 100000000; }}
  {"".join(self._server(door) for door in self.port)}
}}"""

    def _server(self, door: str) -> str:
        listen = f"listen 127.0.0.1:{self.port[door]}"
        plain = f"proxy_pass http://plain; {FORWARDING}"
        match door:
            case "plain":
                rules = "".join(f"location {rule_prefix(n)} {{ {plain} }}\n" for n in range(self.layout.rules))
                hosts = "".join(f"server {{ {listen}; server_name {host_name(n)}; location / {{ {plain} }} }}\n"
                                for n in range(self.layout.hosts))
                return (f"server {{ {listen} default_server backlog=16384; {rules} location / {{ {plain} }} }}\n"
                        f"{hosts}")
            case "tls_in":
                return f"server {{ {listen} ssl http2 backlog=16384; location / {{ {plain} }} }}\n"
            case "grpc":
                return f"server {{ {listen} ssl http2 backlog=16384; location / {{ grpc_pass grpc://grpc; }} }}\n"
            case "tls_out":
                return f"""server {{ {listen} backlog=16384; location / {{ proxy_pass https://tls; {FORWARDING}
    proxy_ssl_verify on; proxy_ssl_trusted_certificate {self.site.authority.certificate}; proxy_ssl_server_name on;
    proxy_ssl_name {UPSTREAM_NAME}; proxy_ssl_protocols TLSv1.3; }} }}\n"""
        return ""

    def _stream(self) -> str:
        """Passthrough by server name needs ssl_preread; any other name goes nowhere."""
        upstream, servers = self.site.upstream, ""
        if "tcp" in self.port:
            servers += f"server {{ listen 127.0.0.1:{self.port['tcp']} backlog=16384; proxy_pass 127.0.0.1:{upstream.plain}; }}"
        if "passthrough" in self.port:
            servers += (f"map $ssl_preread_server_name $to {{ ~.*\\.bench\\.example$ 127.0.0.1:{upstream.tls}; }}\n"
                        f"server {{ listen 127.0.0.1:{self.port['passthrough']} backlog=16384; ssl_preread on; "
                        "proxy_pass $to; }")
        return f"stream {{ access_log off; tcp_nodelay on; {servers} }}"
