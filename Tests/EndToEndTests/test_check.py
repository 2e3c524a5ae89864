"""`check` as a program: what it shows, what it leaves out, how it ends; certificates as they really are."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import pytest
import yaml

from harness.configuration import (IDENTITY, as_yaml, gateway, https_server, route, static_entry, tls_secret, to_upstream,
                                   virtual_service)
from harness.gateway import binary, run_verb

UNREACHABLE = {"match": [{"uri": {"prefix": "/never"}}], "route": [{"destination": {"host": "up.example"}}]}


def resources(*rules: dict, **metadata) -> list[dict]:
    plain = to_upstream(1)
    return [plain[0], static_entry("up.example", 1), virtual_service(*rules, name="routes", **metadata)]


def check(tmp_path, content, *flags: str):
    (tmp_path / "config.yaml").write_text(as_yaml(content))
    return run_verb("check", *IDENTITY, *flags, tmp_path)


def codes(result) -> list[str]:
    return sorted(finding["code"] for finding in json.loads(result.stdout))


@pytest.mark.parametrize("flags, shown, status", [
    ((), True, 0),
    (("--failure-threshold", "warning"), True, 79),
    (("--failure-threshold", "Warning", "--output-threshold", "error"), False, 79),
    (("--failure-threshold", "error"), True, 0),
])
def test_thresholds(tmp_path, flags, shown, status):
    result = check(tmp_path, resources(route("up.example"), UNREACHABLE), *flags)
    assert ("IST0130" in result.stdout) == shown
    assert result.returncode == status


@pytest.mark.parametrize("suppression, left", [
    ("IST0130=VirtualService routes.test", []), ("IST0130=VirtualService *", []), ("*=*.test", []),
    ("IST0130=VirtualService routes.other", ["IST0130"]), ("IST0131=*", ["IST0130"]),
])
def test_suppression_by_flag(tmp_path, suppression, left):
    result = check(tmp_path, resources(route("up.example"), UNREACHABLE), "-o", "json", "-S", suppression)
    assert codes(result) == left


@pytest.mark.parametrize("annotation, left", [("IST0130", []), ("SP1001,IST0130", []), ("*", []), ("IST0131", ["IST0130"])])
def test_suppression_by_annotation(tmp_path, annotation, left):
    result = check(tmp_path, resources(route("up.example"), UNREACHABLE,
                                       annotations={"galley.istio.io/analyze-suppress": annotation}), "-o", "json")
    assert codes(result) == left


def test_a_suppression_of_a_code_that_is_none_is_said(tmp_path):
    content = resources(route("up.example"), annotations={"galley.istio.io/analyze-suppress": "IST9998, IST0134"})
    result = check(tmp_path, content, "-S", "IST9999=*", "-S", "IST013*=*")
    assert result.returncode == 0
    warning = "Supplied message code 'IST9999' is an unknown message code and will not have any effect."
    assert warning in result.stderr and "IST0134" not in result.stderr and "IST013*" not in result.stderr
    assert "warning[IST0125]" in result.stdout and '"IST9998" is an unknown message code' in result.stdout


def test_a_selector_without_an_instance_is_an_error(tmp_path):
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
                "metadata": {"name": "o", "namespace": "istio-system"}, "spec": {"profile": "default"}}
    edge = gateway({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]})
    edge["spec"]["selector"] = {"istio": "ingresgateway"}
    (tmp_path / "config.yaml").write_text(as_yaml([operator, edge]))
    result = run_verb("check", tmp_path)
    assert result.returncode == 79 and "error[IST0101]" in result.stdout, result.stdout
    assert 'did you mean "ingressgateway"?' in result.stdout


@pytest.mark.parametrize("host", ["web.test", "web.test.svc"])
def test_half_a_name_of_a_service_is_completed_in_the_help(tmp_path, host):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "test"},
               "spec": {"ports": [{"name": "http", "port": 80}]}}
    result = check(tmp_path, [*resources(route(host)), service])
    assert result.returncode == 79 and 'did you mean "web.test.svc.cluster.local"?' in result.stdout, result.stdout


def test_a_delegate_that_is_not_exported_is_said_to_be_there(tmp_path):
    delegate = virtual_service(route("up.example"), hosts=(), gateways=(), name="leaf", namespace="other")
    delegate["spec"]["exportTo"] = ["."]
    result = check(tmp_path, [*resources({"delegate": {"name": "leaf", "namespace": "other"}}), delegate])
    assert "exported to its own namespace alone" in result.stdout and "did you mean" not in result.stdout


@pytest.mark.parametrize("spec", [{}, {"workloadSelector": {"labels": {"app": "nobody"}}}])
def test_a_static_entry_without_endpoints_is_said(tmp_path, spec):
    entry = static_entry("up.example", 1)
    del entry["spec"]["endpoints"]
    entry["spec"].update(spec)
    content = [to_upstream(1)[0], entry, virtual_service(route("up.example"))]
    assert codes(check(tmp_path, content, "-o", "json")) == ["SP1012"]


def test_a_code_that_cannot_occur_has_its_reason():
    result = run_verb("check", "--explain", "ist0134")
    assert result.returncode == 0 and "IST0134 cannot occur here: " in result.stdout


def test_sarif_is_what_its_readers_expect(tmp_path):
    (tmp_path / "a b.yaml").write_text(as_yaml(resources(route("up.exampl"))))
    run = json.loads(run_verb("check", *IDENTITY, "-o", "sarif", "a b.yaml", cwd=tmp_path).stdout)["runs"][0]
    result = run["results"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.yaml"
    assert 'did you mean "up.example"' in result["message"]["text"]


# What the members that are written here must be (SARIF 2.1.0, sections 3.27 and 3.49), and nothing else may be there.
SARIF_RULE = {"id": str, "name": str, "shortDescription": dict, "fullDescription": dict, "help": dict}
SARIF_RESULT = {"ruleId": str, "level": str, "message": dict, "locations": list}


def test_sarif_is_as_the_standard_has_it(tmp_path):
    content = resources(route("up.exampl"), UNREACHABLE, {"rout": []})
    (tmp_path / "a b.yaml").write_text(as_yaml(content))
    sarif = json.loads(run_verb("check", *IDENTITY, "-o", "sarif", tmp_path).stdout)
    assert sarif["version"] == "2.1.0" and sarif["$schema"].startswith("https://")
    run, = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert rules and run["results"]
    for members, kinds in [(rule, SARIF_RULE) for rule in rules] + [(result, SARIF_RESULT) for result in run["results"]]:
        assert members.keys() <= kinds.keys() and all(isinstance(value, kinds[key]) for key, value in members.items())
    for rule in rules:
        # A helpUri would have to be absolute.
        assert set(rule["help"]) == {"text", "markdown"} and all(rule["help"].values())
        assert rule["help"]["markdown"].startswith("**Cause.** ")
    for result in run["results"]:
        assert result["level"] in ("note", "warning", "error") and result["ruleId"] in [rule["id"] for rule in rules]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == f"file://{tmp_path}/a%20b.yaml"
        region = place["region"]
        assert region["startLine"] >= 1 and 1 <= region["startColumn"] < region["endColumn"]


def test_a_mistyped_field_is_the_only_error(tmp_path):
    result = check(tmp_path, resources({"rout": [{"destination": {"host": "up.example"}}]}), "-o", "json")
    (finding,) = json.loads(result.stdout)
    assert 'unknown field "rout"' in finding["message"]


def test_a_suppressed_error_does_not_fail(tmp_path):
    content = resources(route("absent.example"))
    assert check(tmp_path, content).returncode == 79
    assert check(tmp_path, content, "--suppress", "IST0101=VirtualService routes.test").returncode == 0


def test_the_forms_say_the_same(tmp_path):
    content = resources(route("up.example"), UNREACHABLE)
    findings = json.loads(check(tmp_path, content, "-o", "json").stdout)
    assert yaml.safe_load(check(tmp_path, content, "-o", "yaml").stdout) == findings
    finding = findings[0]
    assert finding["level"] == "Warning" and finding["origin"] == "VirtualService test/routes"
    assert finding["documentationUrl"] == "docs/diagnostics.md#ist0130-virtualserviceunreachablerule"
    sarif = json.loads(check(tmp_path, content, "-o", "sarif").stdout)["runs"][0]
    rule, = sarif["tool"]["driver"]["rules"]
    assert rule["id"] == "IST0130" and rule["help"]["text"]
    region = sarif["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (finding["line"], finding["column"])


def test_a_code_is_explained():
    result = run_verb("check", "--explain", "ist0130")
    assert result.returncode == 0
    assert "Cause:" in result.stdout and "Fix:" in result.stdout
    result = run_verb("check", "--explain", "IST0199")
    assert result.returncode == 64 and "did you mean" in result.stderr


def test_one_analyzer_alone(tmp_path):
    listed = run_verb("check", "-L").stdout
    assert "virtualservice.UnreachableRuleAnalyzer" in listed
    content = resources(route("up.example"), UNREACHABLE)
    assert codes(check(tmp_path, content, "-o", "json", "--analyzer", "virtualservice.WeightAnalyzer")) == []
    assert check(tmp_path, content, "--analyzer", "virtualservice.Nothing").returncode == 64


@dataclasses.dataclass
class Pair:
    chain_text: str
    key_text: str


@pytest.mark.parametrize("name, options, expected", [
    ("good", {}, []),
    ("expired", {"days": (-20, -1)}, ["IST0161"]),
    ("soon", {"days": (-1, 10)}, ["SP1040"]),
    ("future", {"days": (2, 90)}, ["SP1046"]),
    ("client", {"usage": "client"}, ["SP1045"]),
    ("other", {"names": ("b.example.com",)}, ["SP1041"]),
    ("wildcard", {"names": ("*.example.com",)}, []),
    ("rsa", {"algorithm": "rsa"}, []),
])
def test_certificates(tmp_path, authority, name, options, expected):
    options = {"names": ("a.example.com",), "days": (-1, 90), **options}
    pair = authority.issue(*options.pop("names"), **options)
    assert certificate_codes(tmp_path, pair) == expected


def test_a_key_of_another_certificate(tmp_path, authority):
    one, two = (authority.issue("a.example.com", days=(-1, 90)) for _ in range(2))
    assert certificate_codes(tmp_path, Pair(one.chain_text, two.key_text)) == ["IST0161"]


def test_a_chain_in_the_wrong_order(tmp_path, authority):
    one, two = (authority.issue("a.example.com", days=(-1, 90)) for _ in range(2))
    assert certificate_codes(tmp_path, Pair(one.chain_text + two.chain_text, one.key_text)) == ["SP1042"]


def certificate_codes(tmp_path, pair) -> list[str]:
    """What is said of a pair; that its issuer is a test's own is left out."""
    content = [gateway(https_server("a.example.com", credential="pair")), tls_secret("pair", pair),
               static_entry("up.example", 1), virtual_service(route("up.example"), hosts=("a.example.com",))]
    found = codes(check(tmp_path, content, "-o", "json", "-S", "SP1043=*"))
    return found


# One mistake, one finding: the resources of the article, each with one thing changed

GATEWAYS = pathlib.Path(__file__).resolve().parents[2] / "gateways"
INGRESS, EGRESS = "ingress.yaml", "egress-httpbin.yaml"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    assert run_verb("certs", "init", "--dir", folder).returncode == 0
    return folder


def changed(folder, file: str, old: str, new: str) -> None:
    shutil.copytree(GATEWAYS, folder, dirs_exist_ok=True)
    text = (folder / file).read_text()
    assert old in text, old
    (folder / file).write_text(text.replace(old, new, 1))


# file, what is replaced, by what, and the findings that are more than information: code, file, line, column, part of the help
MISTAKES = {
    "a gateway misspelt": (
        EGRESS, '"istio-system/my-ingressgateway"\n  - "httpbin', '"istio-system/my-ingresgateway"\n  - "httpbin',
        ("IST0101", EGRESS, 28, 5, 'did you mean "istio-system/my-ingressgateway"?')),
    "a gateway without its namespace": (
        EGRESS, '"istio-system/my-ingressgateway"\n  - "httpbin', '"my-ingressgateway"\n  - "httpbin',
        ("IST0101", EGRESS, 28, 5, 'write "istio-system/my-ingressgateway"')),
    "a gateway misspelt in a match": (
        EGRESS, '      - "httpbin/httpbin-egress"\n      uri', '      - "httpbin/httpbin-egres"\n      uri',
        ("IST0101", EGRESS, 44, 9, 'did you mean "httpbin/httpbin-egress"?')),
    "a host that the gateway lacks": (
        EGRESS, '  - hosts:\n    - "httpbin.example.com"', '  - hosts:\n    - "httpbin.exampel.com"',
        ("IST0132", EGRESS, 25, 5, None)),
    "a destination misspelt": (
        EGRESS, 'host: "httpbin.org"\n        subset', 'host: "httpbin.ogr"\n        subset',
        ("IST0101", EGRESS, 49, 15, 'did you mean "httpbin.org"?')),
    "a port that the host lacks": (
        EGRESS, "number: 443\n---", "number: 8443\n---", ("IST0101", EGRESS, 52, 19, "the host has port 443")),
    "a subset misspelt": (
        EGRESS, 'subset: "http-egress-subset"', 'subset: "http-egres-subset"',
        ("IST0101", EGRESS, 50, 17, 'did you mean "http-egress-subset"?')),
    "a rule in a namespace where it does not apply": (
        EGRESS, 'kind: DestinationRule\nmetadata:\n  name: "httpbin-egress"\n  namespace: "httpbin"',
        'kind: DestinationRule\nmetadata:\n  name: "httpbin-egress"\n  namespace: "other"',
        ("IST0101", EGRESS, 50, 17, "DestinationRule other/httpbin-egress has it")),
    "an entry that is exported elsewhere": (
        EGRESS, 'spec:\n  hosts:\n  - "httpbin.org"', 'spec:\n  exportTo: ["other"]\n  hosts:\n  - "httpbin.org"',
        ("IST0101", EGRESS, 49, 15, "ServiceEntry httpbin/httpbin-egress has it, and exports it to other alone")),
    "a secret misspelt": (
        INGRESS, "credentialName: httpbin-credential", "credentialName: httpbin-credentail",
        ("IST0101", INGRESS, 26, 23, 'did you mean "httpbin-credential"?')),
    "a selector misspelt": (
        EGRESS, 'canonical-name: "httpbin-egress"', 'canonical-name: "httpbin-egres"',
        ("IST0101", EGRESS, 9, 38, 'did you mean "httpbin-egress"?')),
    "TLS without a mode": (
        INGRESS, "      mode: SIMPLE\n", "", ("IST0106", INGRESS, 25, 23, 'add "mode: SIMPLE"')),
    "TLS on a plaintext port": (INGRESS, "protocol: https", "protocol: http", ("IST0106", INGRESS, 24, 5, None)),
    "a mode misspelt": (
        EGRESS, "mode: SIMPLE", "mode: SIMPEL", ("IST0106", EGRESS, 85, 17, 'did you mean "SIMPLE"?')),
    "a field misspelt": (
        EGRESS, "  resolution: DNS", "  resolutoin: DNS", ("IST0106", EGRESS, 67, 3, 'did you mean "resolution"?')),
    "no resolution": (EGRESS, "  resolution: DNS\n", "", ("SP1012", EGRESS, 61, 5, None)),
    "an indentation": (
        EGRESS, '  hosts:\n  - "httpbin.org"', '  hosts:\n - "httpbin.org"',
        ("IST0106", EGRESS, 61, 2, "check the indentation")),
    "a tab": (EGRESS, "  location: MESH_EXTERNAL", "\tlocation: MESH_EXTERNAL",
              ("IST0106", EGRESS, 62, 1, "never with tabs")),
    "a version that is not served": (
        INGRESS, "networking.istio.io/v1beta1", "networking.istio.io/v1beta2",
        ("IST0106", INGRESS, 1, 13, "networking.istio.io/v1beta1")),
    "TLS for another port": (
        EGRESS, "      - port:\n          number: 443\n        tls", "      - port:\n          number: 80\n        tls",
        ("SP1059", EGRESS, 83, 19, "the one that rules name")),
    "mutual TLS of a mesh": (
        EGRESS, "mode: SIMPLE", "mode: ISTIO_MUTUAL", ("SP1001", EGRESS, 85, 17, "get 503")),
    "a loop": (
        EGRESS, 'host: "httpbin.org"\n        subset: "http-egress-subset"\n        port:\n          number: 443',
        'host: "httpbin-egress.httpbin.svc.cluster.local"\n        port:\n          number: 80',
        ("SP1036", EGRESS, 49, 15, "the instance itself")),
    "a redirect to nowhere": (
        INGRESS, '  - hosts:\n    - "httpbin.example.com"', '  - hosts:\n    - "www.example.com"',
        ("SP1035", INGRESS, 11, 7, None)),
    "a timeout without a unit": (
        EGRESS, '    route:\n    - destination:\n        host: "httpbin.org"',
        '    timeout: 10\n    route:\n    - destination:\n        host: "httpbin.org"',
        ("IST0106", EGRESS, 47, 14, "write it as 10s")),
    "a weight in the destination": (
        EGRESS, '        subset: "http-egress-subset"', '        subset: "http-egress-subset"\n        weight: 100',
        ("IST0106", EGRESS, 51, 9, None)),
    "a prefix without its slash": (
        EGRESS, '        prefix: "/"\n    route:\n    - destination:\n        host: "httpbin.org"',
        '        prefix: "status"\n    route:\n    - destination:\n        host: "httpbin.org"',
        ("SP1024", EGRESS, 46, 17, 'did you mean "/status"?')),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_one_mistake_is_one_finding(tmp_path, credentials, name):
    file, old, new, expected = MISTAKES[name]
    changed(tmp_path, file, old, new)
    result = run_verb("check", "--secrets", credentials, "-o", "json", "--output-threshold", "warning", tmp_path)
    found = [(finding["code"], pathlib.Path(finding["file"]).name, finding["line"], finding["column"])
             for finding in json.loads(result.stdout)]
    assert found == [expected[:4]], result.stdout
    assert (expected[4] or "") in (json.loads(result.stdout)[0]["help"] or "")


def test_what_is_right_has_no_warning(tmp_path, credentials):
    for folder in ("gateways", "examples/bookinfo"):
        result = run_verb("check", "--secrets", credentials, "--output-threshold", "warning", GATEWAYS.parent / folder)
        assert result.returncode == 0 and result.stdout == "", result.stdout


def test_a_certificate_of_two_servers_is_spoken_of_once(tmp_path, authority):
    content = [gateway(https_server("a.example", credential="pair", name="one"),
                       https_server("b.example", credential="pair", name="two")),
               virtual_service(route("up.example"), hosts=("a.example", "b.example")), static_entry("up.example", 1),
               tls_secret("pair", authority.issue("a.example", "b.example", days=(-1, 1)))]
    assert codes(check(tmp_path, content, "-o", "json")).count("SP1040") == 1


@pytest.mark.parametrize("publish, message", [
    ("21080:80", None),
    ("21080:99", "--publish 21080:99: no Gateway of the instance has port 99 (they have 80)"),
    ("80:21080", "no Gateway of the instance has port 21080 (they have 80); did you mean --publish 21080:80?"),
])
def test_a_port_that_no_gateway_has_is_a_usage_error(tmp_path, publish, message):
    result = check(tmp_path, resources(route("up.example")), "--publish", publish)
    assert result.returncode == (64 if message else 0)
    assert message is None or message in result.stderr


@pytest.mark.parametrize("verb", [("explain", "--url", "http://h/"), ("proxy-config", "listener")])
def test_other_verbs_know_a_slip_in_publish_too(tmp_path, verb):
    (tmp_path / "config.yaml").write_text(as_yaml(resources(route("up.example"))))
    place = ("--from", tmp_path) if verb[0] == "proxy-config" else (tmp_path,)
    result = run_verb(*verb, *IDENTITY, "--publish", "21080:99", *place)
    assert result.returncode == 64
    assert result.stderr == "sallyport: --publish 21080:99: no Gateway of the instance has port 99 (they have 80)\n"
    assert run_verb(*verb, *IDENTITY, "--publish", "21080:80", *place).returncode != 64


def test_diff_knows_a_slip_in_publish_that_neither_side_has(tmp_path):
    other = [gateway({"port": {"number": 81, "name": "x", "protocol": "HTTP"}, "hosts": ["*"]})]
    for name, content in {"old.yaml": resources(route("up.example")), "new.yaml": other}.items():
        (tmp_path / name).write_text(as_yaml(content))
    sides = (tmp_path / "old.yaml", tmp_path / "new.yaml")
    result = run_verb("diff", *IDENTITY, "--publish", "21080:99", *sides)
    assert result.returncode == 64 and "has port 99 (they have 80, 81)" in result.stderr
    for port in (80, 81):
        assert run_verb("diff", *IDENTITY, "--publish", f"21080:{port}", *sides).returncode == 1


# What is read


@pytest.mark.parametrize("files", [(), ("x.txt",), (".hidden.yaml",)])
def test_a_folder_with_nothing_to_read_is_no_input(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("")
    result = run_verb("check", tmp_path)
    assert result.returncode == 66
    assert f"warning[SP1062]: nothing is read from {tmp_path}: it has no file *.yaml, *.yml or *.json" in result.stdout
    assert result.stderr == f"sallyport: there are no resources in {tmp_path}\n"
    run = run_verb("run", "--namespace", "default", tmp_path)
    assert run.returncode == 66 and f"there are no resources in {tmp_path}" in run.stderr


def test_nothing_on_standard_input_is_no_input():
    result = run_verb("check", "-", stdin="")
    assert result.returncode == 66 and result.stderr == "sallyport: there are no resources in -\n"


def test_json_of_kubectl_is_read_from_folders(tmp_path):
    items = resources(route("up.example"), UNREACHABLE)
    (tmp_path / "all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent="\t"))
    assert codes(run_verb("check", *IDENTITY, "-o", "json", tmp_path)) == ["IST0130"]
    assert run_verb("fmt", "-l", tmp_path).stdout == ""


def test_a_pipe_in_a_folder_is_left_and_said(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    result = check(tmp_path, resources(route("up.example")))
    assert result.returncode == 0
    assert f"warning[SP1063]: {tmp_path}/pipe.yaml is a pipe, a socket or a device" in result.stdout


@pytest.mark.parametrize("form", ["{binary} check <(cat {file})", "cat {file} | {binary} check /dev/stdin",
                                  "mkfifo p.yaml; cat {file} > p.yaml & {binary} check p.yaml"])
def test_a_pipe_that_is_an_argument_is_read_once_and_shown(tmp_path, form):
    wrong = resources(route("up.example"))
    wrong[0]["spec"]["servrs"] = []
    (tmp_path / "config.yaml").write_text(as_yaml(wrong))
    result = subprocess.run(["bash", "-c", form.format(binary=binary(), file="config.yaml")], cwd=tmp_path,
                            capture_output=True, text=True, timeout=30)
    assert result.returncode == 79
    assert "| " + " " * 2 + "servrs: []" in result.stdout and "did you mean" in result.stdout


def test_long_lines_are_cut_around_the_place(tmp_path):
    wrong = [virtual_service(route("up.example"), name=f"v{number}") for number in range(2000)]
    wrong[1000]["spec"]["htp"] = []
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": wrong})
    (tmp_path / "all.json").write_text(text)
    result = run_verb("check", "--output-threshold", "error", tmp_path)
    lines = result.stdout.splitlines()
    place = next(index for index, line in enumerate(lines) if 'unknown field "htp"' in line)
    line, carets = lines[place + 1:place + 3]
    assert len(line) <= 160 and line[carets.index("^"):].startswith('"htp"')
    assert max(map(len, lines)) < 1000


# Strictness


def test_strict_fails_where_run_would(tmp_path):
    deny = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
            "metadata": {"name": "deny", "namespace": "test"},
            "spec": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}}
    content = [*resources(route("up.example")), deny]
    assert check(tmp_path, content).returncode == 0
    assert check(tmp_path, content, "--strict").returncode == 79
    assert check(tmp_path, content, "--strict", "-S", "SP1016=AuthorizationPolicy deny.test").returncode == 0
