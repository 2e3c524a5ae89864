"""Upstreams that fail and clients that vanish: each with a stated outcome."""

import resource
import threading

import pytest

from harness.configuration import gateway, http_server, to_upstream, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, ConnectionClosed, get
from harness.ports import free_port
from harness.upstreams import answering, response
from harness.waiting import eventually


def failing(owner, script):
    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    return running, upstream


def test_an_upstream_that_refuses_is_503_UF(owner):
    running = owner.gateway(to_upstream(free_port()))
    answer = get(running.port(), "/x")
    assert answer.status == 503 and "connection failure" in answer.text
    line = parse_access_line(running.wait_for_access_line("/x"))
    # With Istio's default of two retries after connect failures: URX says that they are used up.
    assert line["response_flags"] in ("UF", "UF,URX")
    # The body, the details and the reason say the same, as in Envoy.
    assert answer.text.endswith("reset reason: remote connection failure, transport failure reason: Connection refused")
    assert line["response_code_details"] == \
        "upstream_reset_before_response_started{remote_connection_failure|Connection_refused}"
    assert line["upstream_transport_failure_reason"] == "Connection refused"
    assert line["upstream_host"].startswith("127.0.0.1:")


def test_an_upstream_that_ends_before_its_response_is_503_UC(owner):
    running, _ = failing(owner, lambda connection: connection.read_request())
    assert get(running.port(), "/x").status == 503
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert line["response_flags"] == "UC"
    assert line["response_code_details"] == "upstream_reset_before_response_started{connection_termination}"


def test_an_upstream_that_resets_before_its_response_is_503(owner):
    running, _ = failing(owner, lambda connection: (connection.read_request(), connection.reset()))
    assert get(running.port(), "/x").status == 503
    assert parse_access_line(running.wait_for_access_line("/x"))["response_flags"] in ("UC", "UR")


def test_an_upstream_that_ends_within_its_head_is_503(owner):
    running, _ = failing(owner, lambda connection: (
        connection.read_request(), connection.send("HTTP/1.1 200 OK\r\nContent-Le")))
    assert get(running.port(), "/x").status in (502, 503)


@pytest.mark.parametrize("head, part", [
    ("Content-Length: 1000", "partial"), ("Transfer-Encoding: chunked", "7\r\npartial\r\n"),
    ("Transfer-Encoding: chunked", "ff\r\npartial"),
])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_response_that_breaks_off_is_never_ended_cleanly(owner, head, part, how):
    """The client must be able to tell: the connection is reset, or at least the body is visibly short."""
    go = threading.Event()

    def script(connection):
        connection.read_request()
        connection.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{part}")
        go.wait(20)
        if how == "reset":
            connection.reset()

    running, _ = failing(owner, script)
    with Connection(running.port()) as connection:
        connection.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
        assert connection.read_head().status == 200
        got = connection.read_some()
        while b"partial" not in got:
            got += connection.read_some()
        go.set()
        rest, clean = connection.read_to_end()
        assert not (got + rest).endswith(b"0\r\n\r\n")
        assert not clean
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert line["response_code"] == "200" and line["response_flags"] in ("UC", "UR")
    assert line["response_code_details"].startswith("upstream_reset_after_response_started")


def test_a_body_that_ends_with_its_connection_and_is_reset_is_not_ended_cleanly(owner):
    go = threading.Event()

    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\n\r\npartial")
        go.wait(20)
        connection.reset()

    running, _ = failing(owner, script)
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
        got = connection.read_some()
        while b"partial" not in got:
            got += connection.read_some()
        go.set()
        rest, clean = connection.read_to_end()
        assert not clean or not (got + rest).endswith(b"0\r\n\r\n")


def test_a_client_that_vanishes_ends_the_upstreams_work(owner):
    noticed = threading.Event()

    def script(connection):
        connection.read_request()
        connection.wait_for_end()
        noticed.set()

    running, upstream = failing(owner, script)
    connection = Connection(running.port())
    connection.send("GET /gone HTTP/1.1\r\nHost: h\r\n\r\n")
    upstream.wait_for_requests(1)
    connection.reset()
    assert noticed.wait(20)
    line = parse_access_line(running.wait_for_access_line("/gone"))
    assert line["response_flags"] == "DC"
    assert get(owner.gateway(to_upstream(owner.upstream().port)).port()).status == 200


def test_a_client_that_vanishes_within_its_body_ends_the_upstreams_request(owner):
    whole = []

    def script(connection):
        connection.read_request()
        whole.append(True)

    running, upstream = failing(owner, script)
    connection = Connection(running.port())
    connection.send("POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
    upstream.wait_for_requests(1)
    connection.reset()
    running.wait_for_access_line("/half")
    assert whole == []


def test_a_stalled_upstream_does_not_hold_up_others(owner):
    running, upstream = failing(owner, lambda connection: (
        answering(lambda request: response())(connection) if connection.number > 1
        else (connection.read_request(), connection.wait_for_end())))
    with Connection(running.port()) as stalled:
        stalled.send("GET /stalled HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for_requests(1)
        assert get(running.port()).status == 200


def test_an_upstream_that_answers_and_half_closes_is_heard(owner):
    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        connection.half_close()
        connection.wait_for_end()

    running, upstream = failing(owner, script)
    assert [get(running.port()).text for _ in range(3)] == ["ok"] * 3


def test_one_dead_endpoint_of_two_does_not_surface(owner):
    """A connection that was refused took nothing: the request goes to another endpoint."""
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port, free_port()))
    statuses = [get(running.port()).status for _ in range(20)]
    assert statuses.count(200) >= 10


def few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def test_running_out_of_descriptors_is_survived_and_said(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=few_descriptors)
    held = []
    try:
        for _ in range(120):
            held.append(Connection(running.port()))
        # Those that were accepted work on; the process lives and does not spin in silence.
        assert running.process.running
    finally:
        for connection in held:
            connection.close()
    def served() -> bool:
        try:
            return get(running.port()).status == 200
        except ConnectionClosed:
            return False
    eventually(served, "serves again when descriptors are given back")
    assert running.process.stderr.count("cannot accept connections") == 1
    assert running.health("live")[0] == 200


def test_an_upstream_that_comes_back_is_used_again(owner):
    port = free_port()
    running = owner.gateway(to_upstream(port))
    assert get(running.port()).status == 503
    owner.upstream(port=port)
    eventually(lambda: get(running.port()).status == 200, "the upstream is used")


def test_failures_of_an_upstream_count_as_its_5xx(owner):
    running = owner.gateway(to_upstream(free_port()))
    for _ in range(3):
        assert get(running.port()).status == 503
    lines = [line for line in running.admin("/stats/prometheus")[1].splitlines()
             if line.startswith("envoy_cluster_upstream_rq_xx") and 'response_code_class="5"' in line]
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["3"], lines


def test_a_large_body_to_an_answer_of_a_rule_does_not_cost_the_answer(owner):
    running = owner.gateway([gateway(http_server("*")), virtual_service({"directResponse": {
        "status": 403, "body": {"string": "no"}}})])
    with Connection(running.port()) as connection:
        assert connection.request("POST", body=bytes(10 << 20)).text == "no"
