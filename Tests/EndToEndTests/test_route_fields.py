"""Fields of a VirtualService's http rules, one by one: conditions, redirects, answers, rewrites, header operations."""

import json
import re
import time

import pytest

from harness.configuration import gateway, http_server, resource, route, static_entry, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, get
from harness.upstreams import answering, response

HOST = "h.example"


@pytest.fixture(scope="module")
def echo(module_owner):
    """Answers with the request line and the header fields, one a line."""
    def said(request):
        lines = [f"{request.method} {request.target}", *(f"{name.lower()}: {value}" for name, value in request.headers)]
        return response("\n".join(lines), "200 OK", "X-Upstream: yes", "X-Twice: one")
    return module_owner.upstream(answering(said))


def start(owner, echo, *rules: dict, **metadata):
    return owner.gateway([gateway(http_server("*")), static_entry("up.example", echo.port),
                          virtual_service(*rules, **metadata)])


def up(**fields) -> dict:
    return route("up.example", 80, **fields)


def lines(answer) -> list[str]:
    assert answer.status == 200, (answer.status, answer.text)
    return answer.text.splitlines()


# Conditions

CONDITIONS = [
    ("method exact", {"method": {"exact": "PUT"}}, {"method": "PUT"}, {"method": "PUTS"}),
    ("method regex", {"method": {"regex": "P.T"}}, {"method": "PUT"}, {"method": "POST"}),
    ("method prefix", {"method": {"prefix": "PU"}}, {"method": "PUT"}, {"method": "POST"}),
    ("header exact", {"headers": {"x-a": {"exact": "b"}}}, {"x-a": "b"}, {"x-a": "B"}),
    ("header prefix", {"headers": {"x-a": {"prefix": "b"}}}, {"x-a": "bc"}, {"x-a": "cb"}),
    ("header regex", {"headers": {"x-a": {"regex": "b+"}}}, {"x-a": "bb"}, {"x-a": "bbc"}),
    ("header present", {"headers": {"x-a": {}}}, {"x-a": "any"}, {}),
    ("header name in any case", {"headers": {"X-A": {"exact": "b"}}}, {"x-A": "b"}, {"x-b": "b"}),
    ("without header", {"withoutHeaders": {"x-a": {"exact": "b"}}}, {"x-a": "c"}, {"x-a": "b"}),
    ("without header prefix", {"withoutHeaders": {"x-a": {"prefix": "b"}}}, {"x-a": "cb"}, {"x-a": "bc"}),
    ("without header regex", {"withoutHeaders": {"x-a": {"regex": "b+"}}}, {}, {"x-a": "bb"}),
    ("without any", {"withoutHeaders": {"x-a": {}}}, {}, {"x-a": "b"}),
    ("authority exact", {"authority": {"exact": "a.example"}}, {"host": "a.example"}, {"host": "b.example"}),
    ("authority prefix", {"authority": {"prefix": "a."}}, {"host": "a.example"}, {"host": "b.example"}),
    ("authority regex", {"authority": {"regex": "a\\..*"}}, {"host": "a.example"}, {"host": "b.example"}),
    ("scheme exact", {"scheme": {"exact": "http"}}, {}, None),
    ("scheme prefix", {"scheme": {"prefix": "https"}}, None, {}),
    ("scheme regex", {"scheme": {"regex": "https?"}}, {}, None),
    ("query exact", {"queryParams": {"a": {"exact": "b"}}}, {"target": "/?a=b"}, {"target": "/?a=c"}),
    ("query prefix", {"queryParams": {"a": {"prefix": "b"}}}, {"target": "/?x=1&a=bc"}, {"target": "/?a=cb"}),
    ("query regex", {"queryParams": {"a": {"regex": "b+"}}}, {"target": "/?a=bb"}, {"target": "/?a=bc"}),
    ("query present", {"queryParams": {"a": {"exact": ""}}}, {"target": "/?a="}, {"target": "/?b="}),
    ("our namespace", {"sourceNamespace": "test"}, {}, None),
    ("another namespace", {"sourceNamespace": "other"}, None, {}),
    ("our labels", {"sourceLabels": {"app": "gateway"}}, {}, None),
    ("other labels", {"sourceLabels": {"app": "other"}}, None, {}),
]


@pytest.fixture(scope="module")
def conditions(module_owner, echo):
    rules = [up(match={**condition, "uri": {"prefix": f"/{number}/"}}) for number, (_, condition, _, _) in
             enumerate(CONDITIONS)]
    return start(module_owner, echo, *rules)


@pytest.mark.parametrize("number", range(len(CONDITIONS)), ids=[name for name, *_ in CONDITIONS])
def test_conditions(conditions, number):
    """The request that meets the condition, and the one that does not."""
    _, _, meets, fails = CONDITIONS[number]
    for request, status in ((meets, 200), (fails, 404)):
        if request is not None:
            options = {"host": HOST, **request}
            target = f"/{number}" + options.pop("target", "/")
            assert get(conditions.port(), target, **options).status == status, request


# Redirects and answers

REDIRECTS = [
    ({"uri": "/new"}, "/old/x?q=1", 301, "http://h.example/new"),
    ({"authority": "other.example"}, "/old/x?q=1", 301, "http://other.example/old/x?q=1"),
    ({"scheme": "https"}, "/old/x", 301, "https://h.example/old/x"),
    ({"port": 8443}, "/old/x", 301, "http://h.example:8443/old/x"),
    ({"scheme": "https", "port": 8443}, "/old/x", 301, "https://h.example:8443/old/x"),
    ({"authority": "o.example", "derivePort": "FROM_PROTOCOL_DEFAULT"}, "/old/x", 301, "http://o.example/old/x"),
    ({"prefixRewrite": "/new"}, "/old/x", 301, "http://h.example/new/x"),
    # As in Istio, a marker of the Gateway API alone.
    ({"uri": "%PREFIX()%/new"}, "/old/x", 301, "http://h.example%PREFIX()%/new"),
    ({"uri": "/new", "redirectCode": 308}, "/old/x", 308, "http://h.example/new"),
]


@pytest.mark.parametrize("redirect, target, status, location", REDIRECTS)
def test_redirects(owner, echo, redirect, target, status, location):
    running = start(owner, echo, {"match": [{"uri": {"prefix": "/old"}}], "redirect": redirect})
    answer = get(running.port(), target, host=HOST)
    assert answer.status == status
    # A query of the request may stay with a redirect to another path.
    assert answer.header("location").split("?")[0] == location.split("?")[0]


def test_a_redirect_may_derive_the_port_of_the_request(owner, echo):
    rule = {"redirect": {"authority": "o.example", "derivePort": "FROM_REQUEST_PORT"}}
    running = owner.gateway([gateway(http_server("*", port=8099)), virtual_service(rule)], ports=(8099,))
    # As in Istio, the port that the Gateway declares, whatever the client called.
    location = get(running.port(8099), "/x", host=HOST).header("location")
    assert location == "http://o.example:8099/x"


@pytest.mark.parametrize("body, text", [({"string": "gone"}, "gone"), ({"bytes": "Z29uZQ=="}, "gone"), (None, "")])
def test_direct_responses(owner, echo, body, text):
    answer = get(start(owner, echo, {"directResponse": {"status": 410, **({"body": body} if body else {})}}).port())
    assert (answer.status, answer.text) == (410, text)


# Rewrites

@pytest.mark.parametrize("match, rewrite, target, seen", [
    ({"prefix": "/a"}, {"uri": "/b"}, "/a/x?q=1", "/b/x?q=1"),
    ({"exact": "/a"}, {"uri": "/b/c"}, "/a?q=1", "/b/c?q=1"),
    ({"regex": "/a.*"}, {"uri": "/b"}, "/axx", "/b"),
    ({"prefix": "/"}, {"uriRegexRewrite": {"match": "^/v([0-9]+)/(.*)", "rewrite": "/\\2/\\1"}}, "/v2/x", "/x/2"),
    ({"prefix": "/"}, {"uriRegexRewrite": {"match": "^/a(.*)", "rewrite": "/$1\\\\1\\1"}}, "/a/x", "/$1\\1/x"),
])
def test_rewrites_of_the_path(owner, echo, match, rewrite, target, seen):
    running = start(owner, echo, up(match={"uri": match}, rewrite=rewrite))
    assert lines(get(running.port(), target, host=HOST))[0] == f"GET {seen}"


def test_rewrite_of_the_authority(owner, echo):
    running = start(owner, echo, up(rewrite={"authority": "other.example"}))
    assert "host: other.example" in lines(get(running.port(), host=HOST))


# Header operations

OPERATIONS = {"request": {"set": {"x-set": "new", "x-new": "made"}, "add": {"x-add": "two"}, "remove": ["x-remove"]},
              "response": {"set": {"x-upstream": "no"}, "add": {"x-twice": "two"}, "remove": ["x-remove"]}}


@pytest.mark.parametrize("level", ["rule", "destination"])
def test_header_operations(owner, echo, level):
    rule = up()
    (rule if level == "rule" else rule["route"][0])["headers"] = OPERATIONS
    answer = get(start(owner, echo, rule).port(), host=HOST, **{"x-set": "old", "x-add": "one", "x-remove": "x"})
    said = lines(answer)
    assert "x-set: new" in said and "x-set: old" not in said and "x-new: made" in said
    assert [line for line in said if line.startswith("x-add")] in (["x-add: one", "x-add: two"], ["x-add: one, two"],
                                                                   ["x-add: one,two"])
    assert not any(line.startswith("x-remove") for line in said)
    assert answer.header("x-upstream") == "no" and answer.header("x-twice").replace(" ", "") == "one,two"


# Names and visibility

def test_names_of_rule_and_match_are_the_routes_name(owner, echo):
    running = start(owner, echo, up(name="rule", match=[{"name": "match", "uri": {"prefix": "/"}}]))
    assert get(running.port(), "/named", host=HOST).status == 200
    assert parse_access_line(running.wait_for_access_line("/named"))["route_name"] == "rule.match"


@pytest.mark.parametrize("export, status", [(["*"], 200), (["."], 200), (["test"], 200), (["other"], 404)])
def test_export_of_a_virtual_service(owner, echo, export, status):
    service = virtual_service(up())
    service["spec"]["exportTo"] = export
    running = owner.gateway([gateway(http_server("*")), static_entry("up.example", echo.port), service])
    assert get(running.port(), host=HOST).status == status


@pytest.mark.parametrize("export, status", [(["*"], 200), (["."], 503), (["test"], 200)])
def test_export_of_a_service_entry(owner, echo, export, status):
    entry = static_entry("up.example", echo.port, exportTo=export)
    entry["metadata"]["namespace"] = "elsewhere"
    running = owner.gateway([gateway(http_server("*")), entry, virtual_service(up())])
    assert get(running.port(), host=HOST).status == status


def test_workload_entries_behind_a_service_entry(owner, echo):
    entry = static_entry("up.example", 1)
    entry["spec"] |= {"workloadSelector": {"labels": {"app": "up"}}}
    del entry["spec"]["endpoints"]
    workload = resource("WorkloadEntry", "one", {"address": "127.0.0.1", "labels": {"app": "up"},
                                                 "ports": {"port": echo.port}, "weight": 2})
    stranger = resource("WorkloadEntry", "two", {"address": "127.0.0.1", "labels": {"app": "other"},
                                                 "ports": {"port": 1}})
    running = owner.gateway([gateway(http_server("*")), entry, workload, stranger, virtual_service(up())])
    assert all(get(running.port(), host=HOST).status == 200 for _ in range(10))


def test_proxy_config_says_how_many_workers(owner, echo):
    config = resource("ProxyConfig", "workers", {"concurrency": 3}, api="networking.istio.io/v1beta1")
    running = owner.gateway([gateway(http_server("*")), static_entry("up.example", echo.port), virtual_service(up()),
                             config], workers=None)
    assert "with 3 workers" in running.process.stderr


def counted(running, prefix: str) -> dict[str, int]:
    """The counters of a statPrefix that are not zero."""
    text = running.admin("/stats?usedonly&filter=^vhost")[1]
    lines = [line.removeprefix(f"vhost.{prefix}.upstream_rq_").split(": ") for line in text.splitlines()
             if line.startswith(f"vhost.{prefix}.")]
    return {name: int(value) for name, value in lines if name != "time"}


def test_statPrefix_counts_the_requests_of_its_matches(owner):
    """By virtual host and prefix, in Envoy's names, over workers and reloads; other rules are not counted."""
    left = [503, 503, 503]

    def answer(request):
        status = left.pop() if request.target == "/retried" and left else 200
        return response("x", f"{status} X")

    upstream = owner.upstream(answering(answer))
    retries = {"attempts": 1, "retryOn": "5xx", "backoff": "1ms"}

    def resources(*more):
        return [gateway(http_server("*")), static_entry("u.up", upstream.port), virtual_service(
            route("u.up", 80, match=[{"uri": {"exact": "/a"}, "statPrefix": "shop"},
                                     {"uri": {"exact": "/b"}, "statPrefix": "shop"}, {"uri": {"exact": "/c"}}]),
            route("u.up", 80, match={"uri": {"exact": "/retried"}, "statPrefix": "again"}, retries=retries),
            {"match": [{"uri": {"exact": "/direct"}, "statPrefix": "direct"}], "directResponse": {"status": 200}},
            route("nowhere.up", 80, match={"uri": {"exact": "/nowhere"}, "statPrefix": "gone"}), *more,
            hosts=("a.example", "b.example"))]
    running = owner.gateway(resources(), workers=2)
    for target in ("/a", "/b", "/a", "/c"):
        assert get(running.port(), target, host="a.example").status == 200
    assert get(running.port(), "/a", host="b.example").status == 200
    assert counted(running, "a.example:80.route.shop") == {"2xx": 3, "total": 3}
    assert counted(running, "b.example:80.route.shop") == {"2xx": 1, "total": 1}
    assert [get(running.port(), "/retried", host="a.example").status for _ in range(3)] == [503, 200, 200]
    assert counted(running, "a.example:80.route.again") == {
        "2xx": 2, "5xx": 1, "retry": 2, "retry_limit_exceeded": 1, "retry_success": 1, "total": 3}
    assert get(running.port(), "/direct", host="a.example").status == 200
    assert counted(running, "a.example:80.route.direct") == {}
    assert get(running.port(), "/nowhere", host="a.example").status == 503
    assert counted(running, "a.example:80.route.gone") == {"5xx": 1, "total": 1}
    running.configure(resources(route("u.up", 80)))
    running.reload_and_wait()
    assert get(running.port(), "/b", host="a.example").status == 200
    assert counted(running, "a.example:80.route.shop") == {"2xx": 4, "total": 4}
    text = running.admin("/stats/prometheus?filter=vhost_route")[1]
    assert 'envoy_vhost_route_upstream_rq_total{envoy_virtual_host="a.example:80",envoy_route="shop"} 4' in text
    assert ('envoy_vhost_route_upstream_rq_xx{envoy_response_code_class="5",envoy_virtual_host="a.example:80",'
            'envoy_route="again"} 1') in text
    assert running.admin("/reset_counters", method="POST")[0] == 200
    assert counted(running, "a.example:80.route.shop") == {}


def test_statPrefix_has_a_histogram_of_upstream_times(owner):
    """`upstream_rq_time`: what the upstream answered, from the end of the request; nothing else."""
    def script(connection):
        while (request := connection.read_request()) is not None:
            if request.target == "/slow":
                time.sleep(0.06)
            if request.target == "/broken":
                return connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
            connection.send(response("x"))

    upstream = owner.upstream(script)
    running = owner.gateway([gateway(http_server("*")), static_entry("u.up", upstream.port), virtual_service(
        route("u.up", 80, match={"uri": {"prefix": "/slow"}, "statPrefix": "slow"}),
        route("u.up", 80, match={"uri": {"prefix": "/broken"}, "statPrefix": "broken"}),
        route("nowhere.up", 80, match={"uri": {"prefix": "/nowhere"}, "statPrefix": "nowhere"}),
        route("u.up", 80), hosts=("a.example",))])
    for target, status in (("/slow", 200), ("/slow", 200), ("/nowhere", 503), ("/x", 200)):
        assert get(running.port(), target, host="a.example").status == status
    with pytest.raises(Exception):
        get(running.port(), "/broken", host="a.example")
    running.wait_for_access_line("/broken")
    labels = 'envoy_virtual_host="a.example:80",envoy_route='
    text = running.admin("/stats/prometheus?filter=rq_time")[1]
    assert f'envoy_vhost_route_upstream_rq_time_bucket{{{labels}"slow",le="50"}} 0' in text
    assert f'envoy_vhost_route_upstream_rq_time_bucket{{{labels}"slow",le="+Inf"}} 2' in text
    assert f'envoy_vhost_route_upstream_rq_time_count{{{labels}"slow"}} 2' in text
    assert int(re.search(f'rq_time_sum{{{labels}"slow"}} (\\d+)', text)[1]) >= 110
    assert f'envoy_vhost_route_upstream_rq_time_count{{{labels}"nowhere"}} 0' in text
    assert f'envoy_vhost_route_upstream_rq_time_count{{{labels}"broken"}} 0' in text
    lines = running.admin("/stats?filter=rq_time")[1].splitlines()
    assert "vhost.a.example:80.route.nowhere.upstream_rq_time: No recorded values" in lines
    slow = next(line for line in lines if ".slow.upstream_rq_time: " in line)
    assert re.match(r"vhost.a.example:80.route.slow.upstream_rq_time: P0\(nan,\d+\) P25\(nan,[\d.]+\) ", slow)
    listed = json.loads(running.admin("/stats?filter=rq_time&usedonly&format=json")[1])["stats"][0]["histograms"]
    assert [entry["name"] for entry in listed["computed_quantiles"]] == [
        "vhost.a.example:80.route.slow.upstream_rq_time"]
    assert listed["computed_quantiles"][0]["values"][0]["cumulative"] >= 50


# What configuration must not do to messages

def test_header_operations_of_a_rule_apply_to_the_answer_that_it_gives_itself(owner, echo):
    edits = {"response": {"set": {"content-type": "application/json", "x-code": "%RESPONSE_CODE%"}}}
    running = start(owner, echo,
                    {"match": [{"uri": {"prefix": "/direct"}}], "headers": edits,
                     "directResponse": {"status": 418, "body": {"string": "{}"}}},
                    {"headers": {"response": {"set": {"cache-control": "no-store"}}}, "redirect": {"uri": "/direct"}})
    direct = get(running.port(), "/direct", host=HOST)
    assert (direct.status, direct.header("content-type"), direct.header("x-code")) == (418, "application/json", "418")
    assert [value for name, value in direct.headers if name.lower() == "content-type"] == ["application/json"]
    assert get(running.port(), "/old", host=HOST).header("cache-control") == "no-store"


INJECTIONS = [
    {"headers": {"request": {"set": {"x-a": "a\r\nx-injected: 1"}}}},
    {"headers": {"response": {"add": {"x-a": "a\nx-injected: 1"}}}},
    {"rewrite": {"uri": "/a\r\nb"}},
    {"rewrite": {"uri": "/a b"}},
    {"rewrite": {"authority": "a\r\nx-injected: 1"}},
    {"rewrite": {"uriRegexRewrite": {"match": "/a", "rewrite": "/a\r\nx: y"}}},
]


@pytest.mark.parametrize("fields", INJECTIONS)
def test_a_rule_that_would_break_a_message_is_refused_and_others_serve(owner, echo, fields):
    good = virtual_service(up(), hosts=("good.example",), name="good")
    bad = virtual_service(up(**fields), hosts=("bad.example",), name="bad")
    running = owner.gateway([gateway(http_server("*")), static_entry("up.example", echo.port), good, bad])
    assert get(running.port(), host="good.example").status == 200
    assert get(running.port(), host="bad.example").status == 404
    assert "it contains" in running.process.stderr or "control characters" in running.process.stderr


@pytest.mark.parametrize("edit", [
    {"remove": ["Content-Length"]}, {"set": {"content-length": "3"}}, {"set": {"transfer-encoding": "chunked"}},
    {"add": {"connection": "x"}}])
def test_rules_cannot_edit_where_a_message_ends(owner, echo, edit):
    body = b"GET /admin HTTP/1.1\r\nHost: x\r\n\r\n"
    running = start(owner, echo, up(headers={"request": {**edit}, "response": {**edit, "set": {
        **edit.get("set", {}), "x-other": "edited"}}}))
    with Connection(running.port()) as connection:
        answer = connection.request("POST", "/x", HOST, body=body)
    assert lines(answer)[0] == "POST /x" and f"content-length: {len(body)}" in lines(answer)
    assert not [line for line in lines(answer) if line.startswith(("transfer-encoding", "connection"))]
    assert answer.header("x-other") == "edited" and "SP1056" in running.process.stderr


@pytest.mark.parametrize("rewrite", [{"uri": "new"}, {"uriRegexRewrite": {"match": "/old/", "rewrite": "new/"}}])
def test_a_rewritten_path_begins_with_a_slash(owner, echo, rewrite):
    running = start(owner, echo, up(match={"uri": {"prefix": "/old"}}, rewrite=rewrite))
    assert lines(get(running.port(), "/old/x", host=HOST))[0] == "GET /new/x"


def test_the_rules_authority_stands_above_its_destinations(owner, echo):
    entry = {"destination": {"host": "up.example", "port": {"number": 80}},
             "headers": {"request": {"set": {"Host": "destination.example", "x-a": "b"}}}}
    running = start(owner, echo,
                    {"match": [{"uri": {"prefix": "/rule"}}], "route": [entry],
                     "headers": {"request": {"set": {"Host": "rule.example"}}}},
                    {"route": [entry]})
    seen = lines(get(running.port(), "/rule", host=HOST))
    assert "host: rule.example" in seen and "x-a: b" in seen
    assert "host: destination.example" in lines(get(running.port(), "/", host=HOST))


REPEATS = [("/(\\w+/)*admin(/.*)?", "/" + "a/" * 12000 + "admin"), ("/s/(x|xx)*y", "/s/" + "x" * 20000 + "y"),
           ("/t/([a-z]|%[0-9a-f]{2})+secret", "/t/" + "a" * 20000 + "secret")]


@pytest.mark.parametrize("regex, target", REPEATS)
def test_a_long_path_does_not_slip_past_a_regex(owner, echo, regex, target):
    running = start(owner, echo, {"match": [{"uri": {"regex": regex}}], "directResponse": {"status": 403}}, up())
    assert get(running.port(), target, host=HOST).status == 403
    assert get(running.port(), "/other", host=HOST).status == 200


def test_where_a_regex_exceeds_its_limits_the_request_is_refused(owner, echo):
    running = start(owner, echo, {"match": [{"uri": {"regex": "/(a|aa|aaa)*b"}}], "directResponse": {"status": 403}},
                    up())
    assert get(running.port(), "/" + "a" * 3000 + "bc", host=HOST).status == 500
    assert parse_access_line(running.wait_for_access_line(" 500 "))["response_code_details"] == "regex_limit_exceeded"
    assert "http.downstream_rq_regex_limit: 1" in running.admin("/stats")[1]


def test_an_ipv6_address_is_a_host(owner, echo):
    running = start(owner, echo, up(), hosts=("2001:db8::1",))
    assert get(running.port(), host="[2001:db8::1]").status == 200
    assert get(running.port(), host="[2001:db8::1]:8080").status == 200
    assert get(running.port(), host="[2001:db8::2]").status == 404
