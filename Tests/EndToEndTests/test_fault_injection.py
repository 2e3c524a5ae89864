"""VirtualService fault: delays and aborts on purpose."""

import time

import pytest

from harness.configuration import route, to_upstream
from harness.gateway import parse_access_line
from harness.http_client import Connection, get


def faulty(upstream_port: int, fault: dict, **rule) -> list[dict]:
    return to_upstream(upstream_port, rules=[route("upstream.example", 80, fault=fault, **rule)])


def abort(percentage: float | None = 100, **what) -> dict:
    return {"abort": {**what, **({} if percentage is None else {"percentage": {"value": percentage}})}}


def test_an_abort_answers_with_its_status(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, abort(httpStatus=418)))
    answer = get(running.port(), "/x")
    assert (answer.status, answer.text) == (418, "fault filter abort")
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert (line["response_flags"], line["response_code_details"]) == ("FI", "fault_filter_abort")
    assert not upstream.requests


@pytest.mark.parametrize("percentage", [None, 0])
def test_no_percentage_no_fault(owner, percentage):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, abort(percentage, httpStatus=500)))
    assert [get(running.port()).status for _ in range(20)] == [200] * 20


def test_a_percentage_concerns_that_share(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, abort(30, httpStatus=500)))
    with Connection(running.port()) as connection:
        aborted = sum(connection.request().status == 500 for _ in range(2000))
    # Ten standard deviations around 600.
    assert 400 < aborted < 800


def test_a_grpc_abort_is_a_grpc_answer_to_grpc_and_an_http_one_to_others(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, abort(grpcStatus="UNAVAILABLE")))
    answer = get(running.port(), method="POST", content_type="application/grpc")
    assert (answer.status, answer.header("grpc-status"), answer.body) == (200, "14", b"")
    assert answer.header("grpc-message") == "fault filter abort"
    assert answer.header("content-type") == "application/grpc"
    assert get(running.port()).status == 503


def test_an_http_abort_is_translated_for_grpc(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, abort(httpStatus=401)))
    answer = get(running.port(), method="POST", content_type="application/grpc+proto")
    assert (answer.status, answer.header("grpc-status")) == (200, "16")


def test_a_delay_comes_before_the_upstream_hears_of_the_request(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, {"delay": {"fixedDelay": "300ms", "percentage": {"value": 100}}}))
    with Connection(running.port()) as connection:
        start = time.monotonic()
        connection.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        answer = connection.read_response()
        assert time.monotonic() - start >= 0.29
    assert answer.status == 200 and upstream.requests[0].body == b"hello"
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert line["response_flags"] == "DI" and int(line["duration"]) >= 290


def test_the_timeout_of_the_route_does_not_count_the_delay(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, {"delay": {"fixedDelay": "300ms", "percentage": {"value": 100}}},
                                   timeout="150ms"))
    assert get(running.port()).status == 200


def test_a_delay_and_an_abort_come_together(owner):
    upstream = owner.upstream()
    fault = {"delay": {"fixedDelay": "50ms", "percentage": {"value": 100}}, **abort(httpStatus=503)}
    running = owner.gateway(faulty(upstream.port, fault))
    assert get(running.port(), "/x").status == 503
    assert set(parse_access_line(running.wait_for_access_line("/x"))["response_flags"].split(",")) == {"DI", "FI"}


def test_a_client_that_leaves_during_the_delay_costs_nothing(owner):
    upstream = owner.upstream()
    running = owner.gateway(faulty(upstream.port, {"delay": {"fixedDelay": "200ms", "percentage": {"value": 100}}}))
    client = Connection(running.port())
    client.send("GET /gone HTTP/1.1\r\nHost: h\r\n\r\n")
    client.reset()
    line = parse_access_line(running.wait_for_access_line("/gone"))
    assert set(line["response_flags"].split(",")) == {"DI", "DC"}
    assert get(running.port(), "/next").status == 200
    assert [request.target for request in upstream.requests] == ["/next"]
