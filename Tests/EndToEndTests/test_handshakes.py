"""Clients that connect and say nothing: they are bounded in number, and give way to those who speak."""

import resource
import socket

import pytest

from harness.configuration import gateway, https_server, network_service, route, static_entry, tls_route, virtual_service
from harness.http_client import Connection, client_context
from harness.waiting import eventually

BOUND = 8
DESCRIPTORS = 96


def few() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def crowd(port: int, count: int) -> list[socket.socket]:
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


def statistic(running, name: str) -> int:
    return int(running.admin(f"/stats?filter=^listener.{name}$")[1].split(":")[1])


def served(port: int) -> bool:
    with Connection(port, tls=client_context(), server_name="a.example") as connection:
        return connection.request(host="a.example").status == 200


@pytest.fixture(params=["tls", "hello"])
def start(request, owner, authority):
    """A port that terminates TLS, without and with a look at the ClientHello before it."""
    certificate = authority.issue("a.example")
    upstream = owner.upstream()
    servers = [https_server("a.example", credential="a")]
    resources = [virtual_service(route("upstream.example", 80)), static_entry("upstream.example", upstream.port)]
    if request.param == "hello":
        servers.append({"port": {"number": 443, "name": "tls", "protocol": "TLS"}, "hosts": ["b.example"],
                        "tls": {"mode": "PASSTHROUGH"}})
        resources.append(network_service(tls=[tls_route("b.example", to=("upstream.example", 80))], hosts=("b.example",)))

    def started(*flags: str, preexec=None):
        return owner.gateway(
            [gateway(*servers), *resources], ports=(443,), flags=flags, preexec=preexec,
            secrets={"a": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    return started


def test_handshakes_in_progress_are_bounded_and_the_oldest_gives_way(start):
    running = start("--max-handshakes", str(BOUND))
    with Connection(running.port(443), tls=client_context(), server_name="a.example") as established:
        assert established.request(host="a.example").status == 200
        clients = crowd(running.port(443), 5 * BOUND)
        try:
            eventually(lambda: statistic(running, "handshake_overflow") >= 4 * BOUND, "what is too many is closed")
            assert statistic(running, "handshake_active") <= BOUND
            # As soon as those that are silent have had their time.
            eventually(lambda: served(running.port(443)), "a client that speaks is served")
            assert established.request(host="a.example").status == 200
        finally:
            for client in clients:
                client.close()
    eventually(lambda: statistic(running, "handshake_active") == 0, "nothing is left")


@pytest.mark.parametrize("bound", ["descriptors", "connections"])
def test_silent_clients_give_way_where_all_places_are_taken(start, bound):
    running = start(preexec=few) if bound == "descriptors" else start("--max-connections", "20")
    clients = crowd(running.port(443), 2 * DESCRIPTORS)
    try:
        eventually(lambda: "cannot accept connections" in running.process.stderr, "all places are taken")
        eventually(lambda: served(running.port(443)), "a client that speaks is served")
    finally:
        for client in clients:
            client.close()
