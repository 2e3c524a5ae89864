"""VirtualServices: which host, which rule, which destination."""

import collections
import pathlib

import pytest

from harness.configuration import (IDENTITY, as_yaml, destination, destination_rule, dns_entry, endpoint_slice, gateway,
                                   http_server, resource, route, service, static_entry, to_upstream, virtual_service)
from harness.gateway import parse_access_line, run_verb
from harness.http_client import Connection, get
from harness.ports import free_admin_base
from harness.upstreams import answering, response

NAMES = ("alpha", "beta", "gamma", "delta")


@pytest.fixture(scope="module")
def named(module_owner):
    """Upstreams that answer with their own name."""
    def script(name):
        return answering(lambda request: response(name))
    return {name: module_owner.upstream(script(name)) for name in NAMES}


def entries(named) -> list[dict]:
    return [static_entry(f"{name}.up", upstream.port) for name, upstream in named.items()]


def to(name: str, **options) -> dict:
    return route(f"{name}.up", 80, **options)


def answers(running, cases, port: int = 80) -> list[tuple]:
    """What each (host, target) is answered with: the upstream's name, or the status."""
    got = []
    for host, target in cases:
        answer = get(running.port(port), target, host=host)
        got.append((host, target, answer.text if answer.status == 200 else answer.status))
    return got


def expect(running, table, port: int = 80):
    """`table`: rows of host, target, upstream's name or status."""
    assert answers(running, [(host, target) for host, target, _ in table], port) == table


# Paths


def test_paths_match_exact_prefix_and_regex_and_the_first_rule_wins(owner, named):
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(
        to("alpha", match={"uri": {"exact": "/one"}}),
        to("beta", match={"uri": {"prefix": "/one"}}),
        to("gamma", match={"uri": {"regex": "/r[0-9]+/.*\\.js"}}),
        to("delta", match=[{"uri": {"exact": "/x"}}, {"uri": {"prefix": "/y/"}}]))])
    host = "h.example"
    expect(running, [
        (host, "/one", "alpha"), (host, "/one?q=1", "alpha"), (host, "/one/", "beta"), (host, "/onetwo", "beta"),
        (host, "/r12/a.js", "gamma"), (host, "/r12/a.jsx", 404), (host, "/r/a.js", 404), (host, "/p/r1/a.js", 404),
        (host, "/r1/a.js?x=/z", "gamma"), (host, "/x", "delta"), (host, "/x/", 404), (host, "/y/z", "delta"),
        (host, "/y", 404), (host, "/", 404), (host, "/ONE", 404)])


def test_an_earlier_wide_rule_hides_a_later_narrow_one(owner, named):
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(
        to("alpha", match={"uri": {"prefix": "/a"}}), to("beta", match={"uri": {"exact": "/api"}}), to("gamma"))])
    expect(running, [("h", "/api", "alpha"), ("h", "/b", "gamma")])


def test_a_rule_without_match_takes_everything(owner, named):
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(to("alpha"), to("beta"))])
    expect(running, [("h", "/", "alpha"), ("h", "/any/where?x", "alpha")])


def test_ignore_uri_case(owner, named):
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(
        to("alpha", match={"uri": {"exact": "/One"}, "ignoreUriCase": True}), to("beta"))])
    expect(running, [("h", "/oNE", "alpha"), ("h", "/two", "beta")])


@pytest.mark.parametrize("target, seen", [
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/%2e%2e/b", "/b"), ("/../b", "/b"), ("/a%41", None), ("/a#frag", "/a"),
])
def test_paths_are_normalised_before_they_are_matched_and_forwarded(owner, target, seen):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port))
    assert get(running.port(), target).status in (200, 400)
    if upstream.requests and seen:
        assert upstream.requests[0].target == seen


# Hosts


def test_exact_hosts_win_over_wildcards_and_longer_wildcards_over_shorter(owner, named):
    running = owner.gateway([gateway(http_server("*")), *entries(named),
                             virtual_service(to("alpha"), hosts=("a.b.example",), name="one"),
                             virtual_service(to("beta"), hosts=("*.b.example",), name="two"),
                             virtual_service(to("gamma"), hosts=("*.example",), name="three"),
                             virtual_service(to("delta"), hosts=("*",), name="four")])
    expect(running, [
        ("a.b.example", "/", "alpha"), ("A.B.Example", "/", "alpha"), ("c.b.example", "/", "beta"),
        ("x.a.b.example", "/", "beta"), ("b.example", "/", "gamma"), ("x.example", "/", "gamma"),
        ("example", "/", "delta"), ("other.test", "/", "delta"), ("a.b.example:8080", "/", "alpha"),
        ("a.b.example:15443", "/", "alpha")])


def test_a_host_outside_gateway_and_virtual_service_is_404_route_not_found(owner, named):
    running = owner.gateway([gateway(http_server("a.example", "*.b.example")), *entries(named),
                             virtual_service(to("alpha"), hosts=("a.example", "x.b.example", "c.example"))])
    expect(running, [("a.example", "/", "alpha"), ("x.b.example", "/", "alpha"), ("y.b.example", "/", 404),
                     ("c.example", "/", 404)])
    line = parse_access_line(running.wait_for_access_line('"c.example"'))
    assert (line["response_code"], line["response_flags"], line["response_code_details"]) == (
        "404", "NR", "route_not_found")


def test_the_narrower_of_the_gateways_host_and_the_virtual_services_host_counts(owner, named):
    running = owner.gateway([gateway(http_server("x.example")), *entries(named),
                             virtual_service(to("alpha"), hosts=("*.example",))])
    expect(running, [("x.example", "/", "alpha"), ("y.example", "/", 404)])


def test_a_namespace_before_a_gateways_host_limits_who_may_bind(owner, named):
    running = owner.gateway([gateway(http_server("mine/a.example", "./b.example", "*/c.example")), *entries(named),
                             virtual_service(to("alpha"), hosts=("a.example", "b.example", "c.example"))])
    expect(running, [("a.example", "/", 404), ("b.example", "/", "alpha"), ("c.example", "/", "alpha")])


def test_short_names_expand_by_the_rules_namespace(owner, named):
    port = named["alpha"].port
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("web", 80)),
        service("web", [{"name": "http", "port": 80, "targetPort": port}]),
        endpoint_slice("web", [{"name": "http", "port": port}], ["127.0.0.1"]),
        service("web", [{"name": "http", "port": 80}], namespace="elsewhere")])
    expect(running, [("h", "/", "alpha")])
    line = parse_access_line(running.wait_for_access_line("GET"))
    assert line["upstream_cluster"] == "outbound|80||web.test.svc.cluster.local"


# Gateways and ports


def test_a_virtual_service_counts_only_for_the_gateways_that_it_names(owner, named):
    running = owner.gateway([
        gateway(http_server("*", port=80), name="one"), gateway(http_server("*", port=81), name="two"), *entries(named),
        virtual_service(to("alpha"), gateways=("one",), name="first"),
        virtual_service(to("beta"), gateways=("test/two",), name="second"),
        virtual_service(to("gamma"), gateways=("mesh",), name="third"),
        resource("VirtualService", "fourth", {"hosts": ["*"], "http": [to("delta")]})], ports=(80, 81))
    expect(running, [("h", "/", "alpha")], 80)
    expect(running, [("h", "/", "beta")], 81)


def test_match_on_gateways_and_port_is_settled_for_each_listener(owner, named):
    running = owner.gateway([
        gateway(http_server("*", port=80), http_server("*", port=81), name="one"),
        gateway(http_server("*", port=82), name="two"), *entries(named),
        virtual_service(to("alpha", match={"gateways": ["test/two"]}), to("beta", match={"port": 81}),
                        to("gamma", match={"uri": {"prefix": "/"}}), gateways=("one", "two"))], ports=(80, 81, 82))
    expect(running, [("h", "/", "gamma")], 80)
    expect(running, [("h", "/", "beta")], 81)
    expect(running, [("h", "/", "alpha")], 82)


def test_virtual_services_of_one_host_merge_by_age_and_catch_alls_go_last(owner, named):
    running = owner.gateway([
        gateway(http_server("*")), *entries(named),
        virtual_service(to("beta", match={"uri": {"prefix": "/a"}}), name="newer", hosts=("h.example",),
                        creationTimestamp="2026-02-01T00:00:00Z"),
        virtual_service(to("alpha", match={"uri": {"prefix": "/a/b"}}), to("gamma"), name="older", hosts=("h.example",),
                        creationTimestamp="2026-01-01T00:00:00Z")])
    expect(running, [("h.example", "/a/b", "alpha"), ("h.example", "/a/c", "beta"), ("h.example", "/d", "gamma")])


def test_without_timestamps_the_order_is_namespace_and_name(owner, named):
    first = virtual_service(to("alpha", match={"uri": {"prefix": "/a"}}), name="a-first", hosts=("h.example",))
    second = virtual_service(to("beta", match={"uri": {"prefix": "/a"}}), name="b-second", hosts=("h.example",))
    running = owner.gateway({"1.yaml": [second], "2.yaml": [first, gateway(http_server("*")), *entries(named)]})
    expect(running, [("h.example", "/a", "alpha")])


# Destinations


def test_weights_divide_the_traffic(owner, named):
    rule = {"route": [{"destination": destination("alpha.up", 80), "weight": 90},
                      {"destination": destination("beta.up", 80), "weight": 10},
                      {"destination": destination("gamma.up", 80), "weight": 0}]}
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(rule)])
    with Connection(running.port()) as connection:
        counts = collections.Counter(connection.request().text for _ in range(1000))
    # Binomial: 100 of 1,000 with a deviation of 9.5; ten deviations either way.
    assert counts["gamma"] == 0 and 5 <= counts["beta"] <= 195, counts
    assert counts["alpha"] + counts["beta"] == 1000


def test_weights_need_not_sum_to_100(owner, named):
    rule = {"route": [{"destination": destination("alpha.up", 80), "weight": 1},
                      {"destination": destination("beta.up", 80), "weight": 1}]}
    running = owner.gateway([gateway(http_server("*")), *entries(named), virtual_service(rule)])
    with Connection(running.port()) as connection:
        counts = collections.Counter(connection.request().text for _ in range(400))
    assert 100 <= counts["alpha"] <= 300, counts


def test_subsets_choose_endpoints_by_label(owner, named):
    entry = resource("ServiceEntry", "web", {
        "hosts": ["web.example"], "resolution": "STATIC", "location": "MESH_EXTERNAL",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": "127.0.0.1", "ports": {"http": named[name].port}, "labels": {"version": version}}
                      for name, version in (("alpha", "v1"), ("beta", "v2"))]})
    rule = destination_rule("web.example", subsets=[{"name": "one", "labels": {"version": "v1"}},
                                                    {"name": "two", "labels": {"version": "v2"}},
                                                    {"name": "none", "labels": {"version": "v3"}}, {"name": "all"}])
    running = owner.gateway([gateway(http_server("*")), entry, rule, virtual_service(
        route("web.example", 80, "one", match={"uri": {"prefix": "/one"}}),
        route("web.example", 80, "two", match={"uri": {"prefix": "/two"}}),
        route("web.example", 80, "none", match={"uri": {"prefix": "/none"}}),
        route("web.example", 80, "missing", match={"uri": {"prefix": "/missing"}}),
        route("web.example", 80, "all"))])
    expect(running, [("h", "/one", "alpha"), ("h", "/two", "beta"), ("h", "/none", 503), ("h", "/missing", 503)])
    with Connection(running.port()) as connection:
        assert {connection.request().text for _ in range(60)} == {"alpha", "beta"}
    line = parse_access_line(running.wait_for_access_line("/none"))
    assert (line["response_flags"], line["response_code_details"]) == ("UH", "no_healthy_upstream")
    line = parse_access_line(running.wait_for_access_line("/missing"))
    assert (line["response_flags"], line["response_code_details"]) == ("NC", "cluster_not_found")


def test_round_robin_takes_turns(owner, named):
    resources = to_upstream(*(upstream.port for upstream in named.values())) + [
        destination_rule("upstream.example", {"loadBalancer": {"simple": "ROUND_ROBIN"}})]
    running = owner.gateway(resources)
    with Connection(running.port()) as connection:
        counts = collections.Counter(connection.request().text for _ in range(40))
    assert counts == dict.fromkeys(NAMES, 10)


@pytest.mark.parametrize("policy", ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "UNSPECIFIED"])
def test_every_policy_uses_every_endpoint(owner, named, policy):
    resources = to_upstream(*(upstream.port for upstream in named.values())) + [
        destination_rule("upstream.example", {"loadBalancer": {"simple": policy}})]
    running = owner.gateway(resources)
    with Connection(running.port()) as connection:
        assert {connection.request().text for _ in range(200)} == set(NAMES)


def test_a_service_with_endpoint_slices_is_called_at_its_pods(owner, named):
    slices = [endpoint_slice("web", [{"name": "http", "port": named[name].port}], ["127.0.0.1"], name=f"web-{name}",
                             ready=ready) for name, ready in (("alpha", True), ("beta", None), ("gamma", False))]
    running = owner.gateway([gateway(http_server("*")), virtual_service(route("web.test.svc.cluster.local", 8000)),
                             service("web", [{"name": "http", "port": 8000, "targetPort": 1}]), *slices])
    with Connection(running.port()) as connection:
        assert {connection.request().text for _ in range(60)} == {"alpha", "beta"}


def test_the_older_endpoints_kind_is_understood(owner, named):
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", "namespace": "test"},
                 "subsets": [{"addresses": [{"ip": "127.0.0.1"}],
                              "ports": [{"name": "http", "port": named["alpha"].port}]}]}
    running = owner.gateway([gateway(http_server("*")), virtual_service(route("web.test.svc.cluster.local", 80)),
                             service("web", [{"name": "http", "port": 80}]), endpoints])
    expect(running, [("h", "/", "alpha")])


def test_a_service_with_one_port_needs_no_port_in_the_route(owner, named):
    port = named["alpha"].port
    running = owner.gateway([gateway(http_server("*")), virtual_service(route("web")),
                             service("web", [{"name": "http", "port": 8000}]),
                             endpoint_slice("web", [{"name": "http", "port": port}], ["127.0.0.1"])])
    expect(running, [("h", "/", "alpha")])


def test_resolution_none_has_no_endpoints_at_a_gateway(owner):
    entry = resource("ServiceEntry", "web", {"hosts": ["web.example"], "resolution": "NONE",
                                             "location": "MESH_EXTERNAL",
                                             "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]})
    running = owner.gateway([gateway(http_server("*")), entry, virtual_service(route("web.example", 80))])
    expect(running, [("h", "/", 503)])


def dynamic_entry(*hosts: str) -> dict:
    return resource("ServiceEntry", "dynamic", {
        "hosts": list(hosts), "resolution": "DYNAMIC_DNS", "location": "MESH_EXTERNAL",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]})


def test_dynamic_names_are_refused_with_the_reason(owner, tmp_path):
    """Where a rule leads there: by `check`, by `run --strict`, in the log, and on a reload."""
    upstream = owner.upstream()
    fine = [gateway(http_server("*")), static_entry("up.example", upstream.port),
            virtual_service(route("up.example", 80)), dynamic_entry("*.example.com")]
    running = owner.gateway(fine, flags=("--strict",))
    expect(running, [("h", "/", "ok")])
    # An entry for the sidecars of the mesh is nobody's mistake.
    assert "DYNAMIC_DNS" not in running.process.stderr
    led = [*fine[:2], virtual_service(route("*.example.com", 80, match={"uri": {"prefix": "/out"}}),
                                      route("up.example", 80)), fine[3]]
    (tmp_path / "led.yaml").write_text(as_yaml(led))
    reason = "has resolution DYNAMIC_DNS, which a gateway does not support"
    checked = run_verb("check", tmp_path / "led.yaml", *IDENTITY)
    assert checked.returncode == 79 and "error[SP1012]" in checked.stdout and reason in checked.stdout
    strict = run_verb("run", tmp_path / "led.yaml", *IDENTITY, "--strict", "--admin-base", free_admin_base())
    assert strict.returncode == 78 and reason in strict.stderr
    # What served goes on.
    running.configure(led)
    running.admin("/reload", method="POST")
    assert reason in running.admin("/server_info")[1]
    expect(running, [("h", "/out", "ok")])
    started = owner.gateway(led)
    expect(started, [("h", "/out", 503), ("h", "/", "ok")])
    line = parse_access_line(started.wait_for_access_line("/out"))
    assert (line["response_flags"], line["response_code_details"]) == ("NC", "cluster_not_found")
    assert reason in started.process.stderr


def test_an_unknown_destination_is_503_cluster_not_found(owner):
    running = owner.gateway([gateway(http_server("*")), virtual_service(route("nowhere.example", 80))])
    assert get(running.port(), "/x").status == 503
    line = parse_access_line(running.wait_for_access_line("/x"))
    assert (line["response_flags"], line["response_code_details"]) == ("NC", "cluster_not_found")


def test_the_authority_may_be_rewritten(owner):
    upstream = owner.upstream()
    running = owner.gateway([gateway(http_server("*")), static_entry("up.example", upstream.port),
                             virtual_service(route("up.example", 80, rewrite={"authority": "new.example"}))])
    assert get(running.port(), host="old.example").status == 200
    assert upstream.requests[0].header("host") == "new.example"


def test_dns_destinations_resolve_the_entrys_host(owner, named):
    server = owner.dns()
    server.addresses("up.example", "127.0.0.1")
    running = owner.gateway([gateway(http_server("*")), dns_entry("up.example", named["alpha"].port),
                             virtual_service(route("up.example", 80))], flags=("--dns-server", server.address))
    expect(running, [("h", "/", "alpha")])


def test_resolve_overrides_where_an_upstream_is_without_touching_its_name(owner, named):
    upstream = owner.upstream()
    running = owner.gateway([gateway(http_server("*")), dns_entry("up.example", 443, port=443),
                             virtual_service(route("up.example", 443, rewrite={"authority": "up.example"}))],
                            flags=("--resolve", f"up.example:443:127.0.0.1:{upstream.port}"))
    assert get(running.port()).status == 200
    assert upstream.requests[0].header("host") == "up.example"


def test_bookinfo_routes_as_in_istios_samples(owner, named):
    folder = pathlib.Path(__file__).resolve().parents[2] / "examples" / "bookinfo"
    files = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    files["services.yaml"] = files["services.yaml"].replace("port: 9080\n  protocol", f"port: {named['alpha'].port}\n  protocol")
    for number, name in ((9081, "beta"), (9082, "gamma"), (9083, "delta")):
        files["reviews.yaml"] = files["reviews.yaml"].replace(str(number), str(named[name].port))
    running = owner.gateway(files, labels={"istio": "ingressgateway"}, namespace="istio-system")
    expect(running, [("h", "/productpage", "alpha"), ("h", "/static/x.css", "alpha"), ("h", "/login", "alpha"),
                     ("h", "/api/v1/products/1", "alpha"), ("h", "/productpages", 404), ("h", "/", 404)])
    with Connection(running.port()) as connection:
        got = {connection.request(host="reviews.example.com").text for _ in range(60)}
    assert got == {"gamma", "delta"}


def test_a_bad_regex_is_an_error_at_its_place(tmp_path):
    (tmp_path / "config.yaml").write_text(as_yaml([
        gateway(http_server("*")), static_entry("up.example", 1),
        virtual_service(route("up.example", 80, match={"uri": {"regex": "/a("}}))]))
    result = run_verb("check", *IDENTITY, tmp_path)
    assert result.returncode != 0 and "/a(" in result.stdout + result.stderr
