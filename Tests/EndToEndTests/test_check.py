"""`check` as a program: what it shows, what it leaves out, how it ends; certificates as they really are."""

import dataclasses
import json

import pytest
import yaml

from harness.configuration import (IDENTITY, as_yaml, gateway, https_server, route, static_entry, tls_secret, to_upstream,
                                   virtual_service)
from harness.gateway import run_verb

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
    result = run_verb("check", "--explain", "IST0103")
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
