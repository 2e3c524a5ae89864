"""`sallyport diff`: two configurations compared by what requests see."""

import json
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from harness.configuration import (IDENTITY, as_yaml, destination_rule, gateway, http_server, https_server,
                                   network_service, route, static_entry, tcp_route, tcp_server, tls_route, tls_secret,
                                   virtual_service)
from harness.gateway import curl_line, run_verb, write_secrets
from harness.http_client import get

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def sides(tmp_path):
    """Writes two configurations and compares them."""
    def compare(old, new, *flags):
        for name, resources in (("old", old), ("new", new)):
            (tmp_path / f"{name}.yaml").write_text(as_yaml(resources))
        return run_verb("diff", *IDENTITY, *flags, tmp_path / "old.yaml", tmp_path / "new.yaml")
    return compare


@pytest.fixture
def differences(sides):
    """The differences of the one instance; empty when there are none."""
    def compare(old, new) -> dict:
        result = sides(old, new, "-o", "json")
        answer = json.loads(result.stdout)
        assert result.returncode == (1 if answer["different"] else 0), result.stderr
        return answer["instances"][0] if answer["different"] else {}
    return compare


def respond(name: str, **match) -> dict:
    rule = {"name": name, "directResponse": {"status": 200, "body": {"string": name}}}
    return {**rule, "match": [match]} if match else rule


def served(*rules, hosts=("*",)) -> list[dict]:
    return [gateway(http_server("*")), static_entry("a.up", 9), static_entry("b.up", 10),
            virtual_service(*rules, hosts=hosts)]


def test_a_configuration_is_the_same_as_itself(tmp_path):
    result = run_verb("diff", "gateways", "gateways", cwd=ROOT)
    assert result.returncode == 0 and "No request sees a difference" in result.stdout, result.stderr
    # Other files, order, comments and quotes are no difference.
    copy = tmp_path / "copy"
    copy.mkdir()
    text = "\n---\n".join("# moved\n" + path.read_text() for path in reversed(sorted((ROOT / "gateways").glob("*.yaml"))))
    (copy / "all.yaml").write_text(text)
    result = run_verb("diff", "gateways", copy, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_change_of_the_article_is_shown_by_a_request(tmp_path):
    new = tmp_path / "new"
    shutil.copytree(ROOT / "gateways", new)
    path = new / "egress-httpbin.yaml"
    text = path.read_text().replace('prefix: "/"\n    route:\n    - destination:\n        host: "httpbin.org"',
                                    'prefix: "/status"\n    route:\n    - destination:\n        host: "httpbin.org"')
    assert text != path.read_text()
    path.write_text(text)
    result = run_verb("diff", "gateways", new, cwd=ROOT)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "httpbin-egress.httpbin" in result.stdout and "curl http://httpbin.example.com/" in result.stdout
    assert "was  outbound|443|http-egress-subset|httpbin.org  by gateways/egress-httpbin.yaml:43:7" in result.stdout
    assert "is   no-route (404)" in result.stdout


RULES = [
    ("a rule before", (respond("all"),), (respond("post", method={"exact": "POST"}), respond("all"))),
    ("another order", (respond("a", uri={"prefix": "/a"}), respond("b", headers={"x": {"exact": "1"}})),
     (respond("b", headers={"x": {"exact": "1"}}), respond("a", uri={"prefix": "/a"}))),
    ("a path that ends with a slash", (respond("a", uri={"prefix": "/a"}), respond("all")),
     (respond("a", uri={"prefix": "/a/"}), respond("all"))),
    ("a value", (respond("a", queryParams={"q": {"exact": "1"}}), respond("all")),
     (respond("a", queryParams={"q": {"exact": "2"}}), respond("all"))),
    ("a condition less", (respond("a", headers={"x": {"exact": "1"}, "y": {}}), respond("all")),
     (respond("a", headers={"x": {"exact": "1"}}), respond("all"))),
    ("a regular expression", (respond("a", uri={"regex": "/v[12]/.+"}), respond("all")),
     (respond("a", uri={"regex": "/v[23]/.+"}), respond("all"))),
]


@pytest.mark.parametrize("old, new", [pair[1:] for pair in RULES], ids=[pair[0] for pair in RULES])
def test_a_witness_shows_the_difference_to_running_instances(owner, differences, old, new):
    found = differences(served(*old), served(*new))
    assert found["requests"]
    before, after = owner.gateway(served(*old)), owner.gateway(served(*new))
    for request in found["requests"]:
        witness = request["witness"]
        headers = {field["name"]: field["value"] for field in witness["headers"]}
        got = [get(one.port(), witness["path"], host=witness["authority"], method=witness["method"], **headers)
               for one in (before, after)]
        assert (got[0].status, got[0].text) != (got[1].status, got[1].text), witness["curl"]


def test_what_no_request_can_see_is_no_difference(differences):
    assert not differences(served(respond("all")), served(respond("all"), respond("never", uri={"prefix": "/x"})))
    halves = [{"destination": {"host": host, "port": {"number": 80}}, "weight": 1} for host in ("a.up", "b.up")]
    fifties = [{**half, "weight": 50} for half in halves]
    assert not differences(served({"route": halves}), served({"route": fifties}))


def test_destinations_timeouts_and_upstreams_are_told(differences):
    found = differences(
        [*served(route("a.up", 80), hosts=("h.example",)), destination_rule("a.up", {"tls": {"mode": "SIMPLE"}})],
        [*served(route("a.up", 80, timeout="5s"), hosts=("h.example",)),
         destination_rule("a.up", {"tls": {"mode": "SIMPLE", "sni": "x.example"}}, name="renamed")])
    assert [request["witness"]["curl"] for request in found["requests"]] == ["curl http://h.example/"]
    assert found["requests"][0]["changes"] == [{"name": "timeout", "old": None, "new": "5s"}]
    assert [cluster["name"] for cluster in found["clusters"]] == ["outbound|80||a.up"]
    assert {change["name"] for change in found["clusters"][0]["changes"]} == {"tls.sni", "tls.verifies"}
    moved = differences(served(route("a.up", 80)), served(route("b.up", 80)))
    assert [(cluster["name"], cluster["change"]) for cluster in moved["clusters"]] == [
        ("outbound|80||a.up", "removed"), ("outbound|80||b.up", "added")]


def test_certificates_of_two_folders_of_secrets_are_compared(sides, tmp_path, authority):
    """A rotation: the resources are the same, the mounted files are not."""
    resources = [gateway(https_server("a.example", credential="pair")), static_entry("a.up", 9),
                 virtual_service(route("a.up", 80), hosts=("a.example",))]
    for name in ("before", "after"):
        certificate = authority.issue("a.example")
        write_secrets(tmp_path / name, {"pair": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    same = sides(resources, resources, "--secrets", tmp_path / "after")
    assert same.returncode == 0, same.stdout
    rotated = sides(resources, resources, "--old-secrets", tmp_path / "before", "--secrets", tmp_path / "after")
    assert rotated.returncode == 1 and "a.example" in rotated.stdout and "certificates" in rotated.stdout


def test_listeners_and_certificates_are_told(differences, authority):
    def secure(certificate, *ports):
        return [gateway(*[https_server("a.example", credential="pair", port=port) for port in ports]),
                tls_secret("pair", certificate), static_entry("a.up", 9),
                virtual_service(route("a.up", 80), hosts=("a.example",))]
    first, second = authority.issue("a.example"), authority.issue("a.example")
    found = differences(secure(first, 443), secure(second, 443, 8443))
    assert [(one["name"].split()[0], one["change"]) for one in found["listeners"]] == [("0.0.0.0_8443", "added")]
    assert [one["name"] for one in found["certificates"]] == ["a.example at 0.0.0.0_443"]
    assert found["certificates"][0]["changes"][0]["name"] == "certificates" and not found["requests"]


def test_hosts_that_differ_alike_are_told_once(differences):
    hosts = tuple(f"h{number}.example" for number in range(5))
    found = differences(served(route("a.up", 80), hosts=hosts), served(route("b.up", 80), hosts=hosts))
    assert len(found["requests"]) == 1 and set(hosts) == set(found["requests"][0]["hosts"])


def test_instances_that_come_and_go_are_told(tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("ingress.yaml", "operator.yaml", "services.yaml"):
        shutil.copy(ROOT / "gateways" / name, tmp_path / "old" / name)
    text = (ROOT / "gateways/operator.yaml").read_text()
    (tmp_path / "old/operator.yaml").write_text(text.split("---")[0])
    result = run_verb("diff", tmp_path / "old", "gateways", cwd=ROOT)
    assert result.returncode == 1 and "httpbin-egress.httpbin  added" in result.stdout, result.stdout + result.stderr


def test_the_curl_line_is_one_a_shell_takes_apart(differences):
    old = served(respond("a", headers={"x-it's": {"exact": "a b;$HOME"}}), respond("all"))
    found = differences(old, served(respond("all")))
    words = [shlex.split(request["witness"]["curl"]) for request in found["requests"]]
    assert ["curl", "-H", "x-it's: a b;$HOME", "http://witness.invalid/"] in words


def test_one_side_may_be_standard_input(tmp_path):
    old = as_yaml(served(route("a.up", 80)))
    (tmp_path / "new.yaml").write_text(old)
    assert run_verb("diff", *IDENTITY, "-", tmp_path / "new.yaml", stdin=old).returncode == 0
    assert run_verb("diff", *IDENTITY, "-", "-", stdin=old).returncode == 64


def test_trouble_is_neither_the_same_nor_different(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: [")
    for old, new in (("gateways", tmp_path / "nowhere"), (broken, "gateways"), ("gateways", broken)):
        result = run_verb("diff", old, new, cwd=ROOT)
        assert result.returncode == 2 and not result.stdout, (old, new, result)


# Connections that carry bytes


def databases(names: dict[str, str], tcp: list[dict]) -> list[dict]:
    return [gateway(tcp_server("*.example.com", port=443, protocol="TLS", mode="PASSTHROUGH"), tcp_server()),
            network_service(hosts=("*.example.com",), tcp=tcp,
                            tls=[tls_route(name, to=(to, 5432)) for name, to in names.items()]),
            static_entry("a.up", 9, port=5432, protocol="TCP"), static_entry("b.up", 10, port=5432, protocol="TCP")]


def test_connections_that_go_elsewhere_have_a_witness_each(differences):
    old = databases({"a.example.com": "a.up", "b.example.com": "a.up"},
                    [tcp_route(("a.up", 5432), match={"destinationSubnets": ["10.0.0.0/24"]})])
    new = databases({"a.example.com": "a.up", "b.example.com": "b.up", "c.example.com": "b.up"},
                    [tcp_route(("b.up", 5432), match={"destinationSubnets": ["10.0.0.0/24"]})])
    found = differences(old, new)
    assert found["requests"] == []
    assert [(one["witness"]["command"], one["old"]["destination"], one["new"]["destination"])
            for one in found["connections"]] == [
        ("openssl s_client -connect b.example.com:443 -servername b.example.com", "outbound|5432||a.up",
         "outbound|5432||b.up"),
        ("openssl s_client -connect c.example.com:443 -servername c.example.com", "no-filter-chain",
         "outbound|5432||b.up"),
        ("nc 10.0.0.1 9000", "outbound|5432||a.up", "outbound|5432||b.up")]
    assert differences(old, old) == {} and differences(new, new) == {}


def test_witnesses_of_connections_show_the_difference(sides):
    old = databases({"a.example.com": "a.up"}, [tcp_route(("a.up", 5432))])
    new = databases({"a.example.com": "a.up"}, [tcp_route(("b.up", 5432), match={"sourceSubnet": "10.0.0.0/8"})])
    result = sides(old, new)
    assert result.returncode == 1 and "~ connection  nc 127.0.0.1 9000" in result.stdout, result.stdout
    assert "from 10.0.0.1" in result.stdout and "is   outbound|5432||b.up" in result.stdout
    assert "is   no-route" in result.stdout and "a.example.com" not in result.stdout


def connect_rule(host: str) -> dict:
    return route(host, 80, match={"method": {"exact": "CONNECT"}, "headers": {"x-team": {"exact": "db"}}})


def test_the_witness_of_a_tunnel_is_a_command_that_opens_it(owner, sides):
    """`curl -p -x`: as it is printed, it gets through the gateway to the destination of the rule."""
    upstream = owner.upstream()

    def resources(host: str) -> list[dict]:
        return [gateway(http_server("*")), static_entry("old.up", 9), static_entry("new.up", upstream.port),
                virtual_service(connect_rule(host), hosts=("db.example",))]
    line = curl_line(sides(resources("old.up"), resources("new.up")))
    assert line == "curl -p -x http://db.example:80 --proxy-header 'x-team: db' http://db.example:80/"
    running = owner.gateway(resources("new.up"))
    # As with other witnesses the name is that of the gateway.
    here = line.replace("http://db.example:80", f"http://127.0.0.1:{running.port()}", 1)
    made = subprocess.run([*shlex.split(here), "-sS", "-i", "--noproxy", ""], capture_output=True, text=True, timeout=30)
    assert made.returncode == 0 and made.stdout.startswith("HTTP/1.1 200"), made.stdout + made.stderr
    assert '"CONNECT ' in running.wait_for_access_line("CONNECT") and upstream.requests[0].method == "GET"
    explained = run_verb("explain", *IDENTITY, "--curl", line, running.resources)
    assert "outbound|80||new.up" in explained.stdout, explained.stdout + explained.stderr


RULE_CHANGES = {
    "a header's expression": ({"match": [{"headers": {"x": {"regex": "v[12]"}}}]},
                              {"match": [{"headers": {"x": {"regex": "v[123]"}}}]}),
    "a path's expression": ({"match": [{"uri": {"regex": "/a/[^/]+"}}]}, {"match": [{"uri": {"regex": "/a/.+"}}]}),
    "its case": ({"match": [{"uri": {"regex": "(?i)/abc"}}]}, {"match": [{"uri": {"regex": "/abc"}}]}),
    "a rewrite": ({"rewrite": {"uriRegexRewrite": {"match": "^/v1/(.*)", "rewrite": "/\\1"}}},
                  {"rewrite": {"uriRegexRewrite": {"match": "^/v2/(.*)", "rewrite": "/\\1"}}}),
    "no rewrite": ({"rewrite": {"uriRegexRewrite": {"match": "^/v1/(.*)", "rewrite": "/\\1"}}}, {}),
    "a rewrite of some paths": (
        {"match": [{"uri": {"regex": "/u/[0-9]+/(edit|view)"}}]},
        {"match": [{"uri": {"regex": "/u/[0-9]+/(edit|view)"}}],
         "rewrite": {"uriRegexRewrite": {"match": "/u/([0-9]{5})/.*", "rewrite": "/z/\\1"}}}),
}


@pytest.mark.parametrize("name", RULE_CHANGES)
def test_expressions_that_differ_have_a_witness(differences, name):
    old, new = ({**rule, **route("a.up")} for rule in RULE_CHANGES[name])
    for before, after in ((old, new), (new, old)):
        found = differences(served(before, route("b.up")), served(after, route("b.up")))
        assert found["requests"] and not found["unwitnessedRules"]


def test_a_rule_that_changed_without_a_witness_is_said(sides):
    expressions = (r"/(a|b)\b.[0-9]{3}", r"/(a|c)\b.[0-9]{3}")
    old, new = ({"match": [{"uri": {"regex": regex}}], **route("a.up")} for regex in expressions)
    result = sides(served(old, route("b.up")), served(new, route("b.up")))
    assert result.returncode == 1
    assert "? rule changed, no witness found" in result.stdout
    assert re.search(r"was +\S*old.yaml:\d+.*\n +is +\S*new.yaml:\d+", result.stdout), result.stdout
