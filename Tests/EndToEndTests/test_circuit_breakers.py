"""DestinationRule connectionPool: limits of connections, waiting requests, requests and retries."""

import threading

from harness.configuration import destination_rule, route, to_upstream
from harness.gateway import parse_access_line
from harness.http_client import Connection, get
from harness.upstreams import answering, response
from harness.waiting import eventually


class Held:
    """An upstream whose answers wait for `go`, except to /quick."""

    def __init__(self, owner):
        self.go = threading.Event()
        self.upstream = owner.upstream(self._script)
        self.port = self.upstream.port

    def _script(self, connection):
        while (request := connection.read_request()) is not None:
            if request.target != "/quick":
                self.go.wait(20)
            connection.send(response(request.target))


def limited(owner, port: int, http: dict | None = None, tcp: dict | None = None, workers: int = 1, **rule):
    pool = {**({"http": http} if http else {}), **({"tcp": tcp} if tcp else {})}
    return owner.gateway([*to_upstream(port, rules=[route("upstream.example", 80, **rule)]),
                          destination_rule("upstream.example", {"connectionPool": pool})], workers=workers)


def ask(running, target: str) -> Connection:
    client = Connection(running.port())
    client.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
    return client


def is_overflow(answer) -> bool:
    return (answer.status == 503 and answer.header("x-envoy-overloaded") == "true"
            and answer.text.endswith("reset reason: overflow"))


def test_requests_beyond_http2MaxRequests_are_503_UO(owner):
    held = Held(owner)
    running = limited(owner, held.port, http={"http2MaxRequests": 2})
    clients = [ask(running, f"/{number}") for number in range(2)]
    held.upstream.wait_for_requests(2)
    assert is_overflow(get(running.port(), "/more"))
    line = parse_access_line(running.wait_for_access_line("/more"))
    assert line["response_flags"] == "UO"
    assert line["response_code_details"] == "upstream_reset_before_response_started{overflow}"
    held.go.set()
    assert [client.read_response().status for client in clients] == [200, 200]
    assert get(running.port(), "/quick").status == 200


def test_a_request_waits_for_the_one_connection_that_is_allowed(owner):
    held = Held(owner)
    running = limited(owner, held.port, tcp={"maxConnections": 1})
    clients = [ask(running, "/0")]
    held.upstream.wait_for_requests(1)
    clients += [ask(running, f"/{number}") for number in range(1, 4)]
    held.go.set()
    assert [client.read_response().text for client in clients] == ["/0", "/1", "/2", "/3"]
    assert held.upstream.connections == 1


def test_waiting_requests_beyond_http1MaxPendingRequests_are_503_UO(owner):
    held = Held(owner)
    running = limited(owner, held.port, tcp={"maxConnections": 1}, http={"http1MaxPendingRequests": 1})
    first = ask(running, "/0")
    held.upstream.wait_for_requests(1)
    waiting = ask(running, "/1")
    eventually(lambda: is_overflow(get(running.port(), "/2")), "the queue is full")
    held.go.set()
    assert [first.read_response().text, waiting.read_response().text] == ["/0", "/1"]


def test_who_waits_and_leaves_frees_its_place(owner):
    held = Held(owner)
    running = limited(owner, held.port, tcp={"maxConnections": 1}, http={"http1MaxPendingRequests": 1})
    first = ask(running, "/0")
    held.upstream.wait_for_requests(1)
    leaving = ask(running, "/gone")
    eventually(lambda: is_overflow(get(running.port(), "/2")), "the queue is full")
    leaving.reset()
    running.wait_for_access_line("/gone")
    staying = ask(running, "/stays")
    eventually(lambda: is_overflow(get(running.port(), "/4")), "the queue is full again")
    held.go.set()
    assert [first.read_response().text, staying.read_response().text] == ["/0", "/stays"]
    assert "/gone" not in [request.target for request in held.upstream.requests]


def test_a_connection_that_ends_lets_the_next_be_opened(owner):
    """Every answer ends its connection; those that wait get a new one each."""
    go = threading.Event()

    def script(connection):
        request = connection.read_request()
        go.wait(20)
        connection.send(response(request.target, "200 OK", "Connection: close"))

    upstream = owner.upstream(script)
    running = limited(owner, upstream.port, tcp={"maxConnections": 1})
    clients = [ask(running, "/0")]
    upstream.wait_for_requests(1)
    clients += [ask(running, f"/{number}") for number in range(1, 4)]
    go.set()
    assert [client.read_response().text for client in clients] == ["/0", "/1", "/2", "/3"]
    assert upstream.connections == 4


def test_limits_hold_for_all_workers_together(owner):
    held = Held(owner)
    running = limited(owner, held.port, http={"http2MaxRequests": 3}, workers=2)
    clients = [ask(running, f"/{number}") for number in range(12)]
    eventually(lambda: len([line for line in running.access_lines() if " UO " in line]) == 9, "nine overflow")
    assert len(held.upstream.wait_for_requests(3)) == 3
    held.go.set()
    assert sorted(client.read_response().status for client in clients) == [200] * 3 + [503] * 9


def test_retries_beyond_maxRetries_are_not_made(owner):
    """A retry that is under way holds its place: the second request may not retry, and says UO."""
    go = threading.Event()

    def script(connection):
        while (request := connection.read_request()) is not None:
            if request.header("x-envoy-attempt-count") == "2":
                go.wait(20)
                connection.send(response("second"))
            else:
                connection.send(response("no", "503 No"))

    upstream = owner.upstream(script)
    running = limited(owner, upstream.port, http={"maxRetries": 1},
                      retries={"attempts": 1, "retryOn": "5xx", "backoff": "1ms"})
    first = ask(running, "/first")
    upstream.wait_for_requests(2)
    assert get(running.port(), "/second").status == 503
    assert parse_access_line(running.wait_for_access_line("/second"))["response_flags"] == "UO"
    go.set()
    assert first.read_response().text == "second"
    assert get(running.port(), "/third").text == "second"


def test_a_pool_without_limits_changes_nothing(owner):
    upstream = owner.upstream(answering(lambda request: response("ok")))
    running = limited(owner, upstream.port, http={"maxRequestsPerConnection": 2, "http2MaxRequests": 0})
    assert [get(running.port()).status for _ in range(6)] == [200] * 6
    assert upstream.connections == 3


class Retried:
    """An upstream that fails first attempts and holds the second ones."""

    def __init__(self, owner):
        self.go = threading.Event()
        self.second = 0
        self.upstream = owner.upstream(self._script)

    def _script(self, connection):
        while (request := connection.read_request()) is not None:
            if request.header("x-envoy-attempt-count") == "2":
                self.second += 1
                self.go.wait(20)
                connection.send(response("second"))
            elif request.target == "/held":
                self.go.wait(20)
                connection.send(response("held"))
            else:
                connection.send(response("no", "503 No"))


def budgeted(owner, upstream, **budget):
    rule = route("upstream.example", 80, retries={"attempts": 1, "retryOn": "5xx", "backoff": "1ms"})
    return owner.gateway([*to_upstream(upstream.port, rules=[rule]), destination_rule(
        "upstream.example", {"retryBudget": budget, "connectionPool": {"http": {"maxRetries": 1}}})])


def overflows(running) -> int:
    text = running.admin("/stats?filter=upstream_rq_retry_overflow")[1]
    return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


def test_a_retry_budget_always_allows_its_minimum(owner):
    """In place of maxRetries; what is beyond it says UO and is counted."""
    retried = Retried(owner)
    running = budgeted(owner, retried.upstream, percent=0, minRetryConcurrency=2)
    clients = [ask(running, f"/{number}") for number in range(2)]
    eventually(lambda: retried.second == 2, "two are retried")
    assert get(running.port(), "/third").status == 503
    assert parse_access_line(running.wait_for_access_line("/third"))["response_flags"] == "UO"
    assert overflows(running) == 1
    assert "envoy_cluster_upstream_rq_retry_overflow" in running.admin("/stats/prometheus?filter=retry_overflow")[1]
    retried.go.set()
    assert [client.read_response().text for client in clients] == ["second"] * 2


def test_a_retry_budget_is_a_share_of_the_requests_under_way(owner):
    retried = Retried(owner)
    running = budgeted(owner, retried.upstream, percent=50, minRetryConcurrency=0)
    assert get(running.port(), "/alone").status == 503, "half of one is none"
    held = [ask(running, "/held") for _ in range(4)]
    retried.upstream.wait_for_requests(5)
    clients = [ask(running, "/first"), ask(running, "/second")]
    eventually(lambda: retried.second == 2, "two of six are retried")
    retried.go.set()
    assert [client.read_response().text for client in [*held, *clients]] == ["held"] * 4 + ["second"] * 2
    assert overflows(running) == 1


def test_a_retry_budget_counts_those_of_its_interval(owner):
    """Requests that are over count as long as they are recent."""
    retried = Retried(owner)
    retried.go.set()
    running = budgeted(owner, retried.upstream, percent=20, minRetryConcurrency=0, budgetInterval="60s")
    for _ in range(10):
        assert get(running.port(), "/held").text == "held"
    assert get(running.port(), "/now").text == "second"
    assert overflows(running) == 0
