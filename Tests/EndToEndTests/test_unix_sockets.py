"""Unix-domain sockets: listeners and endpoints, in the file system and abstract, for HTTP/1, HTTP/2, TLS and TCP."""

import json
import os
import pathlib
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import uuid

import pytest

from harness.configuration import (as_yaml, destination_rule, gateway, http_server, network_service, resource, route,
                                   static_entry, tcp_route, tls_secret, to_upstream, upstream_probe, virtual_service)
from harness.gateway import curl_line, parse_access_line, run_verb
from harness.http_client import Connection, client_context, curl, get
from harness.processes import ProcessEnded
from harness.upstreams import answering, response
from harness.waiting import eventually


@pytest.fixture
def folder():
    """A folder with a short name: a socket's path has at most 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="unix-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=["path", "abstract"])
def place(request, folder) -> str:
    return str(folder / "socket") if request.param == "path" else f"@sallyport-{uuid.uuid4()}"


def unix_server(path: str, *hosts: str, protocol: str = "HTTP", **tls) -> dict:
    """A server that binds a unix-domain socket."""
    server = {"port": {"number": 0, "name": f"unix-{protocol.lower()}", "protocol": protocol}, "bind": f"unix://{path}",
              "hosts": list(hosts or "*")}
    return {**server, "tls": tls} if tls else server


def unix_entry(host: str, *paths: str, protocol: str = "HTTP", port: int = 80) -> dict:
    return static_entry(host, port=port, protocol=protocol, endpoints=[{"address": f"unix://{path}"} for path in paths])


def to_unix(path: str, protocol: str = "HTTP") -> list[dict]:
    """Any host on port 80 goes to the socket."""
    return [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
            unix_entry("upstream.example", path, protocol=protocol)]


def at_unix(path: str, *upstream_ports: int, name: str = "gateway") -> list[dict]:
    """Any host on the socket goes to the endpoints."""
    return [gateway(unix_server(path), name=name), virtual_service(route("upstream.example", 80), gateways=[name]),
            static_entry("upstream.example", *upstream_ports)]


def echo(connection) -> None:
    while data := connection.socket.recv(1 << 16):
        connection.socket.sendall(data)


def ask(path: str):
    with Connection(0, path) as client:
        return client.request()


# Listeners

def test_requests_come_in_on_a_socket_of_the_file_system_or_an_abstract_one(owner, place):
    upstream = owner.upstream()
    running = owner.gateway(at_unix(place, upstream.port), ports=())
    for _ in range(3):
        assert ask(place).status == 200
    with Connection(0, place) as client:
        assert [client.request().status for _ in range(3)] == [200] * 3
    line = parse_access_line(running.wait_for_access_line("any.example"))
    # As in Envoy: a path where there is one, and clients have no name.
    assert (line["downstream_local_address"], line["downstream_remote_address"]) == (place, "-")


def test_forwarding_fields_say_nothing_of_a_client_without_an_address(owner, folder):
    upstream = owner.upstream()
    path = str(folder / "socket")
    owner.gateway(at_unix(path, upstream.port), ports=())
    with Connection(0, path) as client:
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        assert client.read_response().status == 200
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\nX-Forwarded-For: 10.1.2.3\r\nX-Envoy-Retry-On: 5xx\r\n"
                    "X-Request-Id: mine\r\n\r\n")
        assert client.read_response().status == 200
    first, second = upstream.wait_for_requests(2)
    assert first.header("x-forwarded-for") is None and first.header("x-forwarded-proto") == "http"
    # What came stays; the client is none of the mesh's own, whose word would be taken.
    assert second.header("x-forwarded-for") == "10.1.2.3"
    assert second.header("x-envoy-retry-on") is None and second.header("x-request-id") != "mine"
    assert second.header("x-envoy-external-address") is None


def test_http2_and_tls_come_in_on_a_socket(owner, folder, authority):
    upstream = owner.upstream()
    certificate = authority.issue("web.example")
    plain, encrypted = str(folder / "plain"), str(folder / "tls")
    owner.gateway(
        [gateway(unix_server(plain), unix_server(encrypted, "web.example", protocol="HTTPS", mode="SIMPLE",
                                                 credentialName="web")),
         tls_secret("web", certificate), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", upstream.port)], ports=())
    h2 = curl("--http2-prior-knowledge", "--unix-socket", plain, "http://web.example/")
    assert (h2.status, h2.head.split(" ")[0]) == (200, "HTTP/2")
    tls = curl("--unix-socket", encrypted, "--cacert", authority.certificate, "https://web.example/")
    assert (tls.status, tls.head.split(" ")[0]) == (200, "HTTP/2"), tls.stderr


def test_tcp_goes_from_socket_to_socket(owner, folder):
    inside, outside = str(folder / "db"), str(folder / "front")
    owner.upstream(echo, address=inside)
    running = owner.gateway(
        [gateway(unix_server(outside, protocol="REDIS")), network_service(tcp=[tcp_route(("db.example", 6379))]),
         unix_entry("db.example", inside, protocol="REDIS", port=6379)], ports=())
    data = os.urandom(3 << 20)
    with Connection(0, outside) as client:
        sender = threading.Thread(target=lambda: (client.send(data), client.half_close()))
        sender.start()
        received, clean = client.read_to_end()
        sender.join()
    assert clean and received == data
    line = parse_access_line(running.wait_for_access_line("outbound|6379||db.example"))
    assert (line["upstream_host"], line["downstream_local_address"], line["bytes_sent"]) == (
        inside, outside, str(len(data)))


def test_workers_share_one_socket(owner, folder):
    """Every worker accepts: connections that stay open are spread, and all of a burst are served."""
    upstream = owner.upstream()
    path = str(folder / "socket")
    running = owner.gateway(at_unix(path, upstream.port), ports=(), workers=4)
    clients = [Connection(0, path) for _ in range(64)]
    for client in clients:
        assert client.request().status == 200
    shares = [int(line.rpartition(" ")[2]) for line in running.admin("/stats?filter=listener.worker_")[1].splitlines()]
    assert len(shares) == 4 and sum(shares) == 64 and min(shares) >= 8, shares
    for client in clients:
        client.close()


def test_a_stale_file_is_replaced_and_the_own_one_goes_at_the_end(owner, folder):
    upstream = owner.upstream()
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.is_socket()
    running = owner.gateway(at_unix(str(path), upstream.port), ports=())
    assert ask(str(path)).status == 200
    assert running.stop() == 0
    assert not path.exists()


def test_permissions_are_those_of_the_umask(owner, folder):
    upstream = owner.upstream()
    path = folder / "socket"
    owner.gateway(at_unix(str(path), upstream.port), ports=(), preexec=lambda: os.umask(0o117))
    eventually(path.exists, "the socket is there")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_socket_that_is_served_is_left_alone(owner, folder):
    upstream = owner.upstream()
    path = folder / "socket"
    first = owner.gateway(at_unix(str(path), upstream.port), ports=())
    with pytest.raises(ProcessEnded, match="Address already in use"):
        owner.gateway(at_unix(str(path), upstream.port), ports=(), name="second")
    assert ask(str(path)).status == 200
    assert first.process.running


def test_a_file_that_is_no_socket_is_left_alone(owner, folder):
    upstream = owner.upstream()
    path = folder / "data"
    path.write_text("precious")
    with pytest.raises(ProcessEnded, match="Address already in use"):
        owner.gateway(at_unix(str(path), upstream.port), ports=())
    assert path.read_text() == "precious"


def test_a_reload_adds_and_removes_sockets(owner, folder):
    upstream = owner.upstream()
    old, new = folder / "old", folder / "new"
    running = owner.gateway(at_unix(str(old), upstream.port), ports=())
    with Connection(0, str(old)) as client:
        assert client.request().status == 200
        running.configure(at_unix(str(new), upstream.port))
        running.reload_and_wait()
        eventually(lambda: new.exists() and not old.exists(), "one socket goes, another comes")
        assert ask(str(new)).status == 200
    running.configure(at_unix(str(old), upstream.port))
    running.reload_and_wait()
    eventually(lambda: old.exists(), "and back")
    assert ask(str(old)).status == 200


# Endpoints

def test_requests_go_to_a_socket_of_the_file_system_or_an_abstract_one(owner, place):
    upstream = owner.upstream(address=place)
    running = owner.gateway(to_unix(place))
    assert get(running.port(80)).status == 200
    request, = upstream.wait_for_requests(1)
    assert request.header("host") == "any.example" and request.header("x-forwarded-for") == "127.0.0.1"
    line = parse_access_line(running.wait_for_access_line("any.example"))
    assert (line["upstream_host"], line["upstream_local_address"]) == (place, "-")
    text = running.admin("/clusters")[1]
    assert f"outbound|80||upstream.example::{place}::cx_total::1" in text
    status, = [each for each in running.admin_json("/clusters?format=json")["cluster_statuses"]
               if each["name"] == "outbound|80||upstream.example"]
    assert status["host_statuses"][0]["address"] == {"pipe": {"path": place}}


def test_a_connection_to_a_socket_is_used_again(owner, folder):
    path = str(folder / "socket")
    upstream = owner.upstream(address=path)
    running = owner.gateway(to_unix(path))
    for _ in range(5):
        assert get(running.port(80)).status == 200
    assert upstream.connections == 1


def test_http2_and_tls_go_to_a_socket(owner, folder, authority):
    """From one instance to another, in HTTP/2 without and HTTP/1 with TLS."""
    upstream = owner.upstream()
    plain, encrypted = str(folder / "plain"), str(folder / "tls")
    certificate = authority.issue("inner.example")
    inner = owner.gateway(
        [gateway(unix_server(plain), unix_server(encrypted, protocol="HTTPS", mode="SIMPLE", credentialName="inner")),
         tls_secret("inner", certificate), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", upstream.port)], ports=(), name="inner")
    outer = owner.gateway(
        [gateway(http_server("plain.example"), http_server("tls.example", port=81, name="other")),
         virtual_service(route("plain.example", 80), hosts=["plain.example"], name="plain"),
         virtual_service(route("tls.example", 80), hosts=["tls.example"], name="tls"),
         unix_entry("plain.example", plain, protocol="HTTP2"), unix_entry("tls.example", encrypted),
         tls_secret("ca", certificate),
         destination_rule("tls.example", {"tls": {"mode": "SIMPLE", "sni": "inner.example",
                                                  "caCertificates": str(authority.certificate)}})],
        ports=(80, 81), name="outer")
    assert get(outer.port(80), host="plain.example").status == 200
    assert "HTTP/2" in inner.wait_for_access_line("plain.example")
    assert get(outer.port(81), host="tls.example").status == 200
    assert "HTTP/1.1" in inner.wait_for_access_line("tls.example")


def test_a_socket_that_nobody_serves_is_a_failed_connection(owner, folder):
    running = owner.gateway(to_unix(str(folder / "nobody")))
    answer = get(running.port(80))
    assert answer.status == 503 and "connect" in answer.text
    line = parse_access_line(running.wait_for_access_line("any.example"))
    assert "UF" in line["response_flags"] and "No such file" in line["upstream_transport_failure_reason"]


def test_workload_entries_may_be_sockets(owner, folder):
    path = str(folder / "socket")
    upstream = owner.upstream(address=path)
    running = owner.gateway(
        [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
         resource("WorkloadEntry", "one", {"address": f"unix://{path}", "labels": {"app": "one"}}),
         static_entry("upstream.example", endpoints=None, workloadSelector={"labels": {"app": "one"}})])
    assert get(running.port(80)).status == 200
    assert upstream.connections == 1


def test_probes_ask_a_socket(owner, folder):
    path = str(folder / "socket")
    health = {"status": "200 OK"}
    upstream = owner.upstream(answering(lambda request: response(status=health["status"])), address=path)
    running = owner.gateway([*to_unix(path), upstream_probe("upstream.example", 80, path="/healthz")])
    assert path in running.wait_until_ready() or upstream.requests
    assert upstream.requests[0].target == "/healthz"
    health["status"] = "503 Service Unavailable"
    running.wait_until_ready(False)


def test_tcp_probes_ask_a_socket(owner, folder):
    path = str(folder / "socket")
    upstream = owner.upstream(address=path)
    running = owner.gateway([*to_unix(path), upstream_probe("upstream.example", 80, kind={"tcpSocket": {}})])
    running.wait_until_ready()
    upstream.stop()
    running.wait_until_ready(False)


def test_proxy_protocol_to_an_upstream_says_that_nothing_is_known(owner, folder):
    inside, outside = str(folder / "in"), str(folder / "out")
    received = []

    def script(connection):
        received.append(connection.socket.recv(100))

    owner.upstream(script, address=inside)
    owner.gateway(
        [gateway(unix_server(outside, protocol="TCP")), network_service(tcp=[tcp_route(("db.example", 1))]),
         unix_entry("db.example", inside, protocol="TCP", port=1),
         destination_rule("db.example", {"proxyProtocol": {"version": "V1"}})], ports=())
    with Connection(0, outside):
        eventually(lambda: received == [b"PROXY UNKNOWN\r\n"], "the header comes")


def test_a_proxy_protocol_header_is_taken_off_a_socket(owner, folder):
    upstream = owner.upstream()
    path = str(folder / "socket")
    entry = gateway(unix_server(path))
    entry["metadata"]["annotations"] = {"sallyport.dev/proxy-protocol": "unix-http"}
    owner.gateway([entry, *at_unix(path, upstream.port)[1:]], ports=())
    with Connection(0, path) as client:
        client.send("PROXY TCP4 203.0.113.9 192.0.2.1 5000 80\r\nGET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        assert client.read_response().status == 200
    assert upstream.wait_for_requests(1)[0].header("x-forwarded-for") == "203.0.113.9"


# What is said of them

def check(folder: pathlib.Path, resources) -> str:
    (folder / "resources.yaml").write_text(as_yaml(resources))
    done = run_verb("check", folder / "resources.yaml", "--label", "app=gateway", "--namespace", "test")
    return done.stdout + done.stderr


@pytest.mark.parametrize("resources,message", [
    (at_unix("/" + "x" * 107, 1), "has 108 bytes, a socket's path has at most 107"),
    (at_unix("relative", 1), "must be an absolute path or abstract socket"),
    (at_unix("/run/", 1), "may not be a directory"),
    (to_unix("/" + "x" * 107), "has 108 bytes, a socket's path has at most 107"),
    (to_unix("@" + "x" * 107), "has 108 bytes, a socket's path has at most 107"),
    (to_unix("relative"), "must be an absolute path or abstract socket"),
])
def test_paths_that_cannot_be_are_refused_with_their_place(folder, resources, message):
    text = check(folder, resources)
    assert message in text and "resources.yaml:" in text, text


def test_explain_diff_and_proxy_config_show_sockets(owner, folder):
    upstream = owner.upstream()
    path = str(folder / "socket")
    running = owner.gateway([*at_unix(path, upstream.port)[:2], unix_entry("upstream.example", f"{path}-up")], ports=())
    assert f"unix://{path}_0::{path}\n" in running.admin("/listeners")[1]
    listener, = running.admin_json("/listeners?format=json")["listener_statuses"]
    assert listener["local_address"] == {"pipe": {"path": path}}
    flags = ["--label", "app=gateway", "--namespace", "test"]
    told = run_verb("explain", "--curl", f"curl --unix-socket {path} http://any.example/", running.resources, *flags)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"unix://{path}_0" in told.stdout and f"unix://{path}-up" in told.stdout
    elsewhere = run_verb("explain", "--curl", "curl --unix-socket /nowhere http://any.example/", running.resources, *flags)
    assert elsewhere.returncode == 1 and "nothing listens on /nowhere" in elsewhere.stdout


FLAGS = ["--label", "app=gateway", "--namespace", "test"]


def front_and_back(folder: pathlib.Path, web: str = "web", db: str = "db") -> list[dict]:
    """A socket of requests and one of bytes, each to a socket."""
    return [gateway(unix_server(str(folder / "front")), unix_server(str(folder / "front-db"), protocol="TCP")),
            virtual_service(route("web.example", 80)),
            network_service(tcp=[tcp_route(("db.example", 6379))], name="bytes"),
            unix_entry("web.example", str(folder / web), f"@{folder.name}-{web}"),
            unix_entry("db.example", str(folder / db), protocol="TCP", port=6379)]


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[1:]]


def test_proxy_config_selects_sockets_of_an_instance_and_of_files(owner, folder):
    running = owner.gateway(front_and_back(folder), ports=())
    live = ["--admin-base", str(running.admin_base)]
    for place in (live, ["--from", str(running.resources), *FLAGS]):
        def rows(*words: str) -> list[list[str]]:
            told = run_verb("pc", *words, *place)
            assert told.returncode == 0, told.stderr
            return columns(told.stdout)
        sockets = [row[0] for row in rows("listener") if row[0].startswith("unix://")]
        assert sockets == [f"unix://{folder}/front", f"unix://{folder}/front-db"]
        # As it is shown, and by its path.
        for address in (f"unix://{folder}/front-db", f"{folder}/front-db"):
            row, = rows("listener", "--address", address)
            assert row[-2:] == ["Cluster:", "outbound|6379||db.example"]
        for address, cluster in ((f"unix://{folder}/web", "outbound|80||web.example"),
                                 (f"@{folder.name}-web", "outbound|80||web.example"),
                                 (f"{folder}/db", "outbound|6379||db.example")):
            row, = rows("endpoint", "--address", address)
            assert row[0] == "unix://" + address.removeprefix("unix://") and row[3] == cluster
        assert rows("endpoint", "--address", f"{folder}/web", "--port", "80") == []
        assert [row[0] for row in rows("route") if "front" in row[0]] == [f"http.0.unix://{folder}/front"]
        assert {row[0] for row in rows("cluster")} == {"web.example", "db.example"}
    listed = json.loads(run_verb("pc", "endpoint", "--address", f"{folder}/db", "-o", "json", *live).stdout)
    assert listed[0]["host_statuses"][0]["address"] == {"pipe": {"path": f"{folder}/db"}}


def test_status_shows_sockets(owner, folder):
    owner.upstream(address=str(folder / "web"))
    running = owner.gateway(front_and_back(folder), ports=())
    told = run_verb("status", "--admin-base", str(running.admin_base))
    assert told.returncode == 0, told.stderr
    assert f"listeners      unix://{folder}/front, unix://{folder}/front-db" in told.stdout
    assert "outbound|80||web.example  2/2 healthy" in told.stdout
    listed = json.loads(run_verb("status", "-o", "json", "--admin-base", str(running.admin_base)).stdout)
    assert f"unix://{folder}/front" in json.dumps(listed)


def test_diff_shows_sockets_and_commands_that_reach_them(owner, folder, tmp_path):
    other = owner.upstream(echo, address=str(folder / "other"))
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"

    def compare(old: list[dict], new: list[dict]) -> str:
        before.write_text(as_yaml(old))
        after.write_text(as_yaml(new))
        told = run_verb("diff", *FLAGS, before, after)
        assert told.returncode == (0 if old == new else 1), told.stdout + told.stderr
        return told.stdout
    assert "No request sees a difference" in compare(front_and_back(folder), front_and_back(folder))
    # Other endpoints.
    told = compare(front_and_back(folder), front_and_back(folder, db="other"))
    assert f"endpoints: unix://{folder}/db → unix://{folder}/other" in told and "web.example" not in told
    # Another destination of bytes.
    changed = front_and_back(folder)
    changed[2] = network_service(tcp=[tcp_route(("other.example", 6379))], name="bytes")
    changed.append(unix_entry("other.example", str(folder / "other"), protocol="TCP", port=6379))
    told = compare([*front_and_back(folder), changed[-1]], changed)
    assert f"nc -U {folder}/front-db" in told and f"at unix://{folder}/front-db_0" in told
    assert "was  outbound|6379||db.example" in told and "is   outbound|6379||other.example" in told
    owner.gateway(changed, ports=())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{folder}/front-db")
        client.sendall(b"hello")
        assert client.recv(5) == b"hello" and other.connections == 1
    # Sockets that open and close.
    moved = front_and_back(folder)
    moved[0] = gateway(unix_server(str(folder / "moved")), unix_server(str(folder / "front-db"), protocol="TCP"))
    told = compare(front_and_back(folder), moved)
    assert f"listener closes  unix://{folder}/front_0" in told and f"listener opens  unix://{folder}/moved_0" in told


def test_the_witness_of_a_tunnel_through_a_socket_opens_it(owner, place, tmp_path):
    """To a unix-domain socket curl takes no proxy: the witness is CONNECT as a method."""
    upstream = owner.upstream(lambda connection: connection.send(b"hello"))

    def resources(host: str) -> list[dict]:
        rule = route(host, 80, match={"method": {"exact": "CONNECT"}, "headers": {"x-team": {"exact": "db"}}})
        return [gateway(unix_server(place)), static_entry("old.up", 9), virtual_service(rule, hosts=("db.example",)),
                static_entry("new.up", upstream.port, protocol="TCP")]
    for name in ("old", "new"):
        (tmp_path / f"{name}.yaml").write_text(as_yaml(resources(f"{name}.up")))
    line = curl_line(run_verb("diff", *FLAGS, tmp_path / "old.yaml", tmp_path / "new.yaml"))
    assert "-X CONNECT --request-target db.example:80 -H 'x-team: db'" in line
    running = owner.gateway(resources("new.up"), ports=())
    made = subprocess.run([*shlex.split(line), "-sS", "-i"], capture_output=True, text=True, timeout=30)
    assert made.returncode == 0 and made.stdout.endswith("hello"), made.stdout + made.stderr
    explained = run_verb("explain", *FLAGS, "--curl", line, running.resources)
    assert "outbound|80||new.up" in explained.stdout, explained.stdout + explained.stderr
