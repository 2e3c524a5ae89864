"""WebSocket and other upgrades: HTTP/1.1 Upgrade and extended CONNECT, with the real library and by the byte."""

import base64
import hashlib
import threading

import pytest
from websockets.sync.client import connect
from websockets.sync.server import serve

from harness import http2
from harness.configuration import (gateway, http_server, https_server, route, static_entry, to_upstream,
                                   virtual_service)
from harness.http2 import DATA, END_STREAM, HEADERS, Client, frame
from harness.http_client import Connection, client_context, get
from harness.upstreams import response

HANDSHAKE = ("GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Extra: 1\r\n\r\n"


@pytest.fixture
def websocket_server(owner):
    """Echoes messages."""
    def echo(socket):
        for message in socket:
            socket.send(message)

    server = serve(echo, "127.0.0.1", 0, max_size=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.socket.getsockname()[1]
    server.shutdown()
    thread.join(10)


def test_a_real_websocket_through_tls(owner, websocket_server, authority):
    certificate = authority.issue("ws.example.com")
    running = owner.gateway(
        [gateway(https_server("ws.example.com", credential="a")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", websocket_server)],
        ports=(443,), secrets={"a": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    with connect(f"wss://ws.example.com:{running.port(443)}/chat", ssl=client_context(authority), max_size=None,
                 sock=_socket(running.port(443)), server_hostname="ws.example.com", proxy=None) as socket:
        for message in ("hello", b"\0\1\2", "x" * 3_000_000):
            socket.send(message)
            assert socket.recv(timeout=20) == message
        assert socket.ping().wait(20)
    assert '"GET /chat HTTP/1.1" 101' in running.wait_for_access_line("/chat")


def _socket(port: int):
    import socket
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def test_what_both_sides_see(pair):
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send(SWITCH + "first"), connection.send(connection.read_exactly(4)[::-1]))
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        head = connection.read_until(b"\r\n\r\n").decode().lower()
        assert head.startswith("http/1.1 101 ") and "x-extra: 1" in head
        assert "upgrade: websocket" in head and "connection: upgrade" in head and "content-length" not in head
        assert connection.read_exactly(5) == b"first"
        connection.send(b"abcd")
        assert connection.read_exactly(4) == b"dcba"
    request = pair.upstream.requests[0]
    assert request.header("upgrade") == "websocket" and request.header("connection").lower() == "upgrade"
    assert request.header("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ=="


def test_nothing_is_sent_before_the_upstream_agrees(pair):
    """Bytes behind the request wait: the upstream may say no, and would take them for a request."""
    agreed = threading.Event()
    pair.upstream.script = lambda connection: (
        connection.read_head(), agreed.wait(10), connection.send(SWITCH), connection.send(connection.read_exactly(5)))
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE + "early")
        pair.upstream.wait_for_requests(1)
        agreed.set()
        connection.read_until(b"\r\n\r\n")
        assert connection.read_exactly(5) == b"early"


def test_an_upstream_that_declines(pair):
    """An answer like any other, and the connection serves on."""
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        assert connection.read_response().text == "ok"
        assert connection.request(target="/next").status == 200
    assert [request.target for request in pair.upstream.requests] == ["/chat", "/next"]


def test_a_client_that_half_closes_still_gets_the_rest(pair):
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send(SWITCH), connection.wait_for_end(), connection.send(b"goodbye"))
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        connection.half_close()
        assert connection.read_exactly(7) == b"goodbye"


def test_an_upstream_that_closes_is_seen_at_once(pair):
    pair.upstream.script = lambda connection: (connection.read_head(), connection.send(SWITCH + "bye"))
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        assert connection.read_to_end()[0] == b"bye"


BIG = bytes(range(256)) * 8192


def half_closing(result: list, ended: threading.Event, go_on: threading.Event | None = None):
    """An upstream that speaks, ends its side, and goes on listening, once it may. To others it answers."""
    def script(connection):
        if connection.read_head().target != "/chat":
            return connection.send(response())
        connection.send(SWITCH + "bye")
        connection.half_close()
        if go_on:
            go_on.wait(20)
        data = bytearray()
        while piece := connection.socket.recv(1 << 16):
            data += piece
        result.append(bytes(connection._buffer) + bytes(data))
        ended.set()
    return script


def test_an_upstream_that_half_closes_still_gets_the_rest(pair):
    result, ended = [], threading.Event()
    pair.upstream.script = half_closing(result, ended)
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        assert connection.read_to_end() == (b"bye", True)
        connection.send(BIG)
        assert not ended.is_set()
        connection.half_close()
        assert ended.wait(20)
    assert result == [BIG]
    assert '101 - via_upstream' in pair.gateway.wait_for_access_line("/chat")


def test_an_upstream_that_half_closes_under_tls(owner, authority):
    """close_notify ends one direction, as FIN does."""
    certificate = authority.issue("ws.example.com")
    result, ended = [], threading.Event()
    upstream = owner.upstream(half_closing(result, ended))
    running = owner.gateway(
        [gateway(https_server("*", credential="a")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", upstream.port)],
        ports=(443,), secrets={"a": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    with Connection(running.port(443), tls=client_context(authority), server_name="ws.example.com") as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        assert connection.read_to_end() == (b"bye", True)
        connection.send(BIG)
    assert ended.wait(20)
    assert result == [BIG]


def test_an_upstream_that_half_closes_over_http2(pair):
    """Its end is END_STREAM; DATA goes on the other way, and the stream is over when that has ended."""
    result, ended = [], threading.Event()
    pair.upstream.script = half_closing(result, ended)
    with Client(pair.port) as client:
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h")], end=False))
        assert dict(client.read_until(HEADERS).fields)[":status"] == "200"
        got = client.read_until(DATA)
        data = got.payload
        while not got.flags & END_STREAM:
            got = client.read_until(DATA)
            data += got.payload
        assert data == b"bye"
        for _ in range(3):
            client.send(client.data(1, b"x" * 10000, end=False))
        assert client.get(3, "/other").status == 200
        assert not ended.is_set()
        client.send(client.data(1, b"end", end=True))
        assert ended.wait(20)
    assert result == [b"x" * 30000 + b"end"]
    line = pair.gateway.wait_for_access_line("/chat")
    assert '200 - via_upstream' in line, line


def test_the_last_bytes_of_a_tunnel_over_http2_survive_its_stream(pair):
    """The stream ends while the upstream does not read: what waits in the gateway is not lost."""
    result, ended, go_on = [], threading.Event(), threading.Event()
    pair.upstream.script = half_closing(result, ended, go_on)
    with Client(pair.port) as client:
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h")], end=False))
        while not client.read_until(DATA).flags & END_STREAM:
            pass
        sent, window = 0, 65535
        client.socket.settimeout(1)
        try:
            while True:
                if window >= 16384:
                    client.send(client.data(1, b"y" * 16384, end=False))
                    sent, window = sent + 16384, window - 16384
                    continue
                update = client.read_until(http2.WINDOW_UPDATE, http2.SETTINGS)
                if update.kind == http2.WINDOW_UPDATE and update.stream == 1:
                    window += int.from_bytes(update.payload, "big")
        except TimeoutError:
            client.socket.settimeout(http2.TIMEOUT_SECONDS)
        client.send(client.data(1, b"", end=True))
        assert client.get(3, "/other").status == 200, "the end was seen"
        go_on.set()
        assert ended.wait(20)
    assert len(result[0]) == sent
    assert '200 - via_upstream' in pair.gateway.wait_for_access_line("/chat")


def test_an_upstream_that_is_gone_behind_its_end(pair):
    """It closed altogether: what the client still sends has nobody, and the client is told."""
    closed = threading.Event()

    def script(connection):
        connection.read_head()
        connection.send(SWITCH)
        connection.half_close()
        connection.read_exactly(1)
        connection.reset()
        closed.set()

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        connection.send(b"x")
        assert closed.wait(20)
        # Reset, although nothing more is sent to it.
        pair.gateway.wait_for_access_line("upstream_reset_after_response_started")


def test_a_half_closed_tunnel_ends_when_it_is_silent(owner):
    upstream = owner.upstream(lambda connection: (
        connection.read_head(), connection.send(SWITCH), connection.half_close(), connection.wait_for_end()))
    running = owner.gateway(to_upstream(upstream.port), flags=("--idle-timeout", "1"))
    with Connection(running.port()) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        assert "SI stream_idle_timeout" in running.wait_for_access_line("/chat")


def test_an_upgrade_with_a_body_is_no_upgrade(pair):
    with Connection(pair.port) as connection:
        connection.send(HANDSHAKE.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc"))
        assert connection.read_response().status == 200
    assert pair.upstream.requests[0].header("upgrade") is None
    assert pair.upstream.requests[0].body == b"abc"


def test_a_silent_tunnel_ends(owner):
    upstream = owner.upstream(lambda connection: (
        connection.read_head(), connection.send(SWITCH), connection.wait_for_end()))
    running = owner.gateway(to_upstream(upstream.port), flags=("--idle-timeout", "1"))
    with Connection(running.port()) as connection:
        connection.send(HANDSHAKE)
        connection.read_until(b"\r\n\r\n")
        assert connection.read_to_end()[0] == b""


def test_extended_connect_to_an_http1_upstream(pair):
    """RFC 8441: CONNECT with :protocol becomes an Upgrade, 101 becomes 200, DATA frames become bytes."""
    def script(connection):
        request = connection.read_head()
        accept = base64.b64encode(hashlib.sha1(
            (request.header("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        connection.send(SWITCH.replace("X-Extra: 1", f"Sec-WebSocket-Accept: {accept}"))
        connection.send(connection.read_exactly(5).upper())
        connection.wait_for_end()
        connection.send(b"!")

    pair.upstream.script = script
    with Client(pair.port) as client:
        first = client.read_until(http2.SETTINGS)
        assert b"\0\x08\0\0\0\1" in first.payload, "SETTINGS_ENABLE_CONNECT_PROTOCOL is announced"
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h"), ("sec-websocket-version", "13")], end=False))
        head = dict(client.read_until(HEADERS).fields)
        assert head[":status"] == "200" and "upgrade" not in head and "sec-websocket-accept" not in head
        client.send(client.data(1, b"hello", end=False))
        assert client.read_until(DATA).payload == b"HELLO"
        client.send(client.data(1, b"", end=True))
        rest = b""
        while True:
            got = client.read_until(DATA)
            rest += got.payload
            if got.flags & END_STREAM:
                break
        assert rest == b"!"
    request = pair.upstream.requests[0]
    assert (request.method, request.target, request.header("upgrade")) == ("GET", "/chat", "websocket")


def test_extended_connect_that_the_upstream_declines(pair):
    pair.upstream.script = lambda connection: (connection.read_head(), connection.send(response("no", "403 Forbidden")))
    with Client(pair.port) as client:
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h")], end=False))
        assert client.answer(1).status == 403


def test_plain_connect_is_no_way_through(pair):
    with Client(pair.port) as client:
        client.send(client.headers(1, [(":method", "CONNECT"), (":authority", "other.example:443")], end=False))
        assert client.answer(1).status == 404
    assert pair.upstream.requests == []
    assert get(pair.port).status == 200
