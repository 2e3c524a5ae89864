"""Connections to upstreams: reused, most recent first; a stale one never shows."""

import threading

from harness.configuration import destination_rule, to_upstream
from harness.http_client import Connection, get, post
from harness.upstreams import answering, response
from harness.waiting import eventually


def test_connections_are_reused_across_clients(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port))
    assert [get(running.port()).status for _ in range(20)] == [200] * 20
    assert upstream.connections == 1


def test_the_most_recently_used_connection_is_lent_first(owner):
    gate = threading.Barrier(3, timeout=20)

    def script(connection):
        while (request := connection.read_request()) is not None:
            if request.target == "/together":
                gate.wait()
            connection.send(response(str(connection.number)))

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    clients = [Connection(running.port()) for _ in range(3)]
    for client in clients:
        client.send("GET /together HTTP/1.1\r\nHost: h\r\n\r\n")
    for client in clients:
        client.read_response()
    assert upstream.connections == 3
    last = clients[1].request().text
    assert {clients[0].request().text for _ in range(10)} == {last}
    for client in clients:
        client.close()


def stale_after(count: int, upstream_closes: threading.Event):
    """A script whose connections answer `count` requests and end when told, without a word."""
    def script(connection):
        if connection.number > 1:
            return answering(lambda request: response(f"fresh {len(request.body)}"))(connection)
        for _ in range(count):
            connection.read_request()
            connection.send(response("first"))
        upstream_closes.wait(20)
        return None
    return script


def test_a_kept_alive_connection_that_the_upstream_closed_is_not_used(owner):
    closes = threading.Event()
    upstream = owner.upstream(stale_after(1, closes))
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request().text == "first"
        closes.set()
        for _ in range(5):
            assert connection.request().status == 200


def test_a_request_on_a_stale_connection_is_replayed_once(owner):
    """The upstream takes the second request and ends the connection without an answer."""
    def script(connection):
        if connection.number > 1:
            return answering(lambda request: response("fresh"))(connection)
        connection.read_request()
        connection.send(response("first"))
        connection.read_request()
        return None

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request(target="/1").text == "first"
        assert connection.request(target="/2").text == "fresh"
    assert upstream.counts_by(lambda request: request.target) == {"/1": 1, "/2": 2}


def test_a_replay_is_tried_once_only(owner):
    def script(connection):
        if connection.number == 1:
            connection.read_request()
            connection.send(response("first"))
        connection.read_request()

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request(target="/1").text == "first"
        assert connection.request(target="/2").status == 503
    assert upstream.counts_by(lambda request: request.target)["/2"] <= 2


def test_a_post_that_may_have_been_taken_is_not_replayed(owner):
    def script(connection):
        if connection.number > 1:
            return answering(lambda request: response("fresh"))(connection)
        connection.read_request()
        connection.send(response("first"))
        connection.read_request()
        return None

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    assert get(running.port(), "/1").text == "first"
    assert post(running.port(), b"body", "/2").status == 503
    assert upstream.counts_by(lambda request: request.target)["/2"] == 1


def test_a_fresh_connection_that_ends_without_an_answer_is_not_replayed(owner):
    upstream = owner.upstream(lambda connection: connection.read_request())
    running = owner.gateway(to_upstream(upstream.port))
    assert get(running.port(), "/x").status == 503
    assert upstream.counts_by(lambda request: request.target) == {"/x": 1}


def test_an_idle_upstream_connection_is_closed_in_its_time(owner):
    upstream = owner.upstream(lambda connection: (
        connection.read_request(), connection.send(response()), connection.wait_for_end(), ends.set()))
    ends = threading.Event()
    running = owner.gateway(to_upstream(upstream.port) + [
        destination_rule("upstream.example", {"connectionPool": {"http": {"idleTimeout": "1s"}}})])
    assert get(running.port()).status == 200
    assert ends.wait(20)


def test_each_worker_has_its_own_pool_and_all_answer(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), workers=3)
    assert {get(running.port()).status for _ in range(60)} == {200}
    assert 1 <= upstream.connections <= 3


def test_an_unfinished_response_never_goes_back_into_the_pool(owner):
    """The client leaves in the middle of a body: the rest must not be the next one's answer."""
    def script(connection):
        if connection.number > 1:
            return answering(lambda request: response("clean"))(connection)
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npartial")
        connection.wait_for_end()
        return None

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
    eventually(lambda: get(running.port()).text == "clean", "the next client gets its own answer")
