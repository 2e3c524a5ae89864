"""DestinationRule loadBalancer.consistentHash: requests that are alike go to the same endpoint."""

import re

import pytest

from harness.configuration import destination_rule, to_upstream
from harness.http_client import get
from harness.upstreams import answering, response

TABLES = {"default": {}, "ring": {"ringHash": {"minimumRingSize": 100}}, "maglev": {"maglev": {"tableSize": 101}}}


def hashing(owner, count: int = 4, **policy):
    upstreams = [owner.upstream(answering(lambda request, name=str(index): response(name))) for index in range(count)]
    resources = to_upstream(*[upstream.port for upstream in upstreams])
    return owner.gateway([*resources, destination_rule("upstream.example", {"loadBalancer": {"consistentHash": policy}})])


@pytest.mark.parametrize("table", TABLES)
def test_a_header_decides(owner, table):
    running = hashing(owner, httpHeaderName="X-User", **TABLES[table])
    first = [get(running.port(), x_user=f"user-{number}").text for number in range(60)]
    again = [get(running.port(), x_user=f"user-{number}").text for number in range(60)]
    assert first == again
    assert len(set(first)) == 4


def test_a_query_parameter_decides(owner):
    running = hashing(owner, httpQueryParameterName="user")
    first = [get(running.port(), f"/{number}?a=1&user={number % 20}&b").text for number in range(40)]
    assert first[:20] == first[20:]
    assert len(set(first)) > 1


def test_the_client_address_decides(owner):
    running = hashing(owner, useSourceIp=True)
    assert len({get(running.port()).text for _ in range(20)}) == 1


def test_a_cookie_is_made_and_leads_back(owner):
    running = hashing(owner, httpCookie={"name": "session", "ttl": "60s", "path": "/app"})
    places = {}
    for _ in range(30):
        answer = get(running.port())
        made = re.fullmatch(r'session="([0-9a-f]{16})"; Max-Age=60; Path=/app; HttpOnly', answer.header("set-cookie"))
        assert made
        places[made.group(1)] = answer.text
    assert len(set(places.values())) > 1
    for value, place in places.items():
        for written in (f"session={value}", f'other=1; session="{value}"; more=2'):
            answer = get(running.port(), Cookie=written)
            assert answer.text == place and answer.header("set-cookie") is None


def test_a_session_cookie_has_no_age_and_attributes_are_said(owner):
    running = hashing(owner, httpCookie={"name": "s", "ttl": "0s", "attributes": [
        {"name": "SameSite", "value": "Strict"}, {"name": "Secure"}]})
    cookie = get(running.port()).header("set-cookie")
    assert re.fullmatch(r's="[0-9a-f]{16}"; SameSite=Strict; Secure; HttpOnly', cookie)


def test_without_ttl_no_cookie_is_made_and_a_request_without_one_goes_anywhere(owner):
    running = hashing(owner, httpCookie={"name": "session"})
    answers = [get(running.port()) for _ in range(60)]
    assert all(answer.header("set-cookie") is None for answer in answers)
    assert len({answer.text for answer in answers}) > 1
    assert len({get(running.port(), Cookie="session=one").text for _ in range(20)}) == 1


def test_when_an_endpoint_leaves_most_requests_stay_where_they_were(owner):
    upstreams = [owner.upstream(answering(lambda request, name=str(index): response(name))) for index in range(5)]
    policy = destination_rule("upstream.example", {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}})
    running = owner.gateway([*to_upstream(*[upstream.port for upstream in upstreams]), policy])
    before = [get(running.port(), x_user=f"{number}").text for number in range(200)]
    running.configure([*to_upstream(*[upstream.port for upstream in upstreams[:4]]), policy])
    running.reload_and_wait()
    after = [get(running.port(), x_user=f"{number}").text for number in range(200)]
    stayed = [old == new for old, new in zip(before, after) if old != "4"]
    # A smaller number of endpoints has more places each, so a few move besides those of the endpoint that left.
    assert sum(stayed) > len(stayed) / 2 and "4" not in after
