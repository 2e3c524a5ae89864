"""CONNECT, where a rule is for it: HTTP/1.1 (RFC 9110, 9.3.6) and HTTP/2 (RFC 9113, 8.5), by the byte."""

import json
import socket
import subprocess
import threading

import pytest

from harness import http2
from harness.configuration import (IDENTITY, destination_rule, gateway, http_server, https_server, route, static_entry,
                                   to_upstream, virtual_service)
from harness.gateway import parse_access_line, run_verb
from harness.http2 import CONNECT_ERROR, DATA, END_STREAM, HEADERS, PROTOCOL_ERROR, RST_STREAM, Client, frame
from harness.http_client import Connection, ConnectionClosed, client_context, get
from harness.ports import free_port
from harness.upstreams import server_context

CONNECT = "CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n"
ONLY_CONNECT = {"method": {"exact": "CONNECT"}}


def echo(connection) -> None:
    """Says hello, gives back what it gets, and at its end says goodbye."""
    connection.send(b"hello")
    while data := connection.socket.recv(1 << 16):
        connection.send(data)
    connection.send(b"goodbye")


@pytest.fixture
def tunnel(owner):
    """Any host; CONNECT goes to `upstream`, requests go to `web`. The rule for requests comes first."""
    class Tunnel:
        upstream = owner.upstream(echo)
        web = owner.upstream()
        gateway = owner.gateway([
            gateway(http_server("*")),
            virtual_service(route("web.up", 80), route("db.up", 5432, match=ONLY_CONNECT, name="tunnel")),
            static_entry("web.up", web.port), static_entry("db.up", upstream.port, port=5432, protocol="TCP")])
        port = gateway.port()
    return Tunnel


def opened(connection: Connection, request: str = CONNECT):
    connection.send(request)
    return connection.read_head()


def open_h2(client: Client, stream: int = 1, authority: str = "db.example:5432", end: bool = False) -> dict:
    client.send(client.headers(stream, [(":method", "CONNECT"), (":authority", authority)], end=end))
    got = client.read_until(HEADERS, RST_STREAM, stream=stream)
    assert got.kind == HEADERS, f"RST_STREAM {got.error_code}"
    return dict(got.fields)


def rest_h2(client: Client, stream: int = 1) -> bytes:
    """What still comes, up to END_STREAM."""
    data = b""
    while True:
        got = client.read_until(DATA, RST_STREAM, stream=stream)
        assert got.kind == DATA, f"RST_STREAM {got.error_code}"
        data += got.payload
        if got.flags & END_STREAM:
            return data


# A tunnel


def test_connect_over_http1(tunnel):
    with Connection(tunnel.port) as connection:
        head = opened(connection)
        assert head.status == 200
        for name in ("content-length", "transfer-encoding", "connection", "upgrade"):
            assert head.header(name) is None, head.raw
        assert connection.read_exactly(5) == b"hello"
        big = bytes(range(256)) * 4096
        sender = threading.Thread(target=connection.send, args=(big,))
        sender.start()
        assert connection.read_exactly(len(big)) == big
        sender.join()
        connection.half_close()
        assert connection.read_to_end() == (b"goodbye", True)
    line = parse_access_line(tunnel.gateway.wait_for_access_line("CONNECT"))
    assert (line["method"], line["path"], line["authority"]) == ("CONNECT", "-", "db.example:5432")
    assert (line["response_code"], line["response_flags"], line["route_name"]) == ("200", "-", "tunnel")
    assert (line["bytes_received"], line["bytes_sent"]) == (str(len(big)), str(len(big) + 12))


def test_connect_over_http2_beside_requests(tunnel):
    with Client(tunnel.port) as client:
        head = open_h2(client)
        assert head[":status"] == "200" and "content-length" not in head and "transfer-encoding" not in head
        assert client.read_until(DATA).payload == b"hello"
        client.send(client.data(1, b"abc", end=False))
        assert client.read_until(DATA, stream=1).payload == b"abc"
        assert client.get(3).status == 200
        client.send(client.data(1, b"def", end=True))
        assert rest_h2(client) == b"defgoodbye"


def test_bytes_behind_the_request_wait_for_the_tunnel(tunnel):
    with Connection(tunnel.port) as connection:
        assert opened(connection, CONNECT + "early").status == 200
        assert connection.read_exactly(10) in (b"helloearly",)


def test_a_real_client_goes_through(owner, httpbin, authority):
    """curl --proxytunnel, and TLS inside of the tunnel that the gateway does not see."""
    certificate = authority.issue("inner.example")
    inner = owner.upstream(tls=server_context(certificate))
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("in.up", 443, match=ONLY_CONNECT)),
        static_entry("in.up", inner.port, port=443, protocol="TLS")])
    result = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--proxytunnel", "--proxy", f"http://127.0.0.1:{running.port()}", "--noproxy",
         "", "--cacert", authority.certificate, "https://inner.example/"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "ok"), result.stderr
    assert inner.requests[0].header("host") == "inner.example"


def test_the_upstreams_tls_and_proxy_protocol_are_the_destination_rules(owner, authority):
    certificate = authority.issue("db.up")
    seen: list[bytes] = []

    def script(connection):
        raw = b""
        while not raw.endswith(b"\r\n"):
            raw += connection.socket.recv(1)
        seen.append(raw)
        tls = server_context(certificate).wrap_socket(connection.socket, server_side=True)
        tls.sendall(b"inside")
        tls.recv(1)
        tls.close()

    upstream = owner.upstream(script)
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 5432, match=ONLY_CONNECT)),
        static_entry("db.up", upstream.port, port=5432, protocol="TCP"),
        destination_rule("db.up", {"tls": {"mode": "SIMPLE", "caCertificates": str(authority.certificate)},
                                   "proxyProtocol": {"version": "V1"}})])
    with Connection(running.port()) as connection:
        assert opened(connection).status == 200
        assert connection.read_exactly(6) == b"inside"
        assert f" {connection.socket.getsockname()[1]} ".encode() in seen[0]


def test_connect_through_tls_of_the_gateway(owner, authority):
    certificate = authority.issue("proxy.example")
    upstream = owner.upstream(echo)
    running = owner.gateway(
        [gateway(https_server("*", credential="a")), virtual_service(route("db.up", 5432, match=ONLY_CONNECT)),
         static_entry("db.up", upstream.port, port=5432, protocol="TCP")],
        ports=(443,), secrets={"a": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    with Connection(running.port(443), tls=client_context(authority), server_name="proxy.example") as connection:
        assert opened(connection).status == 200
        assert connection.read_exactly(5) == b"hello"
        connection.send(b"abc")
        assert connection.read_exactly(3) == b"abc"
    with Client(running.port(443), tls=client_context(authority), server_name="proxy.example") as client:
        assert open_h2(client)[":status"] == "200"
        client.send(client.data(1, b"abc"))
        assert rest_h2(client) == b"helloabcgoodbye"


# Which rule


@pytest.mark.parametrize("match", [None, {"method": {"prefix": "CONN"}}, {"method": {"regex": ".*"}},
                                   {"method": {"exact": "connect"}}])
def test_rules_that_do_not_name_connect_are_not_for_it(owner, match):
    upstream = owner.upstream(echo)
    running = owner.gateway(to_upstream(upstream.port, rules=[route("upstream.example", 80, match=match)]))
    with Connection(running.port()) as connection:
        # What follows may be meant for the tunnel: it is no request.
        connection.send(CONNECT + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = connection.read_response()
        assert answer.status == 404 and answer.header("connection") == "close"
        assert connection.closed_by_peer()
    with Client(running.port()) as client:
        assert open_h2(client)[":status"] == "404"
    assert upstream.connections == 0
    assert "NR route_not_found" in running.wait_for_access_line("CONNECT", 2)
    assert len(running.access_lines()) == 2


def test_a_rule_for_connect_takes_nothing_else(tunnel):
    """The same path in words: extended CONNECT and OPTIONS go where requests go."""
    assert get(tunnel.port, method="OPTIONS").status == 200
    assert tunnel.upstream.connections == 0 and len(tunnel.web.requests) == 1


# The host decides as for any request, its port being ignored; a rule may ask for the whole authority.
TARGETS = {
    "db.example:5432": "db", "DB.Example:5432": "db", "db.example:22": "any-port", "other.example:5432": 404,
    "x.wild.example:1": "wild", "[::1]:5432": 404, "db.example": 400, "db.example:": 400, "db.example:0": 400,
    "db.example:65536": 400, "db.example:http": 400, ":5432": 400, "user@db.example:5432": 400, "/": 400,
    "http://db.example:5432/": 400, "db.example:5432/": 400, "*": 400}


@pytest.fixture(scope="module")
def targets(module_owner):
    """Each destination says its name."""
    def named(name):
        upstream = module_owner.upstream(lambda connection: connection.send(name))
        return static_entry(f"{name}.up", upstream.port, port=1, protocol="TCP")
    exact = {**ONLY_CONNECT, "authority": {"regex": "(?i)db\\.example:5432"}}
    return module_owner.gateway([
        gateway(http_server("*")), named("db"), named("any-port"), named("wild"),
        virtual_service(route("db.up", 1, match=exact, name="db"),
                        route("any-port.up", 1, match=ONLY_CONNECT, name="any-port"), hosts=("db.example",), name="one"),
        virtual_service(route("wild.up", 1, match=ONLY_CONNECT, name="wild"), hosts=("*.wild.example",), name="two")])


@pytest.mark.parametrize("target", TARGETS)
def test_targets(targets, target):
    expected = TARGETS[target]
    with Connection(targets.port()) as connection:
        head = opened(connection, f"CONNECT {target} HTTP/1.1\r\nHost: other.host\r\n\r\n")
        if isinstance(expected, str):
            assert head.status == 200 and connection.read_to_end()[0].decode() == expected
        else:
            assert head.status == expected


@pytest.mark.parametrize("target", [target for target, expected in TARGETS.items() if expected != 400])
def test_explain_says_what_happens(targets, target):
    result = run_verb("explain", "--url", f"http://h:{targets.port()}/", "-X", "CONNECT", "-H", f"Host: {target}",
                      *IDENTITY, "--publish", f"{targets.port()}:80", "-o", "json", targets.resources)
    answer = json.loads(result.stdout)
    while isinstance(answer, list):
        answer = answer[0]
    if "instances" in answer:
        answer = answer["instances"][0]
    assert (answer["error"]["status"] if answer["error"] else answer["route"]["name"]) == TARGETS[target], result.stdout


@pytest.mark.parametrize("authority", ["db.example", "db.example:0", "user@db.example:1"])
def test_malformed_authorities_over_http2(targets, authority):
    with Client(targets.port()) as client:
        client.send(client.headers(1, [(":method", "CONNECT"), (":authority", authority)], end=False))
        got = client.read_until(HEADERS, RST_STREAM)
        assert got.kind == RST_STREAM and got.error_code == PROTOCOL_ERROR
        assert open_h2(client, 3)[":status"] == "200"


@pytest.mark.parametrize("fields", [[(":path", "/")], [(":scheme", "http")], [("content-length", "3")]])
def test_what_connect_over_http2_must_not_have(targets, fields):
    pseudo = [(":method", "CONNECT"), (":authority", "db.example:5432")]
    with Client(targets.port()) as client:
        client.send(client.headers(1, pseudo + fields, end=False))
        assert client.read_until(HEADERS, RST_STREAM).kind == RST_STREAM


@pytest.mark.parametrize("field", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_connect_has_no_body(targets, field):
    with Connection(targets.port()) as connection:
        answer = opened(connection, CONNECT.replace("\r\n\r\n", f"\r\n{field}\r\n\r\nhello"))
        assert answer.status == 400
    assert "http1.body_disallowed" in targets.wait_for_access_line("body_disallowed")


def test_a_direct_response_does_not_promise_a_tunnel(owner):
    running = owner.gateway([gateway(http_server("*")), virtual_service(
        {"match": [{**ONLY_CONNECT, "authority": {"exact": "a.example:1"}}], "directResponse": {"status": 403}},
        {"match": [ONLY_CONNECT], "directResponse": {"status": 200}})])
    for target, status in (("a.example:1", 403), ("b.example:1", 404)):
        with Connection(running.port()) as connection:
            assert opened(connection, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").status == status


# Ends


def test_an_endpoint_that_refuses(owner):
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 1, match=ONLY_CONNECT)),
        static_entry("db.up", free_port(), port=1, protocol="TCP")])
    with Connection(running.port()) as connection:
        assert opened(connection).status == 503
        connection.read_until(b"refused")
        assert connection.closed_by_peer()
    with Client(running.port()) as client:
        assert open_h2(client)[":status"] == "503"
    assert " URX,UF " in running.wait_for_access_line("CONNECT") or " UF,URX " in running.wait_for_access_line("CONNECT")


def test_an_upstream_reset_is_a_connect_error(owner):
    def script(connection):
        connection.read_exactly(1)
        connection.reset()

    upstream = owner.upstream(script)
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 1, match=ONLY_CONNECT)),
        static_entry("db.up", upstream.port, port=1, protocol="TCP")])
    with Client(running.port()) as client:
        open_h2(client)
        client.send(client.data(1, b"x", end=False))
        assert client.read_until(RST_STREAM).error_code == CONNECT_ERROR
    with Connection(running.port()) as connection:
        opened(connection)
        connection.send("x")
        assert connection.read_to_end() == (b"", False)


@pytest.mark.parametrize("version", [1, 2])
def test_a_client_that_resets_resets_the_upstream(owner, version):
    ends: list[str] = []
    ended = threading.Event()

    def script(connection):
        connection.send("!")
        try:
            ends.append("clean" if connection.socket.recv(1) == b"" else "data")
        except ConnectionResetError:
            ends.append("reset")
        ended.set()

    upstream = owner.upstream(script)
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 1, match=ONLY_CONNECT)),
        static_entry("db.up", upstream.port, port=1, protocol="TCP")])
    if version == 1:
        connection = Connection(running.port())
        opened(connection)
        connection.read_exactly(1)
        connection.reset()
    else:
        client = Client(running.port())
        open_h2(client)
        client.read_until(DATA)
        client.send(frame(RST_STREAM, stream=1, payload=b"\0\0\0\x08"))
    assert ended.wait(20) and ends == ["reset"]


def test_a_silent_tunnel_ends(owner):
    upstream = owner.upstream(lambda connection: connection.wait_for_end())
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 1, match=ONLY_CONNECT)),
        static_entry("db.up", upstream.port, port=1, protocol="TCP")], flags=("--idle-timeout", "1"))
    with Connection(running.port()) as connection:
        opened(connection)
        assert connection.read_to_end()[0] == b""
    assert "SI stream_idle_timeout" in running.wait_for_access_line("CONNECT")


def test_a_route_timeout_ends_no_tunnel(owner):
    """It bounds the time until there is one, as for upgrades."""
    upstream = owner.upstream(echo)
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 1, match=ONLY_CONNECT, timeout="1s")),
        static_entry("db.up", upstream.port, port=1, protocol="TCP")])
    with Connection(running.port()) as connection:
        assert opened(connection).status == 200
        connection.read_exactly(5)
        connection.socket.settimeout(1.5)
        with pytest.raises(socket.timeout):
            connection.read_exactly(1)
        connection.socket.settimeout(20)
        connection.send("on")
        assert connection.read_exactly(2) == b"on"


def test_a_tunnel_is_a_connection_of_its_own(owner):
    """No pooled connection becomes a tunnel, no tunnel comes back to the pool; an idle one makes room."""
    upstream = owner.upstream()
    running = owner.gateway(
        to_upstream(upstream.port, rules=[route("upstream.example", 80, match=ONLY_CONNECT),
                                          route("upstream.example", 80)])
        + [destination_rule("upstream.example", {"connectionPool": {"tcp": {"maxConnections": 1}}})])
    assert get(running.port()).status == 200
    with Connection(running.port()) as connection:
        assert opened(connection).status == 200
        connection.send("GET /inside HTTP/1.1\r\nHost: h\r\n\r\n")
        assert connection.read_response().status == 200
        with Connection(running.port()) as second:
            assert opened(second).status == 503, "one connection is the limit"
        connection.half_close()
        connection.read_to_end()
    assert "UO" in running.wait_for_access_line("overflow")
    assert get(running.port()).status == 200
    assert [request.target for request in upstream.requests] == ["/", "/inside", "/"]
    assert upstream.connections == 3


def test_a_rule_for_connect_goes_to_the_host_itself(owner):
    """`tunnel` of the DestinationRule is for `tcp` and `tls` routes, as in Istio: nothing precedes the client's bytes."""
    upstream = owner.upstream(echo)
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("db.up", 5432, match=ONLY_CONNECT)),
        static_entry("db.up", upstream.port, port=5432, protocol="TCP"),
        destination_rule("db.up", {"tunnel": {"targetHost": "far.example", "targetPort": 5432}})])
    with Connection(running.port()) as connection:
        assert opened(connection).status == 200
        connection.send(b"mine")
        assert connection.read_exactly(9) == b"hellomine"
