"""x-forwarded-client-cert: what an upstream is told of a client's certificate, in Envoy's form and Istio's modes."""

import urllib.parse

import pytest

from harness.configuration import gateway, http_server, https_server, resource, route, static_entry, virtual_service
from harness.http2 import Client
from harness.http_client import Connection, client_context

FORGED = ("X-Forwarded-Client-Cert", "Hash=forged")
MODES = ("SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY", "UNDEFINED", None)


class Front:
    """HTTPS on 443 that asks for client certificates, HTTP on 80."""

    def __init__(self, owner, authority, details: str | None = None, *, names: tuple[str, ...] = ("a.example",), **tls):
        server = authority.issue(*names)
        self.upstream = owner.upstream()
        mesh = {"defaultConfig": {"gatewayTopology": {"forwardClientCertDetails": details}}} if details else {}
        operator = resource("IstioOperator", "mesh", {"meshConfig": mesh}, api="install.istio.io/v1alpha1")
        self.running = owner.gateway(
            [gateway(https_server("*", credential="front", **{"mode": "MUTUAL", **tls}), http_server("*")),
             virtual_service(route("up.example", 80)), static_entry("up.example", self.upstream.port), operator],
            ports=(80, 443), secrets={"front": {
                "tls.crt": server.chain_text, "tls.key": server.key_text, "ca.crt": authority.certificate.read_text()}})

    def seen(self, certificate=None, port: int = 443, *, forged: bool = True) -> str | None:
        """What the upstream gets."""
        tls = client_context(None, certificate) if port == 443 else None
        with Connection(self.running.port(port), tls=tls, server_name="a.example" if tls else None) as connection:
            fields = dict([FORGED]) if forged else {}
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            connection.send(f"GET / HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n")
            assert connection.read_response().status == 200
        return self.upstream.requests[-1].header("x-forwarded-client-cert")


def text_of(certificate, *names: str) -> str:
    pem = urllib.parse.quote(certificate.chain_text, safe="-").replace("%0D", "")
    return ";".join([f"Hash={certificate.fingerprint}", f'Cert="{pem}"', *names])


def test_a_verified_client_is_said_as_envoy_says_it(owner, authority):
    front = Front(owner, authority)
    client = authority.issue("spiffe://mesh/ns/a/sa/b", "client.example", "other.example", common_name="the client",
                             usage="client")
    assert front.seen(client) == text_of(
        client, 'Subject="CN=the client"', "URI=spiffe://mesh/ns/a/sa/b", "DNS=client.example", "DNS=other.example")


def test_every_request_of_a_connection_says_it_in_both_versions(owner, authority):
    front = Front(owner, authority)
    client = authority.issue("client.example", usage="client")
    expected = text_of(client, 'Subject="CN=client.example"', "DNS=client.example")
    with Connection(front.running.port(443), tls=client_context(None, client), server_name="a.example") as connection:
        for _ in range(3):
            assert connection.request(host="a.example").status == 200
    with Client(front.running.port(443), tls=client_context(None, client), server_name="a.example") as http2:
        for stream in (1, 3):
            assert http2.get(stream, authority="a.example", scheme="https").status == 200
    assert [request.header("x-forwarded-client-cert") for request in front.upstream.requests] == [expected] * 5


@pytest.mark.parametrize("mode", MODES)
def test_forwardClientCertDetails(owner, authority, mode):
    front = Front(owner, authority, mode, mode="OPTIONAL_MUTUAL")
    client = authority.issue("client.example", usage="client")
    own = text_of(client, 'Subject="CN=client.example"', "DNS=client.example")
    forged = FORGED[1]
    by_mode = {
        "SANITIZE": (None, None), "FORWARD_ONLY": (forged, None), "APPEND_FORWARD": (f"{forged},{own}", None),
        "SANITIZE_SET": (own, None), "ALWAYS_FORWARD_ONLY": (forged, forged)}
    verified, unverified = by_mode.get(mode, by_mode["SANITIZE_SET"])
    assert front.seen(client) == verified
    assert front.seen(None) == unverified
    assert front.seen(None, port=80) == unverified
    assert front.seen(None, forged=False) is None


def test_a_certificate_that_was_not_verified_is_not_said(owner, authority, stranger):
    """Where insecureSkipVerify accepts everybody, nobody is vouched for."""
    front = Front(owner, authority, insecureSkipVerify=True)
    for client in (stranger.issue("client.example", usage="client"), authority.issue("client.example", usage="client")):
        assert front.seen(client) is None


def test_a_resumed_session_says_the_same(owner, authority):
    front = Front(owner, authority)
    client = authority.issue("client.example", usage="client")
    context = client_context(None, client)
    session = None
    for _ in range(2):
        with Connection(front.running.port(443), tls=None) as connection:
            connection.socket = context.wrap_socket(connection.socket, server_hostname="a.example", session=session)
            connection.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert connection.read_response().status == 200
            resumed = connection.socket.session_reused
            session = connection.socket.session
    assert resumed
    first, second = [request.header("x-forwarded-client-cert") for request in front.upstream.requests]
    assert first == second == text_of(client, 'Subject="CN=client.example"', "DNS=client.example")


def test_a_name_that_would_be_read_as_more_is_quoted(owner, authority):
    front = Front(owner, authority)
    client = authority.issue("spiffe://a/b;DNS=admin", 'x,y', common_name='quote " and, comma', usage="client")
    said = front.seen(client)
    assert 'URI="spiffe://a/b;DNS=admin"' in said and 'DNS="x,y"' in said
    assert r'Subject="CN=quote \" and\, comma"' in said


def test_a_gateway_with_an_identity_of_its_own_says_it(owner, authority):
    front = Front(owner, authority, names=("a.example", "spiffe://mesh/ns/gateways/sa/edge"))
    assert front.seen(authority.issue("client.example", usage="client")).startswith(
        "By=spiffe://mesh/ns/gateways/sa/edge;Hash=")
