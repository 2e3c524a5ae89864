"""The admin endpoint: Envoy's paths and shapes, and the verbs that read them."""

import json
import os
import re
import socket
import subprocess

import pytest
import yaml

from harness.configuration import (IDENTITY, as_yaml, destination_rule, gateway, http_server, https_server,
                                   network_service, resource, route, static_entry, tcp_route, tcp_server, to_upstream,
                                   virtual_service)
from harness.gateway import fetch, run_verb
from harness.http_client import Connection, get
from harness.ports import free_admin_base
from harness.waiting import eventually


@pytest.fixture(scope="module")
def running(module_owner, nginx, authority):
    certificate = authority.issue("a.example")
    instance = module_owner.gateway(
        [gateway(http_server("*"), https_server("a.example", credential="front")),
         virtual_service(route("up.example", 80, "blue", name="named"), name="routes"),
         static_entry("up.example", nginx.plain), destination_rule("up.example", subsets=[{"name": "blue"}])],
        ports=(80, 443), secrets={"front": {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}})
    instance.key_text = certificate.key_text
    assert get(instance.port()).status == 200
    return instance


def test_ready_says_live(running):
    assert running.admin("/ready") == (200, "LIVE\n")


def test_server_info_has_envoys_fields(running):
    info = running.admin_json("/server_info")
    assert info["state"] == "LIVE" and info["version"]
    assert "uptime_current_epoch" in info and "command_line_options" in info


def test_listeners_as_text_and_json(running):
    status, text = running.admin("/listeners")
    assert status == 200
    assert f"127.0.0.1:{running.port(80)}" in text and f"127.0.0.1:{running.port(443)}" in text
    listed = running.admin_json("/listeners?format=json")
    addresses = {entry["local_address"]["socket_address"]["port_value"] for entry in listed["listener_statuses"]}
    assert {running.port(80), running.port(443)} <= addresses


def test_clusters_as_text_and_json(running, nginx):
    status, text = running.admin("/clusters")
    assert status == 200
    assert f"outbound|80|blue|up.example::127.0.0.1:{nginx.plain}::health_flags::healthy" in text
    listed = running.admin_json("/clusters?format=json")
    cluster = next(entry for entry in listed["cluster_statuses"] if entry["name"] == "outbound|80|blue|up.example")
    address = cluster["host_statuses"][0]["address"]["socket_address"]
    assert (address["address"], address["port_value"]) == ("127.0.0.1", nginx.plain)


def test_config_dump_has_typed_parts_and_no_secret(running):
    dump = running.admin_json("/config_dump")
    assert dump["configs"] and all("@type" in part for part in dump["configs"])
    text = json.dumps(dump)
    assert "outbound|80|blue|up.example" in text
    assert running.key_text.splitlines()[1] not in text and "PRIVATE KEY" not in text


def test_stats_count_requests(running):
    def total() -> int:
        status, text = running.admin("/stats")
        assert status == 200
        return sum(int(value) for value in re.findall(r"downstream_rq_total: (\d+)", text))

    before = total()
    for _ in range(5):
        get(running.port())
    eventually(lambda: total() >= before + 5, "the requests are counted")


def test_stats_can_be_filtered_and_be_json(running):
    status, text = running.admin("/stats?filter=upstream_rq_total")
    assert status == 200 and text.strip()
    assert all("upstream_rq_total" in line for line in text.splitlines() if line)
    assert running.admin_json("/stats?format=json")["stats"]


def test_prometheus_text_can_be_filtered(running):
    status, text = running.admin("/stats?format=prometheus&filter=upstream_rq_total")
    assert status == 200 and text.strip()
    assert all("upstream_rq_total" in line for line in text.splitlines())


def test_prometheus_has_each_series_once(owner, nginx):
    running = owner.gateway(
        [gateway(http_server("*")), static_entry("up.example", nginx.plain),
         destination_rule("up.example", subsets=[{"name": "blue"}, {"name": "green"}]),
         virtual_service(route("up.example", 80, "blue"), name="blue", hosts=("blue.example",)),
         virtual_service(route("up.example", 80, "green"), name="green", hosts=("green.example",))])
    for host in ("blue.example", "green.example"):
        assert get(running.port(), host=host).status == 200
    _, text = running.admin("/stats/prometheus")
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    series = [name for name, _ in samples]
    assert len(series) == len(set(series))
    assert [value for name, value in samples if name.startswith("istio_requests_total")] == ["2"]


@pytest.mark.parametrize("port", ["admin", "stats", "merged"])
def test_prometheus_text_is_well_formed_on_every_port(running, port):
    offset = {"admin": 0, "stats": 90, "merged": 20}[port]
    status, text = fetch(f"http://127.0.0.1:{running.admin_base + offset}/stats/prometheus")
    assert status == 200
    names = set()
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = re.match(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (-?[0-9.eE+]+|NaN|\+Inf)$', line)
        assert match, line
        names.add(match.group(1))
    assert "istio_requests_total" in names


def test_help_lists_the_paths(running):
    status, text = running.admin("/help")
    assert status == 200
    for path in ("/ready", "/server_info", "/listeners", "/clusters", "/config_dump", "/stats"):
        assert path in text


@pytest.mark.parametrize("path", ["/quitquitquit", "/healthcheck/fail", "/drain_listeners", "/reset_counters"])
def test_what_changes_something_is_post_only(running, path):
    status, _ = running.admin(path)
    assert status in (404, 405)
    assert running.health()[0] == 200


def test_an_unknown_path_is_404(running):
    assert running.admin("/nonsense")[0] == 404


def test_the_admin_port_is_on_loopback_only(running):
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    for address in addresses:
        with pytest.raises(OSError):
            socket.create_connection((address, running.admin_base), timeout=5).close()


def test_status_sums_up_the_instance(running):
    result = run_verb("status", "--admin-base", running.admin_base)
    assert result.returncode == 0, result.stderr
    assert "up.example" in result.stdout and re.search("ready", result.stdout, re.I)


def test_status_of_nobody_is_exit_69(tmp_path):
    assert run_verb("status", "--admin-base", free_admin_base()).returncode == 69


@pytest.mark.parametrize("verb", ["proxy-config", "pc"])
@pytest.mark.parametrize("what, headers, row", [
    ("listener", ["ADDRESSES", "PORT", "MATCH", "DESTINATION"], r"127\.0\.0\.1\s+{port}\s"),
    ("route", ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"], r"http\.80\s.*routes\.test"),
    ("cluster", ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
     r"up\.example\s+80\s+blue\s+outbound\s+STATIC\s+up-example\.test"),
    ("endpoint", ["NAME", "STATUS", "LOCALITY", "CLUSTER", "OUTLIER CHECK", "PRIORITY", "WEIGHT"],
     r"127\.0\.0\.1:{nginx}\s+HEALTHY\s+-\s+outbound\|80\|blue\|up\.example\s+OK\s+0\s+1"),
    ("secret", ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"],
     r"kubernetes://front\s+Cert Chain\s+ACTIVE\s+true\s+[0-9a-f]+\s+20..-..-..T..:..:..Z\s+20..-..-..T..:..:..Z$"),
    ("all", ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"], r"^RESOURCE NAME"),
])
def test_proxy_config_prints_istioctls_tables(running, nginx, verb, what, headers, row):
    result = run_verb(verb, what, "--admin-base", running.admin_base)
    assert result.returncode == 0, result.stderr
    first, *rest = result.stdout.splitlines()
    assert re.split(r"\s{2,}", first.strip()) == headers
    pattern = row.replace("{port}", str(running.port(80))).replace("{nginx}", str(nginx.plain))
    assert any(re.search(pattern, line) for line in rest), result.stdout


@pytest.mark.parametrize("what, names", [
    ("listener", 4), ("route", 4), ("cluster", 1), ("endpoint", 1), ("secret", 1),
])
def test_proxy_config_prints_what_it_shows_as_json_and_yaml(running, what, names):
    """A list of the things themselves, as istioctl has it."""
    texts = [run_verb("pc", what, "-o", form, "--admin-base", running.admin_base) for form in ("json", "yaml")]
    assert [result.returncode for result in texts] == [0, 0]
    found = json.loads(texts[0].stdout)
    assert len(found) == names and "PRIVATE" not in texts[0].stdout
    assert [entry.get("name") for entry in yaml.safe_load(texts[1].stdout)] == [entry.get("name") for entry in found]


def test_the_instances_own_ports_are_inline_routes(running):
    rows = [line.split("     ") for line in run_verb("pc", "l", "--admin-base", running.admin_base).stdout.splitlines()]
    own = {tuple(cell.strip() for cell in row[1:] if cell.strip()) for row in rows}
    assert (str(running.admin_base + 21), "ALL", "Inline Route: /healthz/ready*") in own
    assert (str(running.admin_base + 90), "ALL", "Inline Route: /stats/prometheus*") in own
    routes = run_verb("pc", "r", "--admin-base", running.admin_base).stdout
    assert re.search(r"^ +backend +\* +/healthz/ready\*$", routes, re.M)


def test_a_saved_dump_is_shown_like_the_instance(running, tmp_path):
    (tmp_path / "dump.json").write_text(running.admin("/config_dump")[1])
    for what in ("listener", "route", "cluster", "secret"):
        live = run_verb("pc", what, "--admin-base", running.admin_base).stdout
        assert run_verb("pc", what, "-f", tmp_path / "dump.json").stdout == live
    assert run_verb("pc", "cluster", "-f", tmp_path / "nowhere").returncode == 66


@pytest.fixture(scope="module")
def varied(tmp_path_factory):
    """Files with several things of every kind."""
    folder = tmp_path_factory.mktemp("varied")
    (folder / "config.yaml").write_text(as_yaml([
        gateway(http_server("a.example"), https_server("b.example", credential="lost", mode="MUTUAL"), tcp_server()),
        static_entry("one.up", 8081), static_entry("two.up", 8082, port=90),
        resource("ServiceEntry", "near", {
            "hosts": ["near.up"], "resolution": "STATIC", "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "endpoints": [{"address": "127.0.0.9", "locality": "eu/west/a"}]}),
        destination_rule("one.up", subsets=[{"name": "v1"}]),
        virtual_service(route("one.up", 80, "v1", match={"uri": {"exact": "/x"}}),
                        route("two.up", 90, match={"uri": {"regex": "/[a-z]+"}}), route("near.up"),
                        hosts=("a.example",)),
        network_service(tcp=[tcp_route(("two.up", 90))], name="bytes")]))
    return folder


@pytest.mark.parametrize("arguments, rows", [
    (("cluster",), [["near.up", "80", "-", "outbound", "STATIC"],
                    ["one.up", "80", "v1", "outbound", "STATIC", "one-up.test"],
                    ["two.up", "90", "-", "outbound", "STATIC"]]),
    (("cluster", "--fqdn", "one"), [["one.up", "80", "v1", "outbound", "STATIC", "one-up.test"]]),
    (("c", "--subset", "v1"), [["one.up", "80", "v1", "outbound", "STATIC", "one-up.test"]]),
    (("cluster", "--port", "90"), [["two.up", "90", "-", "outbound", "STATIC"]]),
    (("cluster", "--direction", "inbound"), []),
    (("listener",), [["0.0.0.0", "80", "ALL", "Route: http.80"],
                     ["0.0.0.0", "443", "SNI: b.example", "Route: https.443.https-443-lost.gateway.test"],
                     ["0.0.0.0", "9000", "ALL", "Cluster: outbound|90||two.up"]]),
    (("listener", "--type", "tcp"), [["0.0.0.0", "9000", "ALL", "Cluster: outbound|90||two.up"]]),
    (("l", "--port", "443", "--verbose", "false"), [["0.0.0.0", "443", "HTTP"]]),
    (("listener", "--address", "127.0.0.1"), []),
    (("route",), [["http.80", "a.example:80", "a.example", "/x", "routes.test"],
                  ["http.80", "a.example:80", "a.example", "regex /[a-z]+", "routes.test"],
                  ["http.80", "a.example:80", "a.example", "/*", "routes.test"],
                  ["https.443.https-443-lost.gateway.test", "b.example:443", "b.example", "/*", "404"]]),
    (("r", "--name", "https.443.https-443-lost.gateway.test"),
     [["https.443.https-443-lost.gateway.test", "b.example:443", "b.example", "/*", "404"]]),
    (("endpoint", "--address", "127.0.0.9"), [["127.0.0.9:80", "UNKNOWN", "eu/west/a", "outbound|80||near.up", "OK", "0", "1"]]),
    (("ep", "--port", "8082"), [["127.0.0.1:8082", "UNKNOWN", "-", "outbound|90||two.up", "OK", "0", "1"]]),
    (("ep", "--cluster", "outbound|80|v1|one.up"), [["127.0.0.1:8081", "UNKNOWN", "-", "outbound|80|v1|one.up", "OK", "0", "1"]]),
    (("ep", "--status", "healthy"), []),
    (("secret",), [["kubernetes://lost", "Cert Chain", "WARMING", "false"],
                   ["kubernetes://lost-cacert", "CA", "WARMING", "false"]]),
])
def test_flags_choose_rows(varied, arguments, rows):
    result = run_verb("pc", *arguments, "--from", varied, *IDENTITY)
    assert result.returncode == 0, result.stderr
    assert [re.split(r" {5,}", line) for line in result.stdout.splitlines()[1:]] == rows
    listed = run_verb("pc", *arguments, "--from", varied, *IDENTITY, "-o", "json")
    assert bool(json.loads(listed.stdout)) == bool(rows)


def test_a_key_of_another_certificate_and_an_encrypted_one_are_shown_as_unusable(owner, authority, tmp_path):
    names = ("good", "alien", "locked")
    issued = {name: authority.issue(f"{name}.example") for name in names}
    locked = subprocess.run(["openssl", "pkcs8", "-topk8", "-passout", "pass:secret"], input=issued["locked"].key_text,
                            capture_output=True, text=True, check=True).stdout
    keys = {"good": issued["good"].key_text, "alien": issued["good"].key_text, "locked": locked}
    secrets = {name: {"tls.crt": issued[name].chain_text, "tls.key": keys[name]} for name in names}
    running = owner.gateway([gateway(*(https_server(f"{name}.example", credential=name) for name in names))],
                            ports=(443,), secrets=secrets)
    shown = run_verb("pc", "secret", "--admin-base", running.admin_base).stdout
    rows = {row[0]: row[1:4] for row in (re.split(r" {5,}", line) for line in shown.splitlines()[1:])}
    assert rows == {"kubernetes://good": ["Cert Chain", "ACTIVE", "true"],
                    "kubernetes://alien": ["Cert Chain", "WARMING", "false"],
                    "kubernetes://locked": ["Cert Chain", "WARMING", "false"]}


def test_quitquitquit_ends_the_process(owner, nginx):
    instance = owner.gateway(to_upstream(nginx.plain))
    assert instance.admin("/quitquitquit", "POST")[0] == 200
    assert instance.process.wait() == 0


def test_healthcheck_fail_and_ok(owner, nginx):
    instance = owner.gateway(to_upstream(nginx.plain))
    instance.wait_until_ready()
    assert instance.admin("/healthcheck/fail", "POST")[0] == 200
    instance.wait_until_ready(False)
    assert instance.admin("/healthcheck/ok", "POST")[0] == 200
    instance.wait_until_ready()


# Files instead of an instance


@pytest.mark.parametrize("what, part", [
    ("listener", "Route: http.80"), ("route", "h.example:80"), ("cluster", "up.example"), ("endpoint", "127.0.0.1:8081"),
    ("secret", "RESOURCE NAME"), ("all", "VIRTUAL SERVICE"),
])
@pytest.mark.parametrize("form", ["short", "json", "yaml"])
def test_proxy_config_of_files(tmp_path, what, part, form):
    (tmp_path / "config.yaml").write_text(as_yaml([
        gateway(http_server("h.example")), static_entry("up.example", 8081), virtual_service(route("up.example"))]))
    result = run_verb("pc", what, "--from", tmp_path, *IDENTITY, "-o", form)
    assert result.returncode == 0, result.stderr
    if form == "short":
        assert part in result.stdout
    else:
        assert (json.loads if form == "json" else yaml.safe_load)(result.stdout) is not None


def test_proxy_config_in_json_says_what_the_tables_have_no_room_for(tmp_path):
    rule = {**route("up.example", match={"uri": {"prefix": "/x"}, "headers": {"x-a": {"exact": "1"}}}), "timeout": "5s",
            "rewrite": {"uri": "/y"}}
    shared = {"route": [{"destination": {"host": "up.example"}, "weight": weight} for weight in (1, 3)]}
    policy = {"connectionPool": {"tcp": {"maxConnections": 7}}, "tls": {"mode": "SIMPLE", "sni": "s.test"},
              "outlierDetection": {"consecutive5xxErrors": 3}}
    (tmp_path / "config.yaml").write_text(as_yaml([
        gateway(http_server("*")), static_entry("up.example", 8081), destination_rule("up.example", policy),
        virtual_service(rule, shared)]))

    def listed(what):
        return json.loads(run_verb("pc", what, "--from", tmp_path, *IDENTITY, "-o", "json").stdout)
    configuration = next(one for one in listed("route") if one["name"] == "http.80")
    first, second = configuration["virtual_hosts"][0]["routes"][:2]
    assert first["conditions"] == 'uri prefix "/x", headers[x-a] exact "1"'
    assert first["settings"]["timeout"] == "5s" and "/y" in first["settings"]["rewrite.uri"]
    assert [weight.split()[0] for weight in second["settings"]["weight"]] == ["1", "3"]
    settings = listed("cluster")[0]["settings"]
    assert settings["tls.sni"] == "s.test"
    assert "7" in [value for name, value in settings.items() if name.lower().endswith("maxconnections")]
    assert "3" in [value for name, value in settings.items() if "consecutive5xx" in name.lower()]


def test_proxy_config_of_files_wants_to_know_which_instance(tmp_path):
    operator = resource("IstioOperator", "two", {"components": {"egressGateways": [
        {"name": name, "enabled": True} for name in ("one", "two")]}}, api="install.istio.io/v1alpha1")
    (tmp_path / "config.yaml").write_text(as_yaml([operator]))
    result = run_verb("pc", "cluster", "--from", tmp_path)
    assert result.returncode == 78 and "(declared: one.istio-system, two.istio-system)" in result.stderr


def test_proxy_config_log_sets_levels(owner, nginx):
    instance = owner.gateway(to_upstream(nginx.plain))
    base = ("--admin-base", str(instance.admin_base))
    assert re.search(r"upstream: +debug", run_verb("pc", "log", *base, "--level", "upstream:debug,tls:error").stdout)
    assert re.search(r"tls: +info", run_verb("pc", "log", *base, "--reset").stdout)
    assert run_verb("pc", "log", *base, "--level", "nothing:debug").returncode == 64


# Instances by name


def fleet(*names: str) -> list[dict]:
    """Declared instances, each with a Gateway of its own."""
    operator = resource("IstioOperator", "fleet", {"components": {"egressGateways": [
        {"name": name, "namespace": "web", "enabled": True, "label": {"app": name}} for name in names]}},
        api="install.istio.io/v1alpha1")
    return [operator, *(gateway(http_server(f"{name}.example"), name=name, selector={"app": name}) for name in names)]


@pytest.mark.parametrize("target", ["one", "one.web", "deploy/one", "pod/one.web"])
def test_proxy_config_takes_the_name_of_a_declared_instance(tmp_path, target):
    (tmp_path / "config.yaml").write_text(as_yaml(fleet("one", "two")))
    result = run_verb("pc", "bootstrap", target, "--from", tmp_path)
    assert result.returncode == 0 and "Instance:  one.web\n" in result.stdout, result.stderr
    assert "Listener:  0.0.0.0:" in result.stdout and "one:80/" in result.stdout and "two:80/" not in result.stdout


@pytest.mark.parametrize("arguments, status, words", [
    (["l", "three"], 78, ['instance "three" is not in the configuration', "(declared: one.web, two.web)"]),
    (["l", "tow"], 78, ['did you mean "two"?']),
    (["l", "one.wed"], 78, ['did you mean "one.web"?']),
    (["l", "svc/one"], 64, ['"svc" is no type of instance']),
    (["l", "one", "--instance", "two"], 64, ["say it once"]),
    (["l", "one", "--file", "dump.json"], 64, ["--file and --from exclude each other"]),
    (["ecds"], 64, ["no extension configurations"]),
    (["ecds", "pod/one.web", "-o", "json"], 64, ["no extension configurations"]),
    (["rootca-compare", "one", "two"], 64, ["no root certificate of a mesh"]),
])
def test_proxy_config_says_what_is_not_there(tmp_path, arguments, status, words):
    (tmp_path / "config.yaml").write_text(as_yaml(fleet("one", "two")))
    result = run_verb("pc", *arguments, *([] if len(arguments[0]) > 1 else ["--from", tmp_path]))
    assert result.returncode == status and all(word in result.stderr for word in words), result.stderr


def test_a_running_instance_is_found_by_its_name(owner):
    name = f"edge-{os.getpid()}"
    first = owner.gateway(fleet(name, f"{name}-b"), instance=name)
    second = owner.gateway(fleet(name, f"{name}-b"), instance=f"{name}-b")
    for target, running in ((name, first), (f"deploy/{name}.web", first), (f"{name}-b.web", second)):
        listed = run_verb("pc", "bootstrap", target, "-o", "json")
        assert listed.returncode == 0, listed.stderr
        bootstrap = json.loads(listed.stdout)
        assert bootstrap["admin"]["address"]["socket_address"]["port_value"] == running.admin_base
        assert f"test/{name}:80" in json.dumps(bootstrap["listeners"]) or running is second
        shown = run_verb("pc", "l", target).stdout
        assert str(running.port()) in shown
        assert run_verb("status", target).stdout.startswith(f"web/{target.split('/')[-1].split('.')[0]}  ")
        assert "active loggers:" in run_verb("pc", "log", target).stdout
    missing = run_verb("pc", "l", f"{name}-x")
    assert missing.returncode == 69 and f"no instance {name}-x runs on this machine" in missing.stderr
    assert f"{name}.web (--admin 127.0.0.1:{first.admin_base})" in missing.stderr
    other = run_verb("pc", "l", name, "--admin-base", second.admin_base)
    assert other.returncode == 69 and f"is the instance {name}-b.web, not {name}" in other.stderr
    twin = owner.gateway(fleet(name, f"{name}-b"), instance=name)
    both = run_verb("pc", "l", name)
    assert both.returncode == 64 and "several instances" in both.stderr and str(twin.admin_base) in both.stderr
    assert run_verb("pc", "l", name, "--admin-base", twin.admin_base).returncode == 0


def test_bootstrap_shows_what_an_instance_was_started_with(owner, nginx):
    running = owner.gateway(to_upstream(nginx.plain), flags=("--max-connections", "77", "--header-timeout", "2.5"))
    result = run_verb("pc", "bootstrap", "--admin-base", running.admin_base)
    assert result.returncode == 0, result.stderr
    shown = [re.split(": +", line, maxsplit=1) for line in result.stdout.splitlines()]
    for line in (["Instance", "gateway.test"], ["Workers", "1"], ["Admin", f"127.0.0.1:{running.admin_base}"],
                 ["Health", f"127.0.0.1:{running.admin_base + 21}"], ["Limit", "max_connections 77"],
                 ["Timeout", "header 2.5s"], ["Timeout", "drain 1s"], ["Access log", "text"],
                 ["Configuration", str(running.resources)]):
        assert line in shown, result.stdout
    assert any(key == "Listener" and value.startswith(f"127.0.0.1:{running.port()}  of test/gateway:80") for key, value in
               shown)
    written = json.loads(run_verb("pc", "b", "--admin-base", running.admin_base, "-o", "json").stdout)
    assert written == yaml.safe_load(run_verb("pc", "b", "--admin-base", running.admin_base, "-o", "yaml").stdout)
    assert written["node"]["metadata"]["LABELS"]["app"] == "gateway" and written["limits"]["max_connections"] == 77
    assert running.admin_json("/server_info")["node"] == written["node"]


# Web pages of others, in the browser of somebody who reaches the port.

@pytest.mark.parametrize("headers, status", [
    ({}, 200), ({"Origin": "http://evil.test"}, 403), ({"Origin": "null"}, 403),
    ({"Origin": "http://evil.test:{port}", "Host": "evil.test:{port}"}, 403),
    ({"Origin": "http://localhost:3000", "Host": "localhost:{port}"}, 403),
    ({"Origin": "https://localhost:{port}", "Host": "localhost:{port}"}, 403),
    ({"Origin": "http://localhost:{port}", "Host": "localhost:{port}", "Sec-Fetch-Site": "same-origin"}, 200),
    ({"Origin": "http://127.0.0.1:{port}"}, 200), ({"Origin": "http://[::1]:{port}", "Host": "[::1]:{port}"}, 200),
    ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "none"}, 200),
    ({"Host": "localhost:{port}"}, 200), ({"Host": "LOCALHOST."}, 200), ({"Host": "admin.localhost"}, 200),
    ({"Host": "10.1.2.3:{port}"}, 200), ({"Host": "evil.test:{port}"}, 403), ({"Host": "localhost.evil.test"}, 403),
    ({"Host": "127.0.0.1.evil.test"}, 403), ({"Host": socket.gethostname()}, 200),
])
def test_web_pages_of_other_sites_change_nothing(running, headers, status):
    sent = {name: value.format(port=running.admin_base) for name, value in headers.items()}
    answer = fetch(f"http://127.0.0.1:{running.admin_base}/healthcheck/ok", "POST", sent)
    assert answer[0] == status, answer


@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.test"}, 403), ({"Host": "localhost:1"}, 200),
    # It cannot read the answer, and the browser does not say so of links.
    ({"Sec-Fetch-Site": "cross-site"}, 200),
])
def test_a_name_that_others_point_here_reads_nothing(running, headers, status):
    assert fetch(f"http://127.0.0.1:{running.admin_base}/config_dump", headers=headers)[0] == status


def test_metrics_and_health_answer_to_every_name(running):
    for port, path in ((20, "/stats/prometheus"), (90, "/stats/prometheus"), (21, "/healthz/ready")):
        url = f"http://127.0.0.1:{running.admin_base + port}{path}"
        assert fetch(url, headers={"Host": "gateway.istio-system.svc"})[0] == 200


@pytest.mark.parametrize("size, status", [(1000, 200), (17_000, 200), (40_000, 200), (100_000, 431), (1_000_000, 431)])
def test_own_ports_take_large_heads_and_refuse_larger_ones(owner, nginx, size, status):
    running = owner.gateway(to_upstream(nginx.plain))
    for port in (running.admin_base, running.health_port):
        with Connection(port) as connection:
            connection.send(f"GET /ready HTTP/1.1\r\nHost: localhost\r\nCookie: {'c' * size}\r\n\r\n")
            answer = connection.read_response()
            assert answer.status == (404 if status == 200 and port == running.health_port else status), (port, answer.text)
