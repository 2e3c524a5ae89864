"""Sallyport, the binary under test."""

import pathlib

import yaml

from harness.ports import free_admin_base

from .proxy import Proxy
from .site import UPSTREAM_NAME, host_name, rule_prefix

_API = "networking.istio.io/v1"
# The Gateway's port of a door, which --publish moves to a free one; the upstream's port that it leads to.
_PORTS = {"plain": 80, "tls_in": 443, "tls_out": 81, "h2_out": 444, "grpc": 445, "tcp": 9000, "passthrough": 446}
_UPSTREAM_PORTS = {"plain": 80, "tls_in": 80, "tls_out": 443, "h2_out": 8080, "grpc": 9090, "tcp": 3306,
                   "passthrough": 8443}


def _resource(kind: str, name: str, spec: dict) -> dict:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name, "namespace": "bench"}, "spec": spec}


class Sallyport(Proxy):
    name = "sallyport"
    binary: str | None = None

    @classmethod
    def available(cls) -> bool:
        return cls.binary is not None and pathlib.Path(cls.binary).exists()

    def _command(self):
        # libyaml where PyYAML has it: ten thousand resources take a while otherwise.
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        path = self._write("bench.yaml", yaml.dump_all(self._resources(), Dumper=dumper))
        secret = self.folder / "secrets" / "front"
        secret.mkdir(parents=True)
        (secret / "tls.crt").write_text(self.site.front.chain_text)
        (secret / "tls.key").write_text(self.site.front.key_text)
        (secret / "tls.key").chmod(0o600)
        publish = [argument for door, port in self.port.items()
                   for argument in ("--publish", f"{port}:{_PORTS[door]}")]
        return [self.binary, "run", str(path), "--label", "app=bench", "--namespace", "bench",
                "--bind", "127.0.0.1", "--admin-base", str(free_admin_base()), "--workers", str(self.layout.workers),
                "--access-log", "off", "--secrets", str(self.folder / "secrets"), *publish]

    def _resources(self):
        yield _resource("Gateway", "front", {"selector": {"app": "bench"},
                                             "servers": [self._server(door) for door in self.port]})
        for number in range(self.layout.hosts):
            yield _resource("VirtualService", f"tenant-{number:05}", {
                "hosts": [host_name(number)], "gateways": ["front"], "http": [self._to("plain")]})
        yield _resource("VirtualService", "all", self._routes())
        yield _resource("ServiceEntry", "upstream", self._entry())
        yield _resource("DestinationRule", "upstream", {
            "host": UPSTREAM_NAME, "trafficPolicy": {"portLevelSettings": [{"port": {"number": 443}, "tls": {
                "mode": "SIMPLE", "sni": UPSTREAM_NAME, "subjectAltNames": [UPSTREAM_NAME],
                "caCertificates": str(self.site.authority.certificate)}}]}})

    def _server(self, door: str) -> dict:
        protocol = {"plain": "HTTP", "tls_out": "HTTP", "tcp": "TCP", "passthrough": "TLS"}.get(door, "HTTPS")
        server = {"port": {"number": _PORTS[door], "name": door.replace("_", "-"), "protocol": protocol},
                  "hosts": ["*"]}
        if protocol == "HTTPS":
            server["tls"] = {"mode": "SIMPLE", "credentialName": "front", "minProtocolVersion": "TLSV1_3"}
        elif door == "passthrough":
            server["tls"] = {"mode": "PASSTHROUGH"}
        return server

    def _to(self, door: str) -> dict:
        return {"route": [{"destination": {"host": UPSTREAM_NAME, "port": {"number": _UPSTREAM_PORTS[door]}}}]}

    def _routes(self) -> dict:
        spec: dict = {"hosts": ["*"], "gateways": ["front"]}
        http = [{"match": [{"port": _PORTS["plain"], "uri": {"prefix": rule_prefix(number)}}], **self._to("plain")}
                for number in range(self.layout.rules)]
        http += [{"match": [{"port": _PORTS[door]}], **self._to(door)}
                 for door in self.port if door not in ("tcp", "passthrough")]
        if http:
            spec["http"] = http
        if "tcp" in self.port:
            spec["tcp"] = [{"match": [{"port": _PORTS["tcp"]}], **self._to("tcp")}]
        if "passthrough" in self.port:
            # A server name with a wildcard must be one of the hosts, and `*` is.
            spec["tls"] = [{"match": [{"port": _PORTS["passthrough"], "sniHosts": ["*.bench.example"]}],
                            **self._to("passthrough")}]
        return spec

    def _entry(self) -> dict:
        upstream = self.site.upstream
        ports = {"http": (80, "HTTP", upstream.plain), "https": (443, "HTTPS", upstream.tls),
                 "http2": (8080, "HTTP2", upstream.h2), "grpc": (9090, "GRPC", upstream.grpc),
                 "tcp": (3306, "TCP", upstream.plain), "tls": (8443, "TLS", upstream.tls)}
        return {"hosts": [UPSTREAM_NAME], "location": "MESH_EXTERNAL", "resolution": "STATIC",
                "ports": [{"number": number, "name": name, "protocol": protocol}
                          for name, (number, protocol, _) in ports.items()],
                "endpoints": [{"address": "127.0.0.1", "ports": {name: port for name, (_, _, port) in ports.items()}}]}
