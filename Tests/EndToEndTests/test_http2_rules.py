"""RFC 9113, section by section: what a client may not do, and what it gets for it. Raw frames throughout.

A stream error ends the stream and leaves the connection; a connection error says GOAWAY and closes. Either way other
connections do not notice.
"""

import struct

import pytest

from harness import http2
from harness.configuration import to_upstream
from harness.http2 import (ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM,
                           FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS, NO_ERROR, PADDED, PING, PRIORITY,
                           PRIORITY_FLAG, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED,
                           WINDOW_UPDATE, Client, frame)
from harness.http_client import get


@pytest.fixture(scope="module")
def running(module_owner):
    class Running:
        upstream = module_owner.upstream()
        gateway = module_owner.gateway(to_upstream(upstream.port))
        port = gateway.port()
    yield Running
    assert get(Running.port).status == 200, "the gateway serves on after all of this"


@pytest.fixture
def client(running):
    with Client(running.port) as connection:
        yield connection


REQUEST = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")]


def without(name: str) -> list[tuple[str, str]]:
    return [field for field in REQUEST if field[0] != name]


def word(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


# Connection errors: 3.4, 4, 5.1, 6


CONNECTION_ERRORS = {
    "4.1 a frame longer than the peer allows":
        (lambda c: frame(DATA, 0, 1, bytes(16385)), (FRAME_SIZE_ERROR,)),
    "4.3 a field block that does not decode":
        (lambda c: frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xff\xff\xff\xff\xff\xff"), (COMPRESSION_ERROR,)),
    "4.3 another frame inside a field block":
        (lambda c: c.headers(1, REQUEST, flags=0) + frame(PING, payload=bytes(8)), (PROTOCOL_ERROR,)),
    "4.3 a continuation of another stream":
        (lambda c: c.headers(1, REQUEST, flags=0) + frame(CONTINUATION, END_HEADERS, 3), (PROTOCOL_ERROR,)),
    "5.1 data on an idle stream":
        (lambda c: frame(DATA, 0, 1, b"x"), (PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1 a reset of an idle stream":
        (lambda c: frame(RST_STREAM, 0, 1, word(CANCEL)), (PROTOCOL_ERROR,)),
    "5.1 a window for an idle stream":
        (lambda c: frame(WINDOW_UPDATE, 0, 1, word(1)), (PROTOCOL_ERROR,)),
    "5.1.1 a stream with an even number":
        (lambda c: c.headers(2, REQUEST), (PROTOCOL_ERROR,)),
    "6.1 data on stream 0":
        (lambda c: frame(DATA, 0, 0, b"x"), (PROTOCOL_ERROR,)),
    "6.1 padding longer than the frame":
        (lambda c: c.headers(1, REQUEST, end=False) + frame(DATA, PADDED, 1, b"\x05ab"), (PROTOCOL_ERROR,)),
    "6.2 headers on stream 0":
        (lambda c: c.headers(0, REQUEST), (PROTOCOL_ERROR,)),
    "6.2 padding longer than the headers":
        (lambda c: frame(HEADERS, PADDED | END_HEADERS, 1, b"\xffa"), (PROTOCOL_ERROR, FRAME_SIZE_ERROR)),
    "6.3 priority on stream 0":
        (lambda c: frame(PRIORITY, 0, 0, bytes(5)), (PROTOCOL_ERROR,)),
    "6.4 a reset on stream 0":
        (lambda c: frame(RST_STREAM, 0, 0, word(CANCEL)), (PROTOCOL_ERROR,)),
    "6.4 a reset of the wrong size":
        (lambda c: c.headers(1, REQUEST) + frame(RST_STREAM, 0, 1, b"abc"), (FRAME_SIZE_ERROR,)),
    "6.5 settings on a stream":
        (lambda c: frame(SETTINGS, 0, 1), (PROTOCOL_ERROR,)),
    "6.5 settings of a broken size":
        (lambda c: frame(SETTINGS, payload=b"abc"), (FRAME_SIZE_ERROR,)),
    "6.5 an acknowledgement with a payload":
        (lambda c: frame(SETTINGS, ACK, payload=bytes(6)), (FRAME_SIZE_ERROR,)),
    "6.5.2 ENABLE_PUSH neither 0 nor 1":
        (lambda c: http2.settings((2, 2)), (PROTOCOL_ERROR,)),
    "6.5.2 INITIAL_WINDOW_SIZE too large":
        (lambda c: http2.settings((4, 1 << 31)), (FLOW_CONTROL_ERROR,)),
    "6.5.2 MAX_FRAME_SIZE too small":
        (lambda c: http2.settings((5, 16383)), (PROTOCOL_ERROR,)),
    "6.5.2 MAX_FRAME_SIZE too large":
        (lambda c: http2.settings((5, 1 << 24)), (PROTOCOL_ERROR,)),
    "6.6 a push from a client":
        (lambda c: c.headers(1, REQUEST, end=False) + frame(PUSH_PROMISE, END_HEADERS, 1, word(2)), (PROTOCOL_ERROR,)),
    "6.7 a ping on a stream":
        (lambda c: frame(PING, 0, 1, bytes(8)), (PROTOCOL_ERROR,)),
    "6.7 a ping of the wrong size":
        (lambda c: frame(PING, payload=bytes(7)), (FRAME_SIZE_ERROR,)),
    "6.8 a goaway on a stream":
        (lambda c: frame(GOAWAY, 0, 1, bytes(8)), (PROTOCOL_ERROR,)),
    "6.9 a window update of nothing, for the connection":
        (lambda c: frame(WINDOW_UPDATE, payload=word(0)), (PROTOCOL_ERROR,)),
    "5.3.1 a stream that depends on itself":
        (lambda c: frame(HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1,
                         word(1) + b"\x10" + c.encoder.encode(REQUEST)), (PROTOCOL_ERROR,)),
    "6.9 a window update of nothing, for a stream":
        (lambda c: c.headers(1, REQUEST, end=False) + frame(WINDOW_UPDATE, 0, 1, word(0)), (PROTOCOL_ERROR,)),
    "6.9 a window update of the wrong size":
        (lambda c: frame(WINDOW_UPDATE, payload=b"abc"), (FRAME_SIZE_ERROR,)),
    "6.9.1 a connection window beyond 2^31-1":
        (lambda c: frame(WINDOW_UPDATE, payload=word(0x7FFFFFFF)), (FLOW_CONTROL_ERROR,)),
    "6.10 a continuation of nothing":
        (lambda c: frame(CONTINUATION, END_HEADERS, 1), (PROTOCOL_ERROR,)),
}


@pytest.mark.parametrize("rule", CONNECTION_ERRORS)
def test_connection_error(client, rule):
    make, codes = CONNECTION_ERRORS[rule]
    client.send(make(client))
    frames = client.read_closed()
    goodbye = [got for got in frames if got.kind == GOAWAY]
    assert goodbye and goodbye[-1].error_code in codes, (rule, frames)


@pytest.mark.parametrize("preface", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"])
def test_3_4_a_preface_that_is_none(running, preface):
    """It is no HTTP/1 request either."""
    with Client(running.port, preface=preface) as client:
        assert b" 505 " in client.socket.recv(1000)


def test_3_4_something_else_than_settings_first(running):
    with Client(running.port, settings_frame=frame(PING, payload=bytes(8))) as client:
        goodbye = [got for got in client.read_closed() if got.kind == GOAWAY]
        assert goodbye and goodbye[-1].error_code == PROTOCOL_ERROR


# Stream errors: 5.1, 6.9, 8


STREAM_ERRORS = {
    "6.9.1 a stream window beyond 2^31-1":
        lambda c: c.headers(1, REQUEST, end=False) + frame(WINDOW_UPDATE, 0, 1, word(0x7FFFFFFF)),
    "8.1 trailers without END_STREAM":
        lambda c: c.headers(1, REQUEST, end=False) + c.headers(1, [("x", "y")], end=False),
    "8.1.1 less body than content-length":
        lambda c: c.headers(1, [*REQUEST, ("content-length", "5")], end=False) + c.data(1, b"abc"),
    "8.1.1 more body than content-length":
        lambda c: c.headers(1, [*REQUEST, ("content-length", "2")], end=False) + c.data(1, b"abc"),
    "8.1.1 content-length and no body":
        lambda c: c.headers(1, [*REQUEST, ("content-length", "5")]),
    "8.1.1 two content-lengths":
        lambda c: c.headers(1, [*REQUEST, ("content-length", "3"), ("content-length", "4")], end=False) + c.data(1, b"abc"),
    "8.1.1 a content-length that is no number":
        lambda c: c.headers(1, [*REQUEST, ("content-length", "3a")], end=False) + c.data(1, b"abc"),
    "8.2 an upper-case name": lambda c: c.headers(1, [*REQUEST, ("X-Upper", "a")]),
    "8.2.1 a line feed in a value": lambda c: c.headers(1, [*REQUEST, ("x", "a\nb: c")]),
    "8.2.1 a carriage return in a value": lambda c: c.headers(1, [*REQUEST, ("x", "a\rb")]),
    "8.2.1 NUL in a value": lambda c: c.headers(1, [*REQUEST, ("x", "a\0b")]),
    "8.2.1 a space in a name": lambda c: c.headers(1, [*REQUEST, ("x y", "a")]),
    "8.2.1 a colon in a name": lambda c: c.headers(1, [*REQUEST, ("x:y", "a")]),
    "8.2.1 a value that begins with a space": lambda c: c.headers(1, [*REQUEST, ("x", " a")]),
    "8.2.1 a value that ends with a tab": lambda c: c.headers(1, [*REQUEST, ("x", "a\t")]),
    "8.2.2 connection": lambda c: c.headers(1, [*REQUEST, ("connection", "close")]),
    "8.2.2 transfer-encoding": lambda c: c.headers(1, [*REQUEST, ("transfer-encoding", "chunked")], end=False),
    "8.2.2 upgrade": lambda c: c.headers(1, [*REQUEST, ("upgrade", "websocket")]),
    "8.2.2 keep-alive": lambda c: c.headers(1, [*REQUEST, ("keep-alive", "5")]),
    "8.2.2 proxy-connection": lambda c: c.headers(1, [*REQUEST, ("proxy-connection", "x")]),
    "8.2.2 te other than trailers": lambda c: c.headers(1, [*REQUEST, ("te", "gzip")]),
    "8.3 an unknown pseudo-header field": lambda c: c.headers(1, [*REQUEST, (":x", "a")]),
    "8.3 a response's pseudo-header field": lambda c: c.headers(1, [*REQUEST, (":status", "200")]),
    "8.3 a pseudo-header field behind others": lambda c: c.headers(1, [*without(":path"), ("x", "a"), (":path", "/")]),
    "8.3 a pseudo-header field twice": lambda c: c.headers(1, [*REQUEST, (":path", "/b")]),
    "8.3 a pseudo-header field in trailers":
        lambda c: c.headers(1, REQUEST, end=False) + c.headers(1, [(":path", "/b")]),
    "8.3.1 no method": lambda c: c.headers(1, without(":method")),
    "8.3.1 no scheme": lambda c: c.headers(1, without(":scheme")),
    "8.3.1 no path": lambda c: c.headers(1, without(":path")),
    "8.3.1 an empty path": lambda c: c.headers(1, [*without(":path"), (":path", "")]),
    "8.3.1 a path without a slash": lambda c: c.headers(1, [*without(":path"), (":path", "x")]),
    "8.3.1 an authority with user information": lambda c: c.headers(1, [*without(":authority"), (":authority", "a@h")]),
    "8.3.1 a space in the path": lambda c: c.headers(1, [*without(":path"), (":path", "/a b")]),
    "8.3.1 a request in the path": lambda c: c.headers(1, [*without(":path"), (":path", "/ HTTP/1.1\r\nx: y")]),
    "8.3.1 neither authority nor host": lambda c: c.headers(1, without(":authority")),
    "8.5 CONNECT with a path": lambda c: c.headers(1, [*without(":method"), (":method", "CONNECT")]),
}


@pytest.mark.parametrize("rule", STREAM_ERRORS)
def test_stream_error(running, client, rule):
    """The request never reaches the upstream as if it were whole, and the connection serves on."""
    before = len(running.upstream.requests)
    client.send(STREAM_ERRORS[rule](client))
    got = client.read_until(RST_STREAM, GOAWAY, stream=None)
    assert got.kind == RST_STREAM and got.stream == 1 and got.error_code in (
        PROTOCOL_ERROR, FLOW_CONTROL_ERROR, http2.INTERNAL_ERROR), got
    assert client.still_serves(3)
    complete = [request for request in running.upstream.requests[before:] if request.target != "/"]
    assert not complete, complete


# What is allowed


@pytest.mark.parametrize("what, make", {
    "padded data": lambda c: c.headers(1, REQUEST, end=False) + frame(DATA, PADDED | END_STREAM, 1, b"\x02ab\0\0"),
    "padded headers": lambda c: frame(
        HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\x03" + c.encoder.encode(REQUEST) + bytes(3)),
    "headers with priority": lambda c: frame(
        HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1, word(0) + b"\x10" + c.encoder.encode(REQUEST)),
    "an unknown frame": lambda c: frame(0x7E, 0xFF, 0, b"?") + c.headers(1, REQUEST),
    "unknown settings": lambda c: http2.settings((0x7F, 1)) + c.headers(1, REQUEST),
    "unknown flags": lambda c: frame(PING, 0xFE, 0, bytes(8)) + c.headers(1, REQUEST),
    "an empty data frame that ends": lambda c: c.headers(1, REQUEST, end=False) + c.data(1, b""),
    "a reserved bit": lambda c: frame(WINDOW_UPDATE, payload=word(0x80000001)) + c.headers(1, REQUEST),
    "priority of an idle stream": lambda c: frame(PRIORITY, 0, 7, word(0) + b"\x01") + c.headers(1, REQUEST),
}.items())
def test_allowed(client, what, make):
    client.send(make(client))
    assert client.answer(1).status == 200


def test_5_1_1_a_stream_number_that_goes_back_is_never_served(running, client):
    """It counts as closed already; nghttp2 drops the frame instead of ending the connection."""
    client.send(client.headers(5, REQUEST) + client.headers(3, REQUEST) + client.headers(7, REQUEST))
    answered = set()
    while len(answered) < 2:
        answered.add(client.read_until(HEADERS).stream)
    assert answered == {5, 7}


def test_6_2_headers_in_pieces(client):
    block = client.encoder.encode([*REQUEST, ("x-long", "v" * 1000)])
    client.send(frame(HEADERS, END_STREAM, 1, block[:1]) + frame(CONTINUATION, 0, 1, block[1:500])
                + frame(CONTINUATION, END_HEADERS, 1, block[500:]))
    assert client.answer(1).status == 200


def test_6_7_pings_are_answered(client):
    client.send(frame(PING, payload=b"12345678"))
    got = client.read_until(PING)
    assert (got.flags, got.payload) == (ACK, b"12345678")


def test_6_9_2_a_window_that_shrinks_below_what_was_sent(running):
    """It becomes negative: nothing is sent until it is positive again."""
    with Client(running.port) as client:
        client.send(http2.settings((4, 0)))
        client.send(client.request(1))
        assert dict(client.read_until(HEADERS).fields)[":status"] == "200"
        client.send(frame(WINDOW_UPDATE, 0, 1, word(2)))
        assert client.read_until(DATA).payload == b"ok"


def test_requests_cannot_be_smuggled_into_http1(running, client):
    """Whatever is in a field, the upstream sees one request a stream."""
    before = len(running.upstream.requests)
    bad = [[*REQUEST, ("x", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: h")],
           [*without(":path"), (":path", "/ HTTP/1.1\r\nhost: h\r\n\r\nGET /smuggled HTTP/1.1")],
           [*without(":authority"), (":authority", "h\r\nx: y")],
           [*without(":method"), (":method", "GET /smuggled HTTP/1.1\r\nx:")],
           [*REQUEST, ("content-length", "0"), ("transfer-encoding", "chunked")]]
    for number, fields in enumerate(bad):
        client.send(client.headers(1 + 2 * number, fields))
        assert client.read_until(RST_STREAM).stream == 1 + 2 * number
    assert client.still_serves(101)
    targets = [request.target for request in running.upstream.requests[before:]]
    assert targets == ["/"], targets


def test_heads_that_are_too_large_get_431(running):
    with Client(running.port) as client:
        block = client.encoder.encode([*REQUEST, *((f"x-{number}", "v" * 4000) for number in range(20))])
        pieces = [block[start:start + 16000] for start in range(0, len(block), 16000)]
        client.send(frame(HEADERS, END_STREAM, 1, pieces[0]) + b"".join(
            frame(CONTINUATION, END_HEADERS if piece is pieces[-1] else 0, 1, piece) for piece in pieces[1:]))
        assert client.answer(1).status == 431
        assert client.get(3, extra=[(f"x-{number}", "v") for number in range(200)]).status == 431
        assert client.still_serves(5)
