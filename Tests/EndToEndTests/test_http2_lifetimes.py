"""What is left when HTTP/2 streams end in unusual ways: nothing held, no other stream touched, nothing said twice."""

import signal
import socket
import struct
import threading

import pytest

from harness import http2
from harness.configuration import (destination_rule, gateway, http_server, route, static_entry, to_upstream,
                                   virtual_service)
from harness.http2 import (ACK, CANCEL, DATA, END_STREAM, GOAWAY, HEADERS, INTERNAL_ERROR, NO_ERROR,
                           REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, Client, Upstream, frame)
from harness.http_client import Connection, get
from harness.pair import Pair
from harness.upstreams import answering, response
from harness.waiting import eventually


def word(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def behind(port: int, **rule) -> list[dict]:
    """One plaintext server, everything to one HTTP/2 upstream."""
    return [gateway(http_server("*")), virtual_service(route("upstream.example", 80, **rule)),
            static_entry("upstream.example", port, protocol="HTTP2")]


def active(running) -> dict[str, int]:
    """What is under way: requests of clients, and with each cluster."""
    lines = running.admin("/stats")[1].splitlines()
    pairs = [line.rsplit(": ", 1) for line in lines if "rq_active" in line]
    return {name: int(value) for name, value in pairs if value.isdigit() and int(value)}


def upload(client: Client, stream: int, count: int) -> None:
    """A request with `count` bytes of a body that goes on; no more than the stream's window takes."""
    client.send(client.request(stream, method="POST", end=False))
    for _ in range(count // 16384):
        client.send(client.data(stream, bytes(16384), end=False))


# Windows


def test_uploads_that_break_off_give_their_window_back(owner):
    """The response breaks off while bytes of the request wait: twenty of them would use the connection's window up."""
    def script(peer, number):
        peer.send(http2.settings((4, 0)))
        while True:
            got = peer.read_until(HEADERS)
            if dict(got.fields)[":path"] != "/broken":
                peer.send(frame(WINDOW_UPDATE, stream=got.stream, payload=word(1000)))
                peer.read_until(DATA)
                peer.send(peer.headers(got.stream, [(":status", "200")]))
                continue
            peer.send(peer.headers(got.stream, [(":status", "200")], end=False) + peer.data(got.stream, b"x", end=False))
            sent.acquire(timeout=20)
            peer.send(frame(RST_STREAM, stream=got.stream, payload=word(INTERNAL_ERROR)))

    sent = threading.Semaphore(0)
    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port))
    with Client(running.port()) as client:
        for stream in range(1, 61, 2):
            client.send(client.request(stream, "/broken", method="POST", end=False))
            client.read_until(DATA, stream=stream)
            client.send(client.data(stream, bytes(16384), end=False) * 7)
            client.send(frame(http2.PING, payload=bytes(8)))
            client.read_until(http2.PING)
            sent.release()
            client.read_until(RST_STREAM, stream=stream)
        client.send(client.request(101, method="POST", end=False) + client.data(101, bytes(1000)))
        assert client.answer(101).status == 200
    assert not active(running)


# Written frames of streams that end


def test_a_reset_behind_a_written_frame_takes_nothing_from_others(pair):
    """The client does not read, so that a frame of one stream is the last that was written when that stream ends."""
    body = bytes(range(256)) * 8192
    pair.upstream.script = answering(lambda request: response(body))
    for attempt in range(4):
        with Client(pair.port, settings_frame=http2.settings((4, 1 << 30)), receive_buffer=4096) as client:
            client.send(frame(WINDOW_UPDATE, payload=word((1 << 30) - 65535)))
            streams = list(range(1, 17, 2))
            client.send(b"".join(client.request(stream) for stream in streams))
            client.read_until(DATA)
            cancelled = streams[::2] if attempt % 2 else streams[1::2]
            client.send(b"".join(frame(RST_STREAM, stream=stream, payload=word(CANCEL)) for stream in cancelled))
            kept = {stream: b"" for stream in streams if stream not in cancelled}
            # Of one frame the beginning was read already.
            seen = 16384
            ended = set()
            while len(ended) < len(kept):
                got = client.read_until(DATA)
                if got.stream in kept:
                    kept[got.stream] += got.payload
                    if got.flags & END_STREAM:
                        ended.add(got.stream)
            assert sum(len(each) != len(body) for each in kept.values()) <= 1
            assert all(len(each) in (len(body), len(body) - seen) and body.endswith(each) for each in kept.values())


# Streams that stay open


def test_an_answered_upload_does_not_hold_the_connection(owner):
    """The answer has gone out, the request goes on for ever: the idle timeout ends what is left of it."""
    upstream = owner.upstream(lambda connection: (connection.read_head(), connection.send(response("no", "403 No"))))
    running = owner.gateway(to_upstream(upstream.port), flags=("--idle-timeout", "1"))
    with Client(running.port()) as client:
        client.send(client.request(1, method="POST", end=False))
        assert client.read_until(HEADERS).stream == 1
        kinds = [(got.kind, got.stream) for got in client.read_closed()]
    assert (RST_STREAM, 1) in kinds and (GOAWAY, 0) in kinds


def test_a_long_upload_cannot_cut_its_own_answer_short(pair):
    """The answer is larger than the client's window, and more of the request comes than is read to no purpose."""
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send(response(bytes(30_000), "413 Too Large")), connection.wait_for_end())
    with Client(pair.port, settings_frame=http2.settings((4, 1000))) as client:
        client.send(client.request(1, method="POST", end=False))
        client.read_until(HEADERS)
        room, body = 128 * 1024, 0
        # It sends as long as it may, before it reads on.
        client.socket.settimeout(1)
        try:
            while True:
                while room >= 16384:
                    client.send(client.data(1, bytes(16384), end=False))
                    room -= 16384
                got = client.read_frame()
                if got.kind == WINDOW_UPDATE and got.stream == 1:
                    room += struct.unpack(">I", got.payload)[0]
                assert got.kind != RST_STREAM, "the answer was cut short"
                body += len(got.payload) if got.kind == DATA else 0
        except TimeoutError:
            pass
        client.socket.settimeout(20)
        client.send(frame(WINDOW_UPDATE, stream=1, payload=word(100_000)))
        while body < 30_000:
            got = client.read_until(DATA, RST_STREAM)
            assert got.kind == DATA
            body += len(got.payload)
        assert body == 30_000
        assert client.read_until(RST_STREAM).error_code == NO_ERROR


def test_a_client_that_reads_nothing_is_let_go(owner):
    upstream = owner.upstream(answering(lambda request: response(bytes(8 << 20))))
    running = owner.gateway(to_upstream(upstream.port), flags=("--idle-timeout", "1"))
    with Client(running.port(), settings_frame=http2.settings((4, 1 << 30)), receive_buffer=4096) as client:
        client.send(frame(WINDOW_UPDATE, payload=word(1 << 30)) + client.request(1))
        eventually(lambda: len(upstream.requests) == 1, "the request arrives")
        eventually(lambda: "http.downstream_cx_active: 0" in running.admin("/stats")[1], "the connection is closed")
        assert not active(running)


def test_a_client_of_http1_that_reads_nothing_is_let_go(owner):
    """And the stream that it had serves others, untouched by what remains of that connection."""
    upstream = owner.upstream(answering(
        lambda request: response(bytes(8 << 20) if request.target == "/big" else "small")))
    running = owner.gateway(to_upstream(upstream.port), flags=("--idle-timeout", "1"))
    with Connection(running.port()) as stuck:
        stuck.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n")
        running.wait_for_access_line("/big")
        assert all(get(running.port(), "/small").text == "small" for _ in range(5))
        eventually(lambda: "http.downstream_cx_active: 0" in running.admin("/stats")[1], "the connection is closed")
    assert not active(running)
    assert all(" - " in line for line in running.access_lines() if "/small" in line)


# Idle time, stream by stream

QUICK = ("--stream-idle-timeout", "1")


class Beside:
    """Requests that go on, on the connection of one that is stuck."""

    def __init__(self, client: Client, first: int = 101):
        self.client, self.stream = client, first

    def until_reset(self, stream: int) -> http2.Frame:
        """Serves on until the stream is reset."""
        while True:
            self.client.send(self.client.request(self.stream, "/beside"))
            while True:
                got = self.client.read_until(HEADERS, DATA, RST_STREAM)
                if got.kind == RST_STREAM:
                    assert got.stream == stream
                    return got
                if got.stream == self.stream and got.flags & END_STREAM:
                    break
            self.stream += 2


def test_a_client_that_takes_no_body_loses_that_stream_alone(owner):
    upstream = owner.upstream(answering(
        lambda request: response(bytes(1 << 20) if request.target == "/big" else "ok")))
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Client(running.port(), settings_frame=http2.settings((4, 1000))) as client:
        client.send(client.request(1, "/big"))
        assert Beside(client).until_reset(1).error_code == http2.CANCEL
    line = running.wait_for_access_line("/big")
    assert "200 SI stream_idle_timeout" in line, line
    assert " SI " not in running.wait_for_access_line("/beside")


def test_a_short_answer_that_is_not_taken_ends_too(owner):
    """All of it is with the gateway: the upstream and the log are done, the client is not."""
    upstream = owner.upstream(answering(lambda request: response(bytes(5000) if request.target == "/big" else "ok")))
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Client(running.port(), settings_frame=http2.settings((4, 1000))) as client:
        client.send(client.request(1, "/big"))
        assert Beside(client).until_reset(1).error_code == http2.CANCEL
        assert client.still_serves(99_999)


def test_an_upload_that_stops_is_answered_408(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Client(running.port()) as client:
        client.send(client.request(1, "/upload", method="POST", end=False) + client.data(1, b"abc", end=False))
        assert client.answer(1).status == 408
        assert client.still_serves(3)
    assert "408 SI stream_idle_timeout" in running.wait_for_access_line("/upload")


def test_an_upload_that_moves_is_not_stalled(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--stream-idle-timeout", "2"))
    with Client(running.port()) as client, Connection(running.port()) as connection:
        client.send(client.request(1, "/upload", method="POST", end=False))
        connection.send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
        # Longer than the timeout altogether: the subject is time itself.
        for _ in range(8):
            assert not threading.Event().wait(0.4)
            client.send(client.data(1, b"x", end=False))
            connection.send("x")
        client.send(client.data(1, b"x"))
        connection.send("x")
        assert client.answer(1).status == 200 and connection.read_response().status == 200


def test_an_upload_over_http1_that_stops_is_answered_408(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Connection(running.port()) as connection:
        connection.send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
        assert connection.read_response().status == 408
    assert "408 SI stream_idle_timeout" in running.wait_for_access_line("/upload")


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "gRPC"])
def test_a_call_that_waits_for_news_is_not_stuck(owner, begun):
    """Both directions are open and nothing waits for the client: that is what `--idle-timeout` is for."""
    release = threading.Event()

    def script(connection):
        connection.read_head()
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        if begun:
            connection.send(head)
        release.wait(20)
        connection.send((b"" if begun else head.encode()) + b"4\r\nnews\r\n0\r\n\r\n")

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Client(running.port()) as client, Connection(running.port()) as connection:
        client.send(client.request(1, "/watch", method="POST", end=False,
                                   extra=[] if begun else [("content-type", "application/grpc")]))
        if begun:
            connection.send("POST /watch HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.read_head()
        # Longer than the timeout.
        assert not threading.Event().wait(2.5)
        release.set()
        got = client.read_until(DATA, RST_STREAM)
        assert (got.kind, got.payload) == (DATA, b"news")
        if begun:
            assert b"news" in connection.read_until(b"0\r\n\r\n")


def test_an_upstream_may_take_its_time(owner):
    """The route's timeout bounds it, and nothing else does."""
    release = threading.Event()
    upstream = owner.upstream(lambda connection: (
        connection.read_head(), release.wait(20), connection.send(response("late"))))
    running = owner.gateway(to_upstream(upstream.port), flags=QUICK)
    with Client(running.port()) as client:
        client.send(client.request(1))
        assert not threading.Event().wait(2.5)
        release.set()
        assert client.answer(1).body == b"late"


def test_a_connection_whose_streams_are_done_is_idle_from_its_last_frame(owner):
    """The time that streams had does not shorten that of the connection."""
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--stream-idle-timeout", "0.5", "--idle-timeout", "2"))
    with Client(running.port()) as client:
        assert client.get(1).status == 200
        assert not threading.Event().wait(1.2)
        assert client.get(3).status == 200
        assert GOAWAY in [got.kind for got in client.read_closed()]


def test_malformed_heads_do_not_end_the_connection(owner):
    """A head that was refused is not one that is still coming in."""
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--header-timeout", "1"))
    release = threading.Event()
    upstream.script = lambda connection: (connection.read_head(), release.wait(20), connection.send(response()))
    with Client(running.port()) as client:
        client.send(client.request(1))
        upstream.wait_for_requests(1)
        client.send(client.headers(3, [(":method", "GET"), (":scheme", "http"), (":authority", "h")]))
        assert client.read_until(RST_STREAM).stream == 3
        # Longer than the header timeout.
        assert not threading.Event().wait(2)
        release.set()
        assert client.answer(1).status == 200


# Draining


@pytest.fixture
def patient(owner):
    """Like `pair`, with time to drain."""
    return Pair(owner, flags=("--drain", "15"))


def test_draining_goes_on_although_the_client_sends(patient):
    """The second GOAWAY comes in time whatever else arrives."""
    release = threading.Event()
    patient.upstream.script = lambda connection: (connection.read_head(), release.wait(20), connection.send(response()))
    with Client(patient.port) as client:
        client.send(client.request(1))
        patient.upstream.wait_for_requests(1)
        patient.gateway.process.signal(signal.SIGTERM)
        assert client.read_until(GOAWAY).last_stream == (1 << 31) - 1
        client.send(frame(http2.PING, payload=bytes(8)))
        assert client.read_until(GOAWAY).last_stream == 1
        release.set()
        assert client.answer(1).status == 200
        client.read_closed()


def test_a_connection_made_while_draining_serves_and_leaves(patient):
    release = threading.Event()
    patient.upstream.script = lambda connection: (connection.read_head(), release.wait(20), connection.send(response()))
    with Client(patient.port) as busy:
        busy.send(busy.request(1))
        patient.upstream.wait_for_requests(1)
        patient.gateway.process.signal(signal.SIGTERM)
        busy.read_until(GOAWAY)
        with Client(patient.port) as late:
            late.send(late.request(1))
            assert late.read_until(GOAWAY).error_code == NO_ERROR
            release.set()
            assert late.answer(1).status == 200
            late.read_closed()
        assert busy.answer(1).status == 200


def test_a_goodbye_is_no_error(pair):
    with Client(pair.port) as client:
        assert client.still_serves(1)
        client.send(frame(GOAWAY, payload=word(0, NO_ERROR)))
        client.read_closed()
    assert "http2.protocol_error: 0" in pair.gateway.admin("/stats")[1]


# Upgrades


def test_bytes_behind_a_declined_upgrade_never_reach_the_upstream(pair):
    """They would be read as the next request of a connection that others use."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    more = threading.Event()

    def script(connection):
        while connection.read_request():
            connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno")
            more.wait(10)
            connection.send("no")

    pair.upstream.script = script
    with Client(pair.port) as client:
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h")], end=False))
        client.read_until(DATA)
        client.send(client.data(1, smuggled, end=False))
        client.send(client.data(1, smuggled))
        client.send(frame(http2.PING, payload=bytes(8)))
        client.read_until(http2.PING)
        more.set()
        client.read_until(DATA)
        assert client.get(3).status == 403
    assert [request.target for request in pair.upstream.requests] == ["/chat", "/"]


def test_an_extended_connect_that_ends_before_the_answer(pair):
    """The upstream sees the end, once it has agreed."""
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                                "Upgrade: websocket\r\n\r\n"),
        connection.wait_for_end(), connection.send(b"bye"))
    with Client(pair.port) as client:
        client.send(client.headers(1, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"),
            (":authority", "h")], end=False) + client.data(1, b""))
        assert client.answer(1).body == b"bye"


# Between versions


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_that_ends_late_is_not_framed_in_http1(owner, status):
    """Over HTTP/2 the end may come behind the head; a client of HTTP/1 must not get a chunked 204."""
    def script(peer, number):
        while True:
            got = peer.read_until(HEADERS)
            peer.send(peer.headers(got.stream, [(":status", str(status))], end=False) + peer.data(got.stream, b""))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port))
    with Connection(running.port()) as connection:
        for _ in range(2):
            answer = connection.request()
            assert answer.status == status
            assert answer.header("transfer-encoding") is None and answer.header("content-length") is None


# Upstreams


def test_slow_clients_do_not_hold_up_others_of_one_upstream_connection(owner):
    """Responses that wait for their clients must not use up the window that all streams share."""
    def serve(peer, number):
        room, limits, todo = [65_535], {}, {}
        initial = [65_535]

        def pump():
            for stream in list(todo):
                while todo[stream] and room[0] and limits[stream]:
                    size = min(16384, todo[stream], room[0], limits[stream])
                    room[0] -= size
                    limits[stream] -= size
                    todo[stream] -= size
                    peer.send(peer.data(stream, bytes(size), end=not todo[stream]))
                    if not todo[stream]:
                        del todo[stream]
                        break

        while True:
            got = peer.read_frame()
            if got.kind == SETTINGS and not got.flags & ACK:
                for place in range(0, len(got.payload), 6):
                    key, value = struct.unpack(">HI", got.payload[place:place + 6])
                    if key == 4:
                        initial[0] = value
                peer.send(frame(SETTINGS, ACK))
            elif got.kind == HEADERS:
                path = dict(got.fields)[":path"]
                limits[got.stream], todo[got.stream] = initial[0], 1000 if path == "/small" else 4 << 20
                peer.send(peer.headers(got.stream, [(":status", "200")], end=False))
            elif got.kind == WINDOW_UPDATE:
                size = struct.unpack(">I", got.payload)[0]
                if got.stream == 0:
                    room[0] += size
                elif got.stream in limits:
                    limits[got.stream] += size
            pump()

    upstream = owner.own(Upstream(serve))
    running = owner.gateway(behind(upstream.port))
    # Windows of nothing: the responses wait in the gateway.
    with Client(running.port(), settings_frame=http2.settings((4, 0))) as slow:
        slow.send(b"".join(slow.request(stream, "/big") for stream in range(1, 61, 2)))
        for _ in range(30):
            slow.read_until(HEADERS)
        for _ in range(5):
            assert len(get(running.port(), "/small").body) == 1000
    eventually(lambda: not active(running), "everything is given back")


def test_a_post_on_a_refused_stream_is_sent_again_without_a_policy(owner):
    """RFC 9113, section 8.7: it was not processed, so it can be, whatever its method; nothing of a body had left."""
    def script(peer, number):
        refused = peer.read_until(HEADERS).stream
        peer.send(frame(RST_STREAM, stream=refused, payload=word(REFUSED_STREAM)))
        again = peer.read_until(HEADERS).stream
        peer.send(peer.headers(again, [(":status", "200")]))
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, retries={"attempts": 0}))
    with Client(running.port()) as client:
        assert client.get(1, method="POST").status == 200


def test_a_response_that_came_whole_survives_its_connection(owner):
    """The upstream has sent everything and closes, while the client has not read it yet."""
    def script(peer, number):
        got = peer.read_until(HEADERS)
        peer.send(peer.headers(got.stream, [(":status", "200")], end=False))
        for part in range(11):
            peer.send(peer.data(got.stream, bytes([part]) * 10_000, end=part == 10))
        peer.socket.shutdown(socket.SHUT_WR)
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port))
    with Client(running.port(), settings_frame=http2.settings((4, 0))) as client:
        client.send(client.request(1))
        client.read_until(HEADERS)
        upstream.wait_for_connections(1)
        # The end of the connection has come as well when this has been answered by a connection of its own.
        assert get(running.port()).body == b"".join(bytes([part]) * 10_000 for part in range(11))
        client.send(frame(WINDOW_UPDATE, stream=1, payload=word(200_000)) + frame(WINDOW_UPDATE, payload=word(200_000)))
        body = b""
        while len(body) < 110_000:
            got = client.read_until(DATA, RST_STREAM)
            assert got.kind == DATA, got
            body += got.payload
        assert body == b"".join(bytes([part]) * 10_000 for part in range(11))
    eventually(lambda: not active(running), "everything is given back")


def test_a_body_that_was_sent_is_not_sent_again(owner):
    bodies = []

    def script(peer, number):
        while True:
            got = peer.read_until(HEADERS, DATA)
            if got.kind == DATA:
                bodies.append(got.payload)
                peer.send(frame(RST_STREAM, stream=got.stream, payload=word(REFUSED_STREAM)))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port))
    with Client(running.port()) as client:
        client.send(client.request(1, method="POST", end=False) + client.data(1, b"once", end=False))
        assert client.answer(1).status == 503
    assert bodies == [b"once"]


def test_an_upstream_connection_that_was_closed_while_idle_is_replaced(owner):
    """Without a GOAWAY, and only found out with the next request."""
    def script(peer, number):
        got = peer.read_until(HEADERS)
        peer.send(peer.headers(got.stream, [(":status", "200"), ("x-connection", str(number))]))
        if number == 1:
            peer.read_until(HEADERS)
            return
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, retries={"attempts": 0}))
    assert get(running.port()).header("x-connection") == "1"
    assert get(running.port()).header("x-connection") == "2"


def test_an_upstream_that_takes_no_streams_gathers_no_connections(owner):
    def script(peer, number):
        peer.send(http2.settings((3, 0)))
        while True:
            got = peer.read_until(HEADERS)
            peer.send(frame(RST_STREAM, stream=got.stream, payload=word(REFUSED_STREAM)))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, retries={"attempts": 0}))
    for _ in range(5):
        assert get(running.port()).status == 503

    def open_connections() -> int:
        line = [line for line in running.admin("/stats")[1].splitlines() if "upstream_cx_active" in line]
        return sum(int(each.rsplit(": ", 1)[1]) for each in line)
    eventually(lambda: open_connections() == 0, "they are closed")


def test_an_upstream_that_answers_without_reading_ends_the_upload(owner):
    """The answer is complete, so the stream is given up although its window never opens."""
    ended = threading.Event()

    def script(peer, number):
        got = peer.read_until(HEADERS)
        peer.send(peer.headers(got.stream, [(":status", "413")]))
        peer.read_until(RST_STREAM)
        ended.set()
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port))
    with Client(running.port()) as client:
        client.read_until(SETTINGS)
        client.send(client.request(1, method="POST", end=False))
        # More than the upstream's window, complete as far as the client is concerned.
        client.send(client.data(1, bytes(16384), end=False) * 5 + client.data(1, bytes(16384)))
        assert client.answer(1).status == 413
        assert ended.wait(10)


def test_a_connection_attempt_that_hangs_times_out_for_those_who_join(owner):
    """The client that caused it left; the connect timeout still counts."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    # The queue of connections is full: more are not answered at all.
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    running = owner.gateway(behind(port, retries={"attempts": 0}) + [destination_rule(
        "upstream.example", {"connectionPool": {"tcp": {"connectTimeout": "2s"}}})])
    with Client(running.port()) as client:
        client.send(client.request(1))
        client.send(frame(RST_STREAM, stream=1, payload=word(CANCEL)))
        assert client.get(3).status == 503
    for each in [*fillers, full]:
        each.close()


def test_a_grpc_deadline_counts_beside_a_longer_timeout(owner):
    upstream = owner.own(Upstream(lambda peer, number: peer.read_closed()))
    running = owner.gateway(behind(upstream.port, timeout="60s", retries={"attempts": 0}))
    with Client(running.port()) as client:
        answer = client.get(1, "/s/m", method="POST",
                            extra=[("content-type", "application/grpc"), ("grpc-timeout", "300m")])
    assert answer.header("grpc-status") == "4"
