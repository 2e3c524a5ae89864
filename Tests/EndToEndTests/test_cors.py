"""VirtualService corsPolicy: preflights are answered here, responses say who may read them."""

import pytest

from harness.configuration import route, to_upstream
from harness.gateway import parse_access_line
from harness.http_client import get
from harness.ports import free_port
from harness.upstreams import answering, response

POLICY = {
    "allowOrigins": [{"exact": "https://one.example"}, {"prefix": "https://two."}, {"regex": "https://[a-c]\\.example"}],
    "allowMethods": ["GET", "POST"], "allowHeaders": ["x-one", "x-two"], "exposeHeaders": ["x-three"],
    "maxAge": "24h", "allowCredentials": True,
}


def shared(owner, policy: dict, upstream=None):
    upstream = upstream or owner.upstream(answering(lambda request: response("up")))
    return owner.gateway(to_upstream(upstream.port, rules=[route("upstream.example", 80, corsPolicy=policy)])), upstream


def preflight(running, origin: str, target: str = "/"):
    return get(running.port(), target, method="OPTIONS", Origin=origin, Access_Control_Request_Method="POST")


@pytest.mark.parametrize("origin, is_allowed", [
    ("https://one.example", True), ("https://one.example.evil", False), ("https://two.anything", True),
    ("http://two.example", False), ("https://b.example", True), ("https://bb.example", False), ("null", False),
])
def test_origins_are_matched_exactly_by_prefix_and_by_regex(owner, origin, is_allowed):
    running, upstream = shared(owner, POLICY)
    answer = preflight(running, origin)
    assert answer.header("access-control-allow-origin") == (origin if is_allowed else None)
    assert len(upstream.requests) == (0 if is_allowed else 1)
    plain = get(running.port(), Origin=origin)
    assert plain.text == "up"
    assert plain.header("access-control-allow-origin") == (origin if is_allowed else None)


def test_a_preflight_is_answered_with_all_that_the_policy_says(owner):
    running, upstream = shared(owner, POLICY)
    answer = preflight(running, "https://one.example", "/x")
    assert (answer.status, answer.body) == (200, b"")
    said = {name: value for name, value in answer.headers if name.startswith("access-control-")}
    assert said == {
        "access-control-allow-origin": "https://one.example", "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST", "access-control-allow-headers": "x-one,x-two",
        "access-control-max-age": "86400"}
    assert parse_access_line(running.wait_for_access_line("/x"))["response_code_details"] == "cors_response"
    assert not upstream.requests


def test_an_actual_response_says_who_may_read_it_and_replaces_what_the_upstream_said(owner):
    upstream = owner.upstream(answering(lambda request: response(
        "up", "200 OK", "Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: x-upstream")))
    running, _ = shared(owner, POLICY, upstream)
    answer = get(running.port(), Origin="https://one.example")
    said = [(name, value) for name, value in answer.headers if name.startswith("access-control-")]
    assert sorted(said) == [
        ("access-control-allow-credentials", "true"), ("access-control-allow-origin", "https://one.example"),
        ("access-control-expose-headers", "x-three")]


def test_any_origin(owner):
    running, _ = shared(owner, {"allowOrigins": [{"exact": "*"}]})
    answer = get(running.port(), Origin="https://who.ever")
    assert answer.header("access-control-allow-origin") == "https://who.ever"
    assert answer.header("access-control-allow-credentials") is None


def test_options_without_a_requested_method_is_no_preflight(owner):
    running, upstream = shared(owner, POLICY)
    answer = get(running.port(), method="OPTIONS", Origin="https://one.example")
    assert answer.text == "up" and answer.header("access-control-allow-origin") == "https://one.example"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("mode, reaches", [("FORWARD", 1), ("IGNORE", 0), ("UNSPECIFIED", 1)])
def test_preflights_of_other_origins(owner, mode, reaches):
    running, upstream = shared(owner, {**POLICY, "unmatchedPreflights": mode})
    answer = preflight(running, "https://other.example")
    assert answer.status == 200 and answer.header("access-control-allow-origin") is None
    assert len(upstream.requests) == reaches


def test_a_request_without_origin_is_left_alone(owner):
    running, _ = shared(owner, POLICY)
    assert not [name for name, _ in get(running.port()).headers if name.startswith("access-control-")]


def test_a_page_may_read_that_the_upstream_failed(owner):
    running = owner.gateway(to_upstream(free_port(), rules=[route("upstream.example", 80, corsPolicy=POLICY)]))
    answer = get(running.port(), Origin="https://one.example")
    assert answer.status == 503 and answer.header("access-control-allow-origin") == "https://one.example"
