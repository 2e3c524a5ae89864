"""The harness itself, without the gateway: a test is only as good as what it stands on."""

import socket

import pytest

from harness.dns_server import A, AAAA, CNAME, SERVFAIL, Record
from harness.gateway import parse_access_line
from harness.http_client import Connection, ConnectionClosed, client_context, curl, get, post
from harness.upstreams import answering, response, server_context


def test_a_scripted_upstream_answers_and_remembers(owner):
    upstream = owner.upstream(answering(lambda request: response(request.body or "none", "201 Created", "X-A: b")))
    answer = post(upstream.port, b"hello", "/path?q")
    assert (answer.status, answer.reason, answer.text, answer.header("x-a")) == (201, "Created", "hello", "b")
    assert [(request.method, request.target, request.header("host")) for request in upstream.requests] == [
        ("POST", "/path?q", "any.example")]


def test_a_reset_is_told_from_a_clean_end(owner):
    upstream = owner.upstream(lambda connection: (connection.read_head(), connection.reset()))
    with pytest.raises(ConnectionClosed) as end:
        get(upstream.port)
    assert not end.value.clean
    upstream.script = lambda connection: connection.read_head()
    with pytest.raises(ConnectionClosed) as end:
        get(upstream.port)
    assert end.value.clean


def test_chunks_and_trailers_are_read(owner):
    upstream = owner.upstream(answering(
        lambda request: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-End: 1\r\n\r\n"))
    answer = get(upstream.port)
    assert (answer.body, answer.trailers) == (b"abc", [("x-end", "1")])


def test_tls_upstream_sees_the_server_name(owner, authority, stranger):
    certificate = authority.issue("a.example")
    upstream = owner.upstream(tls=server_context(certificate))
    with Connection(upstream.port, tls=client_context(authority), server_name="a.example") as connection:
        assert connection.request().status == 200
    assert upstream.server_names == ["a.example"]
    with pytest.raises(OSError):
        Connection(upstream.port, tls=client_context(stranger), server_name="a.example")


def test_curl_reports_status_head_and_body(owner):
    upstream = owner.upstream(answering(lambda request: response("body", "418 I'm a teapot", "X-A: b")))
    result = curl(f"http://127.0.0.1:{upstream.port}/")
    assert (result.status, result.text, result.header("x-a"), result.exit_code) == (418, "body", "b", 0)


def test_nginx_and_httpbin_start_and_stop(owner, authority):
    nginx = owner.nginx(authority.issue("n.example"))
    assert get(nginx.plain, "/status/418").status == 418
    with Connection(nginx.tls, tls=client_context(authority), server_name="n.example") as connection:
        assert connection.request(target="/sni").text == "n.example\n"
    httpbin = owner.httpbin()
    assert get(httpbin.port, "/status/204").status == 204
    nginx.stop()
    with pytest.raises(OSError):
        get(nginx.plain)


def test_the_dns_server_follows_aliases_and_fails_on_demand(owner):
    server = owner.dns()
    server.set("alias.example", Record(CNAME, "real.example", 5))
    server.addresses("real.example", "127.0.0.7", "::1", ttl=9)
    server.zone["broken.example"] = SERVFAIL

    def ask(name: str, kind: int) -> bytes:
        host, _, port = server.address.partition(":")
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(b"\0\7\1\0\0\1\0\0\0\0\0\0" + question + bytes([0, kind, 0, 1]), (host, int(port)))
            return client.recv(4096)

    answer = ask("alias.example", A)
    assert answer[3] & 0x0F == 0 and answer[7] == 2 and answer.endswith(socket.inet_aton("127.0.0.7"))
    assert ask("real.example", AAAA).endswith(socket.inet_pton(socket.AF_INET6, "::1"))
    assert ask("broken.example", A)[3] & 0x0F == SERVFAIL
    assert server.queries_for("alias.example") == 1


def test_the_access_log_format_is_read_field_by_field():
    fields = parse_access_line(
        '[2026-08-22T10:00:00.000Z] "GET /a b HTTP/1.1" 503 UF upstream_reset_before_response_started{connection_failure} '
        '- "TLS error: reason" 0 91 3 - "10.0.0.1" "curl/8" "id" "h.example" "127.0.0.1:443" '
        'outbound|443|s|h.example - 127.0.0.1:80 127.0.0.1:5000 - default')
    assert fields["path"] == "/a b" and fields["response_flags"] == "UF" and fields["bytes_sent"] == "91"
    assert fields["upstream_transport_failure_reason"] == "TLS error: reason" and fields["route_name"] == "default"
