"""Names of upstreams: looked up asynchronously, kept for their TTL, kept on failure, of both families."""

import time

import pytest

from harness.configuration import destination_rule, dns_entry, gateway, http_server, route, upstream_probe, virtual_service
from harness.dns_server import AAAA, CNAME, NXDOMAIN, SERVFAIL, A, Record
from harness.gateway import parse_access_line
from harness.http_client import Connection, get
from harness.upstreams import answering, response
from harness.waiting import eventually

NAME = "up.example"


def at(owner, address: str, port: int, name: str):
    return owner.upstream(answering(lambda request: response(name)), address=address, port=port)


def start(owner, server, port: int, **options):
    return owner.gateway([gateway(http_server("*")), dns_entry(NAME, port), virtual_service(route(NAME, 80)),
                          destination_rule(NAME, {"loadBalancer": {"simple": "ROUND_ROBIN"}})],
                         flags=("--dns-server", server.address), **options)


def answered(running) -> str | int:
    answer = get(running.port())
    return answer.text if answer.status == 200 else answer.status


def test_a_changed_address_is_taken_when_the_ttl_is_over(owner):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", ttl=1)
    one = at(owner, "127.0.0.1", 0, "one")
    at(owner, "127.0.0.2", one.port, "two")
    running = start(owner, server, one.port)
    eventually(lambda: answered(running) == "one", "the first address answers")
    server.addresses(NAME, "127.0.0.2", ttl=1)
    eventually(lambda: answered(running) == "two", "the second address answers")


def test_a_long_ttl_is_kept(owner):
    """One question, or one a family, however many requests."""
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", ttl=600)
    running = start(owner, server, at(owner, "127.0.0.1", 0, "one").port)
    eventually(lambda: answered(running) == "one", "the address answers")
    asked = server.queries_for(NAME)
    assert {answered(running) for _ in range(20)} == {"one"}
    assert server.queries_for(NAME) == asked <= 2


def test_the_shortest_ttl_of_an_alias_chain_counts(owner):
    server = owner.dns()
    server.set(NAME, Record(CNAME, "alias.example", 1))
    server.addresses("alias.example", "127.0.0.1", ttl=600)
    server.addresses("other.example", "127.0.0.2", ttl=600)
    one = at(owner, "127.0.0.1", 0, "one")
    at(owner, "127.0.0.2", one.port, "two")
    running = start(owner, server, one.port)
    eventually(lambda: answered(running) == "one", "the alias answers")
    server.set(NAME, Record(CNAME, "other.example", 1))
    eventually(lambda: answered(running) == "two", "the new alias answers")


@pytest.mark.parametrize("failure", [SERVFAIL, NXDOMAIN, None], ids=["SERVFAIL", "NXDOMAIN", "silence"])
def test_the_last_good_answer_is_kept_when_lookups_fail(owner, failure):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", ttl=1)
    running = start(owner, server, at(owner, "127.0.0.1", 0, "one").port)
    eventually(lambda: answered(running) == "one", "the address answers")
    server.zone[NAME] = failure
    asked = server.queries_for(NAME)
    # A name may be asked for again when it is used, not before: an idle instance asks nothing.
    eventually(lambda: answered(running) == "one" and server.queries_for(NAME) > asked, "the name is asked for again",
               every=0.1)
    assert {answered(running) for _ in range(20)} == {"one"}


def test_the_first_request_after_a_pause_waits_for_a_new_answer(owner):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", ttl=1)
    one = at(owner, "127.0.0.1", 0, "one")
    at(owner, "127.0.0.2", one.port, "two")
    running = start(owner, server, one.port)
    eventually(lambda: answered(running) == "one", "the address answers")
    server.addresses(NAME, "127.0.0.2", ttl=600)
    time.sleep(3)  # Longer than the answer lives, and than it is used beyond that.
    assert answered(running) == "two"


def test_the_first_request_after_a_pause_does_not_wait_without_end(owner):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", ttl=1)
    running = start(owner, server, at(owner, "127.0.0.1", 0, "one").port)
    eventually(lambda: answered(running) == "one", "the address answers")
    server.zone[NAME] = None
    time.sleep(3)
    started = time.monotonic()
    assert answered(running) == "one"
    # The name service is given up after 7 s.
    assert time.monotonic() - started < 6
    assert answered(running) == "one"


def test_all_addresses_are_used(owner):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", "127.0.0.2", "127.0.0.3", ttl=600)
    one = at(owner, "127.0.0.1", 0, "one")
    for number, name in ((2, "two"), (3, "three")):
        at(owner, f"127.0.0.{number}", one.port, name)
    running = start(owner, server, one.port)
    eventually(lambda: answered(running) == "one", "the addresses are known")
    with Connection(running.port()) as connection:
        assert {connection.request().text for _ in range(30)} == {"one", "two", "three"}


def test_ipv6_addresses_are_called(owner):
    server = owner.dns()
    server.set(NAME, Record(AAAA, "::1"))
    running = start(owner, server, at(owner, "::1", 0, "six").port)
    eventually(lambda: answered(running) == "six", "the IPv6 address answers")
    assert parse_access_line(running.wait_for_access_line(" 200 "))["upstream_host"].startswith("[::1]:")


def test_addresses_of_both_families_are_called(owner):
    server = owner.dns()
    server.set(NAME, Record(A, "127.0.0.1"), Record(AAAA, "::1"))
    four = at(owner, "127.0.0.1", 0, "four")
    at(owner, "::1", four.port, "six")
    running = start(owner, server, four.port)
    eventually(lambda: answered(running) in ("four", "six"), "an address answers")
    with Connection(running.port()) as connection:
        assert {connection.request().text for _ in range(40)} == {"four", "six"}


def test_a_name_that_was_never_found_is_503_until_it_is(owner):
    server = owner.dns()
    server.zone[NAME] = NXDOMAIN
    port = at(owner, "127.0.0.1", 0, "one").port
    running = start(owner, server, port)
    assert answered(running) == 503
    assert "UH" in parse_access_line(running.wait_for_access_line(" 503 "))["response_flags"]


def test_a_silent_server_does_not_hold_up_other_upstreams(owner, nginx):
    server = owner.dns()
    server.zone[NAME] = None
    running = owner.gateway([
        gateway(http_server("*")), dns_entry(NAME, 1), dns_entry("good.example", nginx.plain),
        virtual_service(route(NAME, 80, match={"uri": {"prefix": "/slow"}}), route("good.example", 80))],
        flags=("--dns-server", server.address))
    server.addresses("good.example", "127.0.0.1")
    eventually(lambda: get(running.port()).status == 200, "the other upstream answers")


def test_addresses_that_vanish_are_not_called_again(owner):
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", "127.0.0.2", ttl=1)
    one = at(owner, "127.0.0.1", 0, "one")
    at(owner, "127.0.0.2", one.port, "two")
    running = start(owner, server, one.port)
    eventually(lambda: {answered(running) for _ in range(10)} == {"one", "two"}, "both answer")
    server.addresses(NAME, "127.0.0.2", ttl=1)
    eventually(lambda: {answered(running) for _ in range(10)} == {"two"}, "only the second answers")


def test_a_readiness_probe_names_a_host_that_does_not_resolve(owner):
    server = owner.dns()
    server.zone[NAME] = NXDOMAIN
    running = owner.gateway([gateway(http_server("*")), dns_entry(NAME, 1), virtual_service(route(NAME, 80)),
                             upstream_probe(NAME, 80)], flags=("--dns-server", server.address))
    assert NAME in running.wait_until_ready(False)


def test_a_round_robin_name_is_one_address_at_a_time(owner):
    """The first one, for new connections; those that are there go on."""
    server = owner.dns()
    server.addresses(NAME, "127.0.0.1", "127.0.0.2", ttl=1)
    one = at(owner, "127.0.0.1", 0, "one")
    at(owner, "127.0.0.2", one.port, "two")
    entry = dns_entry(NAME, one.port)
    entry["spec"]["resolution"] = "DNS_ROUND_ROBIN"
    running = owner.gateway([gateway(http_server("*")), entry, virtual_service(route(NAME, 80))],
                            flags=("--dns-server", server.address))
    first = get(running.port()).text
    assert {answered(running) for _ in range(20)} == {first}
    assert running.admin("/clusters")[1].count("::rq_total::") == 1
    other, address = {"one": ("two", "127.0.0.2"), "two": ("one", "127.0.0.1")}[first]
    server.addresses(NAME, address, ttl=600)
    eventually(lambda: answered(running) and address in running.admin("/clusters")[1], "the other address is known")
    assert {answered(running) for _ in range(20)} == {first}

    # The connection that is there is busy: the next one goes to the new address.
    with Connection(running.port()) as client:
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n")
        eventually(lambda: answered(running) == other, "a new connection goes to the new address")
        client.send("x")
        assert client.read_response().text == first


def test_a_name_that_does_not_resolve_is_asked_for_with_pauses_and_told_of_once(owner):
    """Probes have a round each quarter of a second as long as there is no endpoint."""
    server = owner.dns()
    server.zone[NAME] = NXDOMAIN
    running = owner.gateway([gateway(http_server("*")), dns_entry(NAME, 1), virtual_service(route(NAME, 80)),
                             upstream_probe(NAME, 80, period=1)], flags=("--dns-server", server.address))
    # Two families are asked for each time.
    eventually(lambda: server.queries_for(NAME) >= 6, "it is asked for three times")
    assert running.process.stderr.count("name resolution failed") == 1
    server.addresses(NAME, "127.0.0.1")
    eventually(lambda: "127.0.0.1:1" in running.admin("/clusters")[1], "the address is taken", 30)
