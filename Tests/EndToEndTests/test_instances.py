"""Which resources are an instance's own, and many instances beside each other."""

from harness.configuration import IDENTITY, as_yaml, gateway, http_server, route, static_entry, to_upstream, virtual_service
from harness.gateway import run_verb
from harness.http_client import get
from harness.ports import free_admin_base, free_port
from harness.upstreams import answering, response

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: gateways, namespace: istio-system}
spec:
  profile: empty
  components:
    egressGateways:
    - name: one-egress
      namespace: one
      enabled: true
      label: {istio: egressgateway, custom-egress: one}
    - name: two-egress
      namespace: two
      enabled: true
      label: {istio: egressgateway, custom-egress: two}
"""


def named_upstream(owner, name: str):
    return owner.upstream(answering(lambda request: response(name)))


def per_instance(name: str, upstream_port: int) -> list[dict]:
    """A Gateway picked out by canonical name, its route and its upstream."""
    return [
        gateway(http_server(f"{name}.example"), name=f"{name}-gateway", namespace=name,
                selector={"istio": "egressgateway", "service.istio.io/canonical-name": f"{name}-egress"}),
        virtual_service(route(f"{name}.upstream", 80), hosts=(f"{name}.example",), gateways=(f"{name}-gateway",),
                        name=name, namespace=name),
        {**static_entry(f"{name}.upstream", upstream_port), "metadata": {"name": name, "namespace": name}}]


def test_instances_of_one_configuration_serve_their_own_gateways_only(owner):
    resources = {"operator.yaml": OPERATOR}
    for name in ("one", "two"):
        resources[f"{name}.yaml"] = as_yaml(per_instance(name, named_upstream(owner, name).port))
    one = owner.gateway(resources, instance="one-egress", name="one")
    two = owner.gateway(resources, instance="two-egress", name="two")
    assert get(one.port(), host="one.example").text == "one"
    assert get(two.port(), host="two.example").text == "two"
    assert get(one.port(), host="two.example").status == 404
    assert get(two.port(), host="one.example").status == 404


def test_a_selector_must_match_in_full(owner, nginx):
    matching = gateway(http_server("yes.example"), name="yes", selector={"app": "gateway", "tier": "edge"})
    other = gateway(http_server("no.example"), name="no", selector={"app": "gateway", "tier": "core"})
    resources = [matching, other, static_entry("upstream.example", nginx.plain),
                 virtual_service(route("upstream.example", 80), gateways=("yes", "no"))]
    running = owner.gateway(resources, labels={"app": "gateway", "tier": "edge", "more": "labels"})
    assert get(running.port(), host="yes.example").status == 200
    assert get(running.port(), host="no.example").status == 404


def test_an_absent_selector_matches_every_instance(owner, nginx):
    resources = to_upstream(nginx.plain)
    del resources[0]["spec"]["selector"]
    assert get(owner.gateway(resources, labels={"any": "thing"}).port()).status == 200


def test_a_deployment_gives_an_instance_its_labels(owner, nginx):
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge", "namespace": "test"},
                  "spec": {"selector": {"matchLabels": {"app": "gateway"}}, "template": {
                      "metadata": {"labels": {"app": "gateway"}},
                      "spec": {"containers": [{"name": "proxy", "image": "auto"}]}}}}
    assert get(owner.gateway([*to_upstream(nginx.plain), deployment], instance="edge").port()).status == 200


def test_an_instance_that_nothing_declares_is_refused_by_name(tmp_path):
    (tmp_path / "operator.yaml").write_text(OPERATOR)
    result = run_verb("run", tmp_path, "--instance", "one-egres", "--admin-base", free_admin_base())
    assert result.returncode in (64, 66, 78)
    assert "one-egres" in result.stderr and "one-egress" in result.stderr


def test_a_port_in_use_is_exit_77_naming_the_address(owner, nginx):
    first = owner.gateway(to_upstream(nginx.plain))
    second = owner.gateway(to_upstream(nginx.plain), ports=(), wait=None, name="second",
                           flags=("--publish", f"{first.port()}:80"))
    assert second.process.wait() == 77
    assert str(first.port()) in second.process.stderr


def test_with_one_port_in_use_the_others_are_served_and_no_more_is_claimed(owner, nginx):
    first = owner.gateway(to_upstream(nginx.plain))
    resources = [gateway(http_server("*"), http_server("*", port=81)), *to_upstream(nginx.plain)[1:]]
    second = owner.gateway(resources, ports=(80,), name="second", wait="live", flags=("--publish", f"{first.port()}:81"))
    assert get(second.port()).status == 200
    status, body = second.health(query="?verbose")
    assert status == 503 and str(first.port()) in body
    said = next(line for line in second.process.stderr.splitlines() if " serves " in line)
    assert str(second.port()) in said and str(first.port()) not in said


def test_an_admin_port_in_use_is_exit_77(owner, nginx):
    first = owner.gateway(to_upstream(nginx.plain))
    second = owner.gateway(to_upstream(nginx.plain), wait=None, name="second", admin_base=first.admin_base)
    assert second.process.wait() == 77


def test_two_gateways_that_want_one_socket_for_different_things_are_both_named(tmp_path):
    tcp = {"port": {"number": 80, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]}
    resources = [gateway(http_server("*"), name="web"), gateway(tcp, name="database")]
    (tmp_path / "config.yaml").write_text(as_yaml(resources))
    result = run_verb("check", *IDENTITY, tmp_path)
    said = result.stdout + result.stderr
    assert result.returncode != 0, said
    assert "web" in said and "database" in said


def test_bind_chooses_the_address(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain), bind="127.0.0.2")
    assert get(running.port(), address="127.0.0.2").status == 200
    try:
        get(running.port(), address="127.0.0.1")
    except ConnectionRefusedError:
        return
    raise AssertionError("also bound on 127.0.0.1")


def test_the_labels_of_a_gateway_port_do_not_leak_between_ports(owner, nginx):
    """Two ports of one Gateway are two listeners with their own hosts."""
    resources = [gateway(http_server("a.example", port=80), http_server("b.example", port=8080)),
                 virtual_service(route("upstream.example", 80)), static_entry("upstream.example", nginx.plain)]
    running = owner.gateway(resources, ports=(80, 8080))
    assert get(running.port(80), host="a.example").status == 200
    assert get(running.port(80), host="b.example").status == 404
    assert get(running.port(8080), host="b.example").status == 200


def test_several_workers_share_a_port(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain), workers=4)
    assert {get(running.port()).status for _ in range(40)} == {200}


def test_a_free_port_is_not_needed_for_gateways_of_others(owner, nginx):
    """A Gateway that is not ours binds nothing, even where its port is taken."""
    taken = free_port()
    foreign = gateway(http_server("*", port=taken), name="foreign", selector={"app": "other"})
    running = owner.gateway([*to_upstream(nginx.plain), foreign])
    assert get(running.port()).status == 200


def test_service_ports_of_a_component_are_translated(owner, nginx):
    port = free_port()
    component = OPERATOR.replace("custom-egress: one}", "custom-egress: one}\n      k8s: {service: {ports: [{name: http, "
                                 f"port: 80, targetPort: {port}}}]}}}}")
    resources = {"operator.yaml": component, "one.yaml": as_yaml(per_instance("one", nginx.plain))}
    owner.gateway(resources, instance="one-egress", ports=(), wait="live")
    assert get(port, host="one.example").status == 200


def test_a_named_target_port_is_looked_up_in_the_deployment(owner, nginx):
    port = free_port()
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge", "namespace": "one"}, "spec": {
        "selector": {"app": "edge"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]}}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one-edge", "namespace": "one"},
        "spec": {"selector": {"matchLabels": {"app": "edge"}}, "template": {
            "metadata": {"labels": {"app": "edge"}},
            "spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": port}]}]}}}}
    routes = per_instance("one", nginx.plain)
    routes[0]["spec"]["selector"] = {"app": "edge"}
    owner.gateway([service, deployment, *routes], instance="one-edge", ports=(), wait="live")
    assert get(port, host="one.example").status == 200


def test_a_named_target_port_that_nobody_has_is_said(tmp_path):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge", "namespace": "one"}, "spec": {
        "selector": {"istio": "egressgateway"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]}}
    (tmp_path / "all.yaml").write_text(OPERATOR + "---\n" + as_yaml([service, *per_instance("one", 1)]))
    result = run_verb("check", tmp_path, "--instance", "one-egress")
    assert "warning[SP1065]: targetPort \"web\" of Service one/edge names no container port" in result.stdout
