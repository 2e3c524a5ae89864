"""The access log: Istio's text format to the field, JSON, and never in the way of traffic."""

import json
import os
import re
import signal
import threading

import pytest

from harness import http2
from harness.configuration import destination_rule, gateway, http_server, route, static_entry, to_upstream, virtual_service
from harness.gateway import parse_access_line
from harness.http_client import Connection, get, post
from harness.upstreams import answering, response
from harness.waiting import eventually

JSON_KEYS = {
    "start_time", "route_name", "method", "path", "protocol", "response_code", "response_flags", "response_code_details",
    "connection_termination_details", "bytes_received", "bytes_sent", "duration", "upstream_service_time",
    "x_forwarded_for", "user_agent", "request_id", "authority", "upstream_host", "upstream_cluster",
    "upstream_local_address", "downstream_local_address", "downstream_remote_address", "requested_server_name",
    "upstream_transport_failure_reason"}


def test_every_field_of_the_text_format(owner):
    upstream = owner.upstream(answering(lambda request: response("twelve bytes")))
    running = owner.gateway(to_upstream(upstream.port, rules=[route("upstream.example", 80, name="named")]))
    with Connection(running.port()) as connection:
        client = connection.socket.getsockname()
        connection.request("POST", "/path?query=1", host="h.example:81", body=b"12345", User_Agent="tester/1.0")
    line = parse_access_line(running.wait_for_access_line("/path"))
    request = upstream.requests[0]
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line["start_time"])
    assert line | {"start_time": "", "duration": "", "upstream_service_time": "", "upstream_local_address": ""} == {
        "start_time": "", "method": "POST", "path": "/path?query=1", "protocol": "HTTP/1.1", "response_code": "200",
        "response_flags": "-", "response_code_details": "via_upstream", "connection_termination_details": "-",
        "upstream_transport_failure_reason": "-", "bytes_received": "5", "bytes_sent": "12", "duration": "",
        "upstream_service_time": "", "x_forwarded_for": "127.0.0.1", "user_agent": "tester/1.0",
        "request_id": request.header("x-request-id"), "authority": "h.example:81",
        "upstream_host": f"127.0.0.1:{upstream.port}", "upstream_cluster": "outbound|80||upstream.example",
        "upstream_local_address": "", "downstream_local_address": f"127.0.0.1:{running.port()}",
        "downstream_remote_address": f"127.0.0.1:{client[1]}", "requested_server_name": "-", "route_name": "named"}
    assert re.match(r"^127\.0\.0\.1:\d+$", line["upstream_local_address"])
    assert line["duration"].isdigit() and line["upstream_service_time"].isdigit()


def test_missing_values_are_dashes(owner):
    running = owner.gateway([gateway(http_server("a.example"))])
    get(running.port(), "/none", host="b.example")
    line = parse_access_line(running.wait_for_access_line("/none"))
    for name in ("upstream_host", "upstream_cluster", "upstream_local_address", "upstream_service_time", "user_agent",
                 "requested_server_name"):
        assert line[name] == "-", name


def test_requests_that_the_gateway_answers_itself_have_their_client_and_an_id(owner):
    """So that those who ask for what does not exist can be found, also behind a balancer."""
    running = owner.gateway([
        gateway(http_server("a.example"), http_server("tls.example", name="redirect", httpsRedirect=True)),
        virtual_service({"match": [{"uri": {"prefix": "/direct"}}], "directResponse": {"status": 204}},
                        {"match": [{"uri": {"prefix": "/redirect"}}], "redirect": {"uri": "/x"}},
                        route("nobody.example", 80), hosts=("a.example", "tls.example"))])
    for path, host, status in (("/direct", "a.example", 204), ("/redirect", "a.example", 301), ("/far", "a.example", 503),
                               ("/none", "b.example", 404), ("/https", "tls.example", 301)):
        assert get(running.port(), path, host=host, X_Forwarded_For="192.0.2.7").status == status, path
        line = parse_access_line(running.wait_for_access_line(path))
        assert line["x_forwarded_for"] == "192.0.2.7,127.0.0.1", path
        assert re.match(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", line["request_id"]), path


def test_every_key_of_the_json_format(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--access-log", "json"))
    post(running.port(), b"12345", "/path", User_Agent='quote " and \\')
    entry = json.loads(running.wait_for_access_line("/path"))
    assert set(entry) == JSON_KEYS
    assert (entry["response_code"], entry["bytes_received"], entry["bytes_sent"]) == (200, 5, 2)
    assert isinstance(entry["duration"], int) and entry["requested_server_name"] is None
    assert entry["user_agent"] == 'quote " and \\'
    assert entry["upstream_cluster"] == "outbound|80||upstream.example"


def test_json_values_have_the_types_that_envoy_gives_them(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--access-log", "json"))
    get(running.port(), "/answered", User_Agent="")
    answered = json.loads(running.wait_for_access_line("/answered"))
    numbers = {"response_code", "bytes_received", "bytes_sent", "duration"}
    missing = {"route_name", "connection_termination_details", "upstream_transport_failure_reason",
               "requested_server_name"}
    for key in JSON_KEYS:
        wanted = int if key in numbers else type(None) if key in missing else str
        assert type(answered[key]) is wanted, (key, answered[key])
    assert answered["response_flags"] == "-" and answered["upstream_service_time"].isdigit()
    # A field that is there and empty is not one that is missing.
    assert answered["user_agent"] == ""
    upstream.stop()
    get(running.port(), "/refused")
    refused = json.loads(running.wait_for_access_line("/refused"))
    assert refused["response_flags"] == "UF,URX" or refused["response_flags"] == "UF"
    assert refused["upstream_service_time"] is None and refused["user_agent"] is None


def test_the_log_can_be_off(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), flags=("--access-log", "off"))
    assert get(running.port()).status == 200
    assert running.stop() == 0
    assert running.access_lines() == []


def test_every_request_has_one_line(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), workers=2)
    for part in range(10):
        with Connection(running.port()) as connection:
            for number in range(50):
                connection.request(target=f"/{part}-{number}-")
    assert running.stop() == 0
    logged = [parse_access_line(line)["path"] for line in running.access_lines()]
    assert sorted(logged) == sorted(f"/{part}-{number}-" for part in range(10) for number in range(50))


def test_what_a_client_sends_cannot_make_a_line_of_its_own(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port()) as connection:
        connection.request(target='/quote"%0a', User_Agent='a" 200 - "forged')
    assert running.stop() == 0
    assert len(running.access_lines()) == 1


def test_a_blocked_log_does_not_block_traffic(owner):
    """Standard output is a pipe that nobody reads: requests are answered all the same."""
    upstream = owner.upstream()
    reader, writer = os.pipe()

    def to_pipe():
        os.dup2(writer, 1)

    running = owner.gateway(to_upstream(upstream.port), preexec=to_pipe)
    os.close(writer)
    try:
        with Connection(running.port()) as connection:
            for number in range(3000):
                assert connection.request(target=f"/{number}" + "x" * 100).status == 200
    finally:
        os.close(reader)


def test_usr1_reopens_nothing_and_hurts_nothing_on_stdout(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port))
    running.process.signal(signal.SIGUSR1)
    assert get(running.port(), "/after").status == 200
    running.wait_for_access_line("/after")


def test_lines_are_whole_under_parallel_load(owner):
    upstream = owner.upstream()
    running = owner.gateway(to_upstream(upstream.port), workers=2)

    def client():
        with Connection(running.port()) as connection:
            for number in range(100):
                connection.request(target=f"/{number}")

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert running.stop() == 0
    assert len([parse_access_line(line) for line in running.access_lines()]) == 800


def test_the_subset_is_in_the_clusters_name(owner):
    upstream = owner.upstream()
    running = owner.gateway([
        gateway(http_server("*")), static_entry("up.example", upstream.port),
        virtual_service(route("up.example", 80, "blue")), destination_rule("up.example", subsets=[{"name": "blue"}])])
    get(running.port(), "/x")
    assert parse_access_line(running.wait_for_access_line("/x"))["upstream_cluster"] == "outbound|80|blue|up.example"


def test_lines_that_nobody_can_take_are_counted(owner):
    """The reader of standard output has gone: traffic goes on, and the loss is in the statistics."""
    upstream = owner.upstream()
    reader, writer = os.pipe()
    running = owner.gateway(to_upstream(upstream.port), preexec=lambda: os.dup2(writer, 1))
    os.close(writer)
    os.close(reader)
    for _ in range(3):
        assert get(running.port()).status == 200

    def dropped() -> int:
        return int(running.admin("/stats?filter=^access_log_dropped$")[1].split(":")[1])

    eventually(lambda: dropped() == 3, "the lines are counted")
    assert running.admin("/reset_counters", "POST")[0] == 200
    assert dropped() == 0


def test_a_blocked_process_log_blocks_nothing(owner, tmp_path):
    """Standard error is a pipe that is full: workers, reloads and the admin endpoint go on."""
    upstream = owner.upstream()
    reader, writer = os.pipe()
    running = owner.gateway(to_upstream(upstream.port), preexec=lambda: os.dup2(writer, 2))
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    os.close(writer)
    try:
        generation = running.generation()
        running.reload()
        eventually(lambda: running.generation() > generation, "a reload, which logs, is done")
        assert get(running.port()).status == 200
    finally:
        os.close(reader)


def test_json_keeps_utf_8_and_shows_other_bytes(owner):
    running = owner.gateway(to_upstream(owner.upstream().port), flags=("--access-log", "json"))
    agent = "é 😀 ".encode() + b"\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"
    with Connection(running.port()) as connection:
        connection.send(b"GET /bytes HTTP/1.1\r\nHost: h\r\nUser-Agent: " + agent + b"\r\n\r\n")
        assert connection.read_response().status == 200
    entry = json.loads(running.wait_for_access_line("/bytes"))
    assert entry["user_agent"] == "é 😀 " + agent[len("é 😀 ".encode()):].decode("latin-1")


CONTROLS = [*range(0x00, 0x20), 0x7F]


@pytest.mark.parametrize("place", ["path", "method", "host", "user-agent", "x-forwarded-for", "x-request-id"])
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2"])
def test_no_control_character_gets_into_a_line(module_gateway, place, version):
    """Whatever a client writes there: a line stays a line, and no terminal is steered by it."""
    running = module_gateway
    before = len(running.access_lines())
    for control in CONTROLS:
        text = f"a{chr(control)}[2026-01-01T00:00:00.000Z]{chr(control)}z"
        if version == "HTTP/2":
            send_http2(running.port(), place, text)
        else:
            send_http1(running.port(), place, text)
    assert get(running.port(), f"/after-{place}-{version}").status == 200
    running.wait_for_access_line(f"/after-{place}-{version}")
    log = running.process.stdout_path.read_bytes()
    # A tab may stand in a field's value (RFC 9110, section 5.5).
    assert not set(log) & set(CONTROLS) - {0x0A, 0x09}
    lines = running.access_lines()[before:]
    assert all(re.match(r"^\[20\d\d-\d\d-\d\dT[^\]]*\] \"", line) for line in lines)
    assert not any(line.startswith("[2026-01-01T00:00:00.000Z]") for line in lines)


def send_http1(port: int, place: str, text: str) -> None:
    values = {"method": "GET", "path": "/", "host": "h"} | ({place: text} if place in ("method", "path", "host") else {})
    field = "" if place in values else f"{place}: {text}\r\n"
    with Connection(port) as connection:
        connection.send(f"{values['method']} {values['path']} HTTP/1.1\r\nHost: {values['host']}\r\n{field}\r\n")
        connection.half_close()
        connection.read_to_end()


def send_http2(port: int, place: str, text: str) -> None:
    names = {"method": ":method", "path": ":path", "host": ":authority"}
    fields = {":method": "GET", ":scheme": "http", ":path": "/", ":authority": "h"} | {names.get(place, place): text}
    with http2.Client(port) as client:
        client.send(client.headers(1, list(fields.items())))
        client.read_until(http2.HEADERS, http2.RST_STREAM, http2.GOAWAY)


@pytest.fixture(scope="module")
def module_gateway(module_owner):
    upstream = module_owner.upstream()
    return module_owner.gateway(to_upstream(upstream.port))
