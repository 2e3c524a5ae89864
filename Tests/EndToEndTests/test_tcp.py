"""TCP through the gateway: bytes both ways, ends and resets, timeouts, balancing, TLS on either side, the log."""

import json
import socket
import ssl
import threading

import pytest

from harness.certificates import Certificate
from harness.configuration import (destination_rule, dns_entry, gateway, http_server, network_service, route,
                                   static_entry, tcp_route, tcp_server, virtual_service)
from harness.gateway import parse_access_line
from harness.http_client import Connection, client_context, get, s_client
from harness.ports import free_port
from harness.processes import memory_kilobytes
from harness.upstreams import server_context
from harness.waiting import eventually


def echo(connection) -> None:
    """Sends back what comes until the end, then ends, too."""
    while data := connection.socket.recv(1 << 16):
        connection.socket.sendall(data)
    if not isinstance(connection.socket, ssl.SSLSocket):
        connection.half_close()


def tcp(*upstream_ports: int, policy: dict | None = None, server: dict | None = None, **entry) -> list[dict]:
    """Port 9000 goes to the endpoints of `db.example`."""
    resources = [gateway(server or tcp_server()), network_service(tcp=[tcp_route(("db.example", 3306))]),
                 static_entry("db.example", *upstream_ports, port=3306, protocol="TCP", **entry)]
    if policy:
        resources.append(destination_rule("db.example", policy))
    return resources


def connect(port: int, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((address, port), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(1 << 16):
        data += piece
    return data


def served(running, part: str, **expected: str) -> dict[str, str]:
    """The access line with `part`, once it is there, as fields that are as expected."""
    line = parse_access_line(running.wait_for_access_line(part))
    assert {name: line[name] for name in expected} == expected
    return line


@pytest.mark.parametrize("protocol", ["TCP", "MONGO", "REDIS", "MYSQL"])
def test_bytes_go_both_ways_and_each_direction_ends_by_itself(owner, protocol):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, server=tcp_server(protocol=protocol)), ports=(9000,))
    with connect(running.port(9000)) as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        client.sendall(b"bye")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"bye"
        local = client.getsockname()
    line = served(running, f"127.0.0.1:{local[1]}", method="-", path="-", protocol="-", response_code="0",
                  response_flags="-", response_code_details="-", bytes_received="8", bytes_sent="8",
                  upstream_service_time="-", upstream_host=f"127.0.0.1:{upstream.port}",
                  upstream_cluster="outbound|3306||db.example", requested_server_name="-", route_name="-")
    assert line["downstream_local_address"] == f"127.0.0.1:{running.port(9000)}"


def test_the_upstream_may_speak_first_and_end_first(owner):
    received = []

    def script(connection):
        connection.send(b"220 ready\r\n")
        connection.half_close()
        received.append(read_all(connection.socket))

    upstream = owner.upstream(script)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    with connect(running.port(9000)) as client:
        assert read_all(client) == b"220 ready\r\n"
        # Our direction is still open.
        client.sendall(b"late words")
        client.shutdown(socket.SHUT_WR)
        eventually(lambda: b"late words" in received, "the upstream gets what comes after its own end")


def test_a_large_transfer_arrives_whole_in_both_directions(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    data = bytes(range(256)) * 4 * 32768
    with connect(running.port(9000)) as client:
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        received = read_all(client)
        sender.join()
    assert received == data


def test_a_slow_reader_stops_the_sender_and_memory_stays_bounded(owner):
    """More than the kernel's buffers hold waits at the sender, not here."""
    sent = [0]

    def script(connection):
        while True:
            connection.socket.sendall(b"x" * 65536)
            sent[0] += 65536

    upstream = owner.upstream(script)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    with connect(running.port(9000)) as client:
        client.recv(10)
        stalled = [0]

        def has_stalled() -> bool:
            """Nothing more was taken since the last look."""
            before, stalled[0] = stalled[0], sent[0]
            return before == sent[0] > 0
        eventually(has_stalled, "the sender waits", every=0.3)
        assert memory_kilobytes(running.pid)["RssAnon"] < 32 * 1024
        # It goes on when the reader does.
        wanted = sent[0] + (8 << 20)
        while wanted > 0:
            wanted -= len(client.recv(1 << 16))


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_a_reset_is_passed_on_as_a_reset(owner, side):
    ends = []

    def script(connection):
        connection.socket.recv(10)
        if side == "upstream":
            return connection.reset()
        try:
            ends.append(connection.socket.recv(10))
        except ConnectionResetError:
            ends.append("reset")

    upstream = owner.upstream(script)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    client = connect(running.port(9000))
    client.sendall(b"hello")
    if side == "upstream":
        with pytest.raises(ConnectionResetError):
            client.recv(10)
        client.close()
        served(running, " UC ", response_flags="UC")
    else:
        eventually(lambda: upstream.connections >= 2, "the connection is there")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        served(running, " DC ", response_flags="DC")
        eventually(lambda: "reset" in ends, "the upstream is reset, too")


def test_a_refused_upstream_closes_the_client_with_uf(owner):
    running = owner.gateway(tcp(free_port()), ports=(9000,))
    with connect(running.port(9000)) as client:
        assert client.recv(10) == b""
    line = served(running, "UF,URX", response_flags="UF,URX", bytes_received="0", bytes_sent="0")
    assert "refused" in line["upstream_transport_failure_reason"].lower()


def test_an_upstream_without_endpoints_closes_the_client_with_uh(owner):
    running = owner.gateway(tcp(), ports=(9000,))
    with connect(running.port(9000)) as client:
        assert client.recv(10) == b""
    served(running, " UH ", response_flags="UH", upstream_host="-", upstream_cluster="outbound|3306||db.example")


def test_an_upstream_that_does_not_answer_in_time(owner):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    # The kernel's queue is full: further connections get no answer.
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    try:
        running = owner.gateway(
            tcp(listener.getsockname()[1], policy={"connectionPool": {"tcp": {"connectTimeout": "0.2s"}}}),
            ports=(9000,))
        with connect(running.port(9000)) as client:
            assert client.recv(10) == b""
        served(running, "connect timeout", response_flags="UF,URX")
    finally:
        for each in (*fillers, listener):
            each.close()


def test_a_silent_connection_ends_after_the_idle_timeout(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, policy={"connectionPool": {"tcp": {"idleTimeout": "0.3s"}}}),
                            ports=(9000,))
    with connect(running.port(9000)) as client:
        client.sendall(b"x")
        assert client.recv(10) == b"x"
        assert client.recv(10) == b""
    served(running, " SI ", response_flags="SI", bytes_received="1", bytes_sent="1")


def test_a_name_is_resolved_before_the_first_connection_goes_on(owner):
    upstream, dns = owner.upstream(echo), owner.dns()
    dns.addresses("db.example", "127.0.0.1")
    running = owner.gateway(
        [gateway(tcp_server()), network_service(tcp=[tcp_route(("db.example", 3306))]),
         dns_entry("db.example", upstream.port, port=3306, protocol="TCP")],
        ports=(9000,), flags=("--dns-server", dns.address))
    with connect(running.port(9000)) as client:
        client.sendall(b"x")
        assert client.recv(10) == b"x"


def test_weights_divide_connections(owner):
    counts = []
    first, second = owner.upstream(echo), owner.upstream(echo)
    running = owner.gateway(
        [gateway(tcp_server()), network_service(tcp=[tcp_route(("a.example", 1, 80), ("b.example", 1, 20))]),
         static_entry("a.example", first.port, port=1, protocol="TCP"),
         static_entry("b.example", second.port, port=1, protocol="TCP")], ports=(9000,))
    for _ in range(200):
        with connect(running.port(9000)) as client:
            client.sendall(b"x")
            counts.append(client.recv(1))
    assert 110 < first.connections < 190 and second.connections >= 10


def test_connections_are_balanced_over_endpoints(owner):
    upstreams = [owner.upstream(echo) for _ in range(2)]
    running = owner.gateway(tcp(*[each.port for each in upstreams]), ports=(9000,))
    clients = []
    for _ in range(10):
        client = connect(running.port(9000))
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        clients.append(client)
    # Least request: ten that stay are spread evenly, as near as two random choices come.
    assert all(each.connections >= 3 for each in upstreams)
    for client in clients:
        client.close()


def test_two_databases_on_one_port_are_kept_apart_by_address(owner):
    """Both have DNS names and port 3306; the address that the client calls says which one is meant."""
    first, second = (owner.upstream(lambda connection, name=name: connection.send(name)) for name in (b"one", b"two"))
    dns = owner.dns()
    for name in ("db1.example", "db2.example"):
        dns.addresses(name, "127.0.0.1")
    running = owner.gateway(
        [gateway(tcp_server(port=3306, name="mysql", protocol="TCP")),
         network_service(tcp=[tcp_route(("db1.example", 3306), match={"destinationSubnets": ["127.0.0.2"]}),
                              tcp_route(("db2.example", 3306), match={"destinationSubnets": ["127.0.0.3/32"]})]),
         dns_entry("db1.example", first.port, port=3306, protocol="TCP"),
         dns_entry("db2.example", second.port, port=3306, protocol="TCP")],
        ports=(3306,), bind="0.0.0.0", flags=("--dns-server", dns.address))
    for address, expected in (("127.0.0.2", b"one"), ("127.0.0.3", b"two")):
        with connect(running.port(3306), address) as client:
            assert read_all(client) == expected
    with connect(running.port(3306), "127.0.0.4") as client:
        assert client.recv(10) == b""
    served(running, "filter_chain_not_found", response_flags="NR", response_code_details="filter_chain_not_found")


def test_tcp_and_http_stand_beside_each_other(owner, nginx):
    upstream = owner.upstream(echo)
    resources = [gateway(tcp_server(), http_server("*")), network_service(tcp=[tcp_route(("db.example", 3306))]),
                 virtual_service(route("web.example", 80), name="web"),
                 static_entry("db.example", upstream.port, port=3306, protocol="TCP"),
                 static_entry("web.example", nginx.plain)]
    running = owner.gateway(resources, ports=(80, 9000))
    assert get(running.port(80)).status == 200
    with connect(running.port(9000)) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"


def test_a_reload_does_not_touch_connections_that_are_there(owner):
    old, new = owner.upstream(echo), owner.upstream(echo)
    running = owner.gateway(tcp(old.port), ports=(9000,))
    with connect(running.port(9000)) as client:
        client.sendall(b"1")
        assert client.recv(1) == b"1"
        running.configure(tcp(new.port))
        running.reload_and_wait()
        client.sendall(b"2")
        assert client.recv(1) == b"2"
        with connect(running.port(9000)) as later:
            later.sendall(b"3")
            assert later.recv(1) == b"3"
    assert new.connections >= 1


# TLS


def files(certificate: Certificate) -> dict[str, str]:
    return {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}


def tls_server(*hosts: str, mode: str = "SIMPLE", credential: str = "front", port: int = 9000, **tls) -> dict:
    return tcp_server(*hosts, port=port, protocol="TLS", mode=mode, credentialName=credential, **tls)


def test_tls_is_terminated_to_tcp(owner, authority):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, server=tls_server("db.example.com")), ports=(9000,),
                            secrets={"front": files(authority.issue("db.example.com"))})
    context = client_context(authority)
    with context.wrap_socket(connect(running.port(9000)), server_hostname="db.example.com") as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"
        assert client.selected_alpn_protocol() is None
        data = b"y" * 300_000
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        received = b""
        while len(received) < len(data):
            received += client.recv(1 << 16)
        sender.join()
        assert received == data
    served(running, "db.example.com", requested_server_name="db.example.com", bytes_received="300005",
           bytes_sent="300005", response_flags="-")


def test_an_unknown_name_and_plain_text_are_refused_where_tls_is_terminated_to_tcp(owner, authority):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, server=tls_server("db.example.com")), ports=(9000,),
                            secrets={"front": files(authority.issue("db.example.com"))})
    assert "unrecognized name" in s_client(running.port(9000), "-servername", "other.example.com")
    served(running, "other.example.com", response_flags="NR", response_code_details="filter_chain_not_found",
           requested_server_name="other.example.com")
    with Connection(running.port(9000)) as client:
        client.send("GET / HTTP/1.1\r\n\r\n")
        assert client.closed_by_peer()


def test_client_certificates_are_asked_for(owner, authority, stranger):
    upstream = owner.upstream(echo)
    certificate = authority.issue("db.example.com")
    running = owner.gateway(
        tcp(upstream.port, server=tls_server("db.example.com", mode="MUTUAL")), ports=(9000,),
        secrets={"front": {**files(certificate), "ca.crt": authority.certificate.read_text()}})

    def try_with(certificate):
        context = client_context(authority, certificate)
        with context.wrap_socket(connect(running.port(9000)), server_hostname="db.example.com") as client:
            client.sendall(b"x")
            return client.recv(1)

    assert try_with(authority.issue("client")) == b"x"
    for wrong in (None, stranger.issue("client")):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            try_with(wrong)


def test_tls_is_originated_and_verified(owner, authority, stranger):
    names = ["db.example"]
    good = owner.upstream(echo, tls=server_context(authority.issue(*names)))
    policy = {"tls": {"mode": "SIMPLE", "caCertificates": str(authority.certificate), "sni": "db.example"}}
    running = owner.gateway(tcp(good.port, policy=policy), ports=(9000,))
    with connect(running.port(9000)) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"
    assert "db.example" in good.server_names
    bad = owner.upstream(echo, tls=server_context(stranger.issue(*names)))
    running.configure(tcp(bad.port, policy=policy))
    running.reload_and_wait()
    with connect(running.port(9000)) as client:
        assert client.recv(10) == b""
    line = served(running, "CERTIFICATE_VERIFY_FAILED", response_flags="UF,URX")
    assert "self-signed" in line["upstream_transport_failure_reason"] or "issuer" in line[
        "upstream_transport_failure_reason"]


def test_the_log_as_json(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,), flags=("--access-log", "json"))
    with connect(running.port(9000)) as client:
        client.sendall(b"x")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"x"
    line = json.loads(running.wait_for_access_line('"bytes_received":1'))
    assert line["method"] is None and line["bytes_sent"] == 1 and line["response_code"] == 0
    assert line["upstream_cluster"] == "outbound|3306||db.example" and line["response_flags"] == "-"


def test_istios_tcp_metrics(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    with connect(running.port(9000)) as client:
        client.sendall(b"x")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"x"

    def metrics() -> str:
        return running.admin("/stats/prometheus?filter=istio_tcp")[1]
    eventually(lambda: 'istio_tcp_received_bytes_total{' in metrics() and metrics().splitlines()[-1].endswith(" 1"),
               "the bytes are counted")
    assert 'destination_service="db.example",request_protocol="tcp"' in metrics()
