"""What Prometheus scrapes: Envoy's and Istio's names, each family with its HELP and TYPE."""

import re
import threading

import pytest

from harness.configuration import destination_rule, route, to_upstream, upstream_probe
from harness.http_client import Connection, get, post
from harness.upstreams import answering, response
from harness.waiting import eventually

HOST = "upstream.example"
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (-?\d+)$')


def scrape(running) -> dict[str, int]:
    """Samples by name and labels."""
    _, text = running.admin("/stats/prometheus")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SAMPLE.match(line)
            assert match, line
            found[(match.group(1) + (match.group(2) or ""))] = int(match.group(3))
    return found


def cluster(running, name: str) -> int:
    """A sample of the upstream's cluster."""
    return scrape(running)[f'envoy_cluster_{name}{{cluster_name="outbound|80||{HOST}"}}']


def start(owner, *ports: int, policy: dict | None = None, more: tuple = (), **rule):
    rules = [route(HOST, 80, **rule)]
    return owner.gateway([*to_upstream(*ports, rules=rules), *more,
                          *([destination_rule(HOST, policy)] if policy else [])])


@pytest.fixture
def upstream(owner):
    return owner.upstream(answering(lambda request: response("x" * 700)))


def test_every_family_has_help_and_type_and_stands_together(owner, upstream):
    running = start(owner, upstream.port)
    assert get(running.port()).status == 200
    _, text = running.admin("/stats/prometheus")
    family, seen = None, set()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            family, words = line.split(" ", 3)[2], line.split(" ", 3)[3]
            assert words.strip() and family not in seen, line
            seen.add(family)
            assert lines[number + 1].startswith(f"# TYPE {family} ")
        elif not line.startswith("#"):
            name = SAMPLE.match(line).group(1)
            assert name in (family, f"{family}_bucket", f"{family}_sum", f"{family}_count"), line
    assert len(seen) > 60


def test_sizes_of_bodies_are_histograms(owner, upstream):
    running = start(owner, upstream.port)
    assert post(running.port(), b"b" * 30).status == 200
    assert get(running.port()).status == 200
    found = {key: value for key, value in scrape(running).items() if key.startswith(("istio_request_bytes",
                                                                                     "istio_response_bytes"))}

    def of(name: str, bound: str | None = None) -> int:
        return next(value for key, value in found.items()
                    if key.startswith(name + "{") and (bound is None or f'le="{bound}"' in key))

    assert [of("istio_request_bytes_bucket", bound) for bound in ("1", "25", "50", "+Inf")] == [1, 1, 2, 2]
    assert (of("istio_request_bytes_sum"), of("istio_request_bytes_count")) == (30, 2)
    assert [of("istio_response_bytes_bucket", bound) for bound in ("500", "1000", "+Inf")] == [0, 2, 2]
    assert of("istio_response_bytes_sum") == 1400


def test_circuit_breakers_are_counted_and_show_when_they_are_open(owner):
    go = threading.Event()

    def script(connection):
        while connection.read_request() is not None:
            go.wait(20)
            connection.send(response("late"))

    held = owner.upstream(script)
    policy = {"connectionPool": {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1}}}
    running = start(owner, held.port, policy=policy)
    states = ("cx_open", "rq_pending_open", "rq_open", "rq_retry_open")

    def open_ones() -> list[int]:
        return [cluster(running, f"circuit_breakers_default_{state}") for state in states]

    assert open_ones() == [0, 0, 0, 0]
    clients = [Connection(running.port()) for _ in range(2)]
    clients[0].send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    held.wait_for_requests(1)
    assert open_ones() == [1, 0, 0, 0]
    clients[1].send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    eventually(lambda: open_ones() == [1, 1, 0, 0], "a request waits")
    assert get(running.port()).status == 503
    counted = ("upstream_cx_overflow", "upstream_rq_pending_overflow", "upstream_rq_retry_overflow")
    assert [cluster(running, name) for name in counted] == [1, 1, 0]
    go.set()
    assert [client.read_response().status for client in clients] == [200, 200]
    assert open_ones() == [1, 0, 0, 0]
    stats = running.admin("/stats")[1]
    assert f"cluster.outbound|80||{HOST}.circuit_breakers.default.cx_open: 1" in stats
    for client in clients:
        client.close()


def test_retries_beyond_the_limit_are_counted_apart(owner):
    """One retry holds the only place."""
    arrived = threading.Semaphore(0)
    go = threading.Event()
    asked = []

    def answer(request):
        asked.append(request.target)
        if asked.count(request.target) > 1:
            arrived.release()
            go.wait(20)
            return response("at last")
        return response("no", "503 No")

    upstream = owner.upstream(answering(answer))
    running = start(owner, upstream.port, policy={"connectionPool": {"http": {"maxRetries": 1}}},
                    retries={"attempts": 1, "retryOn": "5xx", "backoff": "1ms"})
    with Connection(running.port()) as client:
        client.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
        assert arrived.acquire(timeout=20)
        assert cluster(running, "circuit_breakers_default_rq_retry_open") == 1
        assert get(running.port(), "/second").status == 503
        assert cluster(running, "upstream_rq_retry_overflow") == 1
        assert cluster(running, "upstream_rq_pending_overflow") == 0
        go.set()
        assert client.read_response().text == "at last"


def test_ejections_are_counted_by_cause(owner, upstream):
    bad = owner.upstream(answering(lambda request: response("no", "500 No")))
    policy = {"loadBalancer": {"simple": "ROUND_ROBIN"}, "outlierDetection": {
        "consecutive5xxErrors": 2, "interval": "1h", "baseEjectionTime": "1h", "maxEjectionPercent": 100}}
    running = start(owner, upstream.port, bad.port, policy=policy, retries={"attempts": 0})
    assert cluster(running, "outlier_detection_ejections_active") == 0
    for _ in range(4):
        get(running.port())
    eventually(lambda: cluster(running, "outlier_detection_ejections_active") == 1, "it is ejected")
    for name, value in {"enforced_total": 1, "enforced_consecutive_5xx": 1, "detected_consecutive_5xx": 1,
                        "enforced_consecutive_gateway_failure": 0, "overflow": 0}.items():
        assert cluster(running, f"outlier_detection_ejections_{name}") == value, name
    assert cluster(running, "membership_healthy") == 1
    hosts = running.admin_json("/clusters?format=json")["cluster_statuses"][0]["host_statuses"]
    assert [host["health_status"].get("failed_outlier_check", False) for host in hosts] == [False, True]
    assert [(host["priority"], host["weight"], host["locality"]) for host in hosts] == [(0, 1, {}), (0, 1, {})]


def test_ejections_that_are_too_many_are_an_overflow(owner):
    bad = [owner.upstream(answering(lambda request: response("no", "500 No"))) for _ in range(2)]
    policy = {"loadBalancer": {"simple": "ROUND_ROBIN"}, "outlierDetection": {
        "consecutive5xxErrors": 1, "interval": "1h", "baseEjectionTime": "1h", "maxEjectionPercent": 10}}
    running = start(owner, *[each.port for each in bad], policy=policy, retries={"attempts": 0})
    for _ in range(4):
        get(running.port())
    eventually(lambda: cluster(running, "outlier_detection_ejections_overflow") >= 1, "the second is too many")
    assert cluster(running, "outlier_detection_ejections_active") == 1


def test_probes_are_counted(owner, upstream):
    running = start(owner, upstream.port, more=(upstream_probe(HOST, 80),))
    running.wait_until_ready()
    assert cluster(running, "health_check_healthy") == 1
    attempts = [cluster(running, f"health_check_{name}") for name in ("attempt", "success", "failure")]
    assert attempts[0] >= 1 and attempts[2] == 0 and attempts[1] >= 1
