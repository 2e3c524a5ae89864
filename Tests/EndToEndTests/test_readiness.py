"""Readiness that follows the upstream: probes, thresholds, reasons, the chain, the overlay's curl."""

import json
import threading

import pytest

from harness.configuration import (as_yaml, destination_rule, dns_entry, gateway, http_server, route, static_entry,
                                   to_upstream, upstream_probe, virtual_service)
from harness.gateway import run_verb
from harness.http_client import get
from harness.ports import free_port
from harness.upstreams import answering, response, server_context
from harness.waiting import eventually

HOST = "upstream.example"


class Probed:
    """An upstream whose probe answers as the test says; it counts the probes."""

    def __init__(self, owner, path: str = "/status/200"):
        self.status = "200 OK"
        self.path = path
        self.upstream = owner.upstream(answering(self._answer))

    def _answer(self, request) -> bytes:
        return response("ok", self.status if request.target == self.path else "200 OK")

    @property
    def probes(self) -> int:
        return sum(request.target == self.path for request in self.upstream.requests)

    def wait_for_probes(self, more: int) -> None:
        target = self.probes + more
        eventually(lambda: self.probes >= target, f"{more} more probes")


@pytest.fixture
def probed(owner):
    return Probed(owner)


def start(owner, probed, **probe):
    return owner.gateway(to_upstream(probed.upstream.port) + [upstream_probe(HOST, 80, path=probed.path, **probe)])


def test_without_a_probe_an_instance_is_ready_when_it_serves(owner):
    running = owner.gateway(to_upstream(free_port()))
    running.wait_until_ready()


def test_ready_while_the_upstream_is_healthy(owner, probed):
    running = start(owner, probed)
    running.wait_until_ready()
    assert probed.probes >= 1


def test_not_ready_before_the_first_good_probe(owner, probed):
    probed.status = "500 Internal Server Error"
    running = start(owner, probed)
    status, body = running.health(query="?verbose")
    assert status == 503 and HOST in body
    probed.status = "200 OK"
    running.wait_until_ready()


def test_a_failing_upstream_makes_it_unready_and_it_comes_back(owner, probed):
    running = start(owner, probed, failures=2)
    running.wait_until_ready()
    probed.status = "503 Service Unavailable"
    body = running.wait_until_ready(False)
    assert HOST in body and "503" in body
    probed.status = "200 OK"
    running.wait_until_ready()


def test_a_dead_upstream_makes_it_unready_and_it_comes_back(owner):
    nginx = owner.nginx()
    running = owner.gateway(to_upstream(nginx.plain) + [upstream_probe(HOST, 80, path="/status/200")])
    running.wait_until_ready()
    nginx.stop()
    assert HOST in running.wait_until_ready(False)
    nginx.start()
    running.wait_until_ready()


def test_a_single_lost_probe_changes_nothing(owner, probed):
    running = start(owner, probed, failures=3)
    running.wait_until_ready()
    seen = set()
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            seen.add(running.health()[0])
            stop.wait(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    probed.status = "500 Internal Server Error"
    probed.wait_for_probes(1)
    probed.status = "200 OK"
    probed.wait_for_probes(2)
    stop.set()
    watcher.join()
    assert seen == {200}


def test_the_success_threshold_is_kept(owner, probed):
    running = start(owner, probed, failures=1, successThreshold=3)
    running.wait_until_ready()
    probed.status = "500 Internal Server Error"
    running.wait_until_ready(False)
    before = probed.probes
    probed.status = "200 OK"
    running.wait_until_ready()
    assert probed.probes - before >= 3


def test_a_probe_that_gets_no_answer_in_time_has_failed(owner):
    hang = threading.Event()

    def script(connection):
        while (request := connection.read_request()) is not None:
            if hang.is_set():
                connection.wait_for_end()
                return
            connection.send(response())

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port) + [upstream_probe(HOST, 80, failures=1, timeoutSeconds=1)])
    running.wait_until_ready()
    hang.set()
    assert HOST in running.wait_until_ready(False)
    hang.clear()
    running.wait_until_ready()


def test_a_tcp_probe_only_connects(owner):
    upstream = owner.upstream()
    probe = upstream_probe(HOST, 80)
    del probe["spec"]["probe"]["httpGet"]
    probe["spec"]["probe"]["tcpSocket"] = {"port": upstream.port}
    running = owner.gateway(to_upstream(upstream.port) + [probe])
    running.wait_until_ready()
    assert upstream.requests == []
    upstream.stop()
    running.wait_until_ready(False)


def test_the_probe_uses_the_clusters_tls(owner, authority):
    upstream = owner.upstream(tls=server_context(authority.issue("up.example")))
    resources = [gateway(http_server("*")), dns_entry("up.example", 443, port=443, protocol="HTTPS"),
                 virtual_service(route("up.example", 443, "s")),
                 destination_rule("up.example", subsets=[{"name": "s", "trafficPolicy": {"tls": {"mode": "SIMPLE"}}}]),
                 upstream_probe("up.example", 443, subset="s")]
    flags = ("--resolve", f"up.example:443:127.0.0.1:{upstream.port}")
    trusting = owner.gateway(resources, flags=flags, environment={"SSL_CERT_FILE": str(authority.certificate)})
    trusting.wait_until_ready()
    assert set(upstream.server_names) == {"up.example"}
    doubting = owner.gateway(resources, flags=flags, name="doubting")
    doubting.process.wait_until(lambda: "verif" in doubting.health(query="?verbose")[1].lower(), "says why")
    assert doubting.health()[0] == 503


def test_a_redirect_answer_of_a_probe_is_healthy_and_a_client_error_is_not(owner, probed):
    running = start(owner, probed, failures=1)
    running.wait_until_ready()
    probed.status = "302 Found"
    probed.wait_for_probes(2)
    assert running.health()[0] == 200
    probed.status = "404 Not Found"
    running.wait_until_ready(False)


def test_probes_of_hosts_that_the_instance_does_not_route_to_are_not_run(owner, probed):
    other = Probed(owner)
    running = owner.gateway(to_upstream(probed.upstream.port) + [
        static_entry("other.example", other.upstream.port), upstream_probe("other.example", 80, path=other.path, name="o"),
        upstream_probe(HOST, 80, path=probed.path)])
    running.wait_until_ready()
    probed.wait_for_probes(2)
    assert other.probes == 0


@pytest.mark.parametrize("change, reason", [
    ({"host": "nothere.test"}, 'Referenced host not found: "nothere.test"'),
    ({"port": 81}, f'Referenced host:port not found: "{HOST}:81"'),
    ({"subset": "zz"}, f'Referenced host+subset in destinationrule not found: "{HOST}+zz"'),
])
def test_a_probe_of_what_is_not_there_makes_it_unready_and_says_so(owner, probed, tmp_path, change, reason):
    probe = upstream_probe(HOST, 80, path=probed.path)
    wrong = upstream_probe(HOST, 80, path=probed.path, name="wrong")
    wrong["spec"].update(change)
    resources = to_upstream(probed.upstream.port) + [probe]
    running = owner.gateway([*resources, wrong], wait="live")
    probed.wait_for_probes(2)
    assert f"UpstreamProbe test/wrong: {reason}" in running.wait_until_ready(False)
    checks = json.loads(running.health(query="?verbose")[1])["checks"]
    assert {"name": "UpstreamProbe test/wrong", "ready": False, "reason": reason} in checks
    assert reason in running.process.stderr
    status = run_verb("status", "--admin-base", running.admin_base).stdout
    assert reason in status
    (tmp_path / "config.yaml").write_text(as_yaml([*resources, wrong]))
    checked = run_verb("check", tmp_path)
    assert checked.returncode == 79 and f"error[IST0101]: {reason}" in checked.stdout
    running.configure(resources)
    running.reload_and_wait()
    running.wait_until_ready()


def test_a_reload_that_breaks_a_probe_keeps_its_last_version(owner, probed):
    resources = to_upstream(probed.upstream.port)
    running = owner.gateway([*resources, upstream_probe(HOST, 80, path=probed.path, failures=1)])
    running.wait_until_ready()
    running.configure([*resources, upstream_probe("nothere.test", 80, path=probed.path, failures=1)])
    running.reload_and_wait()
    probed.wait_for_probes(2)
    running.wait_until_ready()
    probed.status = "500 Internal Server Error"
    assert "HTTP status 500" in running.wait_until_ready(False)


def test_a_probe_of_another_namespace_of_what_nobody_has_leaves_it_ready(owner, probed):
    other = upstream_probe("nothere.test", 80, name="other", namespace="elsewhere")
    running = owner.gateway(to_upstream(probed.upstream.port) + [other])
    running.wait_until_ready()
    assert 'Referenced host not found: "nothere.test"' in running.process.stderr


def test_the_body_says_why_as_json(owner, probed):
    running = start(owner, probed, failures=1)
    running.wait_until_ready()
    assert running.health()[0] == 200
    probed.status = "500 Internal Server Error"
    running.wait_until_ready(False)
    for status, body in (running.health(query="?verbose"), running.health(headers={"Accept": "application/json"})):
        assert status == 503 and HOST in json.dumps(json.loads(body))


def test_liveness_does_not_follow_the_upstream(owner, probed):
    probed.status = "500 Internal Server Error"
    running = start(owner, probed, failures=1)
    running.wait_until_ready(False)
    assert running.health("live")[0] == 200


def test_traffic_is_still_served_while_not_ready(owner, probed):
    """Readiness steers load balancers in front; a request that comes all the same is tried."""
    probed.status = "500 Internal Server Error"
    probe = upstream_probe(HOST, 80, path=probed.path, failures=1)
    probe["spec"]["gates"] = ["readiness"]
    running = owner.gateway(to_upstream(probed.upstream.port) + [probe])
    running.wait_until_ready(False)
    assert get(running.port()).status == 200


def test_an_unhealthy_endpoint_gets_no_traffic(owner):
    good, bad = Probed(owner), Probed(owner)
    bad.status = "500 Internal Server Error"
    running = owner.gateway(to_upstream(good.upstream.port, bad.upstream.port) + [
        upstream_probe(HOST, 80, path=good.path, failures=1)])
    running.wait_until_ready()
    bad.wait_for_probes(2)
    for _ in range(30):
        assert get(running.port(), "/traffic").status == 200
    assert not any(request.target == "/traffic" for request in bad.upstream.requests[-20:])


def test_a_reload_keeps_unhealthy_endpoints_out_for_as_long_as_they_are_probed(owner):
    good, bad = Probed(owner), Probed(owner)
    bad.status = "500 Internal Server Error"
    resources = to_upstream(good.upstream.port, bad.upstream.port)
    probe = upstream_probe(HOST, 80, path=good.path, failures=1)
    running = owner.gateway([*resources, probe])

    def flags() -> list[str]:
        return [line.split("::")[-1] for line in running.admin("/clusters")[1].splitlines() if "health_flags" in line]

    eventually(lambda: flags() == ["healthy", "/failed_active_hc"], "the verdict is there")
    changed = destination_rule(HOST, {"connectionPool": {"tcp": {"connectTimeout": "7s"}}})
    running.configure([*resources, probe, changed])
    running.reload_and_wait()
    assert flags() == ["healthy", "/failed_active_hc"]
    running.configure([*resources, changed])
    running.reload_and_wait()
    assert flags() == ["healthy", "healthy"]


def test_the_minimum_of_healthy_endpoints_is_kept(owner):
    good, bad = Probed(owner), Probed(owner)
    probe = upstream_probe(HOST, 80, path=good.path, failures=1)
    probe["spec"]["minHealthyPercent"] = 60
    running = owner.gateway(to_upstream(good.upstream.port, bad.upstream.port) + [probe])
    running.wait_until_ready()
    bad.status = "500 Internal Server Error"
    running.wait_until_ready(False)
    bad.status = "200 OK"
    running.wait_until_ready()


def test_the_chain_states_the_reason_of_the_link_below(owner, probed):
    egress = start(owner, probed, failures=1)
    ingress = owner.gateway(to_upstream(egress.port()) + [
        upstream_probe(HOST, 80, path="/healthz/ready", http_port=egress.health_port, failures=1)], name="ingress")
    egress.wait_until_ready()
    ingress.wait_until_ready()
    probed.status = "500 Internal Server Error"
    assert "HTTP status 500" in egress.wait_until_ready(False)
    # The ingress's own probe got a 503; the 500 is what the last link had.
    reason = ingress.wait_until_ready(False)
    assert "HTTP status 503" in reason and "HTTP status 500" in reason
    probed.status = "200 OK"
    ingress.wait_until_ready()


def test_the_curl_of_an_operators_overlay_becomes_a_probe(owner):
    upstream = Probed(owner, "/status/200")
    operator = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: empty
  namespace: test
  components:
    egressGateways:
    - name: egress
      enabled: true
      label: {app: gateway}
      k8s:
        overlays:
        - kind: Deployment
          name: egress
          patches:
          - path: spec.template.spec.containers[0].readinessProbe
            value:
              failureThreshold: 2
              exec:
                command: [/bin/sh, -c, "curl http://localhost:15021/healthz/ready && curl http://upstream.example/status/200"]
              initialDelaySeconds: 0
              periodSeconds: 1
              successThreshold: 1
              timeoutSeconds: 1
"""
    running = owner.gateway({"operator.yaml": operator, "routes.yaml": to_upstream(upstream.upstream.port)},
                            instance="egress")
    running.wait_until_ready()
    assert upstream.probes >= 1
    upstream.status = "500 Internal Server Error"
    assert HOST in running.wait_until_ready(False)
    upstream.status = "200 OK"
    running.wait_until_ready()


def test_a_readiness_probe_that_is_not_understood_is_said(owner):
    operator = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: empty
  namespace: test
  components:
    egressGateways:
    - name: egress
      enabled: true
      label: {app: gateway}
      k8s:
        readinessProbe: {exec: {command: [cat, /tmp/ready]}}
"""
    running = owner.gateway({"operator.yaml": operator, "routes.yaml": to_upstream(free_port())}, instance="egress")
    running.wait_until_ready()
    assert 'operator.yaml:13:54: warning[SP1001]: readiness probe of test/egress: "cat /tmp/ready" is not acted on' in (
        running.process.stderr)


def test_the_method_and_the_fields_of_an_overlays_curl_are_asked_with(owner):
    upstream = owner.upstream(answering(
        lambda request: response("ok", "200 OK" if (request.method, request.header("x-key")) == ("POST", "k")
                                 else "405 Method Not Allowed")))
    operator = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: empty
  namespace: test
  components:
    egressGateways:
    - name: egress
      enabled: true
      label: {app: gateway}
      k8s:
        readinessProbe:
          periodSeconds: 1
          exec: {command: [curl, -XPOST, -H, "X-Key: k", "http://upstream.example/"]}
"""
    running = owner.gateway({"operator.yaml": operator, "routes.yaml": to_upstream(upstream.port)}, instance="egress",
                            wait="live")
    running.wait_until_ready()


def test_healthcheck_exits_0_when_ready_and_not_otherwise(owner, probed):
    running = start(owner, probed, failures=1)
    running.wait_until_ready()
    flags = ("--admin-base", running.admin_base)
    assert run_verb("healthcheck", *flags).returncode == 0
    probed.status = "500 Internal Server Error"
    running.wait_until_ready(False)
    result = run_verb("healthcheck", *flags)
    assert result.returncode not in (0, 64)
    assert HOST in result.stdout + result.stderr


def test_healthcheck_of_nobody_is_exit_69():
    assert run_verb("healthcheck", "--admin-base", free_port()).returncode == 69


def test_a_probe_with_an_unknown_field_is_an_error(tmp_path):
    probe = upstream_probe(HOST, 80)
    probe["spec"]["probe"]["periodSecond"] = 1
    (tmp_path / "config.yaml").write_text(as_yaml(to_upstream(1) + [probe]))
    result = run_verb("check", tmp_path)
    assert result.returncode != 0 and "periodSeconds" in result.stdout + result.stderr


# gRPC and HTTP/2


@pytest.mark.parametrize("service", ["", "shop.Orders"])
def test_a_grpc_probe_follows_the_health_service(owner, service):
    """The standard health service of a real server: SERVING, NOT_SERVING, and back."""
    import concurrent.futures

    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
        running = owner.gateway([
            gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
            static_entry("upstream.example", port, protocol="GRPC"),
            upstream_probe("upstream.example", 80, failures=1, kind={"grpc": {"service": service}})], wait="live")
        running.wait_until_ready()
        servicer.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)
        assert "NOT_SERVING" in running.wait_until_ready(False)
        servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
        running.wait_until_ready()
    finally:
        server.stop(None).wait(10)


def test_an_http_probe_of_an_http2_upstream_speaks_http2(owner):
    from harness.http2 import HEADERS, Upstream

    status = ["200"]

    def script(peer, number):
        got = peer.read_until(HEADERS)
        assert dict(got.fields)[":path"] == "/health"
        peer.send(peer.headers(got.stream, [(":status", status[0])]))
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
        static_entry("upstream.example", upstream.port, protocol="HTTP2"),
        upstream_probe("upstream.example", 80, path="/health", failures=1)], wait="live")
    running.wait_until_ready()
    status[0] = "500"
    assert "HTTP status 500" in running.wait_until_ready(False)
