"""DestinationRule outlierDetection: endpoints that fail are left out for a while."""

import pytest

from harness.configuration import destination_rule, route, to_upstream
from harness.http_client import get
from harness.ports import free_port
from harness.upstreams import answering, response
from harness.waiting import eventually

LONG = {"interval": "1h", "baseEjectionTime": "1h", "maxEjectionPercent": 100}


def detecting(owner, *ports: int, workers: int = 1, rule: dict | None = None, **detection):
    policy = {"outlierDetection": {**LONG, **detection}, "loadBalancer": {"simple": "ROUND_ROBIN"}}
    rules = [route("upstream.example", 80, retries={"attempts": 0}, **(rule or {}))]
    return owner.gateway([*to_upstream(*ports, rules=rules), destination_rule("upstream.example", policy)],
                         workers=workers)


def failing(owner, code: int = 500):
    return owner.upstream(answering(lambda request: response("no", f"{code} No")))


def good(owner):
    return owner.upstream(answering(lambda request: response("ok")))


def statuses(running, count: int) -> list[int]:
    return [get(running.port()).status for _ in range(count)]


def flags(running, port: int) -> str:
    lines = running.admin("/clusters")[1].splitlines()
    return next(line.split("::")[-1] for line in lines if f":{port}::health_flags" in line)


def wait_until_ejected(running, port: int) -> None:
    eventually(lambda: flags(running, port) == "/failed_outlier_check", f"{port} is ejected")


@pytest.mark.parametrize("code, detection", [
    (500, {"consecutive5xxErrors": 3}), (503, {"consecutive5xxErrors": 3}),
    (503, {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 3}),
])
def test_errors_in_a_row_eject_an_endpoint(owner, code, detection):
    bad, fine = failing(owner, code), good(owner)
    running = detecting(owner, bad.port, fine.port, **detection)
    assert sorted(statuses(running, 6)) == [200] * 3 + [code] * 3
    wait_until_ejected(running, bad.port)
    assert statuses(running, 10) == [200] * 10
    assert flags(running, fine.port) == "healthy"
    assert "is ejected for 3600000 ms" in running.process.stderr


@pytest.mark.parametrize("code, detection", [
    (500, {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 2}), (404, {"consecutive5xxErrors": 1}),
    (500, {"consecutive5xxErrors": 0}), (503, {"consecutive5xxErrors": 50}),
])
def test_what_does_not_count_does_not_eject(owner, code, detection):
    bad, fine = failing(owner, code), good(owner)
    running = detecting(owner, bad.port, fine.port, **detection)
    assert sorted(set(statuses(running, 20))) == [200, code]
    assert flags(running, bad.port) == "healthy"


def test_a_success_begins_the_count_anew(owner):
    answers = iter([500, 500, 200] * 20)
    moody = owner.upstream(answering(lambda request: response("m", f"{next(answers)} M")))
    running = detecting(owner, moody.port, consecutive5xxErrors=3)
    assert statuses(running, 30).count(500) == 20
    assert flags(running, moody.port) == "healthy"


def test_an_ejected_endpoint_comes_back(owner):
    bad = failing(owner)
    running = detecting(owner, bad.port, consecutive5xxErrors=2, interval="50ms", baseEjectionTime="100ms")
    statuses(running, 2)
    eventually(lambda: "is back" in running.process.stderr, "the endpoint is back")
    bad.script = answering(lambda request: response("ok"))
    bad.close_connections()
    eventually(lambda: get(running.port()).status == 200, "it serves again")


def test_the_only_endpoint_is_ejected_too_and_the_answer_is_503_UH(owner):
    bad = failing(owner)
    running = detecting(owner, bad.port, consecutive5xxErrors=2, maxEjectionPercent=10)
    statuses(running, 2)
    eventually(lambda: get(running.port()).text == "no healthy upstream", "nothing is left")


def test_maxEjectionPercent_keeps_the_others(owner):
    bad = [failing(owner) for _ in range(4)]
    running = detecting(owner, *[each.port for each in bad], consecutive5xxErrors=1, maxEjectionPercent=50)
    statuses(running, 12)
    eventually(lambda: [flags(running, each.port) for each in bad].count("/failed_outlier_check") == 2, "two of four")
    statuses(running, 12)
    assert [flags(running, each.port) for each in bad].count("/failed_outlier_check") == 2


def test_minHealthPercent_uses_all_when_too_few_are_left(owner):
    bad, fine = failing(owner), good(owner)
    running = detecting(owner, bad.port, fine.port, consecutive5xxErrors=2, minHealthPercent=60)
    statuses(running, 4)
    wait_until_ejected(running, bad.port)
    assert sorted(set(statuses(running, 10))) == [200, 500]


def test_connection_failures_count_as_503(owner):
    dead, fine = free_port(), good(owner)
    running = detecting(owner, dead, fine.port, consecutiveGatewayErrors=2, consecutive5xxErrors=0)
    statuses(running, 4)
    wait_until_ejected(running, dead)
    assert statuses(running, 6) == [200] * 6


def test_split_local_failures_have_their_own_count(owner):
    dead, bad = free_port(), failing(owner, 503)
    running = detecting(owner, dead, bad.port, splitExternalLocalOriginErrors=True, consecutiveLocalOriginFailures=2,
                        consecutive5xxErrors=1000)
    statuses(running, 4)
    wait_until_ejected(running, dead)
    assert flags(running, bad.port) == "healthy"


def test_timeouts_count(owner):
    slow, fine = owner.upstream(lambda connection: (connection.read_request(), connection.read_request())), good(owner)
    running = detecting(owner, slow.port, fine.port, consecutive5xxErrors=2, rule={"timeout": "50ms"})
    statuses(running, 4)
    wait_until_ejected(running, slow.port)


def test_outlierDetectionHttpErrorCodes_say_what_is_an_error(owner):
    teapot, bad = failing(owner, 418), failing(owner, 500)
    running = detecting(owner, teapot.port, bad.port, consecutive5xxErrors=2, outlierDetectionHttpErrorCodes=[418])
    statuses(running, 8)
    wait_until_ejected(running, teapot.port)
    assert flags(running, bad.port) == "healthy"


def test_workers_count_together(owner):
    bad, fine = failing(owner), good(owner)
    running = detecting(owner, bad.port, fine.port, workers=2, consecutive5xxErrors=6)
    eventually(lambda: statuses(running, 1) and flags(running, bad.port) == "/failed_outlier_check", "is ejected")
    assert len(bad.requests) <= 12
    assert statuses(running, 20) == [200] * 20
