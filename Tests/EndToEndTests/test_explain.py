"""`sallyport explain`: where a request goes and why, and that a running instance does the same."""

import json
import pathlib
import random

import pytest

from harness.configuration import (IDENTITY, as_yaml, destination_rule, gateway, http_server, https_server, route,
                                   static_entry, tls_secret, virtual_service)
from harness.gateway import run_verb
from harness.http_client import get

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATEWAYS = ROOT / "gateways"
CURL = ('curl -HHost:httpbin.example.com --resolve "httpbin.example.com:15443:127.0.0.1" --cacert certs/ca.crt '
        '"https://httpbin.example.com:15443/status/200" -v')


def explain(*arguments, cwd=ROOT, stdin=None):
    return run_verb("explain", *arguments, cwd=cwd, stdin=stdin)


def explained(*arguments, **options) -> dict | list:
    """The JSON, whatever the exit code."""
    result = explain(*arguments, "--output", "json", **options)
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


def only(answer: dict) -> dict:
    assert len(answer["instances"]) == 1, answer
    return answer["instances"][0]


@pytest.fixture
def files(tmp_path):
    """Writes resources and returns the flags that name them."""
    def write(*resources):
        path = tmp_path / "config.yaml"
        path.write_text(as_yaml(list(resources)))
        return *IDENTITY, path
    return write


# The article


def test_the_articles_request_is_followed_to_the_upstream():
    result = explain("--url", "https://httpbin.example.com:15443/status/200", "gateways/")
    assert result.returncode == 0, result.stdout + result.stderr
    for part in ("0.0.0.0_15443", "https.443.https.my-ingressgateway.istio-system", "httpbin.example.com:443",
                 "gateways/egress-httpbin.yaml:32:7", "outbound|80||httpbin-egress.httpbin.svc.cluster.local",
                 "127.0.0.1:18080", "http.80", "gateways/egress-httpbin.yaml:43:7",
                 "gateways: wanted istio-system/my-ingressgateway or mesh, had httpbin/httpbin-egress",
                 "outbound|443|http-egress-subset|httpbin.org", "SNI httpbin.org, verifies httpbin.org, CA system"):
        assert part in result.stdout, (part, result.stdout)


def test_the_curl_line_is_taken_as_it_was_pasted():
    answer = explained("--curl", CURL, "gateways/")
    assert answer["request"]["authority"] == "httpbin.example.com" and answer["request"]["sni"] == "httpbin.example.com"
    ingress = only(answer)
    assert ingress["instance"] == "istio-ingressgateway.istio-system" and ingress["error"] is None
    assert ingress["listener"]["name"] == "0.0.0.0_15443" and ingress["listener"]["port"] == 443
    assert ingress["filterChain"]["serverNames"] == ["httpbin.example.com"]
    assert ingress["virtualHost"]["name"] == "httpbin.example.com:443"
    egress = ingress["destinations"][0]["next"][0]
    assert egress["instance"] == "httpbin-egress.httpbin" and egress["routeConfiguration"] == "http.80"
    assert egress["rules"][0]["failed"]["condition"] == "gateways" and egress["route"] == egress["rules"][-1]
    cluster = egress["destinations"][0]["cluster"]
    assert cluster["name"] == "outbound|443|http-egress-subset|httpbin.org"
    assert cluster["tls"]["sni"] == "httpbin.org" and cluster["tls"]["verifiedNames"] == ["httpbin.org"]


def test_without_flags_every_instance_with_that_port_answers():
    answer = explained("--url", "http://httpbin.example.com/", "gateways/")
    assert [one["instance"] for one in answer["instances"]] == [
        "httpbin-egress.httpbin", "istio-ingressgateway.istio-system"]
    assert [one["error"] and one["error"]["kind"] for one in answer["instances"]] == [None, "tls-redirect"]
    alone = explained("--url", "http://httpbin.example.com/", "--instance", "httpbin-egress", "gateways/")
    assert only(alone)["instance"] == "httpbin-egress.httpbin"


def test_published_ports_are_those_that_clients_see():
    flags = ("--instance", "istio-ingressgateway", "--publish", "4443:443", "--publish", "4080:80", "gateways/")
    assert only(explained("--url", "https://httpbin.example.com:4443/", *flags))["listener"]["name"] == "0.0.0.0_4443"
    redirected = only(explained("--url", "http://httpbin.example.com:4080/x", *flags))
    assert redirected["location"] == "https://httpbin.example.com:4443/x"


# Where requests end


@pytest.mark.parametrize("url, more, kind, status", [
    ("http://a.example:81/", (), "no-listener", None),
    ("https://b.example/", (), "no-filter-chain", None),
    ("https://a.example/", ("--sni", "b.example"), "no-filter-chain", None),
    ("https://a.example/", ("--sni", ""), "no-filter-chain", None),
    ("http://a.example:443/", (), "no-filter-chain", None),
    ("http://b.example/", (), "no-virtual-host", 404),
    ("http://a.example/none", (), "no-route", 404),
    ("http://c.example/", (), "tls-redirect", 301),
    ("http://a.example/../x", (), "bad-request", 400),
    ("http://a.example/lost", (), "no-cluster", 503),
    ("http://a.example/nowhere", (), "no-endpoints", 503),
])
def test_says_where_a_request_ends(files, authority, url, more, kind, status):
    flags = files(
        gateway(http_server("a.example", "b.example"), http_server("c.example", name="redirect", httpsRedirect=True),
                https_server("a.example", credential="pair")),
        tls_secret("pair", authority.issue("a.example")),
        virtual_service(route("a.up", 80, match={"uri": {"prefix": "/x"}}),
                        route("lost.up", 80, match={"uri": {"prefix": "/lost"}}),
                        route("nowhere.up", 80, match={"uri": {"prefix": "/nowhere"}}),
                        hosts=("a.example",)),
        virtual_service(route("a.up", 80), hosts=("c.example",), name="other"),
        static_entry("a.up", 9), static_entry("nowhere.up"))
    result = explain("--url", url, *more, "-o", "json", *flags)
    assert result.returncode == 1, result.stdout + result.stderr
    error = only(json.loads(result.stdout))["error"]
    assert (error["kind"], error["status"]) == (kind, status), error


def test_the_first_condition_that_failed_is_said_of_every_earlier_rule(files):
    flags = files(
        gateway(http_server("*")), static_entry("a.up", 9),
        virtual_service(
            route("a.up", 80, match={"uri": {"prefix": "/api"}}, name="path"),
            route("a.up", 80, match={"headers": {"x-canary": {"exact": "1"}}}, name="header"),
            route("a.up", 80, match={"port": 8080}, name="port"),
            route("a.up", 80, match={"method": {"exact": "POST"}, "queryParams": {"q": {"exact": "a"}}}, name="query"),
            route("a.up", 80, name="last"),
            route("a.up", 80, name="never")))
    one = only(explained("--url", "http://h/x?q=b", "-X", "POST", "-H", "X-Canary: 2", *flags))
    assert [(rule["name"], rule["failed"] and tuple(rule["failed"].values())) for rule in one["rules"]] == [
        ("path", ("uri", 'prefix "/api"', '"/x"')), ("header", ("headers[x-canary]", 'exact "1"', '"2"')),
        ("port", ("port", "8080", "80")), ("query", ("queryParams[q]", 'exact "a"', '"b"')), ("last", None)]
    assert one["route"]["location"].split(":")[0].endswith("config.yaml")


def test_weights_rewrites_and_originated_tls_are_told(files):
    rule = {"route": [{"destination": {"host": host, "port": {"number": 80}}, "weight": weight}
                      for host, weight in (("a.up", 1), ("b.up", 3))],
            "rewrite": {"uri": "/new", "authority": "inner.example"}, "timeout": "3s",
            "match": [{"uri": {"prefix": "/old"}}]}
    flags = files(gateway(http_server("*")), static_entry("a.up", 9), static_entry("b.up", 10), virtual_service(rule),
                  destination_rule("b.up", {"tls": {"mode": "SIMPLE", "sni": "sni.example",
                                                    "subjectAltNames": ["one.example", "two.example"]}}))
    one = only(explained("--url", "http://h/old/x", *flags))
    assert [(to["weight"], to["totalWeight"]) for to in one["destinations"]] == [(1, 4), (3, 4)]
    assert one["settings"]["timeout"] == "3s"
    assert one["destinations"][0]["sends"]["path"] == "/new/x"
    assert one["destinations"][0]["sends"]["authority"] == "inner.example"
    assert one["destinations"][0]["cluster"]["endpoints"] == ["127.0.0.1:9"]
    tls = one["destinations"][1]["cluster"]["tls"]
    assert tls["sni"] == "sni.example" and tls["verifiedNames"] == ["one.example", "two.example"]


# Sources of requests


def test_an_archive_is_explained_request_by_request(files, tmp_path):
    flags = files(gateway(http_server("a.example")), static_entry("a.up", 9),
                  virtual_service(route("a.up", 80), hosts=("a.example",)))
    archive = tmp_path / "saved.har"
    archive.write_text(json.dumps({"log": {"version": "1.2", "entries": [
        {"request": {"method": "GET", "url": url, "headers": [{"name": "x", "value": "\U0001f600"}]}}
        for url in ("http://a.example/1", "http://b.example/2")]}}))
    answers = explained("--har", archive, *flags)
    assert [only(answer)["error"] and only(answer)["error"]["kind"] for answer in answers] == [None, "no-virtual-host"]


def test_resources_may_come_from_standard_input():
    text = as_yaml([gateway(http_server("*")), static_entry("a.up", 9), virtual_service(route("a.up", 80))])
    assert explain("--url", "http://h/", *IDENTITY, "-", stdin=text).returncode == 0


@pytest.mark.parametrize("arguments, code", [
    ((), 64), (("--url", "http://a/", "--curl", "curl http://a/"), 64), (("--url", "ftp://a/"), 64),
    (("--curl", "curl 'http://a"), 64), (("--url", "http://a/", "-H", "nonsense"), 64),
    (("--url", "http://a/", "nowhere/"), 66), (("--har", "nowhere.har"), 66), (("--har", "README.md"), 65),
    (("--url", "http://a/", "--instance", "httpbin-egres", "gateways/"), 78),
])
def test_mistakes_have_exit_codes(arguments, code):
    result = explain(*arguments)
    assert result.returncode == code, result.stdout + result.stderr


def test_keys_are_never_shown(files, authority):
    pair = authority.issue("a.example")
    flags = files(gateway(https_server("a.example", credential="pair")), tls_secret("pair", pair),
                  static_entry("a.up", 9), virtual_service(route("a.up", 80), hosts=("a.example",)))
    for form in ("text", "json"):
        result = explain("--url", "https://a.example/", "-o", form, *flags)
        assert result.returncode == 0 and "kubernetes://pair" in result.stdout
        assert "PRIVATE" not in result.stdout and pair.key_text.splitlines()[1] not in result.stdout


# A running instance


def random_rules(source: random.Random) -> list[dict]:
    def condition() -> dict:
        path = "/" + "/".join(source.choice(("a", "b", "ab", "")) for _ in range(source.randint(0, 3)))
        match: dict = {"uri": {source.choice(("exact", "prefix", "prefix")): path}}
        if source.random() < 0.2:
            match["ignoreUriCase"] = True
        if source.random() < 0.3:
            match["method"] = {"exact": source.choice(("GET", "POST"))}
        if source.random() < 0.3:
            match[source.choice(("headers", "withoutHeaders"))] = {"x-kind": source.choice(({"exact": "1"}, {}))}
        if source.random() < 0.2:
            match["queryParams"] = {"q": {"exact": "a"}}
        return match
    return [{"name": f"r{number}", "match": [condition() for _ in range(source.randint(1, 2))],
             "directResponse": {"status": 200, "body": {"string": f"r{number}"}}} for number in range(30)]


def random_request(source: random.Random) -> tuple[str, str, str, list[tuple[str, str]]]:
    segments = ("a", "b", "A", "ab", "", ".", "..", "%61")
    path = "/" + "/".join(source.choice(segments) for _ in range(source.randint(0, 3)))
    host = source.choice(("one.example", "ONE.example", "x.two.example", "three.example"))
    headers = [("x-kind", source.choice(("1", "2")))] if source.random() < 0.5 else []
    return source.choice(("GET", "POST")), host, path + source.choice(("", "", "?q=a", "?q=b")), headers


@pytest.mark.parametrize("seed", range(3))
def test_a_running_instance_answers_as_explained(owner, tmp_path, seed):
    """Text and data plane may not disagree: random requests through both."""
    source = random.Random(seed)
    resources = [gateway(http_server("*")),
                 virtual_service(*random_rules(source), hosts=("one.example",), name="one"),
                 virtual_service(*random_rules(source), hosts=("*.two.example", "one.example"), name="two")]
    running = owner.gateway(resources)
    requests = [random_request(source) for _ in range(150)]
    archive = tmp_path / "random.har"
    archive.write_text(json.dumps({"log": {"entries": [
        {"request": {"method": method, "url": f"http://h:{running.port()}{target}",
                     "headers": [{"name": name, "value": value} for name, value in [("Host", host), *headers]]}}
        for method, host, target, headers in requests]}}))
    answers = explained("--har", archive, *IDENTITY, "--publish", f"{running.port()}:80", running.resources)
    assert len(answers) == len(requests)
    seen = set()
    for (method, host, target, headers), answer in zip(requests, answers):
        one = only(answer)
        expected = one["error"]["status"] if one["error"] else one["route"]["name"]
        got = get(running.port(), target, host=host, method=method, **dict(headers))
        assert (got.text if got.status == 200 else got.status) == expected, (method, host, target, headers, one)
        seen.add(expected)
    assert {404, 400} <= seen and len(seen) > 8, seen


# The explanation of a live request


@pytest.fixture
def told(owner):
    """An instance that forwards /old, and its resources."""
    upstream = owner.upstream()
    running = owner.gateway([
        gateway(http_server("*")), static_entry("a.up", upstream.port),
        virtual_service(route("a.up", 80, match={"headers": {"x-canary": {"exact": "1"}}}, name="canary"),
                        route("a.up", 80, match={"uri": {"prefix": "/old"}}, rewrite={"uri": "/new"}, name="old"))])
    return running, upstream


def token_of(running, query: str = "") -> str:
    status, body = running.admin(f"/explain{query}", method="POST")
    assert status == 200, body
    answer = json.loads(body)
    assert answer["header"] == "x-sallyport-explain"
    return answer["token"]


def test_a_live_request_with_a_token_is_explained_in_the_log(told):
    running, upstream = told
    token = token_of(running)
    answer = get(running.port(), "/old/x?q=1", host="h.example", x_sallyport_explain=token, x_canary="2")
    assert answer.status == 200
    offline = explain("--url", f"http://h.example:{running.port()}/old/x?q=1", "-H", "Host: h.example", "-H",
                      "x-canary: 2", *IDENTITY, "--publish", f"{running.port()}:80", "--bind", "127.0.0.1",
                      running.resources)
    assert offline.returncode == 0 and "wanted exact \"1\", had \"2\"" in offline.stdout
    running.process.wait_until(lambda: offline.stdout in running.process.stderr, "logs the same text", 10)
    # The upstream learns nothing of it.
    assert upstream.requests[-1].header("x-sallyport-explain") is None


def test_where_a_live_request_ends_is_explained_too(told):
    running, _ = told
    assert get(running.port(), "/none", x_sallyport_explain=token_of(running)).status == 404
    running.process.wait_until(lambda: "no-route" in running.process.stderr, "says no-route", 10)
    assert get(running.port(), "/../x", x_sallyport_explain=token_of(running)).status == 400
    running.process.wait_until(lambda: "bad-request" in running.process.stderr, "says bad-request", 10)


def test_without_a_good_token_nothing_is_logged_and_nothing_forwarded(told):
    running, upstream = told
    assert get(running.port(), "/old", x_sallyport_explain="guess").status == 200
    token = token_of(running)
    for value in ("guess", token[:-1], token + "0", ""):
        assert get(running.port(), "/old", x_sallyport_explain=value).status == 200
    assert all(request.header("x-sallyport-explain") is None for request in upstream.requests)
    # A request that is explained comes after them in the log, and is the only one.
    assert get(running.port(), "/old/last", x_sallyport_explain=token).status == 200
    running.process.wait_until(lambda: "/old/last" in running.process.stderr, "explains the last", 10)
    assert running.process.stderr.count("virtual host") == 1


def test_tokens_are_handed_out_by_post_alone_and_for_a_time(told):
    running, _ = told
    assert running.admin("/explain")[0] == 405
    assert token_of(running) != token_of(running, "?seconds=5")
    for seconds in ("0", "soon", "86401"):
        assert running.admin(f"/explain?seconds={seconds}", method="POST")[0] == 400
