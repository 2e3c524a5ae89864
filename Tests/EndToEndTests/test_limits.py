"""What a peer can make us hold is bounded, and each bound has an answer."""

import time

import pytest

from harness import http2
from harness.configuration import gateway, http_server, route, static_entry, to_upstream, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, ConnectionClosed, get
from harness.upstreams import response
from harness.waiting import eventually


def start(owner, *flags: str, script=None):
    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port), flags=flags)
    return running, upstream


def ended(connection: Connection) -> bytes:
    return connection.read_to_end()[0]


def test_too_many_headers_are_431(owner):
    running, upstream = start(owner)
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n" + "".join(f"X-{n}: v\r\n" for n in range(200)) + "\r\n")
        assert connection.read_response().status == 431
        assert connection.closed_by_peer()
    assert upstream.requests == []


def test_the_default_bounds_are_envoys(owner):
    """100 headers, 60 KiB."""
    running, upstream = start(owner)
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n" + "".join(f"X-{n}: v\r\n" for n in range(90)) + "\r\n")
        assert connection.read_response().status == 200
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + "v" * 55_000 + "\r\n\r\n")
        assert connection.read_response().status == 200
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + "v" * 70_000 + "\r\n\r\n")
        assert connection.read_response().status == 431


@pytest.mark.parametrize("count, status", [(10, 200), (40, 431)])
def test_the_header_count_is_configurable(owner, count, status):
    running, _ = start(owner, "--max-header-count", "20")
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n" + "".join(f"X-{n}: v\r\n" for n in range(count)) + "\r\n")
        assert connection.read_response().status == status


@pytest.mark.parametrize("size, status", [(1000, 200), (9000, 431)])
def test_the_header_bytes_are_configurable(owner, size, status):
    running, _ = start(owner, "--max-header-bytes", "8192")
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + "v" * size + "\r\n\r\n")
        assert connection.read_response().status == status


def test_headers_that_never_end_are_431_before_they_are_all_there(owner):
    running, _ = start(owner, "--max-header-bytes", "8192")
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + "v" * 20_000)
        assert connection.read_response().status == 431


@pytest.mark.parametrize("size, statuses", [(500, {200}), (5000, {414, 431})])
def test_the_request_line_is_bounded(owner, size, statuses):
    running, upstream = start(owner, "--max-request-line-bytes", "2048")
    assert get(running.port(), "/" + "a" * size).status in statuses
    assert len(upstream.requests) == (200 in statuses)


def test_a_head_that_does_not_arrive_in_time_is_408_or_closed(owner):
    running, upstream = start(owner, "--header-timeout", "1")
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nX-")
        data = ended(connection)
    assert data == b"" or data.startswith(b"HTTP/1.1 408 ")
    assert upstream.requests == []


def test_a_drip_of_bytes_does_not_extend_the_header_timeout(owner):
    running, _ = start(owner, "--header-timeout", "1")
    with Connection(running.port()) as connection:
        connection.socket.settimeout(0.2)
        connection.send("GET / HTTP/1.1\r\n")
        ended_at = None
        for number in range(100):
            try:
                connection.send(f"X-{number}: v\r\n")
                data = connection.socket.recv(1000)
                ended_at = number
                break
            except TimeoutError:
                continue
            except OSError:
                ended_at = number
                break
        assert ended_at is not None and ended_at < 90


def test_an_idle_connection_is_closed_and_costs_nobody_a_response(owner):
    running, _ = start(owner, "--idle-timeout", "1")
    with Connection(running.port()) as connection:
        assert connection.request().status == 200
        assert ended(connection) == b""


def test_an_active_connection_is_not_idle(owner):
    def slow(connection):
        connection.read_request()
        # Longer than the timeout: the subject here is time itself.
        time.sleep(2)
        connection.send(response("late"))

    running, _ = start(owner, "--idle-timeout", "1", script=slow)
    with Connection(running.port()) as connection:
        assert connection.request().text == "late"


def test_connections_are_bounded_and_come_back(owner):
    running, _ = start(owner, "--max-connections", "3")

    def served() -> bool:
        try:
            return get(running.port()).status == 200
        except OSError:
            return False

    eventually(served, "serves before the limit is reached")
    held = [eventually(lambda: answered_connection(running.port()), "a connection is served") for _ in range(3)]
    turned_away = []
    for _ in range(3):
        try:
            with Connection(running.port()) as extra:
                turned_away.append(extra.request().status)
        except (ConnectionClosed, OSError):
            turned_away.append(None)
    assert all(status in (None, 503) for status in turned_away), turned_away
    assert held[0].request().status == 200
    for connection in held:
        connection.close()
    eventually(served, "serves again when connections are given back")


def answered_connection(port: int) -> Connection | None:
    """A connection that has been served once. What was open before may still be counted for a moment: then none."""
    connection = Connection(port)
    try:
        if connection.request().status == 200:
            return connection
    except ConnectionError:
        pass
    connection.close()
    return None


def test_a_refusal_for_size_is_logged(owner):
    running, _ = start(owner, "--max-header-count", "5")
    with Connection(running.port()) as connection:
        connection.send("GET /big HTTP/1.1\r\nHost: h\r\n" + "X-A: v\r\n" * 20 + "\r\n")
        assert connection.read_response().status == 431
    line = parse_access_line(running.wait_for_access_line(" 431 "))
    assert line["response_code_details"] != "-"


def test_an_upstreams_headers_are_bounded(owner):
    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\n")
        while True:
            connection.send("X-More: " + "v" * 8000 + "\r\n")

    running, _ = start(owner, script=script)
    assert get(running.port()).status == 502
    line = parse_access_line(running.wait_for_access_line(" 502 "))
    assert line["response_flags"] == "UPE"
    assert line["response_code_details"] == \
        "upstream_reset_before_response_started{protocol_error|http1.headers_too_large}"


@pytest.mark.parametrize("size", [70_000, 400_000])
def test_an_upstreams_headers_are_bounded_in_http2(owner, size):
    """Beyond the limit, and beyond what is unpacked at all."""
    def script(peer, number):
        stream = peer.read_until(http2.HEADERS).stream
        fields = [(":status", "200"), ("x-large", "v" * 4000)]
        peer.send(http2.frame(http2.HEADERS, http2.END_STREAM, stream, peer.encoder.encode(fields)))
        peer.send(http2.frame(http2.CONTINUATION, http2.END_HEADERS, stream, b"\xbe" * (size // 4000)))
        peer.read_closed()

    upstream = owner.own(http2.Upstream(script))
    running = owner.gateway([gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
                             static_entry("upstream.example", upstream.port, protocol="HTTP2")])
    answer = get(running.port())
    assert (answer.status, answer.text.partition("headers. ")[2]) == (
        502, "reset reason: protocol error, transport failure reason: http2.headers_too_large")
    assert parse_access_line(running.wait_for_access_line(" 502 "))["response_flags"] == "UPE"


@pytest.mark.parametrize("extension", ["5;" + "x" * 100_000, "0" * 100_000 + "5"])
def test_a_chunk_line_is_bounded(owner, extension):
    running, upstream = start(owner)
    with Connection(running.port()) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            connection.send(extension + "\r\nhello\r\n0\r\n\r\n")
            status = connection.read_response().status
        except (ConnectionClosed, ConnectionError):
            status = None
    assert status in (400, 413, 431, None)


def test_trailers_are_bounded(owner):
    running, _ = start(owner)
    with Connection(running.port()) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        try:
            connection.send("X-T: " + "v" * 200_000 + "\r\n\r\n")
            status = connection.read_response().status
        except (ConnectionClosed, ConnectionError):
            status = None
    assert status in (400, 413, 431, None)
