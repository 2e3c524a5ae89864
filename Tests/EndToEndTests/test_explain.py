"""`sallyport explain`: where a request goes and why, and that a running instance does the same."""

import json
import pathlib
import random
import socket
import ssl
import subprocess

import pytest

from harness.configuration import (IDENTITY, as_yaml, destination_rule, gateway, http_server, https_server,
                                   network_service, route, static_entry, tcp_route, tcp_server, tls_route, tls_secret,
                                   virtual_service)
from harness.gateway import run_verb
from harness.http_client import client_context, get

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


# Connections that carry bytes


@pytest.fixture
def databases(files):
    """Names that pass through on 443, addresses that are told apart on 9000."""
    return files(
        gateway(tcp_server("*.example.com", port=443, protocol="TLS", mode="PASSTHROUGH"), tcp_server(), http_server()),
        network_service(hosts=("*.example.com",), tls=[
            tls_route("b.example.com", to=("b.up", 5432)),
            {"match": [{"sniHosts": ["a.example.com"], "port": 444}, {"sniHosts": ["a.example.com"]}],
             "route": tls_route("a.example.com", to=[("a.up", 5432, 25), ("b.up", 5432, 75)])["route"]}],
            tcp=[tcp_route(("a.up", 5432), match=[{"sourceSubnet": "10.9.0.0/16"}]),
                 tcp_route(("b.up", 5432), match=[{"destinationSubnets": ["10.0.0.0/8"]}])]),
        static_entry("a.up", 9, port=5432, protocol="TCP"), static_entry("b.up", 10, port=5432, protocol="TCP"))


def test_a_server_name_is_followed_to_the_weighted_clusters(databases):
    answer = explained("--url", "tls://a.example.com", *databases)
    assert answer["request"]["sni"] == "a.example.com" and answer["request"]["command"].startswith("openssl s_client")
    one = only(answer)
    assert one["listener"]["name"] == "0.0.0.0_443" and one["filterChain"]["tlsMode"] == "PASSTHROUGH"
    assert [rule["failed"] and tuple(rule["failed"].values()) for rule in one["rules"]] == [
        ("sniHosts", "b.example.com", "a.example.com"), ("port", "444", "443"), None]
    assert one["route"]["virtualService"] == "test/routes" and ":" in one["route"]["location"]
    assert one["action"] == "tcpProxy" and one["error"] is None
    assert [(to["cluster"]["name"], to["weight"], to["totalWeight"]) for to in one["destinations"]] == [
        ("outbound|5432||a.up", 25, 100), ("outbound|5432||b.up", 75, 100)]
    text = explain("--url", "tls://a.example.com", *databases)
    assert text.returncode == 0 and "25 % of connections" in text.stdout and "SNI a.example.com" in text.stdout


@pytest.mark.parametrize("arguments, cluster", [
    (("--url", "tls://10.1.1.1:443", "--sni", "b.example.com"), "outbound|5432||b.up"),
    (("--url", "https://b.example.com/x"), "outbound|5432||b.up"),
    (("--url", "tcp://10.1.1.1:9000"), "outbound|5432||b.up"),
    (("--url", "tcp://db:9000", "--address", "10.1.1.1"), "outbound|5432||b.up"),
    (("--url", "tcp://db:9000", "--source", "10.9.0.1"), "outbound|5432||a.up"),
])
def test_what_is_known_of_a_connection_chooses(databases, arguments, cluster):
    assert only(explained(*arguments, *databases))["destinations"][0]["cluster"]["name"] == cluster


@pytest.mark.parametrize("url, kind", [
    ("tcp://db:1", "no-listener"), ("tls://c.test", "no-filter-chain"), ("tcp://db:443", "no-filter-chain"),
    ("tcp://db:80", "no-filter-chain"), ("tcp://db:9000", "no-route"),
])
def test_says_where_a_connection_ends(databases, url, kind):
    result = explain("--url", url, *databases, "-o", "json")
    assert result.returncode == 1 and only(json.loads(result.stdout))["error"]["kind"] == kind


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


# As people paste them; URL stands for that of an upstream. What curl sends is what explain takes it for.
CURL_LINES = [
    "curl URL/get", "curl -k --http1.1 -sS -o /dev/null -w '%{http_code}' URL/x", "curl -X POST --data 'a=b&c=d' URL/x",
    "curl -XDELETE URL/x", "curl -sXPUT URL/x -d 1", """curl --json '{"a": 1}' URL/x""", "curl -u user:secret URL/x",
    "curl -b 'session=1; x=2' URL/x", "curl -I URL/x", "curl -G -d q=hello -d x=1 'URL/search?y=2'",
    "curl -G --data-urlencode 'q=hello world&more' URL/search", "curl --data-urlencode 'name=Jürgen' URL/x",
    """curl $'URL/x\\'y' -H $'X-A: it\\'s \\x41'""", "curl 'URL/x' \\\n  -H 'Accept: text/html' \\\n  --compressed",
    "curl -A '' -H 'Accept;' -H 'X-Empty;' URL/x", "curl --user-agent Mozilla/5.0 -e http://ref/ URL/x",
    "curl -L -s URL/x -H 'Host: b.example.com' -H \"Y: \\\"2\\\"\"", "curl 'URL/{one,two}'", "curl 'URL/[1-3]?x=[a-b]'",
    "curl -g 'URL/{a}[1-2]'", "curl -F name=y URL/upload", "curl --oauth2-bearer TOKEN URL/x",
    "curl -H 'content-type: application/json' -d '{}' URL/x", "curl URL/a/../b/./c", "curl --path-as-is URL/a/../b",
    "curl 'URL/x?a=1#frag'", "curl URL/1 --next -X POST URL/2", "curl URL/x; curl -I URL/y && echo done",
    "curl URL/x 2>/dev/null | cat > /dev/null", "curl -r 0-99 URL/x", "curl --url-query 'q=1 2&3' URL/x",
    "curl --request-target '/other?x' URL/x", "curl -H 'Accept:' -H 'User-Agent:' URL/x", "curl -sSfL -m5 URL/x",
    "curl --get --data 'a=1' 'URL/x?b=2'", "FOO=bar curl --no-progress-meter URL/%E4",
]


@pytest.mark.parametrize("line", CURL_LINES)
def test_a_pasted_line_is_what_curl_sends(owner, line):
    upstream = owner.upstream()
    line = line.replace("URL", f"http://127.0.0.1:{upstream.port}")
    subprocess.run(["bash", "-c", line], capture_output=True, timeout=30, check=False)
    known = [only_request["request"] for only_request in as_list(explained("--curl", line, "gateways/"))]
    # Lengths, boundaries and curl's version are those of the transfer.
    transfer = {"host", "content-length", "expect"}

    def comparable(name: str, value: str) -> tuple[str, str]:
        value = "curl" if value.startswith("curl/") else value.split("; boundary")[0]
        return name.lower(), "encodings" if name.lower() == "accept-encoding" else value

    sent = [(request.method, request.target, request.header("host"),
             sorted(comparable(*field) for field in request.headers if field[0].lower() not in transfer))
            for request in upstream.requests]
    assert sent == [(request["method"], request["path"], request["authority"],
                     sorted(comparable(field["name"], field["value"]) for field in request["headers"]))
                    for request in known]


def as_list(answer: dict | list) -> list:
    return answer if isinstance(answer, list) else [answer]


@pytest.mark.parametrize("browser", ["chrome", "firefox"])
def test_archives_of_browsers(files, tmp_path, browser):
    """The shapes that their developer tools save, shortened."""
    flags = files(gateway(http_server("a.example"), https_server("a.example", credential="lost")),
                  static_entry("a.up", 9), virtual_service(route("a.up", 80), hosts=("a.example",)))
    if browser == "chrome":
        request = {"method": "GET", "url": "http://a.example/x?q=1", "httpVersion": "http/2.0", "cookies": [],
                   "headers": [{"name": ":authority", "value": "a.example"}, {"name": ":method", "value": "GET"},
                               {"name": ":path", "value": "/x?q=1"}, {"name": ":scheme", "value": "http"},
                               {"name": "accept", "value": "*/*"}, {"name": "sec-ch-ua", "value": '"Chromium";v="124"'}],
                   "queryString": [{"name": "q", "value": "1"}], "headersSize": -1, "bodySize": 0}
        entries = [{"_initiator": {"type": "other"}, "_priority": "High", "_resourceType": "document", "cache": {},
                    "request": request, "response": {"status": 200}, "serverIPAddress": "127.0.0.1", "timings": {}},
                   {"request": {"method": "GET", "url": "data:image/png;base64,AAAA", "headers": []}},
                   {"request": {"method": "GET", "url": "chrome-extension://abc/x.js", "headers": []}}]
    else:
        request = {"bodySize": 3, "method": "POST", "url": "http://a.example/x?q=1", "httpVersion": "HTTP/1.1",
                   "headers": [{"name": "Host", "value": "a.example"}, {"name": "Content-Length", "value": "3"},
                               {"name": "Accept", "value": "*/*"}],
                   "cookies": [], "queryString": [], "headersSize": 100,
                   "postData": {"mimeType": "text/plain", "params": [], "text": "abc"}}
        entries = [{"pageref": "page_1", "startedDateTime": "2026-01-01T00:00:00.000+01:00", "request": request}]
    archive = tmp_path / "saved.har"
    archive.write_text("\ufeff" + json.dumps({"log": {"version": "1.2", "creator": {}, "pages": [], "entries": entries}}))
    answers = explained("--har", archive, *flags)
    assert len(answers) == 1 and only(answers[0])["error"] is None
    asked = answers[0]["request"]
    assert asked["authority"] == "a.example" and asked["path"] == "/x?q=1"
    assert not any(field["name"].lower() in ("content-length", "host", ":path") for field in asked["headers"])


def test_resources_may_come_from_standard_input():
    text = as_yaml([gateway(http_server("*")), static_entry("a.up", 9), virtual_service(route("a.up", 80))])
    assert explain("--url", "http://h/", *IDENTITY, "-", stdin=text).returncode == 0


@pytest.mark.parametrize("arguments, code", [
    ((), 64), (("--url", "http://a/", "--curl", "curl http://a/"), 64), (("--url", "ftp://a/"), 64),
    (("--curl", "curl 'http://a"), 64), (("--url", "http://a/", "-H", "nonsense"), 64),
    (("--url", "tcp://a"), 64), (("--url", "tcp://a:1", "-X", "GET"), 64), (("--url", "tcp://a:1", "--source", "x"), 64),
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


def random_range(source: random.Random) -> str:
    return f"127.0.0.{source.randrange(16)}/{source.randint(28, 32)}"


def random_connections(source: random.Random) -> list[dict]:
    """Rules for names on 443 and for addresses on 9000 that lead to three upstreams."""
    def target() -> tuple[str, int]:
        return source.choice(("one.up", "two.up", "three.up")), 5432

    def addresses() -> dict:
        return {"destinationSubnets": [random_range(source)]} if source.random() < 0.4 else {}

    names = ("a.example.com", "b.example.com", "*.example.com", "*.b.example.com")
    return [network_service(
        name=name, hosts=("*.example.com",),
        tls=[tls_route(*source.sample(names, source.randint(1, 2)), to=target(), **addresses()) for _ in range(3)],
        tcp=[tcp_route(target(), match=[{**addresses(), **(
            {"sourceSubnet": random_range(source)} if source.random() < 0.6 else {})}]) for _ in range(2)])
            for name in ("first", "second")]


def first_bytes(name: str | None) -> bytes:
    """What a client says first: a ClientHello, or anything."""
    if name is None:
        return b"hello"
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = client_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("seed", range(3))
def test_a_running_instance_carries_connections_as_explained(owner, seed):
    """The upstreams say who they are and hang up; a connection that nobody takes has no such word."""
    source = random.Random(seed)
    upstreams = {}
    for name in ("one.up", "two.up", "three.up"):
        def script(connection, name=name):
            connection.socket.recv(1 << 16)
            connection.send(name.encode())
            connection.half_close()
        upstreams[name] = owner.upstream(script)
    running = owner.gateway(
        [gateway(tcp_server("*.example.com", port=443, protocol="TLS", mode="PASSTHROUGH"), tcp_server()),
         *random_connections(source),
         *(static_entry(name, up.port, port=5432, protocol="TCP") for name, up in upstreams.items())],
        ports=(443, 9000), bind="0.0.0.0")
    flags = ("--publish", f"{running.port(443)}:443", "--publish", f"{running.port(9000)}:9000")
    seen = set()
    for _ in range(30):
        name = source.choice((None, None, "a.example.com", "B.example.com", "x.b.example.com", "c.example.com", "d.test"))
        ours, theirs = (f"127.0.0.{source.randint(1, 15)}" for _ in range(2))
        port = running.port(443 if name else 9000)
        one = only(explained("--url", f"tls://{name}:{port}" if name else f"tcp://db:{port}", "--source", ours,
                             "--address", theirs, *IDENTITY, *flags, running.resources))
        expected = one["destinations"][0]["cluster"]["fqdn"] if one["error"] is None else ""
        with socket.create_connection((theirs, port), timeout=20, source_address=(ours, 0)) as client:
            client.sendall(first_bytes(name))
            try:
                got = b"".join(iter(lambda: client.recv(100), b""))
            except ConnectionResetError:
                got = b""
        assert got.decode("latin-1").removeprefix("\x15\x03\x01\0\x02\x02\x70") == expected, (name, ours, theirs, one)
        seen.add(expected or one["error"]["kind"])
    assert len(seen) > 2, seen


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
