"""Broken resources beside good ones: said at their place, and the good route goes on serving."""

import json
import pathlib
import re

import pytest

from harness.configuration import IDENTITY, as_yaml, gateway, http_server, route, static_entry, virtual_service
from harness.gateway import run_verb
from harness.http_client import get
from harness.upstreams import answering, response

CORPUS = sorted((pathlib.Path(__file__).resolve().parents[1] / "Corpus" / "broken").glob("*.yaml"))


def good(upstream_port: int) -> list[dict]:
    return [gateway(http_server("*.example.com"), name="good"),
            virtual_service(route("good.upstream"), hosts=("good.example.com",), gateways=("good",), name="good"),
            static_entry("good.upstream", upstream_port, name="good")]


def marks(path: pathlib.Path) -> list[str]:
    """`line:column CODE` of each mark."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        before, _, mark = line.partition("#! ")
        for word in filter(None, mark.split(" + ")):
            code, at, token = word.partition("@")
            found.append(f"{number}:{before.index(token) + 1} {code}" if at else word)
    return sorted(found)


def served(running, host: str = "good.example.com") -> tuple[int, str]:
    answer = get(running.port(), host=host)
    return answer.status, answer.text


@pytest.fixture(scope="module")
def upstream(module_owner):
    return module_owner.upstream(answering(lambda request: response("good")))


@pytest.fixture(scope="module")
def running(module_owner, upstream):
    return module_owner.gateway({"good.yaml": good(upstream.port)})


def test_the_corpus_is_large():
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_check_points_at_the_token(tmp_path, path):
    (tmp_path / "good.yaml").write_text(as_yaml(good(1)))
    (tmp_path / "broken.yaml").write_text(path.read_text())
    result = run_verb("check", *IDENTITY, "-o", "json", "-S", "SP1001=*", tmp_path)
    findings = [finding for finding in json.loads(result.stdout) if finding["file"].endswith("broken.yaml")]
    assert sorted(f"{f['line']}:{f['column']} {f['code']}" for f in findings) == marks(path), result.stdout
    errors = any(finding["level"] == "Error" for finding in findings)
    assert result.returncode in ((65, 79) if errors else (0,))


# What is wrong with these is a warning: they count as they are.
ONLY_WARNED = {"virtual-service-a-host-that-the-gateway-lacks"}


def subject(path: pathlib.Path) -> tuple[str, str]:
    """Kind and name of the resource that is broken; a VirtualService where the file does not say."""
    text = path.read_text()
    kind = re.search(r"^kind: (\w+)", text, re.M)
    name = re.search(r"name: (\w+)", text)
    return (kind.group(1) if kind else "VirtualService"), (name.group(1) if name else "broken")


def last_good(kind: str, name: str, port: int) -> tuple[dict, list[dict]]:
    """A good version of a resource, and what else there must be so that it shows: `kept.example.com` needs it."""
    def version(spec: dict, api: str = "networking.istio.io/v1", **rest) -> dict:
        return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "test"}, "spec": spec, **rest}

    def uses(*routes, gateways=("good",)) -> list[dict]:
        return [virtual_service(*routes, hosts=("kept.example.com",), gateways=gateways, name="uses")]

    answer = {"directResponse": {"status": 200, "body": {"string": "good"}}}
    http = {"number": 80, "name": "http", "protocol": "HTTP"}
    match kind:
        case "Gateway":
            server = {"port": http, "hosts": ["kept.example.com"]}
            return version({"selector": {"app": "gateway"}, "servers": [server]}), uses(answer, gateways=(name,))
        case "ServiceEntry":
            return static_entry("kept.upstream", port, name=name), uses(route("kept.upstream"))
        case "DestinationRule":
            spec = {"host": "good.upstream", "subsets": [{"name": "v", "labels": {}}]}
            return version(spec), uses(route("good.upstream", subset="v"))
        case "WorkloadEntry":
            entry = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
                     "metadata": {"name": "uses", "namespace": "test"},
                     "spec": {"hosts": ["kept.upstream"], "ports": [http], "resolution": "STATIC",
                              "workloadSelector": {"labels": {"app": "kept"}}}}
            spec = {"address": "127.0.0.1", "ports": {"http": port}, "labels": {"app": "kept"}}
            return version(spec), [entry, *uses(route("kept.upstream"))]
        case "Service":
            return version({"ports": [http]}, "v1"), uses(answer)
        case "Secret":
            secret = version({}, "v1", stringData={"a": "b"})
            del secret["spec"]
            return secret, uses(answer)
        case "PeerAuthentication":
            return version({"mtls": {"mode": "PERMISSIVE"}}, "security.istio.io/v1"), uses(answer)
        case "AuthorizationPolicy" | "RequestAuthentication":
            return version({}, "security.istio.io/v1"), uses(answer)
        case "Telemetry":
            return version({}, "telemetry.istio.io/v1"), uses(answer)
        case "WasmPlugin":
            return version({"url": "oci://a/b"}, "extensions.istio.io/v1alpha1"), uses(answer)
        case "EnvoyFilter":
            return version({}, "networking.istio.io/v1alpha3"), uses(answer)
        case "UpstreamProbe":
            spec = {"host": "good.upstream", "port": 80, "probe": {"tcpSocket": {"port": 80}}}
            return version(spec, "sallyport.dev/v1alpha1"), uses(answer)
        case "IstioOperator":
            return version({}, "install.istio.io/v1alpha1"), uses(answer)
    return version({"hosts": ["kept.example.com"], "gateways": ["good"], "http": [answer]}), []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_reload_keeps_the_last_good_version_and_takes_the_rest(running, upstream, path):
    """The file was good and turns bad, while another resource changes."""
    kind, name = subject(path)
    version, uses = last_good(kind, name, upstream.port)
    running.configure({"good.yaml": good(upstream.port), "broken.yaml": [version], "uses.yaml": uses})
    running.reload_and_wait()
    assert (running.admin_json("/server_info")["configuration"]["rejected"], served(running)) == ([], (200, "good"))
    assert served(running, "kept.example.com") == (200, "good")

    changed = [*good(upstream.port), virtual_service(route("good.upstream"), hosts=("new.example.com",),
                                                     gateways=("good",), name="new")]
    running.configure({"good.yaml": changed, "broken.yaml": path.read_text()})
    assert served(running, "new.example.com")[0] == 404
    before = len(running.process.stderr)
    running.reload_and_wait()
    assert (served(running), served(running, "new.example.com")) == ((200, "good"), (200, "good"))
    rejected = running.admin_json("/server_info")["configuration"]["rejected"]
    kept = [entry for entry in rejected if entry["kept"]]
    if path.stem in ONLY_WARNED:
        assert rejected == []
        return
    assert [entry["resource"] for entry in kept] == [f"{kind} test/{name}"], rejected
    assert kept[0]["location"].split(":")[1] == marks(path)[0].split(":")[0]
    assert served(running, "kept.example.com") == (200, "good")
    # The log is written behind the reload; what comes last is in it when all is.
    last = f"configuration {running.generation()} is in force"
    running.process.wait_until(lambda: last in running.process.stderr[before:], "has said all")
    said = [line for line in running.process.stderr[before:].splitlines() if "keeps its last good version" in line]
    assert len(said) == 1 and f"{kind} test/{name}" in said[0]


def test_all_of_them_at_once_at_start(owner, upstream):
    files = {f"{path.stem}.yaml": path.read_text() for path in CORPUS}
    started = owner.gateway({"good.yaml": good(upstream.port), **files})
    assert served(started) == (200, "good")
