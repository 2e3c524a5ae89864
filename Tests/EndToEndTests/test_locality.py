"""Endpoints that are near come first: failover by locality, shares of localities, and endpoints that warm up."""

from collections import Counter

import pytest

from harness.configuration import LABELS, destination_rule, gateway, http_server, resource, route, virtual_service
from harness.http_client import get
from harness.upstreams import answering, response
from harness.waiting import eventually

HERE = {**LABELS, "topology.kubernetes.io/region": "us", "topology.kubernetes.io/zone": "us-1"}
HOST = "upstream.example"
# One error is enough, and for long.
WATCHED = {"consecutive5xxErrors": 1, "interval": "1h", "baseEjectionTime": "1h", "maxEjectionPercent": 100}


class Upstream:
    """Answers with its name, or fails."""

    def __init__(self, owner, name: str):
        self.fails = False
        self.server = owner.upstream(answering(
            lambda request: response("no", "500 No") if self.fails else response(name)))

    @property
    def port(self) -> int:
        return self.server.port


def entry(places: dict) -> dict:
    """An endpoint at each upstream, with its locality."""
    endpoints = [{"address": "127.0.0.1", "ports": {"http": upstream.port}, **({"locality": place} if place else {})}
                 for upstream, place in places.items()]
    return resource("ServiceEntry", "upstream", {
        "hosts": [HOST], "location": "MESH_EXTERNAL", "resolution": "STATIC",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}], "endpoints": endpoints})


def resources(places: dict, policy: dict, **rule) -> list[dict]:
    rule.setdefault("retries", {"attempts": 0})
    return [gateway(http_server("*")), virtual_service(route(HOST, 80, **rule)), entry(places),
            destination_rule(HOST, policy)]


def answers(running, count: int = 60) -> Counter:
    return Counter(get(running.port()).text for _ in range(count))


def facts(running, upstream: Upstream) -> dict[str, str]:
    """What `/clusters` says of an endpoint."""
    lines = [line.split("::") for line in running.admin("/clusters")[1].splitlines()]
    return {line[2]: line[3] for line in lines if len(line) == 4 and line[1] == f"127.0.0.1:{upstream.port}"}


def eject(running, upstream: Upstream) -> None:
    upstream.fails = True
    for _ in range(5):
        get(running.port())
    eventually(lambda: facts(running, upstream)["health_flags"] == "/failed_outlier_check", "it is ejected")


@pytest.fixture
def upstreams(owner):
    return [Upstream(owner, name) for name in ("near", "zone", "region", "far")]


def test_failover_goes_from_near_to_far(owner, upstreams):
    near, zone, region, far = upstreams
    places = {far: "eu/x", zone: "us/us-2", near: "us/us-1", region: "us/us-3"}
    running = owner.gateway(resources(places, {"outlierDetection": WATCHED}), labels=HERE)
    assert answers(running) == {"near": 60}
    assert [facts(running, upstream)["priority"] for upstream in upstreams] == ["0", "1", "1", "2"]
    eject(running, near)
    assert set(answers(running)) == {"zone", "region"}
    eject(running, zone)
    # Half of that priority is enough for 70 of a hundred requests.
    left = answers(running, 200)
    assert set(left) == {"region", "far"} and left["region"] > left["far"]
    eject(running, region)
    assert answers(running) == {"far": 60}


def test_without_outlier_detection_all_are_alike(owner, upstreams):
    places = dict(zip(upstreams, ("us/us-1", "us/us-2", "us/us-3", "eu/x")))
    policy = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
    running = owner.gateway(resources(places, policy), labels=HERE)
    assert answers(running) == {"near": 15, "zone": 15, "region": 15, "far": 15}


def test_failover_to_a_region_comes_before_others(owner, upstreams):
    near, wanted, other, _ = upstreams
    setting = {"failover": [{"from": "us", "to": "asia"}]}
    places = {near: "us/us-1", wanted: "asia/x", other: "eu/x"}
    policy = {"outlierDetection": WATCHED, "loadBalancer": {"localityLbSetting": setting}}
    running = owner.gateway(resources(places, policy), labels=HERE)
    assert answers(running) == {"near": 60}
    eject(running, near)
    assert answers(running) == {"zone": 60}


def test_distribute_gives_shares_to_localities(owner, upstreams):
    near, zone, region, far = upstreams
    distribute = [{"from": "us/us-1/*", "to": {"us/us-1/*": 60, "us/us-2/*": 40}}]
    policy = {"loadBalancer": {"localityLbSetting": {"distribute": distribute}}}
    places = dict(zip(upstreams, ("us/us-1", "us/us-2", "us/us-3", "eu/x")))
    running = owner.gateway(resources(places, policy), labels={**LABELS, "istio-locality": "us.us-1"})
    found = answers(running, 400)
    assert set(found) == {"near", "zone"} and 190 <= found["near"] <= 290, found
    assert facts(running, near)["zone"] == "us-1" and facts(running, far) == {}


def test_the_own_zone_serves_itself(owner, upstreams):
    places = dict(zip(upstreams, ("us/us-1", "us/us-1", "us/us-2", "us/us-2")))
    policy = {"loadBalancer": {"zoneAwareLbSetting": {"enabled": True, "minClusterSize": 2}}}
    running = owner.gateway(resources(places, policy), labels=HERE)
    assert set(answers(running)) == {"near", "zone"}


def test_the_third_attempt_goes_to_another_locality(owner, upstreams):
    near, also, _, far = upstreams
    near.fails = also.fails = True
    places = {near: "us/us-1", also: "us/us-1", far: "eu/x"}
    # Nothing is ejected: the priority stays where it is, and only retries leave it.
    policy = {"outlierDetection": {**WATCHED, "consecutive5xxErrors": 0}}

    def served(remote: bool, attempts: int) -> set[int]:
        retries = {"attempts": attempts, "retryOn": "5xx", "retryRemoteLocalities": remote, "backoff": "1ms",
                   "retryIgnorePreviousHosts": False}
        running = owner.gateway(resources(places, policy, retries=retries), labels=HERE)
        return {get(running.port()).status for _ in range(10)}

    assert served(False, 3) == {500}
    assert served(True, 1) == {500}
    assert served(True, 2) == {200}


@pytest.mark.parametrize("simple", ["ROUND_ROBIN", "LEAST_REQUEST"])
def test_a_new_endpoint_warms_up(owner, upstreams, simple):
    """It begins with a tenth of its share; the one that was there keeps its own."""
    old, new = upstreams[:2]
    plain = {"loadBalancer": {"simple": simple}}
    warm = {"loadBalancer": {"simple": simple, "warmup": {"duration": "1h", "minimumPercent": 10}}}
    running = owner.gateway(resources({old: ""}, plain))
    running.configure(resources({old: "", new: ""}, warm))
    running.reload_and_wait()
    found = answers(running, 110)
    assert 1 <= found["zone"] <= 30 and (simple != "ROUND_ROBIN" or 9 <= found["zone"] <= 11), found


def test_endpoints_that_come_together_are_alike(owner, upstreams):
    policy = {"loadBalancer": {"simple": "ROUND_ROBIN", "warmup": {"duration": "1h"}}}
    running = owner.gateway(resources({upstream: "" for upstream in upstreams}, policy))
    assert set(answers(running).values()) == {15}


def test_warm_endpoints_get_their_share(owner, upstreams):
    old, new = upstreams[:2]
    running = owner.gateway(resources({old: ""}, {"loadBalancer": {"simple": "ROUND_ROBIN"}}))
    # The form that came before `warmup`.
    running.configure(resources({old: "", new: ""}, {"loadBalancer": {
        "simple": "ROUND_ROBIN", "warmupDurationSecs": "1s"}}))
    running.reload_and_wait()
    eventually(lambda: answers(running, 20) == {"near": 10, "zone": 10}, "both get the same")


def test_an_endpoint_that_returns_warms_up(owner, upstreams):
    """The one that was ejected begins anew."""
    old, ill = upstreams[:2]
    plain = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
    detection = {**WATCHED, "interval": "1s", "baseEjectionTime": "100ms"}
    policy = {"loadBalancer": {"simple": "ROUND_ROBIN", "warmup": {"duration": "1h", "minimumPercent": 10}},
              "outlierDetection": detection}
    running = owner.gateway(resources({old: "", ill: ""}, plain))
    running.configure(resources({old: "", ill: ""}, policy))
    running.reload_and_wait()
    assert answers(running, 20) == {"near": 10, "zone": 10}
    eject(running, ill)
    ill.fails = False
    eventually(lambda: facts(running, ill)["health_flags"] == "healthy", "it is back")
    found = answers(running, 110)
    assert 9 <= found["zone"] <= 11, found
