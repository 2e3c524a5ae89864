"""HTTP/2 at both doors: negotiation, streams, bodies, trailers, flow control, goodbye; every mix of versions."""

import hashlib
import pathlib
import signal
import ssl
import struct
import subprocess

import pytest

from harness import http2
from harness.configuration import (destination_rule, gateway, http_server, https_server, route, static_entry,
                                   to_upstream, virtual_service)
from harness.http2 import (CANCEL, DATA, END_STREAM, GOAWAY, HEADERS, NO_ERROR, REFUSED_STREAM, RST_STREAM,
                           WINDOW_UPDATE, Client, Upstream, frame)
from harness.http_client import Connection, client_context, curl
from harness.upstreams import answering, response, server_context
from harness.waiting import eventually

MEGABYTE = 1 << 20


def files(certificate) -> dict[str, str]:
    return {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}


def behind(port: int, protocol: str = "HTTP", *extra: dict) -> list[dict]:
    """One plaintext server, everything to one upstream."""
    return [gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
            static_entry("upstream.example", port, protocol=protocol), *extra]


def echo(peer: http2.Peer, number: int) -> None:
    """Answers each request with its path and its body, in trailers what the head said."""
    bodies: dict[int, bytes] = {}
    heads: dict[int, dict[str, str]] = {}
    while True:
        got = peer.read_until(HEADERS, DATA)
        if got.kind == HEADERS and got.stream not in heads:
            heads[got.stream], bodies[got.stream] = dict(got.fields), b""
        elif got.kind == HEADERS:
            heads[got.stream].update(got.fields)
        else:
            bodies[got.stream] += got.payload
            if got.payload:
                size = struct.pack(">I", len(got.payload))
                peer.send(frame(WINDOW_UPDATE, payload=size) + frame(WINDOW_UPDATE, stream=got.stream, payload=size))
        if got.flags & END_STREAM:
            head = heads[got.stream]
            peer.send(peer.headers(got.stream, [(":status", "200"), ("x-path", head[":path"])], end=False)
                      + peer.data(got.stream, bodies[got.stream][:16384], end=False)
                      + peer.headers(got.stream, [("x-seen", ",".join(sorted(head)))]))


@pytest.fixture
def http2_upstream(owner):
    return owner.own(Upstream(echo))


# Negotiation


def test_alpn_chooses_http2(owner, nginx, authority):
    running = owner.gateway(
        [gateway(https_server("a.example.com", credential="a")), virtual_service(route("upstream.example", 80)),
         static_entry("upstream.example", nginx.plain)],
        ports=(443,), secrets={"a": files(authority.issue("a.example.com"))})
    for flag, version in (("--http2", "2"), ("--http1.1", "1.1")):
        answer = curl(f"https://a.example.com:{running.port(443)}/", flag, "--resolve",
                      f"a.example.com:{running.port(443)}:127.0.0.1", "--cacert", authority.certificate)
        assert answer.head.startswith(f"HTTP/{version} 200")
    assert "HTTP/2" in running.wait_for_access_line("HTTP/2") and running.wait_for_access_line("HTTP/1.1")


def test_prior_knowledge_on_a_plaintext_server(pair):
    answer = curl(f"http://127.0.0.1:{pair.port}/x", "--http2-prior-knowledge")
    assert answer.head.startswith("HTTP/2 200")
    assert pair.upstream.requests[0].target == "/x"


def test_a_preface_that_comes_byte_by_byte(pair):
    with Client(pair.port, preface=b"", settings_frame=b"") as client:
        for byte in http2.PREFACE + http2.settings():
            client.send(bytes([byte]))
        assert client.get().status == 200


def test_h2c_by_upgrade_is_ignored_as_it_may_be(pair):
    with Connection(pair.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        "HTTP2-Settings: AAMAAABk\r\n\r\n")
        assert connection.read_response().status == 200


# Requests


def test_many_streams_on_one_connection(pair):
    pair.upstream.script = answering(lambda request: response(request.target))
    with Client(pair.port) as client:
        streams = range(1, 201, 2)
        client.send(b"".join(client.request(stream, f"/{stream}") for stream in streams))
        answers = {}
        while len(answers) < 100:
            got = client.read_until(HEADERS, DATA)
            if got.kind == DATA:
                answers[got.stream] = got.payload.decode()
        assert answers == {stream: f"/{stream}" for stream in streams}


def test_what_an_http1_upstream_sees(pair):
    with Client(pair.port) as client:
        answer = client.get(1, "/p?q=1", authority="shop.example:80",
                            extra=[("cookie", "a=1"), ("cookie", "b=2"), ("x-custom", "Value"), ("te", "trailers")])
    request = pair.upstream.requests[0]
    assert (request.method, request.target, request.version) == ("GET", "/p?q=1", "HTTP/1.1")
    assert request.header("host") == "shop.example:80"
    assert request.header("cookie") == "a=1; b=2"
    assert (request.header("x-custom"), request.header("x-forwarded-proto")) == ("Value", "http")
    assert answer.header("connection") is None and answer.header("server") == "sallyport"


def test_a_host_beside_authority_must_agree(pair):
    with Client(pair.port) as client:
        assert client.get(1, authority="a.example", extra=[("host", "a.example")]).status == 200
        client.send(client.request(3, authority="a.example", extra=[("host", "b.example")]))
        assert client.read_until(RST_STREAM).error_code == http2.PROTOCOL_ERROR
        assert client.still_serves(5)
    assert pair.upstream.requests[0].raw_head.lower().count(b"host:") == 1


def test_bodies_both_ways_through_http1(pair):
    pair.upstream.script = answering(lambda request: response(hashlib.sha256(request.body).hexdigest()))
    body = bytes(range(256)) * 8192
    sent = pathlib.Path(pair.gateway.folder, "body")
    sent.write_bytes(body)
    answer = curl(f"http://127.0.0.1:{pair.port}/", "--http2-prior-knowledge", "--data-binary", f"@{sent}")
    assert answer.body.decode() == hashlib.sha256(body).hexdigest()
    answer = curl(f"http://127.0.0.1:{pair.port}/", "--http2-prior-knowledge", "-X", "POST", "-H",
                  "Transfer-Encoding: chunked", "--data-binary", f"@{sent}")
    assert answer.body.decode() == hashlib.sha256(body).hexdigest()


def test_trailers_pass_from_http1(pair):
    pair.upstream.script = lambda connection: (connection.read_request(), connection.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n"))
    with Client(pair.port) as client:
        answer = client.get()
    assert (answer.body, answer.trailers) == (b"abc", [("x-sum", "42")])


def test_interim_responses_pass(pair):
    pair.upstream.script = lambda connection: (connection.read_request(), connection.send(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    with Client(pair.port) as client:
        client.send(client.request())
        statuses = [dict(client.read_until(HEADERS).fields)[":status"] for _ in range(2)]
    assert statuses == ["103", "200"]


def test_head_has_a_length_and_no_body(pair):
    pair.upstream.script = lambda connection: (connection.read_request(), connection.send(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
    with Client(pair.port) as client:
        answer = client.get(method="HEAD")
        assert (answer.header("content-length"), answer.body) == ("1000", b"")


def test_a_client_that_resets_its_stream_frees_the_upstream(pair):
    pair.upstream.script = lambda connection: (connection.read_request(), connection.wait_for_end())
    with Client(pair.port) as client:
        client.send(client.request())
        pair.upstream.wait_for_requests(1)
        client.send(frame(RST_STREAM, stream=1, payload=struct.pack(">I", CANCEL)))
        line = pair.gateway.wait_for_access_line("http2.remote_reset")
        assert " DR " in line
        pair.upstream.script = answering(lambda request: response("next"))
        assert client.get(3).body == b"next"


def test_a_truncated_upstream_response_resets_the_stream(pair):
    pair.upstream.script = lambda connection: (connection.read_request(), connection.send(
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), connection.reset())
    with Client(pair.port) as client:
        client.send(client.request())
        assert client.read_until(RST_STREAM).error_code == http2.INTERNAL_ERROR
        pair.upstream.script = answering(lambda request: response("next"))
        assert client.get(3).body == b"next"


# Flow control


def test_a_client_that_does_not_read_stops_the_upstream_only(pair):
    """A stream without window waits; others on the same connection go on; nothing piles up in between."""
    size = 64 * MEGABYTE
    sent = {}

    def script(connection):
        while (request := connection.read_request()) is not None:
            if request.target != "/big":
                connection.send(response("small"))
                continue
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
            connection.socket.settimeout(3)
            try:
                for number in range(size // MEGABYTE):
                    connection.send(bytes(MEGABYTE))
                    sent["bytes"] = (number + 1) * MEGABYTE
            except OSError:
                sent["stopped"] = True
                return

    pair.upstream.script = script
    with Client(pair.port) as client:
        client.send(client.request(1, "/big"))
        client.read_until(DATA)
        for stream in range(3, 43, 2):
            assert client.get(stream, "/small").body == b"small"
        eventually(lambda: sent.get("stopped"), "the upstream stops")
        assert sent.get("bytes", 0) < 16 * MEGABYTE


def test_an_upload_waits_for_an_upstream_that_does_not_read(owner):
    """Windows open only for bytes that went on."""
    blocked = owner.upstream(lambda connection: (connection.read_head(), connection.wait_for_end()))
    running = owner.gateway(to_upstream(blocked.port))
    with Client(running.port()) as client:
        client.send(client.request(1, method="POST", end=False))
        window, sent = 65535, 0
        client.socket.settimeout(2)
        try:
            while sent < 64 * MEGABYTE:
                while window <= 0:
                    got = client.read_frame()
                    if got.kind == WINDOW_UPDATE and got.stream == 1:
                        window += struct.unpack(">I", got.payload)[0]
                    elif got.kind == http2.SETTINGS and got.payload:
                        window += 131072 - 65535
                piece = min(window, 16384)
                client.send(client.data(1, bytes(piece), end=False))
                window, sent = window - piece, sent + piece
        except TimeoutError:
            pass
        assert sent < 24 * MEGABYTE


def test_large_responses_with_small_windows(pair):
    pair.upstream.script = answering(lambda request: response(bytes(range(250)) * 400))
    with Client(pair.port, settings_frame=http2.settings((4, 1000))) as client:
        assert client.get().body == bytes(range(250)) * 400


# Goodbye


def test_draining_lets_streams_finish_and_refuses_none(pair):
    import threading
    release = threading.Event()
    pair.upstream.script = lambda connection: (
        connection.read_request(), release.wait(10), connection.send(response("late")), connection.wait_for_end())
    with Client(pair.port) as client:
        client.send(client.request(1))
        pair.upstream.wait_for_requests(1)
        pair.gateway.process.signal(signal.SIGTERM)
        got = client.read_until(GOAWAY)
        assert (got.error_code, got.last_stream) == (NO_ERROR, 0x7FFFFFFF)
        release.set()
        assert client.answer(1).body == b"late"
        client.read_closed()
    eventually(lambda: not pair.gateway.process.running, "the process ends")


# HTTP/2 upstream


@pytest.mark.parametrize("client_version", ["1.1", "2"])
def test_an_http2_upstream_for_clients_of_any_version(owner, http2_upstream, client_version):
    running = owner.gateway(behind(http2_upstream.port, "HTTP2"))
    flag = "--http2-prior-knowledge" if client_version == "2" else "--http1.1"
    answer = curl(f"http://127.0.0.1:{running.port()}/a?b", flag, "-d", "hello")
    assert "x-path: /a?b" in answer.head and answer.body == b"hello"
    assert answer.head.startswith(f"HTTP/{client_version} 200")


def test_fields_that_http2_forbids_do_not_cross(owner, http2_upstream):
    running = owner.gateway(behind(http2_upstream.port, "HTTP2"))
    with Connection(running.port()) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                        "TE: gzip\r\nProxy-Connection: x\r\n\r\n")
        answer = connection.read_response()
    assert answer.status == 200
    seen = dict(answer.trailers)["x-seen"].split(",")
    assert not {"connection", "keep-alive", "te", "proxy-connection", "x-hop", "host", "transfer-encoding"} & set(seen)
    assert {":authority", ":method", ":path", ":scheme", "x-forwarded-for", "x-request-id"} <= set(seen)


def test_one_upstream_connection_serves_many(owner, http2_upstream):
    running = owner.gateway(behind(http2_upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        client.send(b"".join(client.request(stream, f"/{stream}") for stream in range(1, 101, 2)))
        done = set()
        while len(done) < 50:
            got = client.read_until(HEADERS, DATA)
            if got.flags & END_STREAM:
                done.add(got.stream)
    assert http2_upstream.connections == 1


def test_more_connections_when_one_is_full(owner):
    """The upstream takes two streams at a time and answers none until it has seen six."""
    import threading
    arrived, seen = threading.Semaphore(0), threading.Event()

    def script(peer, number):
        peer.send(http2.settings((3, 2)))
        first = {peer.read_until(HEADERS).stream, peer.read_until(HEADERS).stream}
        for _ in range(2):
            arrived.release()
        seen.wait(15)
        for stream in sorted(first):
            peer.send(peer.headers(stream, [(":status", "204")]))
        peer.read_until(GOAWAY)

    def warm(peer, number):
        # The first connection learns the limit before the requests come.
        script(peer, number)

    upstream = owner.own(Upstream(warm))
    running = owner.gateway(behind(upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        client.send(client.request(1) + client.request(3))
        for _ in range(2):
            assert arrived.acquire(timeout=15)
        client.send(client.request(5) + client.request(7))
        for _ in range(2):
            assert arrived.acquire(timeout=15)
        assert upstream.connections == 2
        seen.set()
        assert {dict(client.read_until(HEADERS).fields)[":status"] for _ in range(4)} == {"204"}


def test_streams_above_the_last_of_goaway_are_sent_again(owner):
    def script(peer, number):
        first = peer.read_until(HEADERS).stream
        if number == 1:
            # Not processed: the gateway may and does send it again.
            peer.send(frame(GOAWAY, payload=struct.pack(">II", 0, NO_ERROR)))
            return peer.read_closed()
        peer.send(peer.headers(first, [(":status", "200"), ("x-connection", str(number))]))
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        assert client.get().header("x-connection") == "2"


def test_a_refused_stream_is_sent_again(owner):
    def script(peer, number):
        refused = peer.read_until(HEADERS).stream
        peer.send(frame(RST_STREAM, stream=refused, payload=struct.pack(">I", REFUSED_STREAM)))
        again = peer.read_until(HEADERS).stream
        peer.send(peer.headers(again, [(":status", "200")]))
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        assert client.get().status == 200


def test_an_upstream_reset_is_503_with_its_flag(owner):
    def script(peer, number):
        while True:
            got = peer.read_until(HEADERS)
            peer.send(frame(RST_STREAM, stream=got.stream, payload=struct.pack(">I", http2.INTERNAL_ERROR)))

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        assert client.get().status == 503
    assert " UR " in running.wait_for_access_line(" 503 ")


def test_a_garbage_upstream_is_502(owner):
    def script(peer, number):
        peer.read_until(HEADERS)
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.read_closed()

    upstream = owner.own(Upstream(script))
    running = owner.gateway(behind(upstream.port, "HTTP2"))
    with Client(running.port()) as client:
        assert client.get().status == 502
    assert " UPE " in running.wait_for_access_line(" 502 ")


def test_http2_over_originated_tls_offers_h2_alone(owner, authority):
    offered = []
    context = server_context(authority.issue("upstream.example"))
    context.set_alpn_protocols(["h2"])
    context.sni_callback = lambda *_: offered.append(True)
    upstream = owner.own(Upstream(echo, tls=context))
    running = owner.gateway(behind(
        upstream.port, "HTTP2",
        destination_rule("upstream.example", {"tls": {"mode": "SIMPLE", "caCertificates": str(authority.certificate)}})))
    with Client(running.port()) as client:
        answer = client.get(1, "/tls")
    assert (answer.status, answer.header("x-path"), bool(offered)) == (200, "/tls", True)


@pytest.mark.parametrize("policy, client_flag, version", [
    ({"http": {"h2UpgradePolicy": "UPGRADE"}}, "--http1.1", "2"),
    ({"http": {"useClientProtocol": True}}, "--http2-prior-knowledge", "2")])
def test_destination_rules_choose_the_version(owner, http2_upstream, policy, client_flag, version):
    running = owner.gateway(behind(http2_upstream.port, "HTTP",
                                   destination_rule("upstream.example", {"connectionPool": policy})))
    answer = curl(f"http://127.0.0.1:{running.port()}/v", client_flag)
    assert "x-path: /v" in answer.head, answer.head
    assert http2_upstream.connections == 1


def test_use_client_protocol_keeps_http1_for_http1(owner):
    upstream = owner.upstream()
    running = owner.gateway(behind(upstream.port, "HTTP", destination_rule(
        "upstream.example", {"connectionPool": {"http": {"useClientProtocol": True}}})))
    curl(f"http://127.0.0.1:{running.port()}/v", "--http1.1")
    assert upstream.requests[0].version == "HTTP/1.1"


def test_the_real_nghttpd_as_upstream(owner, tmp_path):
    import shutil
    from harness.ports import free_port
    from harness.processes import OwnedProcess
    from harness.waiting import accepts
    assert shutil.which("nghttpd"), "nghttp2-server is one of the packages for tests"
    (tmp_path / "small").write_text("small")
    (tmp_path / "big").write_bytes(bytes(range(256)) * 40_000)
    port = free_port()
    server = owner.own(OwnedProcess("nghttpd", ["nghttpd", "--no-tls", "-d", str(tmp_path), str(port)], tmp_path))
    server.wait_until(lambda: accepts(port), "listens")
    running = owner.gateway(behind(port, "HTTP2"))
    for flag in ("--http1.1", "--http2-prior-knowledge"):
        answer = curl(f"http://127.0.0.1:{running.port()}/big", flag)
        assert answer.body == (tmp_path / "big").read_bytes()
    load = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "16", f"http://127.0.0.1:{running.port()}/small"],
                          capture_output=True, text=True, timeout=60)
    assert "2000 succeeded, 0 failed" in load.stdout and "status codes: 2000 2xx" in load.stdout, load.stdout


# Coalescing


def test_a_host_of_another_certificate_gets_421(owner, nginx, authority):
    running = owner.gateway(
        [gateway(https_server("a.example.com", credential="a"), https_server("b.example.com", credential="b")),
         virtual_service(route("upstream.example", 80), hosts=("a.example.com", "b.example.com")),
         static_entry("upstream.example", nginx.plain)],
        ports=(443,), secrets={name: files(authority.issue(f"{name}.example.com")) for name in ("a", "b")})
    context = client_context(authority) if authority else ssl.create_default_context()
    with Client(running.port(443), tls=context, server_name="a.example.com") as client:
        assert client.get(1, authority="a.example.com", scheme="https").status == 200
        assert client.get(3, authority="b.example.com", scheme="https").status == 421
        assert client.get(5, authority="c.example.com", scheme="https").status == 404


@pytest.mark.parametrize("count", [60, 70, 90])
def test_a_response_head_of_any_size_that_is_taken_is_passed_on(owner, count):
    """nghttp2 alone would send 64 kB."""
    lines = [f"x-{number}: {'v' * 1000}" for number in range(count)]
    upstream = owner.upstream(answering(lambda request: response(b"body", "200 OK", *lines)))
    running = owner.gateway(behind(upstream.port), flags=("--max-header-bytes", "98304"))
    answer = curl("--http2-prior-knowledge", running.url())
    assert (answer.status, answer.body) == (200, b"body"), answer.stderr
    assert sum(line.startswith("x-") and ": vvv" in line for line in answer.head.splitlines()) == count
