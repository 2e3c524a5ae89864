"""TLS that goes through unopened: by server name, beside servers that terminate, and Istio's AUTO_PASSTHROUGH."""

import hashlib
import socket
import ssl
import struct

import pytest

from harness.certificates import Certificate
from harness.configuration import (destination_rule, endpoint_slice, gateway, https_server, network_service, route,
                                   service, static_entry, tcp_server, tls_route, virtual_service)
from harness.gateway import parse_access_line
from harness.http_client import Connection, client_context, curl, s_client
from harness.upstreams import server_context

UNRECOGNIZED_NAME = b"\x15\x03\x01\x00\x02\x02\x70"


def files(certificate: Certificate) -> dict[str, str]:
    return {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}


def passthrough(*hosts: str, port: int = 443, protocol: str = "TLS", mode: str = "PASSTHROUGH",
                name: str = "tls") -> dict:
    return tcp_server(*hosts, port=port, protocol=protocol, name=name, mode=mode)


def upstream_entry(host: str, *ports: int) -> dict:
    return static_entry(host, *ports, port=443, protocol="TLS")


def served(port: int, server_name: str | None, authority=None) -> str:
    """SHA-256 of the certificate that the port shows for a server name."""
    with Connection(port, tls=client_context(authority), server_name=server_name) as connection:
        return hashlib.sha256(connection.socket.getpeercert(binary_form=True)).hexdigest()


def hello(server_name: str | None, alpn: list[str] | None = None) -> bytes:
    """What a client sends first."""
    context = client_context()
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


def in_records(message: bytes, size: int) -> bytes:
    """The same hello, spread over records."""
    body = message[5:]
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(piece)) + piece
                    for piece in (body[at:at + size] for at in range(0, len(body), size)))


@pytest.fixture(scope="module")
def mixed(module_owner, authority):
    """Port 443: two names go through, a wildcard goes through, one name is terminated."""
    issued = {name: authority.issue(name) for name in
              ("one.example.com", "two.example.com", "*.wild.example.com", "web.example.com")}
    nginxes = {name: module_owner.nginx(issued[name], name=name) for name in issued}

    class Mixed:
        certificates = issued
        running = module_owner.gateway(
            [gateway(passthrough("*.example.com"), https_server("web.example.com", credential="web")),
             network_service(name="passthrough", hosts=("*.example.com",), tls=[
                 tls_route("one.example.com", to=("one.example", 443)),
                 tls_route("TWO.example.com", to=("two.example", 443)),
                 tls_route("*.wild.example.com", to=("wild.example", 443))]),
             virtual_service(route("plain.example", 80), hosts=("web.example.com",), name="web"),
             upstream_entry("one.example", nginxes["one.example.com"].tls),
             upstream_entry("two.example", nginxes["two.example.com"].tls),
             upstream_entry("wild.example", nginxes["*.wild.example.com"].tls),
             static_entry("plain.example", nginxes["web.example.com"].plain)],
            ports=(443,), secrets={"web": files(issued["web.example.com"])})
        port = running.port(443)
    return Mixed


@pytest.mark.parametrize("server_name, certificate", [
    ("one.example.com", "one.example.com"), ("ONE.Example.com", "one.example.com"),
    ("two.example.com", "two.example.com"), ("a.wild.example.com", "*.wild.example.com"),
    ("a.b.wild.example.com", "*.wild.example.com"), ("web.example.com", "web.example.com"),
])
def test_the_server_name_chooses_who_answers(mixed, server_name, certificate):
    assert served(mixed.port, server_name) == mixed.certificates[certificate].fingerprint


@pytest.mark.parametrize("host, body", [("one.example.com", "one.example.com\n"), ("web.example.com", "web.example.com\n")])
def test_requests_go_through_beside_those_that_are_routed(mixed, authority, host, body):
    result = curl("--cacert", str(authority.certificate), "--resolve", f"{host}:{mixed.port}:127.0.0.1",
                  f"https://{host}:{mixed.port}/")
    assert (result.status, result.text) == (200, body)


def test_the_clients_own_handshake_reaches_the_upstream(mixed, authority):
    """HTTP/2 is the client's and the upstream's business."""
    result = curl("--cacert", str(authority.certificate), "--resolve", f"one.example.com:{mixed.port}:127.0.0.1",
                  f"https://one.example.com:{mixed.port}/sni")
    assert result.text == "one.example.com\n"
    line = parse_access_line(mixed.running.wait_for_access_line("outbound|443||one.example"))
    assert line["requested_server_name"] == "one.example.com" and line["response_code"] == "0"


@pytest.mark.parametrize("server_name", ["other.example.com", "example.com", "wild.example.com", "one.example.com.evil"])
def test_an_unknown_name_is_refused_with_unrecognized_name(mixed, server_name):
    output = s_client(mixed.port, "-servername", server_name)
    assert "unrecognized name" in output and "BEGIN CERTIFICATE" not in output
    line = parse_access_line(mixed.running.wait_for_access_line(f" {server_name} -"))
    assert (line["response_flags"], line["response_code_details"]) == ("NR", "filter_chain_not_found")


def test_a_client_without_server_name_is_refused(mixed):
    assert "unrecognized name" in s_client(mixed.port, "-noservername")


def test_unknown_names_get_one_alert_and_a_clean_end(mixed):
    with Connection(mixed.port) as client:
        client.send(hello("other.example.com"))
        assert client.read_to_end() == (UNRECOGNIZED_NAME, True)


@pytest.mark.parametrize("size", [1000, 100, 9])
def test_a_hello_in_many_records_is_read(mixed, size):
    message = in_records(hello("one.example.com"), size)
    with Connection(mixed.port) as client:
        client.send(message)
        # A ServerHello, or the upstream's own opinion of such records: either way the upstream's answer.
        assert client.read_some()[0] in (0x16, 0x15)
    mixed.running.wait_for_access_line(f" {'one.example.com'} -")


def test_a_hello_that_drips_in_is_read(mixed):
    message = hello("one.example.com")
    with Connection(mixed.port) as client:
        for at in range(0, len(message), 40):
            client.send(message[at:at + 40])
        assert client.read_some()[0] == 0x16


@pytest.mark.parametrize("data, alert", [
    (b"GET / HTTP/1.1\r\nHost: one.example.com\r\n\r\n", b""),
    (b"\x16\x03\x01\x00\x00", b"\x15\x03\x01\x00\x02\x02\x32"),
    (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", b"\x15\x03\x01\x00\x02\x02\x0a"),
    (b"\x16\x03\x01\x00\x08\x01\xff\xff\xff\x00\x00\x00\x00", b"\x15\x03\x01\x00\x02\x02\x2f"),
], ids=["http", "empty record", "another message", "too large"])
def test_what_is_no_hello_is_refused(mixed, data, alert):
    with Connection(mixed.port) as client:
        client.send(data)
        if alert:
            assert client.read_to_end()[0] == alert
        else:
            assert client.closed_by_peer()


def test_half_a_hello_and_an_end_is_the_end(mixed):
    with Connection(mixed.port) as client:
        client.send(hello("one.example.com")[:50])
        client.half_close()
        assert client.closed_by_peer()


@pytest.mark.parametrize("protocol", ["TLS", "HTTPS"])
def test_both_protocols_pass_through_and_so_does_an_omitted_mode(owner, nginx, authority, protocol):
    certificate = authority.issue("a.example.com")
    upstream = owner.nginx(certificate)
    server = tcp_server("a.example.com", port=443, protocol=protocol)
    server["tls"] = {} if protocol == "HTTPS" else {"mode": "PASSTHROUGH"}
    running = owner.gateway(
        [gateway(server), network_service(tls=[tls_route("a.example.com", to=("up.example", 443))]),
         upstream_entry("up.example", upstream.tls)], ports=(443,))
    assert served(running.port(443), "a.example.com") == certificate.fingerprint


def test_every_name_goes_through_where_the_route_says_so(owner, authority):
    certificate = authority.issue("a.example.com")
    upstream = owner.nginx(certificate)
    running = owner.gateway(
        [gateway(passthrough("*")), network_service(tls=[tls_route("*", to=("up.example", 443))]),
         upstream_entry("up.example", upstream.tls)], ports=(443,))
    for name in ("a.example.com", "anything.test", None):
        assert served(running.port(443), name) == certificate.fingerprint


def test_weights_and_subsets_of_tls_routes(owner, authority):
    certificates = [authority.issue("a.example.com") for _ in range(2)]
    upstreams = [owner.nginx(certificate) for certificate in certificates]
    running = owner.gateway(
        [gateway(passthrough("a.example.com")),
         network_service(tls=[tls_route("a.example.com", to=[("one.example", 443, 50), ("two.example", 443, 50)])]),
         upstream_entry("one.example", upstreams[0].tls), upstream_entry("two.example", upstreams[1].tls)],
        ports=(443,))
    seen = {served(running.port(443), "a.example.com") for _ in range(40)}
    assert seen == {certificate.fingerprint for certificate in certificates}


def test_two_databases_on_one_port_are_kept_apart_by_name(owner, authority):
    """Two DNS names on one TCP port: the server name that the client asks for says which one is meant."""
    certificates = {name: authority.issue(name) for name in ("db1.example", "db2.example")}
    upstreams = {name: owner.nginx(certificate) for name, certificate in certificates.items()}
    running = owner.gateway(
        [gateway(passthrough("*.example", port=3306)),
         network_service(tls=[tls_route(name, to=(name, 3306)) for name in certificates]),
         *[static_entry(name, upstreams[name].tls, port=3306, protocol="TCP") for name in certificates]],
        ports=(3306,))
    for name, certificate in certificates.items():
        assert served(running.port(3306), name) == certificate.fingerprint


def test_a_down_upstream_closes_the_client(owner):
    running = owner.gateway(
        [gateway(passthrough("a.example.com")),
         network_service(tls=[tls_route("a.example.com", to=("up.example", 443))]),
         upstream_entry("up.example", 1)], ports=(443,))
    with Connection(running.port(443)) as client:
        client.send(hello("a.example.com"))
        assert client.closed_by_peer()
    line = parse_access_line(running.wait_for_access_line("UF,URX"))
    assert line["requested_server_name"] == "a.example.com"


# AUTO_PASSTHROUGH


def auto(*upstreams: tuple[str, int], extra: tuple = ()) -> list[dict]:
    """Port 15443 with a service `web` in the mesh."""
    ports = [{"name": "https", "port": 8443, "protocol": "TCP"}]
    slices = [endpoint_slice("web", [{"name": "https", "port": port}], [address], name=f"web-{index}")
              for index, (address, port) in enumerate(upstreams)]
    return [gateway(passthrough("*.local", port=15443, mode="AUTO_PASSTHROUGH")), service("web", ports), *slices, *extra]


def certificate_of(port: int, server_name: str, protocols: list[str]) -> str:
    context = client_context()
    context.set_alpn_protocols(protocols)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=server_name) as client:
            return hashlib.sha256(client.getpeercert(binary_form=True)).hexdigest()


def test_auto_passthrough_leads_to_the_service_that_the_name_encodes(owner, authority):
    certificate = authority.issue("web")
    upstream = owner.upstream(lambda connection: connection.wait_for_end(), tls=server_context(certificate))
    running = owner.gateway(auto(("127.0.0.1", upstream.port)), ports=(15443,))
    port = running.port(15443)
    name = "outbound_.8443_._.web.test.svc.cluster.local"
    assert certificate_of(port, name, ["istio"]) == certificate.fingerprint
    line = parse_access_line(running.wait_for_access_line(name))
    assert line["upstream_cluster"] == name
    # Clients that do not speak Istio's mutual TLS, and names that nobody has.
    for wrong, protocols in ((name, ["http/1.1"]), ("web.test.svc.cluster.local", ["istio"]),
                             ("outbound_.80_._.web.test.svc.cluster.local", ["istio"]),
                             ("outbound_.8443_.v1_.web.test.svc.cluster.local", ["istio"])):
        with pytest.raises(ssl.SSLError, match="(?i)unrecognized"):
            certificate_of(port, wrong, protocols)


def test_auto_passthrough_knows_subsets_and_does_not_originate_tls(owner, authority):
    certificate = authority.issue("web")
    upstream = owner.upstream(lambda connection: connection.wait_for_end(), tls=server_context(certificate))
    rule = destination_rule("web.test.svc.cluster.local", {"tls": {"mode": "SIMPLE"}},
                            subsets=[{"name": "v1", "labels": {}}])
    running = owner.gateway(auto(("127.0.0.1", upstream.port), extra=(rule,)), ports=(15443,))
    assert certificate_of(running.port(15443), "outbound_.8443_.v1_.web.test.svc.cluster.local",
                          ["istio-http/1.1", "h2"]) == certificate.fingerprint


def test_tls_in_tls_where_the_destination_rule_says_so(owner, authority):
    """As in Istio, a DestinationRule's TLS comes on top of what passes through."""
    inner, outer = authority.issue("inner.example.com"), authority.issue("outer.example")
    seen = []

    def script(connection):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = server_context(inner).wrap_bio(incoming, outgoing, server_side=True)
        while True:
            incoming.write(connection.socket.recv(1 << 16))
            try:
                session.do_handshake()
                seen.append("done")
                connection.send(outgoing.read())
                return connection.wait_for_end()
            except ssl.SSLWantReadError:
                connection.send(outgoing.read())

    upstream = owner.upstream(script, tls=server_context(outer))
    running = owner.gateway(
        [gateway(passthrough("inner.example.com")),
         network_service(tls=[tls_route("inner.example.com", to=("outer.example", 443))]),
         upstream_entry("outer.example", upstream.port),
         destination_rule("outer.example", {"tls": {"mode": "SIMPLE", "caCertificates": str(authority.certificate)}})],
        ports=(443,))
    assert served(running.port(443), "inner.example.com") == inner.fingerprint
