"""HTTP/1.1 on both sides: framing, streaming, back-pressure, interim and early responses, 1.0, upgrades."""

import hashlib
import pathlib
import threading

import pytest

from harness.configuration import gateway, http_server, to_upstream, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, curl, get, post
from harness.processes import memory_kilobytes
from harness.upstreams import answering, response
from harness.waiting import eventually

MEGABYTE = 1 << 20


def chunked(*parts: bytes, trailers: str = "", head: str = "HTTP/1.1 200 OK") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return f"{head}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body + f"0\r\n{trailers}\r\n".encode()


# Connections


def test_a_connection_serves_many_requests(pair):
    with Connection(pair.port) as connection:
        assert [connection.request(target=f"/{number}").status for number in range(50)] == [200] * 50
    assert [request.target for request in pair.upstream.requests] == [f"/{number}" for number in range(50)]
    assert pair.upstream.connections == 1


def test_pipelined_requests_are_answered_in_order(pair):
    pair.upstream.script = answering(lambda request: response(request.target))
    with Connection(pair.port) as connection:
        connection.send("".join(f"GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n" for number in range(20)))
        assert [connection.read_response().text for _ in range(20)] == [f"/{number}" for number in range(20)]


def test_pipelined_requests_with_bodies_keep_their_bodies(pair):
    pair.upstream.script = answering(lambda request: response(request.target.encode() + request.body))
    with Connection(pair.port) as connection:
        connection.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                        "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
                        "GET /c HTTP/1.1\r\nHost: h\r\n\r\n")
        assert [connection.read_response().text for _ in range(3)] == ["/aabc", "/bde", "/c"]


def test_a_request_that_asks_to_close_is_answered_and_closed(pair):
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = connection.read_response()
        assert (answer.status, answer.header("connection")) == (200, "close")
        assert connection.closed_by_peer()


def test_an_upstream_that_closes_does_not_close_the_client(pair):
    pair.upstream.script = lambda connection: (
        connection.read_request(), connection.send(response("ok", "200 OK", "Connection: close")))
    with Connection(pair.port) as connection:
        assert [connection.request().status for _ in range(3)] == [200] * 3
    assert pair.upstream.connections == 3


@pytest.mark.parametrize("cut", [1, 10, 16, 17, 18, 25, 36])
def test_a_request_may_arrive_in_any_pieces(pair, cut):
    data = b"GET /x HTTP/1.1\r\nHost: any.example\r\n\r\n"
    with Connection(pair.port) as connection:
        connection.send(data[:cut])
        connection.send(data[cut:])
        assert connection.read_response().status == 200


def test_one_leading_crlf_is_tolerated(pair):
    with Connection(pair.port) as connection:
        connection.send("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert connection.read_response().status == 200


# Bodies


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 16384, 65537, 3 * MEGABYTE])
def test_bodies_of_known_length_pass_both_ways(pair, size):
    body = bytes(number % 251 for number in range(min(size, 65537))) * (size // 65537 + 1)
    body = body[:size]
    pair.upstream.script = answering(lambda request: response(request.body))
    answer = post(pair.port, body) if size else get(pair.port)
    assert answer.body == body
    assert answer.header("content-length") == str(size)


def test_chunked_bodies_pass_both_ways(pair):
    pair.upstream.script = answering(lambda request: chunked(request.body, b"+", b"x" * 70000))
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n")
        answer = connection.read_response()
    assert answer.body == b"hello+" + b"x" * 70000
    assert pair.upstream.requests[0].header("transfer-encoding") == "chunked"
    assert pair.upstream.requests[0].header("content-length") is None


def test_trailers_pass_both_ways(pair):
    pair.upstream.script = answering(lambda request: chunked(b"ok", trailers="X-Sum: 1\r\n"))
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: X-End\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-End: yes\r\n\r\n")
        answer = connection.read_response()
    assert ("x-sum", "1") in answer.trailers
    assert [(name.lower(), value) for name, value in pair.upstream.requests[0].trailers] == [("x-end", "yes")]


def test_framing_fields_in_trailers_are_dropped(pair):
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
                        "Content-Length: 5\r\nHost: evil\r\nX-Ok: 1\r\n\r\n")
        status = connection.read_response().status
    if status == 200:
        assert [name.lower() for name, _ in pair.upstream.requests[0].trailers] == ["x-ok"]
    else:
        assert status == 400


def test_a_response_without_length_ends_with_its_connection(pair):
    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = connection.read_response()
    assert answer.body == b"until the end"


def test_100_megabytes_stream_through_in_bounded_memory(owner):
    block = hashlib.sha256(b"seed").digest() * 32768
    expected = hashlib.sha256(block * 100).hexdigest()
    received = []

    def script(connection):
        request = connection.read_head()
        digest = hashlib.sha256()
        left = int(request.header("content-length"))
        while left:
            data = connection.read_exactly(min(left, MEGABYTE))
            digest.update(data)
            left -= len(data)
        received.append(digest.hexdigest())
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            connection.send(b"%x\r\n%s\r\n" % (len(block), block))
        connection.send("0\r\n\r\n")

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    before = memory_kilobytes(running.pid)["RssAnon"]
    with Connection(running.port()) as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {100 * len(block)}\r\n\r\n")
        for _ in range(100):
            connection.send(block)
        answer = connection.read_head()
        assert answer.status == 200 and answer.header("transfer-encoding") == "chunked"
        digest = hashlib.sha256()
        while size := int(connection.read_until(b"\r\n"), 16):
            digest.update(connection.read_exactly(size))
            connection.read_exactly(2)
    assert received == [expected] and digest.hexdigest() == expected
    grown = memory_kilobytes(running.pid)["RssAnon"] - before
    assert grown < 16_384, f"grew by {grown} kB"


def stalled_at(measure) -> int:
    """The value at which a growing `measure()` stops: unchanged over many looks."""
    last, same = measure(), 0
    def settled():
        nonlocal last, same
        now = measure()
        same = same + 1 if now == last and now > 0 else 0
        last = now
        return same >= 40
    eventually(settled, "stops growing", every=0.02)
    return last


def test_a_slow_reader_stops_the_reading_of_the_upstream(owner):
    sent = [0]

    def script(connection):
        connection.read_request()
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {200 * MEGABYTE}\r\n\r\n")
        block = bytes(65536)
        while sent[0] < 200 * MEGABYTE:
            connection.send(block)
            sent[0] += len(block)

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port(), receive_buffer=65536) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
        stopped = stalled_at(lambda: sent[0])
        # Sockets' buffers on both sides hold a few megabytes; the gateway itself a bounded little.
        assert stopped < 40 * MEGABYTE
        assert memory_kilobytes(running.pid)["RssAnon"] < 65_536
        connection.read_exactly(10 * MEGABYTE)
        eventually(lambda: sent[0] > stopped, "the upstream is read again")


def test_a_slow_upstream_stops_the_reading_of_the_client(owner):
    go = threading.Event()

    def script(connection):
        request = connection.read_head()
        go.wait(20)
        if request is None:
            return
        connection.read_body(request)
        connection.send(response())

    upstream = owner.upstream(script, receive_buffer=65536)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        total, sent = 64 * MEGABYTE, 0
        connection.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {total}\r\n\r\n")
        connection.socket.settimeout(1)
        block = bytes(65536)
        try:
            while sent < total:
                sent += connection.socket.send(block)
        except TimeoutError:
            pass
        assert sent < 40 * MEGABYTE
        assert memory_kilobytes(running.pid)["RssAnon"] < 65_536
        go.set()
        connection.socket.settimeout(20)
        while sent < total:
            sent += connection.socket.send(block[:total - sent])
        assert connection.read_response().status == 200
    assert len(upstream.requests[0].body) == total


def test_a_response_streams_before_it_is_complete(pair):
    """The first part arrives while the upstream still holds the second."""
    go = threading.Event()

    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        go.wait(20)
        connection.send("6\r\nsecond\r\n0\r\n\r\n")

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
        got = b""
        while b"first" not in got:
            got += connection.read_some()
        go.set()
        while not got.endswith(b"0\r\n\r\n"):
            got += connection.read_some()
        assert b"second" in got


def test_a_request_streams_before_it_is_complete(pair):
    got = threading.Event()

    def script(connection):
        connection.read_head()
        assert connection._line() == b"5" and connection.read_exactly(7) == b"first\r\n"
        got.set()
        assert connection._line() == b"6" and connection.read_exactly(8) == b"second\r\n"
        connection.read_exactly(5)
        connection.send(response())

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert got.wait(20)
        connection.send("6\r\nsecond\r\n0\r\n\r\n")
        assert connection.read_response().status == 200


# Responses without bodies, interim, early


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_responses_that_have_no_body_keep_the_connection(pair, status):
    pair.upstream.script = answering(lambda request: f"HTTP/1.1 {status}\r\nX-A: b\r\n\r\n".encode())
    with Connection(pair.port) as connection:
        for _ in range(3):
            answer = connection.request()
            assert (answer.status, answer.header("transfer-encoding")) == (int(status[:3]), None)
    assert pair.upstream.connections == 1


def test_head_answers_with_the_length_and_no_body(pair):
    pair.upstream.script = answering(
        lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if request.method == "HEAD" else response())
    with Connection(pair.port) as connection:
        answer = connection.request("HEAD")
        assert (answer.status, answer.header("content-length")) == (200, "1000")
        assert connection.request().text == "ok"


def test_head_of_a_chunked_resource_has_no_body(pair):
    pair.upstream.script = answering(
        lambda request: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if request.method == "HEAD"
        else response())
    with Connection(pair.port) as connection:
        assert connection.request("HEAD").status == 200
        assert connection.request().text == "ok"


def test_100_continue_is_asked_of_the_upstream_and_passed_on(pair):
    def script(connection):
        request = connection.read_head()
        assert request.header("expect") == "100-continue"
        connection.send("HTTP/1.1 100 Continue\r\n\r\n")
        connection.read_body(request)
        connection.send(response(request.body))

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.read_head().status == 100
        connection.send("body")
        assert connection.read_response().text == "body"


def test_a_refusal_instead_of_100_continue_is_passed_on(pair):
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send(response("no", "417 Expectation Failed")))
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.read_response().status == 417


def test_curl_uploads_with_expect(pair, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"z" * (2 * MEGABYTE))
    pair.upstream.script = answering(lambda request: response(str(len(request.body))))
    result = curl("-H", "Expect: 100-continue", "-T", str(body), f"http://127.0.0.1:{pair.port}/")
    assert (result.status, result.text) == (200, str(2 * MEGABYTE))


def test_103_early_hints_pass(pair):
    pair.upstream.script = answering(lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + response())
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        first = connection.read_head()
        if first.status == 103:
            assert first.header("link") == "</a>"
            first = connection.read_response()
        assert first.status == 200


def test_an_early_response_is_passed_on_while_the_body_is_still_coming(pair):
    def script(connection):
        connection.read_head()
        connection.send(response("too big", "413 Content Too Large", "Connection: close"))

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {50 * MEGABYTE}\r\n\r\n")
        connection.send(b"x" * 1000)
        assert connection.read_response().status == 413


def test_after_an_early_response_the_connection_is_in_step_or_closed(pair):
    """What is left of the unread body is never taken for a request."""
    pair.upstream.script = lambda connection: (
        connection.read_head(), connection.send(response("early", "403 Forbidden")), connection.wait_for_end())
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    with Connection(pair.port) as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {len(smuggled) + 10}\r\n\r\n")
        assert connection.read_response().status == 403
        try:
            connection.send(smuggled + b"0123456789")
            connection.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
            connection.read_response()
        except OSError:
            pass
    assert "/smuggled" not in [request.target for request in pair.upstream.requests]


# Half-close, 1.0, upgrades


def test_a_client_that_half_closes_still_gets_its_response(pair):
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.half_close()
        assert connection.read_response().text == "ok"


def test_a_half_close_in_the_middle_of_a_body_reaches_nobody_as_whole(pair):
    bodies = []

    def script(connection):
        if (request := connection.read_head()) is not None:
            connection.read_body(request)
            bodies.append(request.body)

    pair.upstream.script = script
    with Connection(pair.port) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        connection.half_close()
        data, _ = connection.read_to_end()
        assert b" 200 " not in data
    assert bodies == []


def test_http_1_0_is_answered_and_closed(pair):
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
        answer = connection.read_response()
        assert (answer.status, answer.text) == (200, "ok")
        assert connection.closed_by_peer()


def test_http_1_0_never_gets_chunks(pair):
    pair.upstream.script = answering(lambda request: chunked(b"one", b"two"))
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
        answer = connection.read_response()
        assert answer.header("transfer-encoding") is None and answer.body == b"onetwo"


def test_http_1_0_upstreams_are_understood(pair):
    pair.upstream.script = lambda connection: (
        connection.read_request(), connection.send("HTTP/1.0 200 OK\r\n\r\nold"))
    answer = get(pair.port)
    assert (answer.version, answer.text) == ("HTTP/1.1", "old")


def test_a_101_that_was_not_asked_for_is_502(pair):
    pair.upstream.script = lambda connection: (
        connection.read_request(),
        connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nraw"))
    assert get(pair.port).status == 502


def test_connect_is_not_a_way_through(pair):
    with Connection(pair.port) as connection:
        connection.send("CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n")
        assert connection.read_response().status >= 400
    assert pair.upstream.requests == []


def test_options_with_an_asterisk(pair):
    with Connection(pair.port) as connection:
        assert connection.request("OPTIONS", "*").status in (200, 400, 404)


def test_the_absolute_form_wins_over_host(pair):
    with Connection(pair.port) as connection:
        connection.send("GET http://right.example/x HTTP/1.1\r\nHost: wrong.example\r\n\r\n")
        status = connection.read_response().status
    assert status == 200
    assert (pair.upstream.requests[0].target, pair.upstream.requests[0].header("host")) == ("/x", "right.example")


def test_a_client_that_only_connects_costs_nothing_and_can_still_ask(pair):
    connections = [Connection(pair.port) for _ in range(200)]
    try:
        assert get(pair.port).status == 200
        assert connections[77].request().status == 200
    finally:
        for connection in connections:
            connection.close()


def test_methods_pass_as_they_are(pair):
    with Connection(pair.port) as connection:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"):
            assert connection.request(method).status == 200
    assert [request.method for request in pair.upstream.requests][-1] == "M-SEARCH"


def test_documented_files_are_whole(owner, nginx):
    """A file from a real server, byte for byte."""
    data = bytes(range(256)) * 8192
    (pathlib.Path(nginx.root) / "file.bin").write_bytes(data)
    running = owner.gateway(to_upstream(nginx.plain))
    assert curl(running.url("/file.bin")).body == data
    assert curl("-r", "100-199", running.url("/file.bin")).body == data[100:200]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("count", [130, 1000])
def test_pipelined_requests_with_short_answers_are_all_answered(owner, method, count):
    """More answers than fit into the output at a time, none of which needs an upstream."""
    running = owner.gateway([gateway(http_server("*")),
                             virtual_service({"match": [{"uri": {"prefix": "/"}}], "redirect": {"uri": "/elsewhere"}})])
    with Connection(running.port()) as connection:
        connection.send(f"{method} / HTTP/1.1\r\nHost: h\r\n\r\n" * count)
        assert [connection.read_response(head_request=method == "HEAD").status for _ in range(count)] == [301] * count


@pytest.mark.parametrize("size", [8192, 16384, 32768, 65536])
def test_pipelined_requests_behind_answers_that_fill_the_output_are_all_answered(owner, size):
    upstream = owner.upstream(answering(lambda request: response(b"x" * size)))
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 20)
        assert [len(connection.read_response().body) for _ in range(20)] == [size] * 20


@pytest.mark.parametrize("size", [1000, 16_000, 16_384, 20_000, 200_000])
def test_trailers_of_an_upstream_arrive_or_break_the_response_off(owner, size):
    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: " + b"t" * size
                        + b"\r\n\r\n")
        connection.wait_for_end()

    running = owner.gateway(to_upstream(owner.upstream(script).port))
    with Connection(running.port()) as connection:
        if size <= 16_000:
            assert connection.request().body == b"abc"
        else:
            with pytest.raises(ConnectionError):
                connection.request()
            assert parse_access_line(running.wait_for_access_line("UPE"))["response_code"] == "200"
    eventually(lambda: "rq_active: 0" in running.admin("/stats?filter=http.*downstream_rq_active")[1], "nothing is left")


def test_a_response_that_ends_with_its_connection_is_not_ended_by_a_client_that_breaks_its_request_off(owner):
    def script(connection):
        connection.read_head()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        connection.wait_for_end()

    running = owner.gateway(to_upstream(owner.upstream(script).port))
    with Connection(running.port()) as connection:
        connection.send("POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")
        connection.read_until(b"only this")
        connection.half_close()
        assert not connection.read_to_end()[1], "the end was clean"
