"""What a hostile HTTP/2 client can make us do is bounded, counted, and felt by nobody else."""

import struct

import pytest

from harness import http2
from harness.configuration import to_upstream
from harness.http2 import (ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS,
                           PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, Client, Closed, frame)
from harness.gateway import parse_access_line
from harness.http_client import get
from harness.processes import memory_kilobytes
from harness.upstreams import answering, response


@pytest.fixture
def running(owner):
    class Running:
        upstream = owner.upstream()
        gateway = owner.gateway(to_upstream(upstream.port))
        port = gateway.port()
    return Running


def errors(running) -> int:
    return int(running.gateway.admin("/stats?filter=^http2.protocol_error$")[1].split(":")[1])


def word(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


FLOODS = {
    "rapid reset": lambda c, n: c.request(2 * n + 1) + frame(RST_STREAM, stream=2 * n + 1, payload=word(CANCEL)),
    "settings": lambda c, n: http2.settings((3, 100)),
    "empty settings": lambda c, n: http2.settings(),
    "ping": lambda c, n: frame(PING, payload=bytes(8)),
    "priority": lambda c, n: frame(PRIORITY, stream=1, payload=word(0) + b"\x01"),
    "window updates": lambda c, n: frame(WINDOW_UPDATE, payload=word(1)),
    "unknown frames": lambda c, n: frame(0x42, payload=b"x"),
    "empty unknown frames": lambda c, n: frame(0xFE),
    "priority updates": lambda c, n: frame(0x10, payload=word(1) + b"u=1"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_floods_end_their_connection_only(running, flood):
    healthy = Client(running.port)
    assert healthy.still_serves(1)
    before = errors(running)
    memory = memory_kilobytes(running.gateway.pid)["RssAnon"]
    with Client(running.port) as client:
        sent = 0
        try:
            for batch in range(400):
                client.send(b"".join(FLOODS[flood](client, batch * 100 + number) for number in range(100)))
                sent += 100
        except OSError:
            pass
        codes = [got.error_code for got in client.read_closed() if got.kind == GOAWAY]
    assert codes == [ENHANCE_YOUR_CALM], f"after {sent}"
    assert errors(running) == before + 1, f"not stopped after {sent}"
    assert healthy.still_serves(3)
    assert memory_kilobytes(running.gateway.pid)["RssAnon"] - memory < 8 * 1024
    healthy.close()


def test_empty_data_frames(running):
    with Client(running.port) as client:
        client.send(client.request(1, method="POST", end=False) + frame(DATA, 0, 1) * 1000)
        codes = [got.error_code for got in client.read_closed() if got.kind == GOAWAY]
    assert codes == [ENHANCE_YOUR_CALM]
    assert get(running.port).status == 200


def test_a_continuation_flood(running):
    """A head that never ends (CVE-2024-27316)."""
    with Client(running.port) as client:
        client.send(frame(HEADERS, END_STREAM, 1, client.encoder.encode([(":method", "GET")])))
        try:
            for number in range(2000):
                client.send(frame(CONTINUATION, 0, 1, client.encoder.encode([(f"x-{number}", "v" * 500)])))
        except OSError:
            pass
        codes = [got.error_code for got in client.read_closed() if got.kind == GOAWAY]
    assert codes == [ENHANCE_YOUR_CALM]
    assert errors(running) == 1
    assert get(running.port).status == 200


def test_an_hpack_bomb(running):
    """A few bytes that unpack to megabytes: one large value, referred to again and again."""
    memory = memory_kilobytes(running.gateway.pid)["RssAnon"]
    with Client(running.port) as client:
        block = client.encoder.encode([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")])
        big = client.encoder.encode([("x-bomb", "v" * 4000)])
        client.send(frame(HEADERS, END_STREAM, 1, block + big) + frame(CONTINUATION, END_HEADERS, 1, b"\xbe" * 16000))
        got = client.read_until(RST_STREAM, HEADERS, GOAWAY)
        assert got.kind == HEADERS and got.flags & END_STREAM and dict(got.fields)[":status"] == "431"
        got = client.read_until(RST_STREAM, HEADERS, GOAWAY)
        assert (got.kind, got.stream, got.error_code) == (RST_STREAM, 1, http2.NO_ERROR)
        # What the table holds by now is as the client believes it to be.
        assert client.get(3).status == 200
    assert [request.target for request in running.upstream.requests] == ["/"]
    line = parse_access_line(running.gateway.wait_for_access_line(" 431 "))
    assert (line["response_flags"], line["response_code_details"]) == ("DPE", "request_headers_too_large")
    assert get(running.port).status == 200
    assert memory_kilobytes(running.gateway.pid)["RssAnon"] - memory < 4 * 1024


def test_more_streams_than_allowed(running):
    """The announced number is kept to: what is above is refused, and may be sent again."""
    running.upstream.script = lambda connection: (connection.read_request(), connection.wait_for_end())
    with Client(running.port) as client:
        client.send(b"".join(client.request(stream) for stream in range(1, 281, 2)))
        refused = []
        while len(refused) < 12:
            got = client.read_frame()
            if got.kind == RST_STREAM:
                refused.append((got.stream, got.error_code))
        assert refused == [(stream, http2.REFUSED_STREAM) for stream in range(257, 281, 2)]
        # Now that it has said that it knows the limit, it has no excuse.
        client.send(http2.frame(SETTINGS, ACK))
        client.send(client.request(281))
        assert [got.error_code for got in client.read_closed() if got.kind == GOAWAY] == [http2.PROTOCOL_ERROR]


def test_a_zero_window_holds_little(running):
    """Many responses that nobody reads: what is held for them is bounded by the streams' buffers."""
    running.upstream.script = answering(lambda request: response(bytes(1 << 20)))
    memory = memory_kilobytes(running.gateway.pid)["RssAnon"]
    with Client(running.port, settings_frame=http2.settings((4, 0))) as client:
        for stream in range(1, 101, 2):
            client.send(client.request(stream))
        for _ in range(50):
            client.read_until(HEADERS)
        assert memory_kilobytes(running.gateway.pid)["RssAnon"] - memory < 24 * 1024
        assert get(running.port, "/other").status == 200


def test_a_head_that_never_comes(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--header-timeout", "1"))
    with Client(running.port()) as client:
        client.read_closed()
    with Client(running.port()) as client:
        assert client.still_serves(1)
        client.send(frame(HEADERS, END_STREAM, 3, client.encoder.encode([(":method", "GET")])))
        client.read_closed()
