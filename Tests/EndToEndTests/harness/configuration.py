"""Resources as Python values, for tests whose subject is not the YAML itself."""

import base64

import yaml

NAMESPACE = "test"
LABELS = {"app": "gateway"}
# The same instance, said to a verb.
IDENTITY = ("--label", "app=gateway", "--namespace", NAMESPACE)

NETWORKING = "networking.istio.io/v1"


def resource(kind: str, name: str, spec: dict, *, api: str = NETWORKING, namespace: str = NAMESPACE, **metadata) -> dict:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace, **metadata},
            "spec": spec}


def http_server(*hosts: str, port: int = 80, name: str | None = None, **tls) -> dict:
    server = {"port": {"number": port, "name": name or f"http-{port}", "protocol": "HTTP"}, "hosts": list(hosts or "*")}
    return {**server, "tls": tls} if tls else server


def https_server(*hosts: str, credential: str, port: int = 443, name: str | None = None, mode: str = "SIMPLE",
                 **tls) -> dict:
    return {"port": {"number": port, "name": name or f"https-{port}-{credential}", "protocol": "HTTPS"},
            "hosts": list(hosts or "*"), "tls": {"mode": mode, "credentialName": credential, **tls}}


def gateway(*servers: dict, name: str = "gateway", selector: dict | None = None, **metadata) -> dict:
    return resource("Gateway", name, {"selector": LABELS if selector is None else selector, "servers": list(servers)},
                    **metadata)


def destination(host: str, port: int | None = None, subset: str | None = None) -> dict:
    value: dict = {"host": host}
    if port is not None:
        value["port"] = {"number": port}
    if subset is not None:
        value["subset"] = subset
    return value


def route(host: str, port: int | None = None, subset: str | None = None, *, match: list | dict | None = None,
          **rule) -> dict:
    """One http rule with one destination."""
    value = {"route": [{"destination": destination(host, port, subset)}], **rule}
    if match is not None:
        value["match"] = match if isinstance(match, list) else [match]
    return value


def virtual_service(*rules: dict, hosts: tuple[str, ...] = ("*",), gateways: tuple[str, ...] = ("gateway",),
                    name: str = "routes", **metadata) -> dict:
    return resource("VirtualService", name, {"hosts": list(hosts), "gateways": list(gateways), "http": list(rules)},
                    **metadata)


def static_entry(host: str, *upstream_ports: int, port: int = 80, protocol: str = "HTTP", address: str = "127.0.0.1",
                 name: str | None = None, **spec) -> dict:
    """A ServiceEntry with an endpoint at each of `upstream_ports`."""
    return resource("ServiceEntry", name or host.replace(".", "-"), {
        "hosts": [host], "location": "MESH_EXTERNAL", "resolution": "STATIC",
        "ports": [{"number": port, "name": "port", "protocol": protocol}],
        "endpoints": [{"address": address, "ports": {"port": upstream}} for upstream in upstream_ports], **spec})


def dns_entry(host: str, upstream_port: int, *, port: int = 80, protocol: str = "HTTP", name: str | None = None,
              **spec) -> dict:
    """A ServiceEntry whose host is looked up; `upstream_port` is where the addresses are called (targetPort)."""
    return resource("ServiceEntry", name or host.replace(".", "-"), {
        "hosts": [host], "location": "MESH_EXTERNAL", "resolution": "DNS",
        "ports": [{"number": port, "name": "port", "protocol": protocol, "targetPort": upstream_port}], **spec})


def destination_rule(host: str, policy: dict | None = None, *, subsets: list | None = None, name: str | None = None,
                     **metadata) -> dict:
    spec: dict = {"host": host}
    if policy is not None:
        spec["trafficPolicy"] = policy
    if subsets is not None:
        spec["subsets"] = subsets
    return resource("DestinationRule", name or host.replace(".", "-"), spec, **metadata)


def secret(name: str, values: dict[str, str], *, namespace: str = NAMESPACE, kind: str = "kubernetes.io/tls",
           encode: bool = True) -> dict:
    """A Secret: base64 in `data`, or plain in `stringData`."""
    body = ({"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}} if encode
            else {"stringData": values})
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "type": kind,
            **body}


def tls_secret(name: str, certificate, **options) -> dict:
    return secret(name, {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}, **options)


def service(name: str, ports: list[dict], *, namespace: str = NAMESPACE, selector: dict | None = None) -> dict:
    return resource("Service", name, {"ports": ports, **({"selector": selector} if selector else {})}, api="v1",
                    namespace=namespace)


def endpoint_slice(service_name: str, ports: list[dict], addresses: list[str], *, namespace: str = NAMESPACE,
                   name: str | None = None, ready: bool | None = True, family: str = "IPv4") -> dict:
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": name or f"{service_name}-1", "namespace": namespace,
                         "labels": {"kubernetes.io/service-name": service_name}},
            "addressType": family, "ports": ports,
            "endpoints": [{"addresses": [address], **({} if ready is None else {"conditions": {"ready": ready}})}
                          for address in addresses]}


def upstream_probe(host: str, port: int, *, path: str = "/", name: str = "probe", subset: str | None = None,
                   http_port: int | None = None, period: int = 1, failures: int = 2, namespace: str = NAMESPACE,
                   kind: dict | None = None, **probe) -> dict:
    get: dict = {"path": path}
    if http_port is not None:
        get["port"] = http_port
    spec: dict = {"host": host, "port": port,
                  "probe": {**(kind or {"httpGet": get}), "periodSeconds": period, "failureThreshold": failures, **probe}}
    if subset:
        spec["subset"] = subset
    return resource("UpstreamProbe", name, spec, api="sallyport.dev/v1alpha1", namespace=namespace)


def to_upstream(*upstream_ports: int, rules: list[dict] | None = None, host: str = "upstream.example") -> list[dict]:
    """The smallest useful configuration: any host on port 80 goes to the endpoints."""
    return [gateway(http_server("*")), virtual_service(*(rules or [route(host, 80)])),
            static_entry(host, *upstream_ports)]


def as_yaml(resources) -> str:
    return resources if isinstance(resources, str) else yaml.safe_dump_all(resources, sort_keys=False)


def tcp_server(*hosts: str, port: int = 9000, protocol: str = "TCP", name: str | None = None, **tls) -> dict:
    """A server that hands bytes on; with `mode=...` one of protocol TLS or HTTPS."""
    server = {"port": {"number": port, "name": name or f"tcp-{port}", "protocol": protocol},
              "hosts": list(hosts or "*")}
    return {**server, "tls": tls} if tls else server


def weighted(*destinations: tuple) -> list[dict]:
    """`(host, port)` or `(host, port, weight)`, as the destinations of a tcp or tls rule."""
    return [{"destination": destination(host, port), **({"weight": weight[0]} if weight else {})}
            for host, port, *weight in destinations]


def tcp_route(*destinations: tuple, match: list | dict | None = None) -> dict:
    rule: dict = {"route": weighted(*destinations)}
    if match is not None:
        rule["match"] = match if isinstance(match, list) else [match]
    return rule


def tls_route(*names: str, to: tuple | list, **match) -> dict:
    return {"match": [{"sniHosts": list(names), **match}],
            "route": weighted(*(to if isinstance(to, list) else [to]))}


def network_service(*, tcp: list[dict] | None = None, tls: list[dict] | None = None, hosts: tuple[str, ...] = ("*",),
                    gateways: tuple[str, ...] = ("gateway",), name: str = "routes", **metadata) -> dict:
    """A VirtualService of tcp and tls rules."""
    spec: dict = {"hosts": list(hosts), "gateways": list(gateways)}
    if tcp:
        spec["tcp"] = tcp
    if tls:
        spec["tls"] = tls
    return resource("VirtualService", name, spec, **metadata)
