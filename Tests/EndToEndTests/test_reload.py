"""HUP: the new configuration is live on every worker, nothing is dropped, what is broken stays as it was."""

import os
import signal
import threading

import pytest

from harness.configuration import (IDENTITY, as_yaml, destination_rule, gateway, http_server, route, static_entry, to_upstream,
                                   virtual_service)
from harness.gateway import binary, run_verb
from harness.http_client import Connection, get
from harness.ports import free_admin_base, free_port
from harness.processes import OwnedProcess
from harness.upstreams import answering, response
from harness.waiting import accepts, eventually


def named(owner, name: str):
    return owner.upstream(answering(lambda request: response(name)))


def test_new_routes_are_live_without_a_restart(owner):
    one, two = named(owner, "one"), named(owner, "two")
    running = owner.gateway(to_upstream(one.port), workers=3)
    assert get(running.port()).text == "one"
    running.configure(to_upstream(two.port))
    running.reload()
    eventually(lambda: {get(running.port()).text for _ in range(20)} == {"two"}, "every worker has the new upstream")


def test_kept_alive_connections_see_the_new_configuration(owner):
    one, two = named(owner, "one"), named(owner, "two")
    running = owner.gateway(to_upstream(one.port))
    with Connection(running.port()) as connection:
        assert connection.request().text == "one"
        running.configure(to_upstream(two.port))
        running.reload()
        eventually(lambda: connection.request().text == "two", "the connection goes on under the new configuration")


def test_a_request_in_flight_finishes_on_the_old_configuration(owner):
    go = threading.Event()

    def script(connection):
        if connection.number > 1:
            # Asked before the reload was live.
            return answering(lambda request: response("old"))(connection)
        connection.read_request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nold")
        go.wait(20)
        connection.send(" world")
        return None

    old, new = owner.upstream(script), named(owner, "new")
    running = owner.gateway(to_upstream(old.port))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        connection.read_head()
        running.configure(to_upstream(new.port))
        running.reload()
        eventually(lambda: get(running.port()).text == "new", "the new configuration is live")
        go.set()
        assert connection.read_exactly(9) == b"old world"


def test_reloads_under_load_cost_no_request(owner):
    one, two = named(owner, "one"), named(owner, "two")
    running = owner.gateway(to_upstream(one.port), workers=2)
    stop = threading.Event()
    problems: list = []
    answered = [0] * 4

    def client(index: int):
        while not stop.is_set():
            try:
                with Connection(running.port()) as connection:
                    for _ in range(20):
                        answer = connection.request()
                        if answer.status != 200 or answer.text not in ("one", "two"):
                            problems.append((answer.status, answer.text))
                        answered[index] += 1
            except OSError as error:
                problems.append(repr(error))

    threads = [threading.Thread(target=client, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(10):
        wanted = ("two", two) if turn % 2 == 0 else ("one", one)
        running.configure(to_upstream(wanted[1].port))
        running.reload()
        eventually(lambda wanted=wanted: get(running.port()).text == wanted[0], "the reload is live")
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == [] and sum(answered) > 100


def test_a_bad_file_leaves_the_old_configuration_serving_and_says_why(owner):
    one = named(owner, "one")
    running = owner.gateway(to_upstream(one.port))
    running.configure("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a\n")
    running.reload()
    eventually(lambda: "resources.yaml:" in running.process.stderr, "the reason is logged with its place")
    assert {get(running.port()).text for _ in range(10)} == {"one"}
    assert "resources.yaml" in "".join(map(str, running.admin("/server_info"))) + running.process.stderr


def test_a_resource_that_turned_bad_keeps_its_last_good_version(owner):
    """Others change at once; it is said once, in every place; and mending it ends it."""
    one, two = named(owner, "one"), named(owner, "two")
    first = virtual_service(route("up.example", 80), name="first", hosts=("first.example",))
    second = virtual_service(route("up.example", 80), name="second", hosts=("second.example",))
    running = owner.gateway({"base.yaml": [gateway(http_server("*")), static_entry("up.example", one.port)],
                             "first.yaml": [first], "second.yaml": [second]})
    running.configure({"base.yaml": [gateway(http_server("*")), static_entry("up.example", two.port)],
                       "first.yaml": as_yaml([first]).replace("hosts", "hoosts")})
    running.reload_and_wait()
    for host in ("first.example", "second.example"):
        assert get(running.port(), host=host).text == "two"
    rejected = running.admin_json("/server_info")["configuration"]["rejected"]
    assert [(entry["resource"], entry["kept"]) for entry in rejected] == [("VirtualService test/first", True)]
    assert rejected[0]["error"] and "first.yaml:7:" in rejected[0]["location"]
    eventually(lambda: "hoosts" in running.process.stderr, "the reason is logged")
    status = run_verb("status", "--admin", f"127.0.0.1:{running.admin_base}").stdout
    assert "VirtualService test/first, kept as it was" in status, status
    assert 'sallyport_config_rejected_resources{version="last_good"} 1' in running.admin("/stats/prometheus")[1]

    running.reload_and_wait()
    eventually(lambda: "configuration 3 is in force" in running.process.stderr, "all is said")
    assert running.process.stderr.count("keeps its last good version") == 1
    assert get(running.port(), host="first.example").text == "two"
    first["spec"]["hosts"] = ["mended.example"]
    running.configure({"first.yaml": [first]})
    running.reload_and_wait()
    assert get(running.port(), host="mended.example").text == "two"
    assert get(running.port(), host="first.example").status == 404
    assert running.admin_json("/server_info")["configuration"]["rejected"] == []
    eventually(lambda: "VirtualService test/first is not rejected any more" in running.process.stderr, "it is said")


def test_a_resource_that_refers_to_what_is_not_there_keeps_its_last_good_version(owner):
    one, two = named(owner, "one"), named(owner, "two")
    base = [gateway(http_server("*")), static_entry("one.example", one.port)]
    running = owner.gateway({"base.yaml": base, "routes.yaml": [virtual_service(route("one.example", 80))]})
    running.configure({"routes.yaml": [virtual_service(route("two.example", 80))]})
    running.reload_and_wait()
    assert get(running.port()).text == "one"
    rejected = running.admin_json("/server_info")["configuration"]["rejected"]
    assert [(entry["resource"], entry["kept"]) for entry in rejected] == [("VirtualService test/routes", True)]
    running.configure({"base.yaml": [*base, static_entry("two.example", two.port)]})
    running.reload_and_wait()
    assert get(running.port()).text == "two"


def test_what_a_change_needs_and_is_broken_keeps_the_change_back(owner):
    """A new subset in a rule that cannot be read, and a route to it: both stay as they were."""
    one = named(owner, "one")
    base = [gateway(http_server("*")), static_entry("one.example", one.port)]
    rule = destination_rule("one.example", subsets=[{"name": "old", "labels": {}}], name="rule")
    running = owner.gateway({"base.yaml": base, "rule.yaml": [rule],
                             "routes.yaml": [virtual_service(route("one.example", 80, "old"))]})
    assert get(running.port()).text == "one"
    text = as_yaml([rule]).replace("old", "new").replace("subsets", "subsetts")
    running.configure({"rule.yaml": text, "routes.yaml": [virtual_service(route("one.example", 80, "new"))]})
    running.reload_and_wait()
    assert get(running.port()).text == "one"
    running.configure({"rule.yaml": text.replace("subsetts", "subsets")})
    running.reload_and_wait()
    assert get(running.port()).text == "one"
    assert "|new|" in running.admin("/clusters")[1]


def test_what_is_removed_is_gone_although_something_else_is_broken(owner):
    one = named(owner, "one")
    base = [gateway(http_server("*")), static_entry("one.example", one.port)]
    first = virtual_service(route("one.example", 80), name="first", hosts=("first.example",))
    second = virtual_service(route("one.example", 80), name="second", hosts=("second.example",))
    running = owner.gateway({"base.yaml": base, "first.yaml": [first], "second.yaml": [second]})
    running.configure({"second.yaml": "kind: ["})
    (running.resources / "first.yaml").unlink()
    running.reload_and_wait()
    assert get(running.port(), host="first.example").status == 404
    assert get(running.port(), host="second.example").text == "one"


def test_strict_takes_all_or_nothing(owner):
    one, two = named(owner, "one"), named(owner, "two")
    running = owner.gateway({"a.yaml": to_upstream(one.port)}, flags=("--strict",))
    running.configure({"a.yaml": to_upstream(two.port), "b.yaml": "kind: ["})
    running.reload()
    eventually(lambda: "was not reloaded" in running.process.stderr, "the reason is logged")
    assert get(running.port()).text == "one"
    assert "sallyport_config_reload_failure 1" in running.admin("/stats/prometheus")[1]
    running.configure({"b.yaml": "# mended\n"})
    running.reload_and_wait()
    assert get(running.port()).text == "two"


def test_after_a_bad_reload_a_good_one_is_taken(owner):
    one, two = named(owner, "one"), named(owner, "two")
    running = owner.gateway(to_upstream(one.port))
    running.configure("kind: [")
    running.reload()
    eventually(lambda: "resources.yaml:" in running.process.stderr, "the reason is logged")
    running.configure(to_upstream(two.port))
    running.reload()
    eventually(lambda: get(running.port()).text == "two", "the good configuration is live")


def test_listeners_come_and_go(owner):
    upstream = named(owner, "one")
    extra = free_port()
    running = owner.gateway(to_upstream(upstream.port))
    more = [gateway(http_server("*"), http_server("*", port=extra)), *to_upstream(upstream.port)[1:]]
    running.configure(more)
    running.reload()
    eventually(lambda: get(extra).text == "one", "the new port serves")
    running.configure(to_upstream(upstream.port))
    running.reload()
    eventually(lambda: not accepts(extra), "the port is given back")
    assert get(running.port()).text == "one"


def test_files_that_appear_and_vanish_count(owner):
    one, two = named(owner, "one"), named(owner, "two")
    base = [gateway(http_server("*")), static_entry("one.up", one.port), static_entry("two.up", two.port)]
    first = [virtual_service(route("one.up", 80), name="one", hosts=("one.example",))]
    second = [virtual_service(route("two.up", 80), name="two", hosts=("two.example",))]
    running = owner.gateway({"base.yaml": base, "first.yaml": first})
    assert get(running.port(), host="two.example").status == 404
    running.configure({"second.yaml": second})
    (running.resources / "first.yaml").unlink()
    running.reload()
    eventually(lambda: get(running.port(), host="two.example").status == 200, "the new file counts")
    assert get(running.port(), host="one.example").status == 404


def test_counters_keep_their_host_when_clusters_move(owner):
    upstream = named(owner, "one")
    resources = to_upstream(upstream.port)
    running = owner.gateway(resources)

    def counted() -> dict[str, int]:
        _, text = running.admin("/stats/prometheus")
        lines = [line for line in text.splitlines() if line.startswith("istio_requests_total")]
        return {line.split('destination_service="')[1].split('"')[0]: int(line.rsplit(" ", 1)[1]) for line in lines}

    assert get(running.port()).text == "one"
    before = counted()
    assert list(before.values()) == [1]
    running.configure([*resources, static_entry("aaa.first", upstream.port),
                       virtual_service(route("aaa.first", 80), name="first", hosts=("aaa.first",))])
    running.reload()
    eventually(lambda: "aaa.first" in running.admin("/clusters")[1], "the new cluster is live")
    assert counted() == before
    assert get(running.port()).text == "one"
    eventually(lambda: counted() == {host: 2 for host in before}, "the same host is counted on")


@pytest.mark.parametrize("content", ["", "# being written\n"])
def test_a_file_that_is_empty_for_a_moment_closes_nothing(owner, content):
    upstream = named(owner, "one")
    running = owner.gateway(to_upstream(upstream.port))
    running.configure(content)
    running.reload()
    eventually(lambda: "there are no resources in" in running.process.stderr, "the reason is logged")
    assert get(running.port()).text == "one"


def test_a_configuration_without_gateways_closes_nothing(owner):
    upstream = named(owner, "one")
    running = owner.gateway(to_upstream(upstream.port))
    running.configure([static_entry("other.example", 1)])
    running.reload()
    eventually(lambda: "no Gateway selects this instance" in running.process.stderr, "the reason is logged")
    assert get(running.port()).text == "one"


def test_a_pipe_is_read_once_and_serves_on(tmp_path):
    """Reading it again at a reload would wait for a writer that does not come."""
    port, base = free_port(), free_admin_base()
    os.mkfifo(tmp_path / "pipe")
    text = as_yaml([gateway(http_server("*")), virtual_service({"directResponse": {"status": 200}})])
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    running = OwnedProcess("piped", [binary(), "run", tmp_path / "pipe", *IDENTITY, "--publish", f"{port}:80", "--bind",
                                     "127.0.0.1", "--admin-base", base], tmp_path)
    try:
        eventually(lambda: accepts(port), "listens")
        writer.join()
        running.signal(signal.SIGHUP)
        running.wait_until(lambda: f"{tmp_path}/pipe can be read only once" in running.stderr, "refuses")
        assert get(port).status == 200
    finally:
        assert running.stop() == 0


def test_an_old_error_that_moves_by_a_line_does_not_hinder_a_reload(owner):
    one, two = named(owner, "one"), named(owner, "two")
    broken = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: bad}\nspec: {nonsense: 1}\n"
    running = owner.gateway({"a.yaml": to_upstream(one.port), "b.yaml": broken})
    assert get(running.port()).text == "one"
    running.configure({"a.yaml": to_upstream(two.port), "b.yaml": "# a comment\n" + broken})
    running.reload()
    eventually(lambda: get(running.port()).text == "two", "the good part is taken")


def test_upstream_connections_survive_a_reload_that_does_not_touch_them(owner):
    upstream = named(owner, "one")
    running = owner.gateway(to_upstream(upstream.port))
    assert get(running.port()).text == "one"
    more = to_upstream(upstream.port) + [virtual_service(route("upstream.example", 80), hosts=("new.example",), name="new")]
    running.configure(more)
    running.reload_and_wait()
    for _ in range(5):
        assert get(running.port()).text == "one"
    assert upstream.connections <= 2


def test_a_connection_outlives_its_listener(owner, nginx):
    """Its next request finds nothing; the instance lives on."""
    def resources(*ports: int) -> list[dict]:
        return [gateway(*[http_server("*", port=port) for port in ports]),
                virtual_service(route("upstream.example", 80)), static_entry("upstream.example", nginx.plain)]

    running = owner.gateway(resources(80, 81), ports=(80, 81))
    with Connection(running.port(81)) as client:
        assert client.request().status == 200
        running.configure(resources(80))
        running.reload_and_wait()
        assert client.request().status == 404
    with Connection(running.port(80)) as client:
        assert client.request().status == 200


def test_a_published_port_whose_gateway_is_gone_is_a_warning(owner):
    one, two = named(owner, "one"), named(owner, "two")
    both = [*to_upstream(one.port), gateway(http_server("*", port=81, name="http-81"), name="second")]
    running = owner.gateway(both, ports=(80, 81))
    running.configure(to_upstream(two.port))
    running.reload_and_wait()
    assert get(running.port()).text == "two"
    assert "no Gateway of the instance has port 81 (they have 80)" in running.process.stderr
