"""The JSON Schemas say what the loader says: editors take what it takes, and flag what excludes each other."""

import json
import pathlib

import jsonschema
import pytest
import yaml

from harness.gateway import run_verb

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "docs/schema").glob("*.json")}
FILES = sorted(path for folder in ("examples", "gateways", "Tests/Corpus") for path in (ROOT / folder).rglob("*.yaml"))


class Loader(yaml.SafeLoader):
    """What looks like a date is a text, as in Kubernetes."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def problems(document: dict) -> list[str]:
    """What the schema of the document's kind has against it."""
    schema = SCHEMAS.get(document.get("kind", "").lower())
    if schema is None:
        return []
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


def refused(text: str) -> bool:
    """Whether the loader finds an error in the resource itself."""
    result = run_verb("check", "-", "-o", "json", "--output-threshold", "error", stdin=text)
    return any(finding["code"] == "IST0106" for finding in json.loads(result.stdout))


def items(text: str) -> list[dict]:
    found = [document for document in yaml.load_all(text, Loader) if document]
    return [item for document in found for item in document.get("items", [document])]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_schemas_are_schemas(name):
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name])


def test_what_the_loader_takes_the_schemas_take():
    checked = 0
    for path in FILES:
        text = path.read_text(errors="replace")
        if refused(text):
            continue
        for document in items(text):
            checked += document.get("kind", "").lower() in SCHEMAS
            assert problems(document) == [], path
    assert checked > 40


ROUTE = "route: [{destination: {host: a.example}}]"

# Kind, the spec with both, and how the one is written that is too much.
BOTH = [
    ("VirtualService", f"{{hosts: [a.example], http: [{{match: [{{uri: {{exact: /a, prefix: /b}}}}], {ROUTE}}}]}}", ", prefix: /b"),
    ("VirtualService", f"{{hosts: [a.example], http: [{{match: [{{headers: {{x: {{exact: a, regex: b}}}}}}], {ROUTE}}}]}}",
     ", regex: b"),
    ("VirtualService", f"{{hosts: [a.example], http: [{{redirect: {{uri: /x}}, {ROUTE}}}]}}", ", " + ROUTE),
    ("VirtualService", "{hosts: [a.example], http: [{redirect: {uri: /x}, directResponse: {status: 200}}]}",
     ", directResponse: {status: 200}"),
    ("VirtualService", "{hosts: [a.example], http: [{redirect: {uri: /x}, rewrite: {uri: /y}}]}", ", rewrite: {uri: /y}"),
    ("VirtualService", f"{{hosts: [a.example], http: [{{rewrite: {{uri: /y, uriRegexRewrite: {{match: a, rewrite: b}}}}, {ROUTE}}}]}}",
     "uri: /y, "),
    ("VirtualService", f"{{hosts: [a.example], http: [{{mirror: {{host: m.example}}, mirrors: [{{destination: {{host: m.example}}}}], {ROUTE}}}]}}",
     "mirror: {host: m.example}, "),
    ("VirtualService", f"{{hosts: [a.example], http: [{{fault: {{abort: {{httpStatus: 500, grpcStatus: UNAVAILABLE, percentage: {{value: 1}}}}}}, {ROUTE}}}]}}",
     ", grpcStatus: UNAVAILABLE"),
    ("DestinationRule", "{host: a.example, trafficPolicy: {loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}}}",
     "simple: RANDOM, "),
    ("DestinationRule", "{host: a.example, trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true, httpHeaderName: x}}}}",
     ", httpHeaderName: x"),
    ("ServiceEntry", "{hosts: [a.example], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, "
     "workloadSelector: {labels: {a: b}}, endpoints: [{address: 127.0.0.1}]}", ", endpoints: [{address: 127.0.0.1}]"),
    ("Gateway", "{servers: [{port: {number: 443, name: x, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: a, "
     "credentialNames: [b]}}]}", ", credentialNames: [b]"),
    ("AuthorizationPolicy", "{selector: {matchLabels: {a: b}}, targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}",
     "selector: {matchLabels: {a: b}}, "),
    ("UpstreamProbe", "{host: a.example, port: 80, probe: {httpGet: {path: /}, tcpSocket: {}}}", ", tcpSocket: {}"),
]


@pytest.mark.parametrize("kind, spec, excess", BOTH, ids=[f"{kind}: {excess}" for kind, _, excess in BOTH])
def test_members_that_exclude_each_other_are_flagged_by_both(kind, spec, excess):
    version = SCHEMAS[kind.lower()]["properties"]["apiVersion"]["enum"][0]
    head = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: "
    assert excess in spec
    for text, is_wrong in ((spec, True), (spec.replace(excess, "", 1), False)):
        assert refused(head + text) == is_wrong, text
        assert bool(problems(yaml.load(head + text, Loader))) == is_wrong, problems(yaml.load(head + text, Loader))


def test_an_empty_list_may_stand_beside_what_excludes_it():
    text = ("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
            "spec: {hosts: [a.example], http: [{redirect: {uri: /x}, route: []}]}\n")
    assert not refused(text) and problems(yaml.load(text, Loader)) == []
