"""The process's descriptors: who gets the last ones, and that nobody gets the standard ones."""

import os
import resource
import socket

import pytest

from harness.configuration import to_upstream
from harness.gateway import fetch
from harness.http_client import Connection, get
from harness.waiting import eventually

LIMIT = 96


def few() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))


def soft_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, hard))


def served(port: int) -> bool:
    try:
        return get(port).status == 200
    except OSError:
        return False


def statistic(running, name: str) -> int:
    return int(running.admin(f"/stats?filter=^{name}$")[1].split(":")[1])


def crowd(port: int, count: int) -> list[socket.socket]:
    """So many clients that say nothing."""
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


def test_health_and_admin_answer_while_clients_have_taken_all_they_can(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=few)
    clients = crowd(running.port(), 2 * LIMIT)
    try:
        eventually(lambda: running.process.stderr.count("cannot accept connections"), "it is said")
        for _ in range(3):
            assert running.health("live")[0] == 200
            assert running.health()[0] == 200
            assert running.admin("/server_info")[0] == 200
            assert fetch(f"http://127.0.0.1:{running.admin_base + 20}/stats/prometheus")[0] == 200
        assert statistic(running, "listener.downstream_cx_overload_reject") >= LIMIT
        running.reload_and_wait()
    finally:
        for client in clients:
            client.close()
    eventually(lambda: served(running.port()), "serves again")
    assert running.process.stderr.count("cannot accept connections") == 1


def test_connections_to_upstreams_have_a_reserve_of_their_own(owner):
    """Clients that are there are served when no more of them may come."""
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=few)
    with Connection(running.port()) as early:
        clients = crowd(running.port(), 2 * LIMIT)
        try:
            eventually(lambda: running.process.stderr.count("cannot accept connections"), "it is said")
            assert early.request().status == 200
        finally:
            for client in clients:
                client.close()


def test_the_soft_limit_is_raised(owner):
    """Shells give 1024 for the sake of programs that use select."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4 * LIMIT:
        pytest.skip("the hard limit is too low")
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=soft_limit)
    clients = crowd(running.port(), 2 * LIMIT)
    try:
        assert served(running.port())
        assert "cannot accept" not in running.process.stderr
    finally:
        for client in clients:
            client.close()


def test_more_connections_than_descriptors_is_said_at_the_start(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=few, flags=("--max-connections", "1000"))
    assert "--max-connections is 1000, but of 96 descriptors at most 60 are for clients" in running.process.stderr


def test_silent_clients_of_the_health_port_do_not_keep_others_out(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), preexec=few)
    clients = crowd(running.health_port, LIMIT)
    try:
        for _ in range(3):
            assert running.health("live")[0] == 200
        assert served(running.port())
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_standard_descriptor_is_not_given_to_a_socket(owner, closed):
    """A line of the log would be sent to a client."""
    upstream = owner.upstream()

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    running = owner.gateway(to_upstream(upstream.port), preexec=close)
    with Connection(running.port()) as connection:
        for _ in range(3):
            assert connection.request().status == 200
    for descriptor in closed:
        assert os.readlink(f"/proc/{running.pid}/fd/{descriptor}") == "/dev/null"
