"""Loading: files, directories, stdin, lists, versions; strictness; every error with its place."""

import json
import re

import pytest
import yaml

from harness.configuration import (IDENTITY, as_yaml, gateway, http_server, resource, route, static_entry, tls_secret,
                                   to_upstream, upstream_probe, virtual_service)
from harness.gateway import run_verb
from harness.http_client import get


def check(tmp_path, content, *flags: str):
    """`sallyport check` over one file."""
    path = tmp_path / "config.yaml"
    path.write_text(as_yaml(content))
    return run_verb("check", *IDENTITY, *flags, path)


def output(result) -> str:
    return result.stdout + result.stderr


# What loads


def test_directories_are_read_recursively_with_both_extensions(owner, nginx):
    resources = to_upstream(nginx.plain)
    running = owner.gateway({"a/one.yaml": resources[:1], "b/c/two.yml": resources[1:], "notes.txt": "not: [yaml"})
    assert get(running.port()).status == 200


def test_many_documents_with_empty_ones_and_comments(owner, nginx):
    text = "---\n# nothing\n---\n" + as_yaml(to_upstream(nginx.plain)) + "---\n"
    assert get(owner.gateway(text).port()).status == 200


def test_stdin_is_a_source(tmp_path, nginx):
    result = run_verb("check", "-", stdin=as_yaml(to_upstream(nginx.plain)))
    assert result.returncode == 0, output(result)
    result = run_verb("check", "-", stdin="apiVersion: v1\nkind: [")
    assert result.returncode == 65, output(result)


def test_several_paths_are_one_configuration(owner, nginx, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    resources = to_upstream(nginx.plain)
    first.write_text(as_yaml(resources[:1]))
    second.write_text(as_yaml(resources[1:]))
    assert run_verb("check", first, second).returncode == 0
    assert run_verb("check", second).returncode != 0


def test_kubectl_output_loads_as_it_is(owner, nginx):
    items = to_upstream(nginx.plain)
    for number, item in enumerate(items):
        item["metadata"] |= {
            "uid": f"00000000-0000-0000-0000-00000000000{number}", "resourceVersion": "12345", "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"a": "b"})},
            "managedFields": [{"apiVersion": item["apiVersion"], "fieldsType": "FieldsV1", "manager": "kubectl",
                               "operation": "Update", "time": "2026-01-02T03:04:05Z", "fieldsV1": {"f:spec": {}}}]}
        item["status"] = {"validationMessages": []}
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
    assert get(owner.gateway(listed).port()).status == 200


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha3"])
def test_every_served_version_of_the_networking_kinds_loads(owner, nginx, version):
    resources = to_upstream(nginx.plain)
    for item in resources:
        item["apiVersion"] = f"networking.istio.io/{version}"
    assert get(owner.gateway(resources).port()).status == 200


@pytest.mark.parametrize("protocol", ["http", "Http", "HTTP"])
def test_protocol_names_are_case_insensitive(owner, nginx, protocol):
    server = http_server("*")
    server["port"]["protocol"] = protocol
    resources = [gateway(server), *to_upstream(nginx.plain)[1:]]
    assert get(owner.gateway(resources).port()).status == 200


def test_secrets_endpoints_deployments_and_operators_load(tmp_path, authority, nginx):
    others = """
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: test}
subsets:
- addresses: [{ip: 127.0.0.1}]
  ports: [{name: http, port: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: test}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: test}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec: {containers: [{name: proxy, image: auto}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: test}
spec: {mtls: {mode: STRICT}}
"""
    resources = as_yaml([*to_upstream(nginx.plain), tls_secret("front", authority.issue("a.example")),
                         upstream_probe("upstream.example", 80)])
    result = check(tmp_path, resources + "---" + others)
    assert result.returncode == 0, output(result)


# What does not load, and how it is said


def test_an_unknown_field_is_an_error_with_place_caret_and_suggestion(tmp_path):
    text = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gateway
  namespace: test
spec:
  selector:
    app: gateway
  servers:
  - port:
      number: 80
      name: http
      protocl: HTTP
    hosts:
    - "*"
"""
    result = check(tmp_path, text)
    said = output(result)
    assert result.returncode != 0
    assert re.search(r"config\.yaml:13:7: error\[\w+\]", said), said
    assert "      protocl: HTTP" in said and "^^^^^^^" in said
    assert 'did you mean "protocol"' in said


@pytest.mark.parametrize("field, value", [
    ("number", "eighty"), ("number", "70000"), ("number", "-1"), ("number", "[80]"), ("protocol", "SPDY"),
])
def test_a_mistyped_value_is_an_error_at_its_place(tmp_path, field, value):
    port = {"number": "80", "name": "http", "protocol": "HTTP"} | {field: value}
    lines = ["apiVersion: networking.istio.io/v1", "kind: Gateway", "metadata: {name: gateway, namespace: test}", "spec:",
             "  servers:", "  - hosts: ['*']", "    port:", *[f"      {key}: {port[key]}" for key in port]]
    result = check(tmp_path, "\n".join(lines) + "\n")
    place = 8 + list(port).index(field)
    assert result.returncode != 0
    assert re.search(rf"config\.yaml:{place}:\d+: error\[", output(result)), output(result)


def test_all_errors_of_all_files_come_in_one_run(tmp_path):
    (tmp_path / "one.yaml").write_text(as_yaml([gateway({**http_server("*"), "bogus": 1})]))
    (tmp_path / "two.yaml").write_text(as_yaml([
        virtual_service({**route("a.example", 80), "bogus": 1}, {**route("a.example", 80), "extra": 2}),
        static_entry("a.example", 1)]))
    said = output(run_verb("check", tmp_path))
    assert len(re.findall(r"one\.yaml:\d+:\d+: error\[", said)) == 1, said
    assert len(re.findall(r"two\.yaml:\d+:\d+: error\[", said)) == 2, said


def test_yaml_that_does_not_parse_is_exit_65_with_its_place(tmp_path):
    result = check(tmp_path, "apiVersion: v1\nkind: Service\nmetadata: {name: a\nspec: {}\n")
    assert result.returncode == 65
    assert re.search(r"config\.yaml:[34]:\d+: error", output(result)), output(result)


def test_a_missing_path_is_exit_66(tmp_path):
    assert run_verb("check", tmp_path / "nowhere").returncode == 66


def test_a_duplicate_key_is_an_error(tmp_path):
    result = check(tmp_path, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: []\n  ports: []\n")
    assert result.returncode != 0
    assert "ports" in output(result)


def test_a_reference_to_a_gateway_that_is_not_there_names_the_likely_one(tmp_path):
    resources = [gateway(http_server("*"), name="my-ingressgateway"),
                 virtual_service(route("a.example", 80), gateways=("my-ingresgateway",)), static_entry("a.example", 1)]
    result = check(tmp_path, resources)
    said = output(result)
    assert result.returncode == 79, said
    assert "IST0101" in said and "my-ingresgateway" in said and 'did you mean "' in said


def test_a_reference_to_a_host_that_is_not_there_is_found(tmp_path):
    result = check(tmp_path, [gateway(http_server("*")), virtual_service(route("nowhere.example", 80))])
    assert result.returncode == 79 and "nowhere.example" in output(result)


def test_a_known_field_that_is_not_acted_on_is_a_visible_warning(tmp_path):
    resources = to_upstream(1)
    resources[0]["spec"]["servers"][0]["defaultEndpoint"] = "127.0.0.1:1"
    result = check(tmp_path, resources)
    assert re.search(r"config\.yaml:\d+:\d+: warning\[", output(result)), output(result)
    assert "defaultEndpoint" in output(result)


def test_port_level_settings_say_which_siblings_they_discard(tmp_path):
    resources = to_upstream(1) + [{
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "rule", "namespace": "test"},
        "spec": {"host": "upstream.example", "trafficPolicy": {
            "loadBalancer": {"simple": "ROUND_ROBIN"},
            "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}]}}}]
    said = output(check(tmp_path, resources))
    assert "loadBalancer" in said and "portLevelSettings" in said, said


def test_a_clean_configuration_is_exit_0(tmp_path):
    result = check(tmp_path, to_upstream(8080))
    assert result.returncode == 0, output(result)


def test_json_output_lists_the_findings_with_their_places(tmp_path):
    result = check(tmp_path, [gateway(http_server("*")), virtual_service(route("nowhere.example", 80))], "--output", "json")
    found = json.loads(result.stdout)
    entries = found if isinstance(found, list) else next(value for value in found.values() if isinstance(value, list))
    assert any("nowhere.example" in json.dumps(entry) and "config.yaml" in json.dumps(entry) for entry in entries)


def test_sarif_output_is_sarif(tmp_path):
    result = check(tmp_path, [gateway(http_server("*")), virtual_service(route("nowhere.example", 80))], "--output", "sarif")
    log = json.loads(result.stdout)
    assert log["version"] == "2.1.0"
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("config.yaml")
    assert location["region"]["startLine"] >= 1


def test_the_failure_threshold_decides_what_fails(tmp_path):
    resources = to_upstream(1)
    resources[0]["spec"]["servers"][0]["defaultEndpoint"] = "127.0.0.1:1"
    assert check(tmp_path, resources).returncode in (0, 79)
    assert check(tmp_path, resources, "--failure-threshold", "Error").returncode == 0
    assert check(tmp_path, resources, "--failure-threshold", "Warning").returncode == 79


def test_one_bad_resource_does_not_take_down_the_good_ones(owner, nginx):
    bad = gateway({**http_server("bad.example"), "bogus": True}, name="bad")
    running = owner.gateway([*to_upstream(nginx.plain), bad])
    assert get(running.port()).status == 200
    assert "bogus" in running.process.stderr


def test_strict_refuses_a_bad_resource_with_exit_78(owner, nginx):
    bad = gateway({**http_server("bad.example"), "bogus": True}, name="bad")
    running = owner.gateway([*to_upstream(nginx.plain), bad], flags=("--strict",), wait=None)
    assert running.process.wait() == 78
    assert "bogus" in running.process.stderr


# Ports on the command line


def test_a_published_port_that_no_gateway_has_ends_the_start_with_exit_64(tmp_path):
    (tmp_path / "config.yaml").write_text(as_yaml(to_upstream(1)))
    result = run_verb("run", *IDENTITY, "--publish", "21080:99", tmp_path)
    assert result.returncode == 64
    assert "no Gateway of the instance has port 99 (they have 80)" in result.stderr


def test_a_published_port_of_a_gateway_that_is_broken_is_a_warning(owner, nginx):
    good, broken = to_upstream(nginx.plain), gateway({"port": {"number": 81, "name": "x", "protocol": "HTTP"}}, name="broken")
    running = owner.gateway([*good, broken], flags=("--publish", "1:81"))
    assert get(running.port()).status == 200
    assert "warning[SP1061]: --publish 1:81: no Gateway of the instance has port 81" in running.process.stderr


# Policies


def test_a_policy_that_is_not_enforced_is_said_in_the_log_once(owner, nginx):
    deny = resource("AuthorizationPolicy", "deny", {
        "selector": {"matchLabels": {"app": "gateway"}}, "action": "DENY",
        "rules": [{"to": [{"operation": {"ports": ["80"]}}]}]}, api="security.istio.io/v1")
    others = resource("AuthorizationPolicy", "others", {"selector": {"matchLabels": {"app": "web"}}},
                      api="security.istio.io/v1")
    running = owner.gateway([*to_upstream(nginx.plain), deny, others])
    assert get(running.port()).status == 200
    running.configure([*to_upstream(nginx.plain), deny, others, gateway(http_server("new.example"), name="new")])
    running.reload_and_wait()
    last = f"configuration {running.generation()} is in force"
    running.process.wait_until(lambda: last in running.process.stderr, "has said all")
    said = [line for line in running.process.stderr.splitlines() if "SP1016" in line]
    assert len(said) == 1
    assert re.search(r"warning\[SP1016\]: AuthorizationPolicy test/deny is not enforced: "
                     r"requests that it denies are answered all the same", said[0])


def test_a_mistake_in_a_policy_is_shown_at_its_place(tmp_path):
    deny = resource("AuthorizationPolicy", "deny", {
        "action": "DENY", "rules": [{"to": [{"operation": {"metods": ["GET"], "ports": ["80"]}}]}]},
        api="security.istio.io/v1")
    result = check(tmp_path, [deny])
    assert result.returncode == 79
    first, code, caret, hint = output(result).splitlines()[:4]
    assert re.search(r"config\.yaml:\d+:\d+: error\[IST0106\]: unknown field \"metods\"$", first)
    assert code.index("metods") == caret.index("^^^^^^")
    assert hint.endswith('= help: did you mean "methods"?')


@pytest.mark.parametrize("policy", [
    resource("AuthorizationPolicy", "closed", {}, api="security.istio.io/v1"),
    resource("RequestAuthentication", "tokens", {"jwtRules": [{"issuer": "i", "jwksUri": "https://i.example/"}]},
             api="security.istio.io/v1"),
])
def test_strict_refuses_policies_that_are_not_enforced(owner, nginx, policy):
    running = owner.gateway([*to_upstream(nginx.plain), policy], flags=("--strict",), wait=None)
    assert running.process.wait() == 78
    name = f"{policy['kind']} test/{policy['metadata']['name']}"
    said = f"the configuration has policies that are not enforced ({name}), and --strict is set"
    assert said in running.process.stderr
    # Whoever says that it is known takes the responsibility.
    policy["metadata"]["annotations"] = {"galley.istio.io/analyze-suppress": "SP1016"}
    known = owner.gateway([*to_upstream(nginx.plain), policy], flags=("--strict",))
    assert get(known.port()).status == 200
    del policy["metadata"]["annotations"]
    known.configure([*to_upstream(nginx.plain), policy])
    known.reload()
    known.process.wait_until(lambda: "was not reloaded" in known.process.stderr, "refuses the policy")
    refusal = next(line for line in known.process.stderr.splitlines() if "was not reloaded" in line)
    assert f"{name} is not enforced" in refusal
