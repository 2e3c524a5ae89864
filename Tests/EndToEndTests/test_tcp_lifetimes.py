"""How many TCP connections there may be, how long they live, what a drain does to them, and that no end loses bytes."""

import fcntl
import pathlib
import signal
import socket
import struct
import threading

import pytest

from harness.configuration import (destination_rule, gateway, http_server, network_service, route, static_entry,
                                   tcp_route, tcp_server, to_upstream, virtual_service)
from harness.gateway import parse_access_line
from harness.http2 import HEADERS, WINDOW_UPDATE, Client, Upstream, frame, settings
from harness.http_client import Connection, ConnectionClosed, get
from harness.upstreams import response
from harness.waiting import eventually


def echo(connection) -> None:
    while data := connection.socket.recv(1 << 16):
        connection.socket.sendall(data)


def tcp(upstream_port: int, **pool) -> list[dict]:
    """Port 9000 goes to `db.example`, with these settings of its connection pool."""
    resources = [gateway(tcp_server()), network_service(tcp=[tcp_route(("db.example", 3306))]),
                 static_entry("db.example", upstream_port, port=3306, protocol="TCP")]
    return resources + [destination_rule("db.example", {"connectionPool": {"tcp": pool}})] if pool else resources


def http(upstream_port: int, protocol: str = "HTTP", **pool) -> list[dict]:
    return [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
            static_entry("upstream.example", upstream_port, protocol=protocol),
            destination_rule("upstream.example", {"connectionPool": {"tcp": pool}})]


def connect(running, receive_buffer: int | None = None) -> socket.socket:
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    client.settimeout(20)
    client.connect(("127.0.0.1", running.port(9000)))
    return client


def speak(client: socket.socket) -> None:
    client.sendall(b"x")
    assert client.recv(1) == b"x"


def read_until_failure(client: socket.socket) -> tuple[int, bool]:
    """How many bytes come, and whether a reset follows them."""
    count = 0
    try:
        while data := client.recv(1 << 16):
            count += len(data)
    except ConnectionResetError:
        return count, True
    return count, False


def counter(running, name: str, cluster: str) -> int:
    text = running.admin(f"/stats?filter={name}")[1]
    return next((int(line.rpartition(" ")[2]) for line in text.splitlines() if f"{cluster}.{name}:" in line), 0)


# connectionPool.tcp

@pytest.mark.parametrize("workers", [1, 3])
def test_connections_beyond_the_limit_are_closed(owner, workers):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, maxConnections=2), ports=(9000,), workers=workers)
    # What found out that the gateway listens was a connection too.
    eventually(lambda: [counter(running, f"upstream_cx_{name}", "outbound|3306||db.example")
                        for name in ("total", "active")] == [1, 0], "the first connection is over")
    clients = [connect(running) for _ in range(2)]
    for client in clients:
        speak(client)
    with connect(running) as third:
        assert read_until_failure(third)[0] == 0
    line = parse_access_line(running.wait_for_access_line(" UO "))
    assert (line["response_flags"], line["bytes_received"]) == ("UO", "0")
    assert counter(running, "upstream_cx_overflow", "outbound|3306||db.example") >= 1
    clients.pop().close()

    def fits() -> bool:
        with connect(running) as client:
            try:
                client.sendall(b"x")
                return client.recv(1) == b"x"
            except OSError:
                return False
    eventually(fits, "there is room again")
    clients.pop().close()


@pytest.mark.parametrize("kind", ["tcp", "http1", "http2"])
def test_keepalive_probes_are_set_on_upstream_sockets(owner, kind):
    """The kernel's list says which timer a socket has: 02 is keepalive, and when it fires in hundredths of a second."""
    keepalive = {"tcpKeepalive": {"time": "200s", "interval": "30s", "probes": 3}}
    upstream = owner.upstream(echo if kind == "tcp" else lambda connection: connection.wait_for_end())
    if kind == "tcp":
        running = owner.gateway(tcp(upstream.port, **keepalive), ports=(9000,))
        client = connect(running)
        speak(client)
    else:
        running = owner.gateway(http(upstream.port, "HTTP2" if kind == "http2" else "HTTP", **keepalive))
        client = Connection(running.port(80))
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        eventually(lambda: upstream.connections, "the upstream is connected to")
    eventually(lambda: 190 <= keepalive_seconds(upstream.port) <= 200, "the kernel waits to probe")
    client.close()


def keepalive_seconds(port: int) -> float:
    """When the kernel probes the connection to `port`; 0 when it does not."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2] == f"0100007F:{port:04X}" and fields[3] == "01" and fields[5].startswith("02:"):
            return int(fields[5][3:], 16) / 100
    return 0


def test_without_keepalive_no_socket_is_probed(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    with connect(running) as client:
        speak(client)
        assert keepalive_seconds(upstream.port) == 0


def test_a_tcp_connection_that_is_old_enough_is_closed(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port, maxConnectionDuration="0.5s"), ports=(9000,))
    with connect(running) as client:
        speak(client)
        assert client.recv(1) == b""
    line = parse_access_line(running.wait_for_access_line(" DT "))
    assert (line["response_flags"], line["bytes_sent"]) == ("DT", "1")
    assert counter(running, "upstream_cx_max_duration_reached", "outbound|3306||db.example") == 1


def test_an_upstream_connection_that_is_old_enough_serves_no_more(owner):
    """What is under way is finished; the next request has a connection of its own."""
    go_on = threading.Event()

    def script(connection):
        while connection.read_request() is not None:
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
            go_on.wait(20)
            connection.send("lf")

    upstream = owner.upstream(script)
    running = owner.gateway(http(upstream.port, maxConnectionDuration="0.3s"))
    reached = lambda: counter(running, "upstream_cx_max_duration_reached", "outbound|80||upstream.example")
    with Connection(running.port(80)) as client:
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        eventually(lambda: reached() == 1, "its time is over")
        go_on.set()
        assert client.read_response().body == b"half"
    assert get(running.port(80)).body == b"half"
    assert upstream.connections == 2


def test_an_idle_upstream_connection_that_is_old_enough_is_closed(owner):
    upstream = owner.upstream()
    running = owner.gateway(http(upstream.port, maxConnectionDuration="0.3s"))
    assert get(running.port(80)).status == 200
    eventually(lambda: counter(running, "upstream_cx_active", "outbound|80||upstream.example") == 0, "it is closed")
    assert get(running.port(80)).status == 200
    assert upstream.connections == 2


def test_an_http2_connection_that_is_old_enough_serves_no_more(owner):
    upstream = owner.upstream()
    inner = owner.gateway(to_upstream(upstream.port), name="inner")
    outer = owner.gateway(http(inner.port(80), "HTTP2", maxConnectionDuration="0.3s"), name="outer")
    assert get(outer.port(80)).status == 200
    eventually(lambda: counter(outer, "upstream_cx_active", "outbound|80||upstream.example") == 0, "it is closed")
    assert get(outer.port(80)).status == 200
    assert counter(outer, "upstream_cx_total", "outbound|80||upstream.example") == 2


# Draining

def test_tcp_connections_live_on_while_the_instance_drains(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,), flags=("--drain", "20"))
    client = connect(running)
    speak(client)
    running.process.signal(signal.SIGTERM)
    eventually(lambda: running.health()[0] == 503, "it drains")
    data = b"d" * (1 << 20)
    sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
    sender.start()
    assert read_until_failure(client) == (len(data), False)
    sender.join()
    client.close()
    eventually(lambda: not running.process.running, "it ends with the last connection")
    assert f" {len(data) + 1} {len(data) + 1} " in running.access_lines()[-1]


def test_the_drain_time_ends_tcp_connections(owner):
    upstream = owner.upstream(echo)
    running = owner.gateway(tcp(upstream.port), ports=(9000,), flags=("--drain", "1"))
    with connect(running) as client:
        speak(client)
        running.process.signal(signal.SIGTERM)
        assert read_until_failure(client)[0] == 0
    eventually(lambda: not running.process.running, "it ends")


# Bytes before a reset

SIZE = 3 << 20
INITIAL_WINDOW_SIZE = 4
# What is left when the reset comes is with the client's kernel, in the gateway's buffers, or in its kernel.
SIZES = (60_000, 90_000, 120_000)


def reset_after(size: int):
    """Sends so many bytes, lets the other side take them from the kernel, and breaks off."""
    def script(connection):
        connection.socket.recv(100)
        connection.socket.sendall(b"r" * size)
        wait_until_sent(connection.socket)
        connection.reset()
    return script


def wait_until_sent(connection: socket.socket) -> None:
    """A reset throws away what the other side's kernel has not acknowledged."""
    eventually(lambda: struct.unpack("i", fcntl.ioctl(connection, 0x5411, b"\0" * 4))[0] == 0, "all was taken", bound=20)


@pytest.mark.parametrize("size", SIZES)
def test_what_the_upstream_sent_before_a_reset_reaches_a_slow_client(owner, size):
    sent = threading.Event()

    def script(connection):
        reset_after(size)(connection)
        sent.set()

    upstream = owner.upstream(script)
    running = owner.gateway(tcp(upstream.port), ports=(9000,))
    client = connect(running, receive_buffer=4096)
    client.sendall(b"go")
    assert sent.wait(20)
    assert read_until_failure(client) == (size, True)
    client.close()
    line = parse_access_line(running.wait_for_access_line(" UC "))
    assert (line["response_flags"], line["bytes_sent"]) == ("UC", str(size))


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", SIZES)
def test_a_whole_response_outlives_the_connection_that_brought_it(owner, end, framing, size):
    body = b"b" * size
    sent = threading.Event()

    def script(connection):
        connection.read_request()
        if framing == "length":
            connection.send(response(body))
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        wait_until_sent(connection.socket)
        connection.reset() if end == "reset" else connection.socket.close()
        sent.set()

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port(80), receive_buffer=4096) as client:
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        assert sent.wait(20)
        answer = client.read_response()
        assert (answer.status, len(answer.body)) == (200, len(body))
    assert parse_access_line(running.wait_for_access_line("any.example"))["response_flags"] == "-"


def read_what_a_reset_cut_off(owner, head: str):
    """Asks for a response of which the upstream sends `head` and a part, then resets; returns the gateway."""
    def script(connection):
        connection.read_request()
        connection.send(head + "b" * 50_000)
        wait_until_sent(connection.socket)
        connection.reset()

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    with Connection(running.port(80), receive_buffer=4096) as client:
        client.send("GET / HTTP/1.1\r\nHost: any.example\r\n\r\n")
        with pytest.raises(ConnectionClosed):
            client.read_response()
    return running


def test_a_response_that_a_reset_cut_off_is_not_taken_for_whole(owner):
    running = read_what_a_reset_cut_off(owner, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    assert parse_access_line(running.wait_for_access_line("any.example"))["response_flags"] == "UC"


def test_a_body_without_a_length_that_a_reset_ends_is_not_taken_for_whole(owner):
    read_what_a_reset_cut_off(owner, "HTTP/1.1 200 OK\r\n\r\n")


def test_an_early_answer_is_heard_although_the_request_cannot_be_sent(owner):
    """The upstream refuses a body, answers and closes with bytes unread, which is a reset for whoever still sends."""
    def script(connection):
        connection.read_head()
        connection.send(response("too large", "413 Content Too Large", "Connection: close"))
        connection.socket.close()

    upstream = owner.upstream(script)
    running = owner.gateway(to_upstream(upstream.port))
    for _ in range(20):
        with Connection(running.port(80)) as client:
            client.send(f"POST / HTTP/1.1\r\nHost: any.example\r\nContent-Length: {SIZE}\r\n\r\n")
            try:
                client.send(b"u" * SIZE)
            except OSError:
                pass
            answer = client.read_response()
            assert (answer.status, answer.body) == (413, b"too large")


def test_a_whole_http2_response_outlives_a_reset(owner):
    body = b"b" * 120_000
    sent = threading.Event()

    def script(peer, _):
        stream = peer.read_until(HEADERS).stream
        peer.send(peer.headers(stream, [(":status", "200")], end=False))
        for start in range(0, len(body), 15_000):
            peer.send(peer.data(stream, body[start:start + 15_000], end=start + 15_000 >= len(body)))
        wait_until_sent(peer.socket)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.socket.close()
        sent.set()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(http(upstream.port, "HTTP2"))
    no_window = settings((INITIAL_WINDOW_SIZE, 0))
    with Client(running.port(80), settings_frame=no_window) as client:
        client.send(client.request(1))
        assert sent.wait(20)
        # The worker answers after it has handled the reset.
        assert counter(running, "upstream_rq_total", "outbound|80||upstream.example") == 1
        client.send(frame(WINDOW_UPDATE, stream=1, payload=struct.pack(">I", 60_000)))
        answer = client.answer(1)
        assert (answer.status, len(answer.body)) == (200, len(body))
    assert not upstream.problems


# Databases

def redis(connection) -> None:
    """As much of Redis's protocol as a client needs to set and get."""
    reader, values = connection.socket.makefile("rb"), {}
    while (line := reader.readline()).startswith(b"*"):
        words = []
        for _ in range(int(line[1:])):
            size = int(reader.readline()[1:])
            words.append(reader.read(size + 2)[:-2])
        if words[0] == b"SET":
            values[words[1]] = words[2]
            connection.send(b"+OK\r\n")
        elif words[0] == b"GET":
            value = values.get(words[1])
            connection.send(b"$-1\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value))
        else:
            connection.send(b"+PONG\r\n")


def resp(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def test_a_redis_session_with_pipelining_and_binary_values(owner):
    upstream = owner.upstream(redis)
    value = bytes(range(256)) * 2000
    running = owner.gateway(
        [gateway(tcp_server(name="redis-cache", protocol="REDIS")),
         network_service(tcp=[tcp_route(("cache.example", 6379))]),
         static_entry("cache.example", upstream.port, port=6379, protocol="REDIS")], ports=(9000,))
    with connect(running) as client:
        client.sendall(resp(b"PING") + resp(b"SET", b"key", value) + resp(b"GET", b"key") + resp(b"GET", b"none"))
        expected = b"+PONG\r\n+OK\r\n$%d\r\n%b\r\n$-1\r\n" % (len(value), value)
        received = b""
        while len(received) < len(expected):
            received += client.recv(1 << 16)
        assert received == expected
