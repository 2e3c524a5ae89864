"""VirtualService retries: what is tried again, how often, where, and with what body."""

import time

import pytest

from harness.configuration import gateway, http_server, route, static_entry, to_upstream, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, get, post
from harness.ports import free_port
from harness.upstreams import answering, response


def failing_first(*first, then=None):
    """A script: the first requests get these answers (bytes, or None for a connection that just ends), later ones 200."""
    left = list(first)

    def script(connection):
        while (request := connection.read_request()) is not None:
            if not left:
                connection.send(then or response(f"after {len(request.body)}"))
                continue
            answer = left.pop(0)
            if answer is None:
                return
            connection.send(answer)
    return script


def status(code: int, **headers) -> bytes:
    return response("no", f"{code} No", *[f"{name.replace('_', '-')}: {value}" for name, value in headers.items()])


def retrying(upstream_ports, **retries):
    return to_upstream(*upstream_ports, rules=[route("upstream.example", 80, retries={"backoff": "1ms", **retries})])


@pytest.mark.parametrize("retry_on, answer, is_retried", [
    ("5xx", status(500), True), ("5xx", status(503), True), ("5xx", status(404), False), ("5xx", None, True),
    ("gateway-error", status(502), True), ("gateway-error", status(503), True), ("gateway-error", status(504), True),
    ("gateway-error", status(500), False), ("gateway-error", None, True),
    ("reset", None, True), ("reset", status(503), False),
    ("connect-failure", status(503), False), ("connect-failure", None, False), ("refused-stream", status(503), False),
    ("retriable-4xx", status(409), True), ("retriable-4xx", status(404), False),
    ("retriable-status-codes,418", status(418), True), ("418", status(418), True), ("418,429", status(429), True),
    ("418", status(503), False), ("retriable-status-codes", status(503), False),
    ("envoy-ratelimited", status(429, x_envoy_ratelimited="true"), True), ("envoy-ratelimited", status(429), False),
    ("5xx", status(503, x_envoy_ratelimited="true"), False), ("5xx", status(503, x_envoy_overloaded="true"), False),
    ("unavailable", status(200, grpc_status="14"), False), ("5xx,connect-failure", status(500), True),
])
def test_the_conditions_of_retryOn(owner, retry_on, answer, is_retried):
    upstream = owner.upstream(failing_first(answer))
    running = owner.gateway(retrying([upstream.port], attempts=1, retryOn=retry_on))
    got = get(running.port())
    assert len(upstream.requests) == (2 if is_retried else 1)
    if is_retried:
        assert (got.status, got.text) == (200, "after 0")


@pytest.mark.parametrize("name, code", [("cancelled", 1), ("deadline-exceeded", 4), ("resource-exhausted", 8),
                                        ("internal", 13), ("unavailable", 14)])
def test_the_grpc_conditions_look_at_the_status_in_the_head(owner, name, code):
    only_head = f"HTTP/1.1 204 No Content\r\ngrpc-status: {code}\r\n\r\n".encode()
    upstream = owner.upstream(failing_first(only_head))
    running = owner.gateway(retrying([upstream.port], attempts=1, retryOn=name))
    assert get(running.port()).text == "after 0"
    assert len(upstream.requests) == 2


def test_a_plain_503_is_not_retried_by_default(owner):
    upstream = owner.upstream(failing_first(status(503)))
    running = owner.gateway(to_upstream(upstream.port))
    assert get(running.port()).status == 503
    assert len(upstream.requests) == 1


def test_attempts_bound_the_retries_and_the_log_says_URX(owner):
    upstream = owner.upstream(answering(lambda request: status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=3, retryOn="5xx"))
    assert get(running.port(), "/x").status == 503
    assert [request.header("x-envoy-attempt-count") for request in upstream.requests] == ["1", "2", "3", "4"]
    assert parse_access_line(running.wait_for_access_line("/x"))["response_flags"] == "URX"


def test_no_attempts_no_retries(owner):
    upstream = owner.upstream(answering(lambda request: status(503)))
    running = owner.gateway(to_upstream(upstream.port, rules=[route("upstream.example", 80, retries={"attempts": 0})]))
    assert get(running.port(), "/x").status == 503
    assert len(upstream.requests) == 1
    assert parse_access_line(running.wait_for_access_line("/x"))["response_flags"] == "-"


@pytest.mark.parametrize("size", [10, 50_000, 900_000])
def test_a_body_is_sent_again(owner, size):
    upstream = owner.upstream(failing_first(status(503), None, then=None))
    running = owner.gateway(retrying([upstream.port], attempts=2, retryOn="5xx"))
    body = bytes(index % 251 for index in range(size))
    assert post(running.port(), body).text == f"after {size}"
    assert [request.body for request in upstream.requests] == [body] * 3


def test_a_chunked_body_is_sent_again(owner):
    upstream = owner.upstream(failing_first(status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=1, retryOn="5xx"))
    with Connection(running.port()) as connection:
        connection.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n")
        assert connection.read_response().text == "after 8"
    assert [request.body for request in upstream.requests] == [b"abcdefgh"] * 2


def test_a_body_beyond_the_bound_is_not_sent_again(owner):
    upstream = owner.upstream(failing_first(status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=2, retryOn="5xx"))
    assert post(running.port(), b"b" * 2_000_000).status == 503
    assert len(upstream.requests) == 1


def test_an_attempt_has_its_own_timeout(owner):
    def script(connection):
        request = connection.read_request()
        if request and connection.number > 1:
            connection.send(response("second"))
        connection.read_request()

    upstream = owner.upstream(script)
    running = owner.gateway(retrying([upstream.port], attempts=1, perTryTimeout="100ms", retryOn="gateway-error"))
    assert get(running.port()).text == "second"
    assert upstream.connections == 2


def test_when_every_attempt_times_out_the_answer_is_504_UT(owner):
    upstream = owner.upstream(lambda connection: (connection.read_request(), connection.read_request()))
    running = owner.gateway(retrying([upstream.port], attempts=1, perTryTimeout="50ms", retryOn="5xx"))
    assert get(running.port(), "/x").status == 504
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert line["response_flags"] == "UT,URX" or line["response_flags"] == "URX,UT"
    assert line["response_code_details"] == "upstream_per_try_timeout"
    assert len(upstream.requests) == 2


def test_the_timeout_of_the_route_spans_all_attempts(owner):
    upstream = owner.upstream(lambda connection: (connection.read_request(), connection.read_request()))
    rule = route("upstream.example", 80, timeout="300ms",
                 retries={"attempts": 50, "perTryTimeout": "50ms", "retryOn": "5xx", "backoff": "1ms"})
    running = owner.gateway(to_upstream(upstream.port, rules=[rule]))
    start = time.monotonic()
    assert get(running.port(), "/x").status == 504
    assert time.monotonic() - start < 5
    assert parse_access_line(running.wait_for_access_line("/x"))["response_code_details"] == "response_timeout"


def test_a_retry_goes_to_another_endpoint(owner):
    bad = owner.upstream(answering(lambda request: status(503)))
    good = owner.upstream()
    running = owner.gateway(retrying([bad.port, good.port], attempts=1, retryOn="5xx"))
    assert [get(running.port()).status for _ in range(40)] == [200] * 40
    assert bad.requests


def test_without_retryIgnorePreviousHosts_a_retry_may_go_to_the_same_endpoint(owner):
    bad = owner.upstream(answering(lambda request: status(503)))
    good = owner.upstream()
    running = owner.gateway(retrying([bad.port, good.port], attempts=1, retryOn="5xx", retryIgnorePreviousHosts=False))
    statuses = {get(running.port()).status for _ in range(100)}
    assert statuses == {200, 503}


def test_connect_failures_are_retried_by_default_and_leave_for_another_endpoint(owner):
    good = owner.upstream()
    running = owner.gateway(to_upstream(free_port(), good.port))
    assert [get(running.port()).status for _ in range(20)] == [200] * 20


# What clients ask of the router

STRANGER = "PROXY TCP4 203.0.113.9 127.0.0.1 1000 80\r\n"
# A field, what it comes with, the upstream's first answer, and whether that is retried. The route has no retries.
ASKED = [
    ({"x-envoy-retry-on": "5xx"}, status(503), True),
    ({"x-envoy-retry-on": "reset, gateway-error"}, status(503), False),
    ({"x-envoy-retry-on": "reset,gateway-error"}, status(503), True),
    ({"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "0"}, status(503), False),
    ({"x-envoy-max-retries": "3"}, status(503), False),
    ({"x-envoy-retry-on": "unavailable"}, status(200, grpc_status="14"), False),
    ({"x-envoy-retry-grpc-on": "unavailable"}, b"HTTP/1.1 204 No Content\r\ngrpc-status: 14\r\n\r\n", True),
    ({"x-envoy-retry-on": "retriable-status-codes", "x-envoy-retriable-status-codes": "418,429"}, status(429), True),
    ({"x-envoy-retriable-status-codes": "418"}, status(418), False),
    ({"x-envoy-retry-on": "retriable-headers", "x-envoy-retriable-header-names": "x-one, X-Again"},
     response("no", "200 OK", "x-again: 1"), True),
    ({"x-envoy-retry-on": "retriable-headers"}, response("no", "200 OK", "x-again: 1"), False),
]


def asking(port: int, fields: dict[str, str], preface: str = "", body: str = ""):
    with Connection(port) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.send(f"{preface}POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}")
        return connection.read_response()


def envoy_fields(request) -> set[str]:
    ours = {"x-envoy-attempt-count", "x-envoy-expected-rq-timeout-ms", "x-envoy-external-address"}
    return {name.lower() for name, _ in request.headers if name.lower().startswith("x-envoy-")} - ours


@pytest.mark.parametrize("fields, first, is_retried", ASKED, ids=[" ".join(f"{n}={v}" for n, v in a[0].items()) for a in ASKED])
def test_a_client_on_a_private_network_may_ask_for_retries(owner, fields, first, is_retried):
    upstream = owner.upstream(failing_first(first))
    running = owner.gateway(retrying([upstream.port], attempts=0))
    asking(running.port(), fields, body="abc")
    assert [request.body for request in upstream.requests] == [b"abc"] * (2 if is_retried else 1)
    assert all(envoy_fields(request) == set() for request in upstream.requests)


def test_what_is_asked_for_adds_to_the_route(owner):
    upstream = owner.upstream(failing_first(status(409), status(503), status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=1, retryOn="5xx"))
    answer = asking(running.port(), {"x-envoy-retry-on": "retriable-4xx", "x-envoy-max-retries": "3"})
    assert answer.status == 200 and len(upstream.requests) == 4


@pytest.mark.parametrize("fields", [
    {"x-envoy-retry-on": "5xx", "x-envoy-max-retries": "9"}, {"x-envoy-retry-grpc-on": "unavailable"},
    {"x-envoy-retry-on": "retriable-headers", "x-envoy-retriable-header-names": "content-length"},
    {"x-envoy-upstream-rq-timeout-ms": "1"}, {"x-envoy-upstream-rq-per-try-timeout-ms": "1"}])
def test_a_stranger_may_ask_for_nothing(owner, fields):
    upstream = owner.upstream(failing_first(status(503)))
    resources = retrying([upstream.port], attempts=0)
    resources[0]["metadata"]["annotations"] = {"sallyport.dev/proxy-protocol": "http-80"}
    running = owner.gateway(resources)
    assert asking(running.port(), fields, STRANGER).status == 503
    assert len(upstream.requests) == 1 and envoy_fields(upstream.requests[0]) == set()
    assert upstream.requests[0].header("x-forwarded-for") == "203.0.113.9"
    assert upstream.requests[0].header("x-envoy-expected-rq-timeout-ms") is None


def test_who_is_forwarded_by_others_may_ask_for_nothing(owner):
    """Behind a balancer everybody comes from a private address."""
    upstream = owner.upstream(failing_first(status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=0))
    fields = {"x-forwarded-for": "203.0.113.9", "x-envoy-retry-on": "5xx", "x-envoy-max-retries": "9"}
    assert asking(running.port(), fields).status == 503
    assert len(upstream.requests) == 1 and envoy_fields(upstream.requests[0]) == set()


def test_a_client_on_a_private_network_may_bound_the_time(owner):
    """It takes the place of the route's, and the upstream is told."""
    upstream = owner.upstream(lambda connection: (connection.read_request(), connection.wait_for_end()))
    rule = route("upstream.example", 80, timeout="30s", retries={"attempts": 0})
    running = owner.gateway(to_upstream(upstream.port, rules=[rule]))
    assert asking(running.port(), {"x-envoy-upstream-rq-timeout-ms": "100"}).status == 504
    assert parse_access_line(running.wait_for_access_line("/x"))["response_code_details"] == "response_timeout"
    assert upstream.requests[0].header("x-envoy-expected-rq-timeout-ms") == "100"
    fields = {"x-envoy-upstream-rq-per-try-timeout-ms": "50", "x-envoy-retry-on": "5xx", "x-envoy-max-retries": "2"}
    assert asking(running.port(), fields).status == 504
    line = parse_access_line(running.wait_for_access_line("/x", 2))
    assert line["response_code_details"] == "upstream_per_try_timeout"
    assert [request.header("x-envoy-expected-rq-timeout-ms") for request in upstream.requests[1:]] == ["50"] * 3


@pytest.mark.parametrize("fields", [{"x-envoy-max-retries": "-1", "x-envoy-retry-on": "5xx"},
                                    {"x-envoy-max-retries": "many", "x-envoy-retry-on": "5xx,nonsense"}])
def test_what_makes_no_sense_is_ignored(owner, fields):
    upstream = owner.upstream(failing_first(status(503)))
    running = owner.gateway(retrying([upstream.port], attempts=0))
    assert asking(running.port(), fields).status == 200
    assert len(upstream.requests) == 2
