"""TLS at the front door: certificates by server name, secrets in every form, versions, ciphers, ALPN."""

import hashlib
import socket
import ssl

import pytest

from harness.certificates import Certificate
from harness.configuration import (as_yaml, gateway, http_server, https_server, route, secret, static_entry,
                                   tls_secret, to_upstream, virtual_service)
from harness.gateway import run_verb
from harness.http_client import Connection, client_context, curl, s_client
from harness.waiting import eventually


def files(certificate: Certificate) -> dict[str, str]:
    return {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}


def behind(nginx, *servers: dict, extra: tuple = ()) -> list[dict]:
    """The servers, with every host routed to nginx."""
    return [gateway(*servers), virtual_service(route("upstream.example", 80)),
            static_entry("upstream.example", nginx.plain), *extra]


def served(port: int, server_name: str | None) -> str:
    """SHA-256 of the certificate that the port shows for a server name."""
    context = client_context()
    with Connection(port, tls=context, server_name=server_name) as connection:
        return hashlib.sha256(connection.socket.getpeercert(binary_form=True)).hexdigest()


@pytest.fixture(scope="module")
def many(module_owner, nginx, authority):
    """Two ports; exact and wildcard hosts, each with its certificate."""
    class Many:
        certificates = {name: authority.issue(*names) for name, names in {
            "exact": ["a.example.com"], "wild": ["*.example.com"], "other": ["other.test"]}.items()}
        running = module_owner.gateway(
            behind(nginx,
                   https_server("a.example.com", credential="exact", port=443),
                   https_server("*.example.com", credential="wild", port=443),
                   https_server("other.test", credential="other", port=15443)),
            ports=(443, 15443), secrets={name: files(certificate) for name, certificate in certificates.items()})
    return Many


@pytest.mark.parametrize("port, server_name, credential", [
    (443, "a.example.com", "exact"), (443, "A.Example.COM", "exact"), (443, "b.example.com", "wild"),
    (443, "x.y.example.com", "wild"), (15443, "other.test", "other"),
])
def test_the_server_name_chooses_the_certificate(many, port, server_name, credential):
    assert served(many.running.port(port), server_name) == many.certificates[credential].fingerprint


@pytest.mark.parametrize("port, server_name", [
    (443, "other.test"), (443, "example.com"), (443, "a.example.com.evil.test"), (15443, "a.example.com"),
    (443, "aexample.com"),
])
def test_an_unknown_server_name_is_refused_with_unrecognized_name(many, port, server_name):
    output = s_client(many.running.port(port), "-servername", server_name)
    assert "unrecognized name" in output
    assert "BEGIN CERTIFICATE" not in output


def test_a_client_without_server_name_is_refused_where_no_server_takes_every_host(many):
    output = s_client(many.running.port(443), "-noservername")
    assert "BEGIN CERTIFICATE" not in output


def test_a_client_without_server_name_is_served_by_a_server_for_every_host(owner, nginx, authority):
    certificate = authority.issue("any.example")
    running = owner.gateway(behind(nginx, https_server("*", credential="any")), ports=(443,),
                            secrets={"any": files(certificate)})
    assert served(running.port(443), None) == certificate.fingerprint
    assert served(running.port(443), "whatever.example") == certificate.fingerprint


def test_requests_of_each_server_are_routed(many):
    for port, host in ((443, "a.example.com"), (443, "b.example.com"), (15443, "other.test")):
        local = many.running.port(port)
        result = curl("-k", "--resolve", f"{host}:{local}:127.0.0.1", f"https://{host}:{local}/")
        assert (result.status, result.text) == (200, "nginx\n")


def test_a_host_outside_the_servers_hosts_is_not_served_on_its_connection(many):
    """The certificate of one server never vouches for a host of another."""
    with Connection(many.running.port(443), tls=client_context(), server_name="a.example.com") as connection:
        assert connection.request(host="other.test").status in (404, 421)


# Secrets


@pytest.mark.parametrize("keys", [("tls.crt", "tls.key"), ("cert", "key")])
@pytest.mark.parametrize("encode", [True, False], ids=["data", "stringData"])
def test_secret_resources_in_both_key_forms(owner, nginx, authority, keys, encode):
    certificate = authority.issue("a.example")
    values = dict(zip(keys, (certificate.chain_text, certificate.key_text)))
    kind = "kubernetes.io/tls" if keys[0] == "tls.crt" else "Opaque"
    running = owner.gateway(
        behind(nginx, https_server("a.example", credential="front"),
               extra=(secret("front", values, kind=kind, encode=encode),)), ports=(443,))
    assert served(running.port(443), "a.example") == certificate.fingerprint


@pytest.mark.parametrize("keys", [("tls.crt", "tls.key"), ("cert", "key")])
def test_secret_folders_in_both_key_forms(owner, nginx, authority, keys):
    certificate = authority.issue("a.example")
    running = owner.gateway(
        behind(nginx, https_server("a.example", credential="front")), ports=(443,),
        secrets={"front": dict(zip(keys, (certificate.chain_text, certificate.key_text)))})
    assert served(running.port(443), "a.example") == certificate.fingerprint


def test_the_secret_is_looked_up_in_the_instances_namespace(owner, nginx, authority):
    """Not in the Gateway's: the classic trap. Here both exist, and the instance's wins."""
    right, wrong = authority.issue("a.example"), authority.issue("a.example")
    resources = behind(nginx, https_server("a.example", credential="front"),
                       extra=(tls_secret("front", right, namespace="edge"), tls_secret("front", wrong, namespace="test")))
    running = owner.gateway(resources, ports=(443,), namespace="edge")
    assert served(running.port(443), "a.example") == right.fingerprint


def test_a_missing_secret_takes_down_its_server_alone_and_is_said(owner, nginx, authority):
    certificate = authority.issue("good.example")
    running = owner.gateway(
        behind(nginx, https_server("good.example", credential="good"), https_server("bad.example", credential="absent")),
        ports=(443,), secrets={"good": files(certificate)})
    assert served(running.port(443), "good.example") == certificate.fingerprint
    assert "BEGIN CERTIFICATE" not in s_client(running.port(443), "-servername", "bad.example")
    assert "absent" in running.process.stderr


def test_a_key_that_does_not_fit_its_certificate_is_said(owner, nginx, authority):
    good, one, another = (authority.issue(f"{name}.example") for name in ("good", "bad", "bad"))
    running = owner.gateway(
        behind(nginx, https_server("good.example", credential="good"), https_server("bad.example", credential="mixed")),
        ports=(443,),
        secrets={"good": files(good), "mixed": {"tls.crt": one.chain_text, "tls.key": another.key_text}})
    assert served(running.port(443), "good.example") == good.fingerprint
    assert "mixed" in running.process.stderr
    assert another.key_text.splitlines()[1] not in running.process.stderr + running.process.stdout


@pytest.mark.parametrize("how", ["half renewed", "no key", "garbage"])
def test_a_secret_that_cannot_be_used_keeps_its_last_good_version(owner, nginx, authority, how):
    first, second = authority.issue("a.example"), authority.issue("a.example")
    running = owner.gateway(behind(nginx, https_server("a.example", credential="front")), ports=(443,),
                            secrets={"front": files(first)})
    folder = running.secrets / "front"
    if how == "garbage":
        (folder / "tls.crt").write_text("-----BEGIN CERTIFICATE-----")
    else:
        (folder / "tls.crt").write_text(second.chain_text)
    if how == "no key":
        (folder / "tls.key").unlink()
    running.reload_and_wait()
    assert served(running.port(443), "a.example") == first.fingerprint
    rejected = running.admin_json("/server_info")["configuration"]["rejected"]
    assert [(entry["resource"], entry["kept"]) for entry in rejected] == [("Secret test/front", True)]
    (folder / "tls.crt").write_text(second.chain_text)
    (folder / "tls.key").write_text(second.key_text)
    running.reload_and_wait()
    assert served(running.port(443), "a.example") == second.fingerprint
    assert running.admin_json("/server_info")["configuration"]["rejected"] == []


def test_a_changed_secret_is_live_after_a_reload(owner, nginx, authority):
    first, second = authority.issue("a.example"), authority.issue("a.example")
    running = owner.gateway(behind(nginx, https_server("a.example", credential="front")), ports=(443,),
                            secrets={"front": files(first)})
    with Connection(running.port(443), tls=client_context(), server_name="a.example") as connection:
        assert connection.request(host="a.example").status == 200
        for key, text in files(second).items():
            (running.secrets / "front" / key).write_text(text)
        running.reload()
        eventually(lambda: served(running.port(443), "a.example") == second.fingerprint, "the new certificate is served")
        assert connection.request(host="a.example").status == 200


def test_an_rsa_certificate_is_served(owner, nginx, authority):
    certificate = authority.issue("a.example", algorithm="rsa")
    running = owner.gateway(behind(nginx, https_server("a.example", credential="front")), ports=(443,),
                            secrets={"front": files(certificate)})
    assert served(running.port(443), "a.example") == certificate.fingerprint


# Versions, ciphers, ALPN


def handshake(port: int, version: ssl.TLSVersion) -> str | None:
    """The protocol agreed on when the client speaks this version alone, or None."""
    context = client_context(minimum=version, maximum=version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with Connection(port, tls=context, server_name="a.example") as connection:
            return connection.socket.version()
    except OSError:
        return None


@pytest.mark.parametrize("bounds, allowed", [
    ({}, {"TLSv1.2", "TLSv1.3"}),
    ({"minProtocolVersion": "TLSV1_3"}, {"TLSv1.3"}),
    ({"maxProtocolVersion": "TLSV1_2"}, {"TLSv1.2"}),
    ({"minProtocolVersion": "TLSV1_2", "maxProtocolVersion": "TLSV1_3"}, {"TLSv1.2", "TLSv1.3"}),
], ids=["default", "minimum", "maximum", "both"])
def test_protocol_versions_are_bounded(owner, nginx, authority, bounds, allowed):
    running = owner.gateway(behind(nginx, https_server("a.example", credential="front", **bounds)), ports=(443,),
                            secrets={"front": files(authority.issue("a.example"))})
    agreed = {handshake(running.port(443), version)
              for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}
    assert agreed - {None} == allowed


def test_cipher_suites_of_the_server_are_the_only_ones(owner, nginx, authority):
    suite = "ECDHE-ECDSA-AES256-GCM-SHA384"
    running = owner.gateway(
        behind(nginx, https_server("a.example", credential="front", maxProtocolVersion="TLSV1_2", cipherSuites=[suite])),
        ports=(443,), secrets={"front": files(authority.issue("a.example"))})
    assert f"Cipher is {suite}" in s_client(running.port(443), "-servername", "a.example", "-tls1_2")
    refused = s_client(running.port(443), "-servername", "a.example", "-tls1_2", "-cipher",
                       "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert "Cipher is (NONE)" in refused


def test_version_bounds_are_each_servers_own(owner, nginx, authority):
    running = owner.gateway(
        behind(nginx, https_server("a.example", credential="one", minProtocolVersion="TLSV1_3"),
               https_server("b.example", credential="two")), ports=(443,),
        secrets={"one": files(authority.issue("a.example")), "two": files(authority.issue("b.example"))})
    old = ("-tls1_2",)
    assert "BEGIN CERTIFICATE" not in s_client(running.port(443), "-servername", "a.example", *old)
    assert "BEGIN CERTIFICATE" in s_client(running.port(443), "-servername", "b.example", *old)


def test_http_1_1_is_offered_by_alpn(many):
    output = s_client(many.running.port(443), "-servername", "a.example.com", "-alpn", "http/1.1")
    assert "ALPN protocol: http/1.1" in output


def test_renegotiation_and_compression_are_off(many):
    output = s_client(many.running.port(443), "-servername", "a.example.com", "-tls1_2")
    assert "Compression: NONE" in output
    refused = s_client(many.running.port(443), "-servername", "a.example.com", "-tls1_2", stdin="R\nQ\n")
    assert "no renegotiation" in refused or "error" in refused or "closed" in refused


def test_sessions_are_resumed(many):
    context = client_context(maximum=ssl.TLSVersion.TLSv1_2)
    port = many.running.port(443)
    with Connection(port, tls=context, server_name="a.example.com") as connection:
        connection.request(host="a.example.com")
        session = connection.socket.session
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="a.example.com",
                             session=session) as resumed:
        assert resumed.session_reused


def test_a_session_of_one_server_name_is_not_taken_for_another(many):
    """A ticket got under one server's rules must not skip another server's."""
    context = client_context(maximum=ssl.TLSVersion.TLSv1_2)
    port = many.running.port(443)
    with Connection(port, tls=context, server_name="a.example.com") as connection:
        connection.request(host="a.example.com")
        session = connection.socket.session
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="b.example.com",
                             session=session) as other:
        assert not other.session_reused


def test_plain_http_on_a_tls_port_is_closed(many):
    with Connection(many.running.port(443)) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n")
        data, _ = connection.read_to_end()
        assert b" 200 " not in data


def test_an_omitted_tls_mode_is_passthrough_and_said(tmp_path):
    """Istio's default mode; a credentialName beside it is not used."""
    server = https_server("a.example", credential="front")
    del server["tls"]["mode"]
    (tmp_path / "config.yaml").write_text(as_yaml([gateway(server)]))
    result = run_verb("check", tmp_path)
    assert "PASSTHROUGH" in result.stdout + result.stderr


# Redirects


@pytest.mark.parametrize("target", ["/", "/status/200?a=b&c=d", "/a%20b/%C3%A9?x=%2F", "/?q"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_https_redirect_keeps_path_and_query(owner, target, method):
    running = owner.gateway([gateway(http_server("a.example", httpsRedirect=True)),
                             virtual_service(route("upstream.example", 80)), static_entry("upstream.example", 1)])
    with Connection(running.port()) as connection:
        answer = connection.request(method, target, host="a.example")
    assert (answer.status, answer.header("location")) == (301, f"https://a.example{target}")


def test_https_redirect_works_without_any_route(owner):
    running = owner.gateway([gateway(http_server("a.example", httpsRedirect=True))])
    with Connection(running.port()) as connection:
        assert connection.request(host="a.example").header("location") == "https://a.example/"
        assert connection.request(host="b.example").status == 404


def test_https_redirect_never_reaches_the_upstream(owner):
    upstream = owner.upstream()
    resources = to_upstream(upstream.port)
    resources[0]["spec"]["servers"][0]["tls"] = {"httpsRedirect": True}
    running = owner.gateway(resources)
    with Connection(running.port()) as connection:
        assert connection.request().status == 301
    assert upstream.requests == []


def test_merged_gateways_keep_their_servers_apart(owner, nginx, authority):
    """Two Gateway resources on one port: each with its own certificate and hosts."""
    resources = [
        gateway(https_server("a.example", credential="one"), name="first"),
        gateway(https_server("b.example", credential="two"), name="second"),
        virtual_service(route("upstream.example", 80), gateways=("first", "second")),
        static_entry("upstream.example", nginx.plain)]
    one, two = authority.issue("a.example"), authority.issue("b.example")
    running = owner.gateway(resources, ports=(443,), secrets={"one": files(one), "two": files(two)})
    assert served(running.port(443), "a.example") == one.fingerprint
    assert served(running.port(443), "b.example") == two.fingerprint


def test_a_host_claimed_twice_on_a_port_is_said_and_the_older_keeps_it(owner, nginx, authority):
    one, two = authority.issue("a.example"), authority.issue("a.example")
    older = gateway(https_server("a.example", credential="one"), name="older", creationTimestamp="2026-01-01T00:00:00Z")
    newer = gateway(https_server("a.example", credential="two"), name="newer", creationTimestamp="2026-02-01T00:00:00Z")
    resources = [newer, older, virtual_service(route("upstream.example", 80), gateways=("older", "newer")),
                 static_entry("upstream.example", nginx.plain)]
    running = owner.gateway(resources, ports=(443,), secrets={"one": files(one), "two": files(two)})
    assert served(running.port(443), "a.example") == one.fingerprint
    assert "IST0145" in running.process.stderr


def test_a_certificate_that_clients_will_not_like_is_said_when_it_is_loaded(owner, nginx, authority):
    """It is served all the same: what else could be."""
    certificate = authority.issue("a.example.com", days=(-20, -1))
    running = owner.gateway(behind(nginx, https_server("a.example.com", credential="site", port=443),
                                   extra=(tls_secret("site", certificate),)), ports=(443,))
    assert "IST0161" in running.process.stderr and "expired" in running.process.stderr
    assert served(running.port(443), "a.example.com")
