"""Command operators in headers.set and headers.add."""

import re

import pytest

from harness.configuration import gateway, https_server, route, static_entry, to_upstream, virtual_service
from harness.http_client import Connection, client_context, get
from harness.upstreams import answering, response


def seen(owner, value: str, target: str = "/path?q=1", **headers):
    """What the upstream gets as x-value for a request header set to `value`."""
    upstream = owner.upstream()
    rule = route("upstream.example", 80, headers={"request": {"set": {"x-value": value}}}, name="named",
                 rewrite={"uri": "/rewritten"})
    running = owner.gateway(to_upstream(upstream.port, rules=[rule]))
    assert get(running.port(), target, **headers).status == 200
    return upstream.requests[0].header("x-value"), running


@pytest.mark.parametrize("value, expected", [
    ("%REQ(X-Mine)%", "mine"), ("a %REQ(x-mine)% %% b", "a mine % b"), ("%REQ(X-NONE?X-MINE)%", "mine"),
    ("%REQ(x-mine):2%", "mi"), ("%REQ(:PATH)%", "/path?q=1"), ("%REQ(:METHOD)% %REQ(:SCHEME)%", "GET http"),
    ("%REQ(:AUTHORITY)%", "any.example"), ("%REQ(X-NONE)%", None), ("%PROTOCOL%", "HTTP/1.1"),
    ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "127.0.0.1"), ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "127.0.0.1"),
    ("%ROUTE_NAME%", "named"), ("%RESPONSE_FLAGS%", "-"), ("%UPSTREAM_CLUSTER%", "outbound|80||upstream.example"),
    ("%REQUESTED_SERVER_NAME%", None), ("plain", "plain"), ("100%%", "100%"),
])
def test_values_of_a_request(owner, value, expected):
    assert seen(owner, value, x_mine="mine")[0] == expected


@pytest.mark.parametrize("value, pattern", [
    ("%START_TIME%", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), ("%START_TIME(%s)%", r"\d{10}"),
    ("%START_TIME(%Y/%m/%d %3f)%", r"\d{4}/\d\d/\d\d \d{3}"), ("%DOWNSTREAM_REMOTE_ADDRESS%", r"127\.0\.0\.1:\d+"),
    ("%DOWNSTREAM_REMOTE_PORT%", r"\d+"), ("%HOSTNAME%", r".+"),
])
def test_values_that_differ_each_time(owner, value, pattern):
    assert re.fullmatch(pattern, seen(owner, value)[0])


def test_what_a_client_sends_is_not_taken_for_the_gateways_word(owner):
    """`set` with an operator that gives nothing leaves the field as it is, as Envoy does; with a value it replaces it."""
    value, _ = seen(owner, "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", x_value="forged")
    assert value == "127.0.0.1"


def test_values_of_a_response(owner):
    upstream = owner.upstream(answering(lambda request: response("ok", "201 Created", "X-Up: up")))
    rule = {"route": [{"destination": {"host": "upstream.example"}, "headers": {"response": {"add": {
        "x-code": "%RESPONSE_CODE%", "x-copy": "%RESP(X-Up)%", "x-host": "%UPSTREAM_HOST%"}}}}],
        "headers": {"response": {"set": {"x-request": "%REQ(X-Mine)%"}}}}
    running = owner.gateway(to_upstream(upstream.port, rules=[rule]))
    answer = get(running.port(), x_mine="mine")
    assert [answer.header(name) for name in ("x-code", "x-copy", "x-host", "x-request")] == [
        "201", "up", f"127.0.0.1:{upstream.port}", "mine"]


def test_the_clients_certificate(owner, authority):
    upstream = owner.upstream()
    front, client = authority.issue("a.example"), authority.issue("client.example")
    values = {"x-subject": "%DOWNSTREAM_PEER_SUBJECT%", "x-version": "%DOWNSTREAM_TLS_VERSION%",
              "x-name": "%REQUESTED_SERVER_NAME%", "x-digest": "%DOWNSTREAM_PEER_FINGERPRINT_256%"}
    running = owner.gateway(
        [gateway(https_server("*", credential="front", port=80, mode="MUTUAL")), static_entry("up.example", upstream.port),
         virtual_service(route("up.example", 80, headers={"request": {"set": values}}))],
        secrets={"front": {"tls.crt": front.chain_text, "tls.key": front.key_text,
                           "ca.crt": authority.certificate.read_text()}})
    with Connection(running.port(), tls=client_context(certificate=client), server_name="a.example") as connection:
        assert connection.request(host="a.example").status == 200
    request = upstream.requests[0]
    assert "CN=client.example" in request.header("x-subject")
    assert request.header("x-version") == "TLSv1.3" and request.header("x-name") == "a.example"
    assert re.fullmatch("[0-9a-f]{64}", request.header("x-digest"))


def test_an_added_host_is_the_host_of_the_request(owner):
    upstream = owner.upstream()
    rule = route("upstream.example", 80, headers={"request": {"add": {"Host": "added.example"}}})
    running = owner.gateway(to_upstream(upstream.port, rules=[rule]))
    assert get(running.port()).status == 200
    assert upstream.requests[0].header("host") == "added.example"
