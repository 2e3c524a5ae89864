"""After warm-up a request allocates nothing and counts no references."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness.configuration import (destination_rule, gateway, http_server, https_server, route, static_entry, to_upstream,
                                   virtual_service)
from harness.http2 import Client
from harness.http_client import Connection, client_context
from harness.measuring import AllocationCounter, calls_by_function, core_nanoseconds
from harness.ports import free_port
from harness.processes import OwnedProcess
from harness.upstreams import server_context
from harness.waiting import accepts

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARM_UP, REQUESTS = 1000, 2000
# Rare growth of something that is kept (a table that doubles) is not a cost of a request.
ALLOWED = REQUESTS // 100


def drive(connection: Connection, requests: int, **options) -> None:
    for _ in range(requests):
        assert connection.request(**options).status == 200


def growth(counter: AllocationCounter, pid: int, work) -> tuple[dict[int, int], int]:
    """Allocations by thread while `work` ran, and the thread that worked the most."""
    calls, cores = counter.calls(), core_nanoseconds(pid)
    work()
    after, cores_after = counter.calls(), core_nanoseconds(pid)
    busiest = max(cores_after, key=lambda thread: cores_after[thread] - cores.get(thread, 0))
    return {thread: count - calls.get(thread, 0) for thread, count in after.items()}, busiest


@pytest.mark.parametrize("log", ["off", "text", "json"])
def test_a_request_allocates_nothing_on_its_worker(owner, nginx, tmp_path, log):
    counter = AllocationCounter(tmp_path / "counter")
    running = owner.gateway(to_upstream(nginx.plain), environment=counter.environment, flags=("--access-log", log))
    with Connection(running.port()) as connection:
        drive(connection, WARM_UP)
        grown, busiest = growth(counter, running.pid, lambda: drive(connection, REQUESTS))
    assert grown.get(busiest, 0) <= ALLOWED, grown
    if log == "off":
        assert sum(grown.values()) <= ALLOWED, grown


def test_a_request_with_a_body_allocates_nothing(owner, tmp_path):
    counter = AllocationCounter(tmp_path / "counter")
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), environment=counter.environment, flags=("--access-log", "off"))
    with Connection(running.port()) as connection:
        drive(connection, WARM_UP, method="POST", body=b"b" * 20_000)
        grown, _ = growth(counter, running.pid,
                          lambda: drive(connection, REQUESTS, method="POST", body=b"b" * 20_000))
    assert sum(grown.values()) <= ALLOWED, grown


@pytest.mark.parametrize("rules", ["exact", "prefix", "regex"])
def test_matching_allocates_nothing(owner, nginx, tmp_path, rules):
    counter = AllocationCounter(tmp_path / "counter")
    pattern = {"exact": "/", "prefix": "/", "regex": "/.*"}[rules]
    others = [route("upstream.example", 80, match={"uri": {rules: f"/other/{number}"}}) for number in range(200)]
    running = owner.gateway(
        to_upstream(nginx.plain, rules=[*others, route("upstream.example", 80, match={"uri": {rules: pattern}})]),
        environment=counter.environment, flags=("--access-log", "off"))
    with Connection(running.port()) as connection:
        drive(connection, WARM_UP)
        grown, _ = growth(counter, running.pid, lambda: drive(connection, REQUESTS))
    assert sum(grown.values()) <= ALLOWED, grown


@pytest.mark.parametrize("side", ["in", "out"])
def test_a_request_over_tls_allocates_nothing_of_ours(owner, nginx, authority, tmp_path, side):
    """OpenSSL may take a buffer a record; we take nothing. Four a request is what it needs at most."""
    counter = AllocationCounter(tmp_path / "counter")
    certificate = authority.issue("a.example")
    if side == "in":
        resources = [gateway(https_server("*", credential="front", port=80)),
                     virtual_service(route("upstream.example", 80)), static_entry("upstream.example", nginx.plain)]
    else:
        upstream = owner.upstream(tls=server_context(certificate))
        resources = [gateway(http_server("*")), virtual_service(route("a.example", 80)),
                     static_entry("a.example", upstream.port),
                     destination_rule("a.example", {"tls": {"mode": "SIMPLE", "sni": "a.example"}})]
    running = owner.gateway(
        resources, flags=("--access-log", "off"),
        environment={**counter.environment, "SSL_CERT_FILE": str(authority.certificate)},
        secrets={"front": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    context = client_context() if side == "in" else None
    with Connection(running.port(), tls=context, server_name="a.example" if context else None) as connection:
        drive(connection, WARM_UP)
        grown, _ = growth(counter, running.pid, lambda: drive(connection, REQUESTS))
    assert sum(grown.values()) <= 4 * REQUESTS + ALLOWED, grown


@pytest.mark.parametrize(("upstream_protocol", "bound"), [("HTTP", 8), ("HTTP2", 16)])
def test_a_request_over_http2_allocates_a_bounded_number_of_times(owner, nginx, tmp_path, upstream_protocol, bound):
    """nghttp2 takes memory for each stream on each side: its node, its frames, its table of fields. We take none.

    The connection stays the same, and so does the figure: what grew with the number of requests would exceed it.
    """
    counter = AllocationCounter(tmp_path / "counter")
    port = nginx.plain
    if upstream_protocol == "HTTP2":
        (tmp_path / "index.html").write_text("small")
        port = free_port()
        server = owner.own(OwnedProcess("nghttpd", ["nghttpd", "--no-tls", "-d", str(tmp_path), str(port)], tmp_path))
        server.wait_until(lambda: accepts(port), "listens")
    running = owner.gateway(
        [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", port, protocol=upstream_protocol)],
        environment=counter.environment, flags=("--access-log", "off"))
    with Client(running.port()) as client:
        streams = iter(range(1, 1 << 20, 2))

        def drive_streams(requests: int) -> None:
            for _ in range(requests):
                assert client.get(next(streams)).status == 200

        drive_streams(WARM_UP)
        each = []
        for _ in range(2):
            grown, _ = growth(counter, running.pid, lambda: drive_streams(REQUESTS))
            each.append(sum(grown.values()) / REQUESTS)
    assert max(each) <= bound, each
    assert abs(each[0] - each[1]) <= 0.5, each


def with_symbols(folder: pathlib.Path) -> pathlib.Path | None:
    """The release build with the names of its functions, but without the debug information that valgrind cannot read."""
    built = pathlib.Path(os.environ.get("SALLYPORT_SYMBOLS", ROOT / ".build" / "release" / "sallyport"))
    if not built.exists():
        return None
    copy = folder / "sallyport-with-symbols"
    subprocess.run(["strip", "--strip-debug", "-o", str(copy), str(built)], check=True)
    return copy


COUNTING = ("swift_retain", "swift_release", "swift_allocObject", "swift_bridgeObjectRetain", "swift_bridgeObjectRelease",
            "swift_retain_n", "swift_release_n", "swift_unknownObjectRetain", "swift_unknownObjectRelease")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_request_counts_no_references(owner, nginx, tmp_path, monkeypatch):
    """Two runs that differ by a known number of requests: what they differ by in calls is a request's own."""
    binary = with_symbols(tmp_path)
    if binary is None:
        pytest.skip("no release build with symbols")
    monkeypatch.setenv("SALLYPORT_BIN", str(binary))
    few, many = 500, 4500
    counts = []
    for number in (few, many):
        profile = tmp_path / f"callgrind.{number}"
        running = owner.gateway(
            to_upstream(nginx.plain), flags=("--access-log", "off"), wait=None, name=f"profiled-{number}",
            wrapper=("valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}"))
        running.wait_for("listening", bound=120)
        with Connection(running.port()) as connection:
            drive(connection, number)
        assert running.process.stop(bound=60) == 0
        counts.append(calls_by_function(profile))
    each = {name: (counts[1][name] - counts[0][name]) / (many - few) for name in COUNTING}
    # What start-up and health checks add differs a little from run to run.
    assert all(count < 0.2 for count in each.values()), each
