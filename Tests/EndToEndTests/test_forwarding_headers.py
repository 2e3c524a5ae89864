"""What a gateway adds, replaces and removes on the way, as Istio's does."""

import re

import pytest

from harness.configuration import gateway, http_server, https_server, route, static_entry, to_upstream, virtual_service
from harness.http_client import Connection, client_context, get
from harness.upstreams import answering, response

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


@pytest.fixture(scope="module")
def pair(module_owner):
    class Pair:
        upstream = module_owner.upstream()
        gateway = module_owner.gateway(to_upstream(upstream.port))
        port = gateway.port()

        @classmethod
        def seen(cls, *lines: str, start: str = "GET / HTTP/1.1"):
            """The request as the upstream gets it, and the response."""
            with Connection(cls.port) as connection:
                connection.send("\r\n".join([start, "Host: h.example", *lines, "", ""]))
                answer = connection.read_response()
            assert answer.status == 200
            return cls.upstream.requests[-1], answer
    return Pair


def names(message) -> list[str]:
    return [name.lower() for name, _ in message.headers]


def test_the_clients_address_and_scheme_are_said(pair):
    request, _ = pair.seen()
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-forwarded-proto") == "http"


def test_the_scheme_is_https_behind_a_tls_door(owner, authority):
    upstream = owner.upstream()
    certificate = authority.issue("a.example")
    running = owner.gateway(
        [gateway(https_server("a.example", credential="front")), virtual_service(route("up.example", 80)),
         static_entry("up.example", upstream.port)], ports=(443,),
        secrets={"front": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    with Connection(running.port(443), tls=client_context(), server_name="a.example") as connection:
        assert connection.request(host="a.example").status == 200
    assert upstream.requests[0].header("x-forwarded-proto") == "https"


def test_what_a_client_says_of_itself_is_not_believed(pair):
    request, _ = pair.seen("X-Forwarded-Proto: https", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Client-Cert: Hash=x")
    assert request.header("x-forwarded-proto") == "http"
    assert request.header("x-forwarded-for") == "1.2.3.4,127.0.0.1"
    assert request.header("x-forwarded-client-cert") is None


def test_a_client_on_a_private_network_keeps_its_request_id(pair):
    """Loopback counts as internal, as in Envoy; what outsiders send is replaced, which unit tests cover."""
    request, _ = pair.seen("X-Request-Id: 11111111-2222-4333-8444-555555555555")
    assert request.header("x-request-id") == "11111111-2222-4333-8444-555555555555"


def test_a_request_id_is_made(pair):
    ids = {pair.seen()[0].header("x-request-id") for _ in range(20)}
    assert len(ids) == 20 and all(UUID.match(value) for value in ids)


def test_hop_by_hop_fields_end_here(pair):
    request, _ = pair.seen("Connection: keep-alive, X-Private", "X-Private: secret", "Keep-Alive: timeout=5",
                           "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: h2c", "Proxy-Authorization: Basic eA==")
    for name in ("x-private", "keep-alive", "proxy-connection", "upgrade"):
        assert name not in names(request), name
    assert request.header("te") in (None, "trailers")


@pytest.mark.parametrize("nominated", ["Host", "X-Forwarded-For", "X-Request-Id", "Content-Length", "Transfer-Encoding"])
def test_connection_cannot_take_away_what_matters(pair, nominated):
    with Connection(pair.port) as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: h.example\r\nContent-Length: 5\r\nConnection: {nominated}\r\n\r\nhello")
        status = connection.read_response().status
    if status == 200:
        request = pair.upstream.requests[-1]
        assert request.header("host") == "h.example" and request.body == b"hello"
        assert request.header("x-forwarded-for") and request.header("x-request-id")
    else:
        assert status == 400


def test_other_fields_pass_in_order_and_as_written(pair):
    request, _ = pair.seen("X-One: 1", "x-TWO: 2", "X-One: 3", "Cookie: a=b; c=d", "Accept: */*")
    kept = [(name, value) for name, value in request.headers if name.lower() in ("x-one", "x-two", "cookie", "accept")]
    assert kept == [("X-One", "1"), ("x-TWO", "2"), ("X-One", "3"), ("Cookie", "a=b; c=d"), ("Accept", "*/*")]


def test_names_with_underscores_are_not_their_dashed_twins(pair):
    request, _ = pair.seen("X_Forwarded_For: 6.6.6.6", "Content_Length: 99")
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x_forwarded_for") in (None, "6.6.6.6")


def test_the_response_says_who_served_it(pair):
    _, answer = pair.seen()
    assert answer.header("server") == "istio-envoy" or answer.header("server") == "sallyport"
    assert answer.header("date")
    assert re.match(r"^\d+$", answer.header("x-envoy-upstream-service-time"))


def test_the_upstreams_date_is_kept_and_its_server_replaced(owner):
    upstream = owner.upstream(answering(lambda request: response(
        "ok", "200 OK", "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Server: hidden/1.0")))
    answer = get(owner.gateway(to_upstream(upstream.port)).port())
    assert answer.header("date") == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert answer.header("server") != "hidden/1.0"


def test_hop_by_hop_fields_of_a_response_end_here(owner):
    upstream = owner.upstream(answering(lambda request: response(
        "ok", "200 OK", "Connection: X-Private", "X-Private: secret", "Keep-Alive: timeout=5",
        "Proxy-Connection: close")))
    answer = get(owner.gateway(to_upstream(upstream.port)).port())
    assert not {"x-private", "keep-alive", "proxy-connection"} & set(names(answer))


def test_our_own_replies_say_date_server_and_length(owner):
    running = owner.gateway([gateway(http_server("a.example")), virtual_service(route("nowhere.example", 80))])
    for host, status in (("b.example", 404), ("a.example", 503)):
        answer = get(running.port(), host=host)
        assert answer.status == status
        assert answer.header("date") and answer.header("server") and answer.header("content-length") is not None


def test_repeated_set_cookie_fields_stay_apart(owner):
    upstream = owner.upstream(answering(lambda request: response("ok", "200 OK", "Set-Cookie: a=1", "Set-Cookie: b=2")))
    answer = get(owner.gateway(to_upstream(upstream.port)).port())
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
