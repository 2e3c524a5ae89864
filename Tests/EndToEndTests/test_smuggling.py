"""Messages that two parsers could read differently: refused with 400 and close, and nothing reaches an upstream."""

import pytest

from harness.configuration import to_upstream
from harness.gateway import parse_access_line
from harness.http_client import Connection, ConnectionClosed
from harness.upstreams import UpstreamConnection, answering, response


def lines(*fields: str, start: str = "POST / HTTP/1.1", host: str = "Host: h.example", body: str = "") -> bytes:
    return "\r\n".join([start, *([host] if host else []), *fields, "", body]).encode("latin-1")


def get_lines(*fields: str, start: str = "GET / HTTP/1.1", host: str = "Host: h.example") -> bytes:
    return lines(*fields, start=start, host=host)


REFUSED = {
    # Two ways to say where the body ends
    "content-length and transfer-encoding": lines("Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
    "transfer-encoding and content-length": lines("Transfer-Encoding: chunked", "Content-Length: 5", body="0\r\n\r\n"),
    "two differing content-lengths": lines("Content-Length: 5", "Content-Length: 6", body="hello!"),
    "a list of differing content-lengths": lines("Content-Length: 5, 6", body="hello!"),
    "a list of equal content-lengths": lines("Content-Length: 5, 5", body="hello"),
    # Content-Length is 1*DIGIT
    "content-length with plus": lines("Content-Length: +5", body="hello"),
    "content-length with minus": lines("Content-Length: -5", body="hello"),
    "content-length in hex": lines("Content-Length: 0x5", body="hello"),
    "content-length with fraction": lines("Content-Length: 5.0", body="hello"),
    "content-length with inner space": lines("Content-Length: 5 0", body="hello"),
    "content-length empty": lines("Content-Length:", body=""),
    "content-length with letters": lines("Content-Length: 5a", body="hello"),
    "content-length above 2^63-1": lines("Content-Length: 9223372036854775808", body=""),
    "content-length above 2^64": lines("Content-Length: 18446744073709551621", body="hello"),
    # Transfer-Encoding
    "transfer-encoding in 1.0": lines("Transfer-Encoding: chunked", start="POST / HTTP/1.0", body="0\r\n\r\n"),
    "transfer-encoding with NUL": lines("Transfer-Encoding: chunked\0", body="0\r\n\r\n"),
    # The shape of a header line
    "space before the colon": lines("Content-Length : 5", body="hello"),
    "tab before the colon": lines("Content-Length\t: 5", body="hello"),
    "a line without colon": get_lines("NoColonHere"),
    "an empty name": get_lines(": value"),
    "an obsolete fold": get_lines("X-A: one", " two"),
    "an obsolete fold with tab": get_lines("X-A: one", "\ttwo"),
    "white space before the first header": b"GET / HTTP/1.1\r\n Host: h.example\r\n\r\n",
    "a bare LF between headers": b"GET / HTTP/1.1\r\nHost: h.example\nX-A: b\r\n\r\n",
    "a bare LF after the request line": b"GET / HTTP/1.1\nHost: h.example\r\n\r\n",
    "bare LFs throughout": b"GET / HTTP/1.1\nHost: h.example\n\n",
    "a bare CR in a value": get_lines("X-A: b\rContent-Length: 5"),
    "a bare CR before the end": b"GET / HTTP/1.1\r\nHost: h.example\r\r\n\r\n",
    "NUL in a value": get_lines("X-A: a\0b"),
    "NUL in a name": get_lines("X\0A: b"),
    "a control in a value": get_lines("X-A: a\x01b"),
    "DEL in a value": get_lines("X-A: a\x7fb"),
    "a space in a name": get_lines("X A: b"),
    "a bracket in a name": get_lines("X(A): b"),
    "a letter beyond ASCII in a name": get_lines("X-\xe9: b"),
    # Host
    "no Host": get_lines(host=""),
    "an empty and a full Host": get_lines("Host: h.example", host="Host:"),
    "two Hosts": get_lines("Host: other.example"),
    "two equal Hosts": get_lines("Host: h.example"),
    "a list in Host": get_lines(host="Host: h.example, other.example"),
    "userinfo in Host": get_lines(host="Host: user@h.example"),
    "a slash in Host": get_lines(host="Host: h.example/path"),
    "a space in Host": get_lines(host="Host: h.example other"),
    "a bad port in Host": get_lines(host="Host: h.example:80a"),
    "a port out of range in Host": get_lines(host="Host: h.example:99999"),
    "userinfo in an absolute target": get_lines(start="GET http://user@h.example/ HTTP/1.1"),
    "a query sign in Host": get_lines(host="Host: h.example?x"),
    # The request line
    "two spaces in the request line": get_lines(start="GET  / HTTP/1.1"),
    "two spaces before the version": get_lines(start="GET /  HTTP/1.1"),
    "a tab in the request line": get_lines(start="GET\t/ HTTP/1.1"),
    "a space at the end of the request line": get_lines(start="GET / HTTP/1.1 "),
    "a space before the method": get_lines(start=" GET / HTTP/1.1"),
    "a control in the target": get_lines(start="GET /\x01 HTTP/1.1"),
    "NUL in the target": get_lines(start="GET /\0 HTTP/1.1"),
    "a bare CR in the target": get_lines(start="GET /\r HTTP/1.1"),
    "a relative target": get_lines(start="GET path HTTP/1.1"),
    "no target": get_lines(start="GET HTTP/1.1"),
    "a bad method": get_lines(start="G@T / HTTP/1.1"),
    "an empty method": get_lines(start=" / HTTP/1.1"),
    "a version in lower case": get_lines(start="GET / http/1.1"),
    "a version with two digits": get_lines(start="GET / HTTP/1.10"),
    "a version with a space": get_lines(start="GET / HTTP/ 1.1"),
    "a version of three parts": get_lines(start="GET / HTTP/1.1.1"),
    "HTTP/0.9": b"GET /\r\n\r\n",
}

# Known to be other than 400 in RFC 9110 and 9112.
OTHERWISE = {
    "a version of 2.0": (get_lines(start="GET / HTTP/2.0"), {400, 505}),
    "a version of 3.0": (get_lines(start="GET / HTTP/3.0"), {400, 505}),
    "a version of 1.2": (get_lines(start="GET / HTTP/1.2"), {400, 505}),
    "transfer-encoding chunked twice": (lines("Transfer-Encoding: chunked, chunked", body="0\r\n\r\n"), {400, 501}),
    "two transfer-encoding fields": (lines("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body="0\r\n\r\n"), {400, 501}),
    "transfer-encoding empty": (lines("Transfer-Encoding:", body="0\r\n\r\n"), {400, 501}),
    "transfer-encoding quoted": (lines('Transfer-Encoding: "chunked"', body="0\r\n\r\n"), {400, 501}),
    "transfer-encoding chunked not last": (lines("Transfer-Encoding: chunked, identity", body="0\r\n\r\n"), {400, 501}),
    "transfer-encoding with vertical tab": (lines("Transfer-Encoding: \x0bchunked", body="0\r\n\r\n"), {400, 501}),
    "an unknown coding": (lines("Transfer-Encoding: gzip", body=""), {400, 501}),
    "an unknown coding before chunked": (lines("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"), {400, 501}),
    "identity as a coding": (lines("Transfer-Encoding: identity", body=""), {400, 501}),
    "a coding that looks like chunked": (lines("Transfer-Encoding: xchunked", body="0\r\n\r\n"), {400, 501}),
}

BAD_CHUNKS = {
    "a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "a leading space": b" 5\r\nhello\r\n0\r\n\r\n",
    "a trailing space": b"5 \r\nhello\r\n0\r\n\r\n",
    "no digit": b"\r\nhello\r\n0\r\n\r\n",
    "no digit but an extension": b";x\r\nhello\r\n0\r\n\r\n",
    "a letter beyond f": b"5g\r\nhello\r\n0\r\n\r\n",
    "an overflow": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "the largest number": b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a bare LF after the size": b"5\nhello\r\n0\r\n\r\n",
    "a bare CR after the size": b"5\rhello\r\n0\r\n\r\n",
    "a bare LF after the data": b"5\r\nhello\n0\r\n\r\n",
    "data longer than its size": b"5\r\nhello!\r\n0\r\n\r\n",
    "a bare LF at the end": b"5\r\nhello\r\n0\n\n",
    "a bare CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a bare LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "a trailer without colon": b"5\r\nhello\r\n0\r\nnocolon\r\n\r\n",
    "a trailer with space before its colon": b"5\r\nhello\r\n0\r\nX-A : b\r\n\r\n",
    "a folded trailer": b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "a trailer with NUL": b"5\r\nhello\r\n0\r\nX-A: \0\r\n\r\n",
}


class Door:
    """A gateway and an upstream that knows which requests came to it whole."""

    def __init__(self, owner):
        self.whole: list = []
        self.upstream = owner.upstream(self._script)
        self.gateway = owner.gateway(to_upstream(self.upstream.port))

    def _script(self, connection: UpstreamConnection) -> None:
        while (request := connection.read_request()) is not None:
            self.whole.append(request)
            connection.send(response())

    def answer(self, data: bytes) -> tuple[int | None, bool]:
        """The status, if one came, and whether the connection was ended after it."""
        with Connection(self.gateway.port()) as connection:
            connection.send(data)
            try:
                answer = connection.read_response()
            except ConnectionClosed:
                return None, True
            return answer.status, connection.closed_by_peer()


@pytest.fixture(scope="module")
def door(module_owner):
    return Door(module_owner)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_400_and_close(door, name):
    before = len(door.upstream.requests)
    assert door.answer(REFUSED[name]) == (400, True)
    assert len(door.upstream.requests) == before


@pytest.mark.parametrize("name", OTHERWISE)
def test_refused_with_its_own_status_and_close(door, name):
    data, statuses = OTHERWISE[name]
    before = len(door.upstream.requests)
    status, closed = door.answer(data)
    assert status in statuses and closed
    assert len(door.upstream.requests) == before


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_bad_chunks_are_refused_and_no_whole_request_reaches_an_upstream(door, name):
    before = len(door.whole)
    status, closed = door.answer(lines("Transfer-Encoding: chunked") + BAD_CHUNKS[name])
    assert status in (400, None) and closed
    assert len(door.whole) == before


def test_an_encoded_NUL_in_the_path_is_refused(door):
    """It has one reading, so the connection may go on; but no path of a file or a rule has such a byte."""
    before = len(door.upstream.requests)
    with Connection(door.gateway.port()) as connection:
        assert connection.request(target="/a%00b").status == 400
    assert len(door.upstream.requests) == before


def test_what_is_allowed_is_not_refused(door):
    """The other side of the table: odd, but with one reading only."""
    for data in (
            get_lines("X-A:b"), get_lines("X-A:\t b \t"), get_lines("X-Empty:"), get_lines("X_Under: score"),
            get_lines("x-high: caf\xe9"), get_lines(start="GET /a%2Fb?x=%00y&z=[1] HTTP/1.1"),
            get_lines(host="Host: H.EXAMPLE:8080"), get_lines(host="Host: [::1]:80"), get_lines(host="host: 127.0.0.1"),
            lines("Transfer-Encoding: Chunked", body="5;name=value\r\nhello\r\n0\r\n\r\n"),
            lines("Content-Length: 005", body="hello"), lines("Content-Length: 5 ", body="hello"),
            b"\r\n" + get_lines()):
        with Connection(door.gateway.port()) as connection:
            connection.send(data)
            assert connection.read_response().status == 200, data


def test_a_refusal_is_logged_with_its_flag(door):
    door.answer(get_lines("NoColonHere", start="GET /logged HTTP/1.1"))
    line = parse_access_line(door.gateway.wait_for_access_line(" 400 "))
    assert line["response_flags"] in ("DPE", "IH") and line["response_code_details"] != "-"


def test_a_request_behind_a_refused_one_is_never_answered(door):
    before = len(door.upstream.requests)
    with Connection(door.gateway.port()) as connection:
        connection.send(lines("Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n")
                        + get_lines(start="GET /behind HTTP/1.1"))
        data, _ = connection.read_to_end()
    assert data.count(b"HTTP/1.1 ") == 1
    assert len(door.upstream.requests) == before


# Upstreams are held to the same


BAD_RESPONSES = {
    "content-length and transfer-encoding": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "differing content-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a bad content-length": b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    "an obsolete fold": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "a bare CR in a value": b"HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok",
    "a bad status line": b"HTTQ/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, gzip\r\n\r\nok",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_a_bad_response_is_502_and_its_connection_is_dropped(owner, name):
    upstream = owner.upstream(lambda connection: (
        connection.read_request(), connection.send(BAD_RESPONSES[name]), connection.wait_for_end()))
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request(target="/a").status in (502, 503)
        assert connection.request(target="/b").status in (502, 503)
    assert upstream.connections >= 2
    line = parse_access_line(running.wait_for_access_line("/a"))
    assert line["response_flags"] in ("UPE", "UC", "UF"), line


def test_bytes_behind_a_response_poison_its_connection(owner):
    """A connection on which an upstream said more than it was asked is never used again."""
    def script(connection):
        if connection.number == 1:
            connection.read_request()
            connection.send(response("first") + response("poison"))
            connection.wait_for_end()
        answering(lambda request: response("clean"))(connection)

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request().text == "first"
        assert connection.request().text == "clean"


def test_a_body_on_a_304_does_not_become_the_next_response(owner):
    def script(connection):
        if connection.number == 1:
            connection.read_request()
            connection.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n..")
            connection.wait_for_end()
        answering(lambda request: response("clean"))(connection)

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request().status == 304
        assert connection.request().text == "clean"


def test_interim_responses_are_bounded_in_number(owner):
    def script(connection):
        connection.read_request()
        while True:
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        seen = 0
        status = 100
        try:
            while 100 <= status < 200:
                status = connection.read_head().status
                seen += 1
                assert seen < 10_000
        except ConnectionClosed:
            return
        assert status == 502
