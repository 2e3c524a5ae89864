"""TLS towards upstreams: who is asked for, who is believed, and what is said when nobody is."""

import ssl

import pytest

from harness.configuration import (IDENTITY, NAMESPACE, as_yaml, destination_rule, dns_entry, gateway, http_server,
                                   route, secret, static_entry, virtual_service)
from harness.gateway import parse_access_line, run_verb
from harness.http_client import Connection, get
from harness.upstreams import server_context

NAME = "up.example.com"


def tls_upstream(owner, authority, *names: str, **options):
    certificate = authority.issue(*(names or (NAME,)), **options)
    return owner.upstream(tls=server_context(certificate))


def start(owner, upstream, tls: dict | None, *, authority=None, rule: dict | None = None, policy: dict | None = None,
          subsets: list | None = None, subset: str | None = None, extra: tuple = (), **options):
    """A gateway whose only upstream is `upstream`, by name, on port 443. `authority` becomes the system's roots."""
    policy = policy or ({"tls": tls} if tls is not None else None)
    resources = [gateway(http_server("*")), dns_entry(NAME, 443, port=443, protocol="HTTPS"),
                 virtual_service(route(NAME, 443, subset, **(rule or {}))),
                 *([destination_rule(NAME, policy, subsets=subsets)] if policy or subsets else []), *extra]
    environment = {"SSL_CERT_FILE": str(authority.certificate)} if authority else {}
    return owner.gateway(resources, environment=environment,
                         flags=("--resolve", f"{NAME}:443:{upstream.address}:{upstream.port}"), **options)


def refusal(running) -> dict[str, str]:
    """The log line of a request that must fail because the upstream is not believed."""
    answer = get(running.port())
    assert answer.status == 503
    line = parse_access_line(running.wait_for_access_line(" 503 "))
    assert line["response_flags"] in ("UF", "UF,URX"), line
    assert line["upstream_transport_failure_reason"] not in ("", "-"), line
    return line


# Verified by default


def test_simple_verifies_against_the_system_roots_and_sends_the_name(owner, authority):
    upstream = tls_upstream(owner, authority)
    running = start(owner, upstream, {"mode": "SIMPLE"}, authority=authority)
    assert get(running.port(), host="front.example").status == 200
    assert upstream.server_names == [NAME]


def test_an_unknown_authority_is_503_with_flag_and_reason(owner, authority, stranger):
    running = start(owner, tls_upstream(owner, stranger), {"mode": "SIMPLE"}, authority=authority)
    line = refusal(running)
    assert "upstream_reset_before_response_started" in line["response_code_details"]
    assert "verif" in line["upstream_transport_failure_reason"].lower()


def test_another_name_in_the_certificate_is_503(owner, authority):
    refusal(start(owner, tls_upstream(owner, authority, "other.example"), {"mode": "SIMPLE"}, authority=authority))


def test_the_common_name_does_not_count(owner, authority):
    refusal(start(owner, tls_upstream(owner, authority, "other.example", common_name=NAME), {"mode": "SIMPLE"},
                  authority=authority))


def test_an_expired_certificate_is_503(owner, authority):
    refusal(start(owner, tls_upstream(owner, authority, NAME, days=(-20, -1)), {"mode": "SIMPLE"}, authority=authority))


def test_a_certificate_of_the_future_is_503(owner, authority):
    refusal(start(owner, tls_upstream(owner, authority, NAME, days=(2, 20)), {"mode": "SIMPLE"}, authority=authority))


def test_a_client_only_certificate_is_503(owner, authority):
    refusal(start(owner, tls_upstream(owner, authority, NAME, usage="client"), {"mode": "SIMPLE"}, authority=authority))


@pytest.mark.parametrize("name, believed", [
    ("*.example.com", True), ("*.com", False), ("up.*.com", False), ("u*.example.com", False), ("*", False)])
def test_wildcards_stand_for_the_whole_left_label_only(owner, authority, name, believed):
    running = start(owner, tls_upstream(owner, authority, name), {"mode": "SIMPLE"}, authority=authority)
    assert get(running.port()).status == (200 if believed else 503)


def test_no_tls_settings_means_plain(owner):
    upstream = owner.upstream()
    running = start(owner, upstream, None)
    assert get(running.port()).status == 200


def test_tls_to_a_plain_upstream_is_503(owner, authority):
    upstream = owner.upstream(lambda connection: connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
    refusal(start(owner, upstream, {"mode": "SIMPLE"}, authority=authority))


def test_nothing_of_a_request_reaches_an_upstream_that_is_not_believed(owner, authority, stranger):
    upstream = tls_upstream(owner, stranger)
    running = start(owner, upstream, {"mode": "SIMPLE"}, authority=authority)
    assert get(running.port()).status == 503
    assert upstream.requests == []


# The settings


def test_sni_is_sent_and_without_alternative_names_is_the_name_believed(owner, authority):
    upstream = tls_upstream(owner, authority, "sni.example")
    running = start(owner, upstream, {"mode": "SIMPLE", "sni": "sni.example", "subjectAltNames": ["sni.example"]},
                    authority=authority)
    assert get(running.port()).status == 200
    assert upstream.server_names == ["sni.example"]


@pytest.mark.parametrize("names, status", [
    (["alt.example"], 200), (["no.example", "alt.example"], 200), (["no.example"], 503),
])
def test_subject_alternative_names_are_who_is_believed(owner, authority, names, status):
    running = start(owner, tls_upstream(owner, authority, "alt.example"),
                    {"mode": "SIMPLE", "sni": NAME, "subjectAltNames": names}, authority=authority)
    assert get(running.port()).status == status


def test_a_spiffe_name_may_be_believed(owner, authority):
    name = "spiffe://cluster.local/ns/a/sa/b"
    running = start(owner, tls_upstream(owner, authority, NAME, name), {"mode": "SIMPLE", "subjectAltNames": [name]},
                    authority=authority)
    assert get(running.port()).status == 200


def test_ca_certificates_replace_the_system_roots(owner, authority, stranger):
    settings = {"mode": "SIMPLE", "caCertificates": str(stranger.certificate)}
    assert get(start(owner, tls_upstream(owner, stranger), settings, authority=authority).port()).status == 200
    refusal(start(owner, tls_upstream(owner, authority), settings, authority=authority))


@pytest.mark.parametrize("name, key", [("trust", "ca.crt"), ("trust", "cacert"), ("trust-cacert", "cacert"),
                                       ("trust-cacert", "ca.crt")])
def test_credential_name_brings_the_ca(owner, authority, stranger, name, key):
    settings = {"mode": "SIMPLE", "credentialName": "trust"}
    extra = (secret(name, {key: stranger.certificate.read_text()}, kind="Opaque"),)
    running = start(owner, tls_upstream(owner, stranger), settings, authority=authority, extra=extra)
    assert get(running.port()).status == 200


def test_a_config_map_brings_the_ca(owner, authority, stranger):
    settings = {"mode": "SIMPLE", "credentialName": f"configmap://{NAMESPACE}/trust"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trust", "namespace": NAMESPACE},
                  "data": {"ca.crt": stranger.certificate.read_text()}}
    running = start(owner, tls_upstream(owner, stranger), settings, authority=authority, extra=(config_map,))
    assert get(running.port()).status == 200


def test_the_cacert_secret_wins_over_the_secret_of_the_name_itself(owner, authority, stranger):
    extra = (secret("trust-cacert", {"cacert": stranger.certificate.read_text()}, kind="Opaque"),
             secret("trust", {"cacert": authority.certificate.read_text()}, kind="Opaque"))
    running = start(owner, tls_upstream(owner, stranger), {"mode": "SIMPLE", "credentialName": "trust"}, extra=extra)
    assert get(running.port()).status == 200


def test_insecure_skip_verify_believes_anyone(owner, authority, stranger):
    settings = {"mode": "SIMPLE", "insecureSkipVerify": True}
    running = start(owner, tls_upstream(owner, stranger, "other.example"), settings, authority=authority)
    assert get(running.port()).status == 200


def test_mutual_shows_our_certificate(owner, authority, stranger):
    ours = stranger.issue("client.example", usage="client")
    upstream = owner.upstream(tls=server_context(authority.issue(NAME), stranger))
    files = {"mode": "MUTUAL", "clientCertificate": str(ours.chain), "privateKey": str(ours.key),
             "caCertificates": str(authority.certificate)}
    assert get(start(owner, upstream, files).port()).status == 200


def test_mutual_from_a_secret(owner, authority, stranger):
    ours = stranger.issue("client.example", usage="client")
    upstream = owner.upstream(tls=server_context(authority.issue(NAME), stranger))
    extra = (secret("ours", {"tls.crt": ours.chain_text, "tls.key": ours.key_text,
                             "ca.crt": authority.certificate.read_text()}, kind="Opaque"),)
    assert get(start(owner, upstream, {"mode": "MUTUAL", "credentialName": "ours"}, extra=extra).port()).status == 200


def test_an_upstream_that_wants_a_certificate_and_gets_none_is_503(owner, authority, stranger):
    upstream = owner.upstream(tls=server_context(authority.issue(NAME), stranger,
                                                 maximum=ssl.TLSVersion.TLSv1_2))
    refusal(start(owner, upstream, {"mode": "SIMPLE"}, authority=authority))


def test_a_late_refusal_of_our_certificate_is_503(owner, authority, stranger):
    """In TLS 1.3 the upstream's verdict on the client comes after our handshake is over."""
    wrong = authority.issue("client.example", usage="client")
    upstream = owner.upstream(tls=server_context(authority.issue(NAME), stranger, minimum=ssl.TLSVersion.TLSv1_3))
    running = start(owner, upstream, {"mode": "MUTUAL", "clientCertificate": str(wrong.chain),
                                      "privateKey": str(wrong.key), "caCertificates": str(authority.certificate)})
    assert get(running.port()).status == 503


# Levels


@pytest.mark.parametrize("level", ["top", "subset", "port", "subset port"])
def test_settings_hold_at_every_level(owner, authority, level):
    settings = {"tls": {"mode": "SIMPLE"}}
    at_port = {"portLevelSettings": [{"port": {"number": 443}, **settings}]}
    policy, subsets, subset = {
        "top": (settings, None, None), "port": (at_port, None, None),
        "subset": (None, [{"name": "s", "trafficPolicy": settings}], "s"),
        "subset port": (None, [{"name": "s", "trafficPolicy": at_port}], "s"),
    }[level]
    running = start(owner, tls_upstream(owner, authority), None, authority=authority, policy=policy, subsets=subsets,
                    subset=subset)
    assert get(running.port()).status == 200


def test_a_port_level_entry_replaces_its_siblings_wholesale(owner, authority):
    """The entry says nothing of TLS, so the top level's TLS does not hold for its port."""
    policy = {"tls": {"mode": "SIMPLE"}, "portLevelSettings": [
        {"port": {"number": 443}, "loadBalancer": {"simple": "ROUND_ROBIN"}}]}
    running = start(owner, owner.upstream(), None, authority=authority, policy=policy)
    assert get(running.port()).status == 200


def test_a_subsets_tls_wins_over_the_rules(owner, authority, stranger):
    subsets = [{"name": "s", "trafficPolicy": {"tls": {
        "mode": "SIMPLE", "caCertificates": str(stranger.certificate)}}}]
    running = start(owner, tls_upstream(owner, stranger), {"mode": "SIMPLE"}, authority=authority, subsets=subsets,
                    subset="s")
    assert get(running.port()).status == 200


# Names


def test_a_host_rewrite_names_the_upstream(owner, authority):
    upstream = tls_upstream(owner, authority, NAME)
    running = start(owner, upstream, {"mode": "SIMPLE"}, authority=authority,
                    rule={"rewrite": {"authority": NAME}})
    assert get(running.port(), host="front.example").status == 200
    assert (upstream.server_names, upstream.requests[0].header("host")) == ([NAME], NAME)


def test_a_foreign_host_never_decides_who_is_believed(owner, authority):
    """A client must not choose the name by which the upstream is verified."""
    running = start(owner, tls_upstream(owner, authority, "evil.example"), {"mode": "SIMPLE"}, authority=authority)
    assert get(running.port(), host="evil.example").status == 503


def test_an_address_is_believed_by_its_address_name(owner, authority):
    upstream = owner.upstream(tls=server_context(authority.issue("127.0.0.1")))
    entry = static_entry(NAME, upstream.port, port=443, protocol="HTTPS")
    running = owner.gateway(
        [gateway(http_server("*")), entry, virtual_service(route(NAME, 443)),
         destination_rule(NAME, {"tls": {"mode": "SIMPLE", "subjectAltNames": ["127.0.0.1"]}})],
        environment={"SSL_CERT_FILE": str(authority.certificate)})
    assert get(running.port()).status == 200


def test_sessions_are_resumed_with_the_same_settings(owner, authority):
    """The second connection to an upstream resumes the first one's session."""
    reused = []
    context = server_context(authority.issue(NAME), maximum=ssl.TLSVersion.TLSv1_2)

    def script(connection):
        reused.append(connection.socket.session_reused)
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    upstream = owner.upstream(script, tls=context)
    running = start(owner, upstream, {"mode": "SIMPLE"}, authority=authority)
    with Connection(running.port()) as connection:
        for _ in range(3):
            assert connection.request().status == 200
    assert reused == [False, True, True]


def test_upstreams_answer_with_tls_1_2_and_1_3(owner, authority):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        upstream = owner.upstream(tls=server_context(authority.issue(NAME), minimum=version, maximum=version))
        assert get(start(owner, upstream, {"mode": "SIMPLE"}, authority=authority).port()).status == 200


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_body_that_ends_with_its_connection_needs_the_goodbye_of_tls(owner, authority, says_goodbye):
    """Without close_notify anybody on the way may have cut it: the client must not take it for complete."""
    def script(connection):
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\n\r\nall of it")
        if says_goodbye:
            connection.socket.unwrap()

    upstream = owner.upstream(script, tls=server_context(authority.issue(NAME)))
    running = start(owner, upstream, {"mode": "SIMPLE"}, authority=authority)
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        everything, _ = connection.read_to_end()
    assert everything.endswith(b"all of it\r\n0\r\n\r\n") == says_goodbye


def test_the_inferred_name_is_said_by_check(tmp_path):
    (tmp_path / "config.yaml").write_text(as_yaml([
        gateway(http_server("front.example")), dns_entry(NAME, 443, port=443, protocol="HTTPS"),
        virtual_service(route(NAME, 443), hosts=("front.example",)),
        destination_rule(NAME, {"tls": {"mode": "SIMPLE"}})]))
    result = run_verb("check", *IDENTITY, tmp_path)
    assert NAME in result.stdout + result.stderr
