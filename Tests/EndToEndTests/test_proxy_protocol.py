"""Whose connection it is, said in front of it: the PROXY protocol in and out, and tunnels through a forward proxy."""

import socket
import ssl
import struct

import pytest

from harness.configuration import (destination_rule, gateway, http_server, https_server, network_service, route,
                                   static_entry, tcp_route, tcp_server, tls_route, virtual_service)
from harness.gateway import parse_access_line
from harness.http_client import Connection, client_context
from harness.upstreams import answering, response, server_context

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 203.0.113.7 198.51.100.1 5555 443\r\n"
V2 = SIGNATURE + b"\x21\x11\0\x0c" + socket.inet_aton("203.0.113.7") + socket.inet_aton("198.51.100.1") + struct.pack(
    ">HH", 5555, 443)
V2_WITH_TLV = SIGNATURE + b"\x21\x11\0\x10" + V2[16:] + b"\x04\0\x01\0"
V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 5555 443\r\n"
LOCAL = SIGNATURE + b"\x20\x00\0\0"
UNKNOWN = b"PROXY UNKNOWN\r\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n"


def echo(connection) -> None:
    while data := connection.socket.recv(1 << 16):
        connection.socket.sendall(data)


def asking(*servers: dict, names: str = "*", trusted: str | None = None) -> dict:
    annotations = {"sallyport.dev/proxy-protocol": names}
    if trusted is not None:
        annotations["sallyport.dev/proxy-protocol-trusted-sources"] = trusted
    return gateway(*servers, annotations=annotations)


def seen_by(upstream, port: int, data: bytes) -> str | None:
    """The client's address that the upstream is told in a request behind `data`."""
    with Connection(port) as client:
        client.send(data + REQUEST)
        assert client.read_response().status == 200
    return upstream.requests[-1].header("x-forwarded-for")


@pytest.fixture(scope="module")
def http(module_owner, authority):
    """HTTP on 80 and HTTPS on 443, both behind the PROXY protocol."""
    certificate = authority.issue("any.example")

    class HTTP:
        upstream = module_owner.upstream()
        running = module_owner.gateway(
            [asking(http_server("*"), https_server("any.example", credential="front")),
             virtual_service(route("upstream.example", 80)), static_entry("upstream.example", upstream.port)],
            ports=(80, 443),
            secrets={"front": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    return HTTP


@pytest.mark.parametrize("header, address", [
    (V1, "203.0.113.7"), (V2, "203.0.113.7"), (V2_WITH_TLV, "203.0.113.7"), (V6, "2001:db8::7"), (LOCAL, "127.0.0.1"),
    (UNKNOWN, "127.0.0.1"),
], ids=["v1", "v2", "v2 with TLV", "v1 over IPv6", "v2 local", "v1 unknown"])
def test_the_header_names_the_client(http, header, address):
    assert seen_by(http.upstream, http.running.port(80), header) == address


def test_the_log_names_the_client(http):
    seen_by(http.upstream, http.running.port(80), V1.replace(b"5555", b"4242"))
    line = parse_access_line(http.running.wait_for_access_line("203.0.113.7:4242"))
    assert line["downstream_remote_address"] == "203.0.113.7:4242"


def test_the_header_stands_in_front_of_tls(http, authority):
    plain = socket.create_connection(("127.0.0.1", http.running.port(443)), timeout=20)
    plain.sendall(V2)
    with client_context(authority).wrap_socket(plain, server_hostname="any.example") as client:
        client.sendall(REQUEST)
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert http.upstream.requests[-1].header("x-forwarded-for") == "203.0.113.7"


def test_a_header_that_drips_in(http):
    with Connection(http.running.port(80)) as client:
        for byte in V2 + REQUEST:
            client.send(bytes([byte]))
        assert client.read_response().status == 200
    assert http.upstream.requests[-1].header("x-forwarded-for") == "203.0.113.7"


@pytest.mark.parametrize("data", [
    REQUEST, b"PROXY TCP4 203.0.113.7 198.51.100.1 5555\r\n" + REQUEST, b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n" + REQUEST,
    b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\0\x0c" + V2[16:] + REQUEST, SIGNATURE + b"\x21\x12\0\x0c" + V2[16:],
    b"\x16\x03\x01",
], ids=["none", "a short line", "two families", "no line", "version 3", "UDP", "TLS"])
def test_connections_without_a_good_header_are_closed(http, data):
    with Connection(http.running.port(80)) as client:
        client.send(data)
        assert client.closed_by_peer()


def test_only_servers_that_ask_for_it_take_it(owner):
    upstream = owner.upstream()
    running = owner.gateway(
        [asking(http_server("*", port=80, name="with"), http_server("*", port=81, name="without"), names="with"),
         virtual_service(route("upstream.example", 80)), static_entry("upstream.example", upstream.port)],
        ports=(80, 81))
    assert seen_by(upstream, running.port(80), V1) == "203.0.113.7"
    assert seen_by(upstream, running.port(81), b"") == "127.0.0.1"
    with Connection(running.port(81)) as client:
        client.send(V1 + REQUEST)
        assert client.read_response().status == 400


def test_only_trusted_sources_are_believed(owner):
    upstream = owner.upstream()
    running = owner.gateway(
        [asking(http_server("*"), trusted="127.0.0.2/32, 10.0.0.0/8"),
         virtual_service(route("upstream.example", 80)), static_entry("upstream.example", upstream.port)],
        bind="0.0.0.0")

    def request_from(address: str, data: bytes) -> tuple[int, str | None]:
        with socket.socket() as client:
            client.settimeout(20)
            client.bind((address, 0))
            client.connect(("127.0.0.1", running.port(80)))
            client.sendall(data + REQUEST)
            status = int(client.recv(1 << 16).split()[1])
        return status, upstream.requests[-1].header("x-forwarded-for") if status == 200 else None

    assert request_from("127.0.0.2", V1) == (200, "203.0.113.7")
    # The others send none, and one that they send is their own data.
    assert request_from("127.0.0.1", b"") == (200, "127.0.0.1")
    assert request_from("127.0.0.1", V1)[0] == 400


@pytest.mark.parametrize("where", ["mesh", "component", "deployment"])
def test_istios_gateway_topology_asks_for_it_everywhere(owner, where):
    upstream = owner.upstream()
    topology = {"gatewayTopology": {"proxyProtocol": {}}}
    annotation = {"proxy.istio.io/config": '{"gatewayTopology": {"proxyProtocol": {}}}'}
    spec: dict = {"components": {"ingressGateways": [
        {"name": "edge", "namespace": "test", "enabled": True, "label": {"app": "gateway"}}]}}
    if where == "mesh":
        spec["meshConfig"] = {"defaultConfig": topology}
    elif where == "component":
        spec["components"]["ingressGateways"][0]["k8s"] = {"podAnnotations": annotation}
    instance = [{"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": {"name": "mesh"},
                 "spec": spec}]
    if where == "deployment":
        instance = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge", "namespace": "test"},
                     "spec": {"template": {"metadata": {"labels": {"app": "gateway"}, "annotations": annotation},
                                           "spec": {"containers": []}}}}]
    running = owner.gateway(
        [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", upstream.port), *instance], instance="edge")
    assert seen_by(upstream, running.port(80), V1) == "203.0.113.7"
    with Connection(running.port(80)) as client:
        client.send(REQUEST)
        assert client.closed_by_peer()


# Out


def to_upstream(version: str | None, *upstream_ports: int, server: dict | None = None, **policy) -> list[dict]:
    rule = {**({"proxyProtocol": {"version": version} if version else {}}), **policy}
    return [gateway(server or tcp_server()), network_service(tcp=[tcp_route(("db.example", 3306))]),
            static_entry("db.example", *upstream_ports, port=3306, protocol="TCP"), destination_rule("db.example", rule)]


def recording(into: list, count: int):
    """A script that keeps what comes first, and echoes the rest."""
    def script(connection):
        into.append(connection.read_exactly(count))
        connection.send(connection._take(len(connection._buffer)))
        echo(connection)
    return script


@pytest.mark.parametrize("version", ["V1", None])
def test_the_upstream_is_told_the_client_in_text(owner, version):
    def script(connection):
        connection.send(connection._line())
        echo(connection)

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(version, upstream.port), ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        expected = f"PROXY TCP4 127.0.0.1 127.0.0.1 {client.getsockname()[1]} {running.port(9000)}"
        assert client.recv(200).decode() == expected
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"


def test_the_upstream_is_told_the_client_in_binary(owner):
    headers: list[bytes] = []
    upstream = owner.upstream(recording(headers, 28))
    running = owner.gateway(to_upstream("V2", upstream.port), ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        ports = struct.pack(">HH", client.getsockname()[1], running.port(9000))
    assert SIGNATURE + b"\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01" + ports in headers


def test_the_header_stands_in_front_of_originated_tls(owner, authority):
    lines = []

    def script(connection):
        line = b""
        while not line.endswith(b"\r\n"):
            line += connection.socket.recv(1)
        lines.append(line)
        tls = server_context(authority.issue("db.example")).wrap_socket(connection.socket, server_side=True)
        tls.sendall(tls.recv(100))
        tls.recv(1)

    upstream = owner.upstream(script)
    running = owner.gateway(
        to_upstream("V1", upstream.port,
                    tls={"mode": "SIMPLE", "caCertificates": str(authority.certificate), "sni": "db.example"}),
        ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        assert f"PROXY TCP4 127.0.0.1 127.0.0.1 {client.getsockname()[1]} {running.port(9000)}\r\n".encode() in lines


def test_who_was_named_on_the_way_in_is_named_on_the_way_out(owner):
    def script(connection):
        connection.send(connection._line())
        echo(connection)

    upstream = owner.upstream(script)
    resources = to_upstream("V1", upstream.port)
    resources[0] = asking(tcp_server())
    running = owner.gateway(resources, ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        client.sendall(V2)
        assert client.recv(200).startswith(b"PROXY TCP4 203.0.113.7 ")


def test_requests_of_two_clients_do_not_share_a_connection(owner):
    """The header names one client: nobody else's request may come behind it."""
    lines: list[bytes] = []

    def script(connection):
        lines.append(connection._line())
        answering(lambda request: response())(connection)

    upstream = owner.upstream(script)
    running = owner.gateway(
        [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", upstream.port),
         destination_rule("upstream.example", {"proxyProtocol": {"version": "V1"}})])
    ports = []
    for _ in range(2):
        with Connection(running.port(80)) as client:
            assert client.request().status == 200 and client.request().status == 200
            ports.append(client.socket.getsockname()[1])
    assert lines == [f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {running.port(80)}".encode()
                     for port in ports for _ in range(2)]


# Tunnels


def through(proxy_port: int, protocol: str | None, target: str = "db.example", port: int = 3306,
            **policy) -> list[dict]:
    tunnel = {"targetHost": target, "targetPort": port, **({"protocol": protocol} if protocol else {})}
    return [gateway(tcp_server()), network_service(tcp=[tcp_route(("proxy.example", 3128))]),
            static_entry("proxy.example", proxy_port, port=3128, protocol="TCP"),
            destination_rule("proxy.example", {"tunnel": tunnel, **policy})]


def proxy(answer: bytes, after: bytes = b""):
    """A forward proxy that answers CONNECT and is the target itself."""
    def script(connection):
        connection.read_head()
        connection.send(answer + after)
        connection.send(connection._take(len(connection._buffer)))
        echo(connection)
    return script


@pytest.mark.parametrize("protocol", ["CONNECT", None])
def test_connect_through_a_forward_proxy(owner, protocol):
    upstream = owner.upstream(proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", b"220 ready\r\n"))
    running = owner.gateway(through(upstream.port, protocol), ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        # What the target says comes right behind the proxy's answer.
        assert client.recv(100) == b"220 ready\r\n"
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
    request = upstream.requests[-1]
    assert (request.method, request.target, request.header("host")) == ("CONNECT", "db.example:3306", "db.example:3306")


def test_connect_to_an_ipv6_target(owner):
    upstream = owner.upstream(proxy(b"HTTP/1.1 200 OK\r\n\r\n", b"x"))
    running = owner.gateway(through(upstream.port, "CONNECT", target="2001:db8::1"), ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        assert client.recv(100) == b"x"
    assert upstream.requests[-1].target == "[2001:db8::1]:3306"


def test_connect_over_tls_and_with_interim_answers(owner, authority):
    upstream = owner.upstream(proxy(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"x"),
                              tls=server_context(authority.issue("proxy.example")))
    running = owner.gateway(
        through(upstream.port, "CONNECT", tls={"mode": "SIMPLE", "caCertificates": str(authority.certificate)}),
        ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        assert client.recv(100) == b"x"


@pytest.mark.parametrize("answer, reason", [
    (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "the forward proxy answered 407"),
    (b"nonsense\r\n\r\n", "the forward proxy's answer is malformed"),
    (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "the forward proxy answered 302"),
])
def test_a_forward_proxy_that_refuses_closes_the_client(owner, answer, reason):
    upstream = owner.upstream(proxy(answer))
    running = owner.gateway(through(upstream.port, "CONNECT"), ports=(9000,))
    with Connection(running.port(9000)) as client:
        assert client.closed_by_peer()
    line = parse_access_line(running.wait_for_access_line(reason))
    assert line["response_flags"] == "UF,URX" and line["bytes_sent"] == "0"


def test_a_forward_proxy_that_says_nothing(owner):
    upstream = owner.upstream(lambda connection: connection.wait_for_end())
    running = owner.gateway(
        through(upstream.port, "CONNECT", connectionPool={"tcp": {"connectTimeout": "0.3s"}}), ports=(9000,))
    with Connection(running.port(9000)) as client:
        assert client.closed_by_peer()
    running.wait_for_access_line("connect timeout")


def test_post_through_a_forward_proxy_carries_bytes_in_chunks(owner):
    def script(connection):
        request = connection.read_head()
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.read_body(request)
        connection.send(f"{len(request.body):x}\r\n".encode() + request.body + b"\r\n0\r\n\r\n")

    upstream = owner.upstream(script)
    running = owner.gateway(through(upstream.port, "POST"), ports=(9000,))
    with socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20) as client:
        data = b"z" * 200_000
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while piece := client.recv(1 << 16):
            received += piece
    assert received == data
    request = upstream.requests[-1]
    assert (request.method, request.target, request.header("host")) == ("POST", "/", "db.example:3306")


def test_passthrough_through_a_forward_proxy(owner, authority):
    """The way out of a closed network: TLS by server name, in a tunnel."""
    certificate = authority.issue("db.example")

    def script(connection):
        connection.read_head()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        with server_context(certificate).wrap_socket(connection.socket, server_side=True) as tls:
            tls.sendall(tls.recv(100))

    upstream = owner.upstream(script)
    resources = through(upstream.port, "CONNECT", port=443)
    resources[0] = gateway(tcp_server("db.example", port=9000, protocol="TLS", mode="PASSTHROUGH"))
    resources[1] = network_service(tls=[tls_route("db.example", to=("proxy.example", 3128))])
    running = owner.gateway(resources, ports=(9000,))
    plain = socket.create_connection(("127.0.0.1", running.port(9000)), timeout=20)
    with client_context(authority).wrap_socket(plain, server_hostname="db.example") as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
