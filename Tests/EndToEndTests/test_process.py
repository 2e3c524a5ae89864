"""The life of the process: drain, signals, exit codes, idling, side by side."""

import os
import pathlib
import signal
import threading
import time

import pytest

from harness import http2
from harness.configuration import (gateway, http_server, network_service, route, static_entry, tcp_route, tcp_server,
                                   to_upstream, virtual_service)
from harness.gateway import parse_access_line, run_verb
from harness.http_client import Connection, get
from harness.ports import free_admin_base
from harness.processes import memory_kilobytes, thread_ids
from harness.upstreams import answering, response
from harness.waiting import accepts, eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_when_nothing_is_in_flight(owner, nginx, number):
    running = owner.gateway(to_upstream(nginx.plain), workers=2)
    assert get(running.port()).status == 200
    running.process.signal(number)
    assert running.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_finish_before_it_ends(owner, number):
    go = threading.Event()

    def script(connection):
        connection.read_request()
        go.wait(20)
        connection.send(response("finished"))

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port), flags=("--drain", "30"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for_requests(1)
        running.process.signal(number)
        running.process.wait_until(lambda: running.health()[0] == 503, "is not ready while it drains")
        go.set()
        answer = connection.read_response()
        assert (answer.text, answer.header("connection")) == ("finished", "close")
        assert connection.closed_by_peer()
    assert running.process.wait() == 0


def test_idle_connections_are_closed_by_a_drain(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain))
    with Connection(running.port()) as connection:
        assert connection.request().status == 200
        running.process.signal(signal.SIGTERM)
        assert connection.closed_by_peer()
    assert running.process.wait() == 0


def test_a_response_that_had_begun_does_not_keep_its_connection_through_a_drain(owner):
    go = threading.Event()

    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        go.wait(20)
        connection.send(b"half")

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port), flags=("--drain", "600"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_until(b"\r\n\r\nhalf")
        running.process.signal(signal.SIGTERM)
        running.process.wait_until(lambda: running.health()[0] == 503, "drains")
        go.set()
        data, clean = connection.read_to_end()
        assert data == b"half" and clean
    assert running.process.wait() == 0


def test_a_connection_that_asks_for_nothing_does_not_hold_up_a_drain(owner):
    go = threading.Event()

    def script(connection):
        connection.read_request()
        go.wait(20)
        connection.send(response("finished"))

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port), flags=("--drain", "600"))
    with Connection(running.port()) as busy:
        busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for_requests(1)
        running.process.signal(signal.SIGTERM)
        running.process.wait_until(lambda: running.health()[0] == 503, "drains")
        with Connection(running.port()) as idle:
            assert idle.closed_by_peer()
        go.set()
        assert busy.read_response().text == "finished"
    assert running.process.wait() == 0


@pytest.mark.parametrize("query", ["", "?graceful"])
def test_drain_listeners_leaves_the_process_and_its_admin_port(owner, nginx, query):
    running = owner.gateway(to_upstream(nginx.plain))
    port = running.port()
    assert running.admin(f"/drain_listeners{query}", method="POST")[0] == 200
    eventually(lambda: not accepts(port), "the listener is closed")
    assert running.health()[0] == 503 and running.health("live")[0] == 200 and running.admin("/stats")[0] == 200
    assert running.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH])
def test_signals_that_mean_nothing_are_ignored(owner, nginx, number):
    running = owner.gateway(to_upstream(nginx.plain))
    running.process.signal(number)
    if number != signal.SIGWINCH:
        running.process.wait_until(lambda: "ignored" in running.process.stderr, "says so")
    assert get(running.port()).status == 200


def test_a_client_that_ended_its_side_is_not_waited_for_without_end(owner):
    """Its request goes when the answer takes long: nothing tells it from one that is gone."""
    ended = threading.Event()

    def script(connection):
        connection.read_request()
        connection.wait_for_end()
        ended.set()

    running = owner.gateway(to_upstream(owner.upstream(script).port), flags=("--idle-timeout", "1"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.half_close()
        assert ended.wait(20)
    assert " DC " in running.wait_for_access_line("GET /")


def test_the_drain_is_bounded(owner):
    """A request that never ends does not keep the process for ever."""
    upstream = owner.upstream(lambda connection: (connection.read_request(), connection.wait_for_end()))
    running = owner.gateway(to_upstream(upstream.port), flags=("--drain", "1"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for_requests(1)
        running.process.signal(signal.SIGTERM)
        assert running.process.wait() == 0


def test_a_second_interrupt_ends_it_now(owner):
    upstream = owner.upstream(lambda connection: (connection.read_request(), connection.wait_for_end()))
    running = owner.gateway(to_upstream(upstream.port), flags=("--drain", "600"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for_requests(1)
        running.process.signal(signal.SIGINT)
        running.process.wait_until(lambda: running.health()[0] == 503, "drains")
        running.process.signal(signal.SIGINT)
        running.process.wait()


def test_the_port_is_free_again_afterwards(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain))
    port = running.port()
    running.stop()
    assert not accepts(port)


@pytest.mark.parametrize("again", [False, True], ids=["drain time", "second interrupt"])
def test_what_the_end_cuts_off_is_logged(owner, again):
    """HTTP/1.1 and HTTP/2 requests without an answer, with half of one, and a connection that carries bytes."""
    def script(connection):
        request = connection.read_request()
        if "half" in request.target:
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        connection.wait_for_end()

    upstream = owner.upstream(script)
    arrived = threading.Event()

    def carry(connection):
        connection.read_exactly(5)
        arrived.set()
        connection.wait_for_end()

    tcp = owner.upstream(carry)
    resources = [gateway(http_server("*"), tcp_server("*")), virtual_service(route("upstream.example", 80)),
                 static_entry("upstream.example", upstream.port),
                 network_service(tcp=[tcp_route(("tcp.example", 9000))], name="bytes"),
                 static_entry("tcp.example", tcp.port, port=9000, protocol="TCP")]
    running = owner.gateway(resources, ports=(80, 9000), flags=("--drain", "600" if again else "1"))
    with Connection(running.port()) as one, http2.Client(running.port()) as two, Connection(running.port(9000)) as three:
        one.send("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
        two.send(two.request(1, "/half"))
        assert two.read_until(http2.DATA).payload == b"12345"
        three.send("bytes")
        upstream.wait_for_requests(2)
        assert arrived.wait(20)
        running.process.signal(signal.SIGINT)
        if again:
            running.process.wait_until(lambda: running.health()[0] == 503, "drains")
            running.process.signal(signal.SIGINT)
        assert running.process.wait() == 0
    lines = {line["path"]: line for line in map(parse_access_line, running.access_lines()) if line["response_flags"] != "-"}
    assert {path: (line["response_code"], line["response_flags"], line["response_code_details"], line["bytes_sent"])
            for path, line in lines.items()} == {
        "/none": ("0", "DC", "downstream_local_disconnect", "0"),
        "/half": ("200", "DC", "downstream_local_disconnect", "5"),
        "-": ("0", "DC", "downstream_local_disconnect", "0")}


def test_nothing_is_dropped_while_it_drains(owner):
    """A client that keeps asking over one connection gets whole answers until it is told to close."""
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        assert connection.request().status == 200
        running.process.signal(signal.SIGTERM)
        data, clean = connection.read_to_end()
        assert data == b"" and clean
    assert running.process.wait() == 0


def switches(pid: int) -> dict[int, int]:
    """How often each thread has given up its core, by its own will or not."""
    counts = {}
    for thread in thread_ids(pid):
        text = pathlib.Path(f"/proc/{pid}/task/{thread}/status").read_text()
        counts[thread] = sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)
    return counts


def test_an_idle_instance_does_not_wake_up(owner, nginx):
    """Three seconds without a single switch of any thread, once it has settled."""
    running = owner.gateway(to_upstream(nginx.plain), workers=2)
    assert get(running.port()).status == 200

    def still() -> bool:
        before = switches(running.pid)
        time.sleep(3)
        return switches(running.pid) == before

    eventually(still, "an idle instance stays asleep", bound=30)


def test_it_survives_a_broken_pipe(owner):
    """SIGPIPE is not a way to end it: clients vanish all the time."""
    upstream = owner.upstream(answering(lambda request: response(b"x" * 5_000_000)))
    running = owner.gateway(to_upstream(upstream.port))
    for _ in range(5):
        connection = Connection(running.port())
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
        connection.reset()
    running.process.signal(signal.SIGPIPE)
    assert get(running.port()).status == 200


def test_many_instances_stand_side_by_side(owner, nginx):
    running = [owner.gateway(to_upstream(nginx.plain), name=f"instance-{number}") for number in range(8)]
    assert [get(instance.port()).status for instance in running] == [200] * 8
    assert len({instance.health_port for instance in running}) == 8


def test_an_idle_instance_is_small(owner, nginx):
    """The budget is 6 MB private and 18 MB in all; the bound here only catches an accident."""
    running = owner.gateway(to_upstream(nginx.plain))
    memory = memory_kilobytes(running.pid)
    assert memory["RssAnon"] < 24_000 and memory["VmRSS"] < 60_000, memory


@pytest.mark.parametrize("arguments, code", [
    (("nonsense",), 64), (("run", "--no-such-flag"), 64), (("check", "--output", "nonsense"), 64),
    (("run", "/nowhere/at/all"), 66),
])
def test_usage_errors_have_their_exit_codes(arguments, code):
    base = ("--admin-base", free_admin_base()) if arguments[0] == "run" and code != 64 else ()
    assert run_verb(*arguments, *base).returncode == code


def test_a_low_port_without_the_right_to_it_is_exit_77(owner, nginx, tmp_path):
    if os.geteuid() == 0 or int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("every port may be bound here")
    running = owner.gateway(to_upstream(nginx.plain), ports=(), wait=None)
    assert running.process.wait() == 77


def test_a_thousand_connections_come_and_go_without_a_leak(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain))

    def burst():
        for _ in range(500):
            assert get(running.port()).status == 200

    burst()
    before = memory_kilobytes(running.pid)["RssAnon"]
    descriptors = len(os.listdir(f"/proc/{running.pid}/fd"))
    burst()
    burst()
    assert memory_kilobytes(running.pid)["RssAnon"] - before < 2048
    eventually(lambda: len(os.listdir(f"/proc/{running.pid}/fd")) <= descriptors + 2, "descriptors are given back")


def held(running) -> list[int]:
    """The client connections of each worker."""
    lines = running.admin("/stats?filter=worker_.*downstream_cx_active")[1].split()
    return [int(line) for line in lines if line.isdigit()]


def test_few_long_connections_are_spread_over_the_workers(owner, nginx):
    """Four HTTP/2 connections and two workers: two each, whatever the kernel's hash says."""
    from harness.http2 import Client

    running = owner.gateway(to_upstream(nginx.plain), workers=2)
    for _ in range(5):
        clients = [Client(running.port()) for _ in range(4)]
        try:
            assert all(client.still_serves(1) for client in clients)
            assert held(running) == [2, 2]
        finally:
            for client in clients:
                client.close()
        running.process.wait_until(lambda: held(running) == [0, 0], "has let go of all connections")
