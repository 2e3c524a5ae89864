"""Memory that a peak has taken goes back to the system."""

import socket
import ssl
import threading

import pytest

from harness.configuration import gateway, http_server, https_server, route, static_entry, virtual_service
from harness.http_client import client_context
from harness.processes import memory_kilobytes
from harness.waiting import eventually

CONNECTIONS = 400
# Of OpenSSL and us, an established connection with TLS holds more.
LEAST_KILOBYTES = 16


@pytest.fixture
def running(owner, authority):
    certificate = authority.issue("a.example")
    upstream = owner.upstream()
    return owner.gateway(
        [gateway(http_server("*"), https_server("a.example", credential="a")),
         virtual_service(route("upstream.example", 80)), static_entry("upstream.example", upstream.port)],
        ports=(80, 443), secrets={"a": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})


def held(running) -> int:
    return memory_kilobytes(running.pid)["RssAnon"]


def connect(running, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", running.port(443))), server_hostname="a.example")


def test_memory_of_a_peak_of_connections_is_given_back(running):
    context = client_context()
    connect(running, context).close()
    before = held(running)
    clients: list[ssl.SSLSocket] = []
    threads = [threading.Thread(target=lambda: [clients.append(connect(running, context)) for _ in range(CONNECTIONS // 8)])
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == CONNECTIONS
    peak = held(running)
    assert peak - before > CONNECTIONS * LEAST_KILOBYTES
    for client in clients:
        client.close()
    eventually(lambda: held(running) - before < (peak - before) / 2, "most of it is given back")
