"""Connections in HTTP/2 to upstreams: how many requests share one, whose, and whether it is alive."""

import threading

import pytest

from harness.configuration import destination_rule, gateway, http_server, route, static_entry, virtual_service
from harness.http2 import ACK, CANCEL, DATA, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, Client, Upstream, frame
from harness.waiting import eventually

OK = [(":status", "200")]


def behind(port: int, *, rule: dict | None = None, **policy) -> list[dict]:
    """One plaintext server, everything to one HTTP/2 upstream."""
    return [gateway(http_server("*")), virtual_service(route("upstream.example", 80, **(rule or {}))),
            static_entry("upstream.example", port, protocol="HTTP2"), destination_rule("upstream.example", policy)]


class Numbering:
    """An upstream that answers nobody, and remembers the connection of each request."""

    def __init__(self):
        self.held: list[int] = []
        self.upstream = Upstream(self._script)

    def _script(self, peer, number):
        while True:
            peer.read_until(HEADERS)
            self.held.append(number)


@pytest.fixture
def numbering(owner):
    made = Numbering()
    owner.own(made.upstream)
    return made


def test_more_streams_than_maxConcurrentStreams_get_another_connection(owner, numbering):
    running = owner.gateway(behind(numbering.upstream.port, connectionPool={"http": {"maxConcurrentStreams": 2}}))
    with Client(running.port()) as client:
        for stream in (1, 3, 5, 7, 9):
            client.send(client.request(stream, "/held"))
        eventually(lambda: len(numbering.held) == 5, "all of them arrive")
    assert sorted(numbering.held) == [1, 1, 2, 2, 3]


def test_without_maxConcurrentStreams_one_connection_serves(owner, numbering):
    running = owner.gateway(behind(numbering.upstream.port, connectionPool={"http": {"maxConcurrentStreams": 0}}))
    with Client(running.port()) as client:
        for stream in range(1, 41, 2):
            client.send(client.request(stream, "/held"))
        eventually(lambda: len(numbering.held) == 20, "all of them arrive")
    assert set(numbering.held) == {1}


# Waiting for room

ONE_AT_A_TIME = {"tcp": {"maxConnections": 1}, "http": {"maxConcurrentStreams": 1}}


class Held:
    """An upstream that answers with the path and the connection's number, one permit an answer."""

    def __init__(self, *, closes: bool = False):
        self.permits = threading.Semaphore(0)
        self.seen: list[str] = []

        def script(peer, number):
            while True:
                got = peer.read_until(HEADERS)
                path = dict(got.fields)[":path"]
                self.seen.append(path)
                assert self.permits.acquire(timeout=20)
                last = frame(GOAWAY, payload=got.stream.to_bytes(4, "big") + bytes(4)) if closes else b""
                peer.send(last + peer.headers(got.stream, OK, end=False)
                          + peer.data(got.stream, f"{path} {number}".encode()))
        self.upstream = Upstream(script)


def bodies(client, count: int) -> list[str]:
    """What came, in the order in which it came."""
    return [client.read_until(DATA).payload.decode() for _ in range(count)]


def test_a_request_waits_for_room_on_the_one_connection_that_is_allowed(owner):
    held = Held()
    owner.own(held.upstream)
    running = owner.gateway(behind(held.upstream.port, connectionPool=ONE_AT_A_TIME), workers=1)
    with Client(running.port()) as client:
        client.send(b"".join(client.request(stream, f"/{stream}") for stream in (1, 3, 5, 7)))
        eventually(lambda: held.seen == ["/1"], "the first arrives, alone")
        for number in range(1, 5):
            held.permits.release()
            eventually(lambda: len(held.seen) == min(4, number + 1), "one more arrives")
        assert bodies(client, 4) == ["/1 1", "/3 1", "/5 1", "/7 1"]
    assert held.upstream.connections == 1


def test_waiting_requests_beyond_http1MaxPendingRequests_are_503_UO(owner):
    held = Held()
    owner.own(held.upstream)
    pool = {"tcp": {"maxConnections": 1}, "http": {"maxConcurrentStreams": 1, "http1MaxPendingRequests": 2}}
    running = owner.gateway(behind(held.upstream.port, connectionPool=pool), workers=1)
    with Client(running.port()) as client:
        client.send(client.request(1, "/1"))
        eventually(lambda: held.seen == ["/1"], "the first arrives")
        client.send(b"".join(client.request(stream, f"/{stream}") for stream in (3, 5, 7)))
        refused = client.read_until(HEADERS)
        assert refused.stream == 7 and dict(refused.fields)[":status"] == "503"
        assert dict(refused.fields)["x-envoy-overloaded"] == "true"
        assert " UO " in running.wait_for_access_line("/7")
        # One that does not wait any more makes room for another.
        client.send(frame(RST_STREAM, stream=3, payload=CANCEL.to_bytes(4, "big")))
        running.wait_for_access_line("/3")
        client.send(client.request(9, "/9"))
        for _ in range(3):
            held.permits.release()
        got = [client.read_until(DATA) for _ in range(4)]
        assert [each.payload.decode() for each in got if each.stream != 7] == ["/1 1", "/5 1", "/9 1"]
    assert held.seen == ["/1", "/5", "/9"]


def test_who_waits_gets_a_connection_of_its_own_when_the_one_ends(owner):
    held = Held(closes=True)
    owner.own(held.upstream)
    running = owner.gateway(behind(held.upstream.port, connectionPool=ONE_AT_A_TIME), workers=1)
    with Client(running.port()) as client:
        client.send(b"".join(client.request(stream, f"/{stream}") for stream in (1, 3, 5)))
        for _ in range(3):
            held.permits.release()
        assert bodies(client, 3) == ["/1 1", "/3 2", "/5 3"]


def test_who_waits_too_long_gets_504_and_never_goes_upstream(owner):
    held = Held()
    owner.own(held.upstream)
    running = owner.gateway(
        behind(held.upstream.port, rule={"timeout": "0.3s"}, connectionPool=ONE_AT_A_TIME), workers=1)
    with Client(running.port()) as client:
        client.send(client.request(1, "/1") + client.request(3, "/3"))
        statuses = {got.stream: dict(got.fields)[":status"] for got in
                    (client.read_until(HEADERS), client.read_until(HEADERS))}
        assert statuses == {1: "504", 3: "504"}
        held.permits.release(2)
        assert client.get(5).status in (200, 504)
    assert "/3" not in held.seen


# Signs of life

def keep_alive(timeout: str) -> dict:
    return {"http": {"http2KeepAlive": {"interval": "0.2s", "timeout": timeout}}}


def test_http2KeepAlive_asks_again_and_again(owner):
    answered = threading.Semaphore(0)

    def script(peer, number):
        while True:
            got = peer.read_until(HEADERS, PING)
            if got.kind == PING:
                answered.release()
            else:
                peer.send(peer.headers(got.stream, OK))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, connectionPool=keep_alive("20s")))
    with Client(running.port()) as client:
        assert client.get(1).status == 200
        for _ in range(5):
            assert answered.acquire(timeout=20)
        assert client.get(3).status == 200
    assert upstream.connections == 1
    assert ".http2.keepalive_timeout: 0" in running.admin("/stats?filter=keepalive")[1]


def test_a_connection_that_does_not_answer_is_closed(owner):
    """Its requests fail with UC; the next one gets a new connection."""
    def script(peer, number):
        while True:
            got = peer.read_frame()
            if got.kind == SETTINGS and not got.flags & ACK:
                peer.send(frame(SETTINGS, ACK))
            elif got.kind == HEADERS and number > 1:
                peer.send(peer.headers(got.stream, OK))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, connectionPool=keep_alive("2s"), rule={"retries": {"attempts": 0}}))
    with Client(running.port()) as client:
        answer = client.get(1)
        assert answer.status == 503 and b"http2 keepalive timeout" in answer.body
        assert client.get(3).status == 200
    assert " UC upstream_reset_before_response_started{connection_termination|" in running.access_lines()[0]
    assert ".http2.keepalive_timeout: " in running.admin("/stats?filter=keepalive")[1]
    assert "envoy_cluster_http2_keepalive_timeout" in running.admin("/stats/prometheus?filter=keepalive")[1]


def test_without_http2KeepAlive_nothing_is_asked(owner):
    kinds: set[int] = set()

    def script(peer, number):
        while True:
            got = peer.read_frame()
            kinds.add(got.kind)
            if got.kind == HEADERS:
                peer.send(peer.headers(got.stream, OK))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, connectionPool={"http": {"maxRetries": 1}}))
    with Client(running.port()) as client:
        assert client.get(1).status == 200
        assert not threading.Event().wait(1)
    assert PING not in kinds


# PROXY protocol


class Told(Upstream):
    """An upstream that expects a PROXY header of the first version before HTTP/2, and answers with it."""

    def __init__(self):
        self.headers: list[str] = []

        def script(peer, number):
            held: list[int] = []
            while True:
                got = peer.read_until(HEADERS)
                held.append(got.stream)
                if dict(got.fields)[":path"] == "/held":
                    continue
                for stream in held:
                    peer.send(peer.headers(stream, OK, end=False) + peer.data(stream, f"{number} {peer.told}".encode()))
                held.clear()
        super().__init__(script)

    def _run(self, connection, number):
        line = b""
        while not line.endswith(b"\r\n"):
            line += connection.recv(1)
        self.headers.append(line.decode().strip())
        told = line.decode().strip()
        inner = self.script

        def script(peer, number):
            peer.told = told
            inner(peer, number)
        self.script = script
        super()._run(connection, number)
        self.script = inner


def test_the_header_comes_first_and_the_connection_is_that_clients(owner):
    upstream = owner.own(Told())
    running = owner.gateway(behind(upstream.port, proxyProtocol={"version": "V1"}))
    with Client(running.port()) as first, Client(running.port()) as second:
        for client in (first, second):
            port = client.socket.getsockname()[1]
            # Together they share a connection, which names their client.
            client.send(client.request(1, "/held") + client.request(3, "/go"))
            told = {client.read_until(DATA).payload.decode() for _ in range(2)}
            assert len(told) == 1 and f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {running.port()}" in told.pop()
    assert upstream.connections == 2


def test_a_connection_with_a_name_is_not_kept_for_others(owner):
    """When its client has nothing under way it closes: nobody else may use it."""
    upstream = owner.own(Told())
    running = owner.gateway(behind(upstream.port, proxyProtocol={"version": "V1"}))
    with Client(running.port()) as client:
        assert client.get(1, "/go").status == 200
        eventually(lambda: "upstream_cx_active: 0" in running.admin("/stats?filter=upstream_cx_active")[1], "it closes")
        assert client.get(3, "/go").status == 200
    assert upstream.connections == 2 and len(upstream.headers) == 2
