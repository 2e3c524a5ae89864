"""Bodies of every size and cut through every mix of doors and upstreams: plain, TLS, HTTP/2."""

import itertools
import random
import socket

import pytest

from harness.configuration import destination_rule, gateway, http_server, https_server, route, static_entry, virtual_service
from harness.http_client import Connection, client_context, curl
from harness.upstreams import UpstreamConnection, server_context

NAME = "echo.example.com"
RECORD = 16 * 1024
# Sizes of single chunks: what fits into one TLS record with its framing, by a byte more or less, and what does not.
EDGES = [0, 1, 100, 8190, *range(RECORD - 20, RECORD + 4), 20_000, 2 * RECORD + 1, 100_000]


def pieces(body: bytes, sizes: list[int]):
    """The body cut into pieces of these sizes, over and over."""
    position = 0
    for size in itertools.cycle(sizes):
        if position >= len(body):
            return
        yield body[position:position + size]
        position += size


def chunked(body: bytes, sizes: list[int]):
    for piece in pieces(body, sizes):
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def sizes_of(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def send_at_once(connection) -> None:
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def echo(connection: UpstreamConnection) -> None:
    """Sends each body back in chunks as the request says, the head by itself before them."""
    send_at_once(connection)
    while (request := connection.read_request()) is not None:
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in chunked(request.body, sizes_of(request.header("x-cut") or "100000")):
            connection.send(chunk)


def files(certificate) -> dict[str, str]:
    return {"tls.crt": certificate.chain_text, "tls.key": certificate.key_text}


class Mixes:
    """A gateway with a plain and a TLS door, in front of the echo over plain HTTP/1.1, over TLS, and over HTTP/2 in TLS (which
    is its own TLS door once more)."""

    def __init__(self, owner, authority):
        certificate = authority.issue(NAME)
        plain = owner.upstream(echo)
        tls = owner.upstream(echo, tls=server_context(certificate))
        self.gateway = owner.gateway(
            self._resources(authority, plain.port, tls.port, 1), ports=(80, 443), secrets={"echo": files(certificate)})
        self.gateway.configure(self._resources(authority, plain.port, tls.port, self.gateway.port(443)))
        self.gateway.reload_and_wait()
        self.authority = authority

    @staticmethod
    def _resources(authority, plain: int, tls: int, own_door: int) -> list[dict]:
        def over_tls(name: str, port: int, protocol: str) -> list[dict]:
            return [static_entry(f"{name}.example", port, port=443, protocol=protocol),
                    destination_rule(f"{name}.example", {
                        "tls": {"mode": "SIMPLE", "sni": NAME, "subjectAltNames": [NAME],
                                "caCertificates": str(authority.certificate)}})]

        return [gateway(http_server("*"), https_server("*", credential="echo")),
                virtual_service(
                    route("tls.example", 443, match={"uri": {"prefix": "/tls"}}),
                    route("h2.example", 443, match={"uri": {"prefix": "/h2"}}, rewrite={"uri": "/plain"}),
                    route("plain.example", 80)),
                static_entry("plain.example", plain), *over_tls("tls", tls, "HTTPS"),
                *over_tls("h2", own_door, "HTTP2")]

    def connect(self, door: str) -> Connection:
        connection = (Connection(self.gateway.port(80)) if door == "plain" else
                      Connection(self.gateway.port(443), tls=client_context(self.authority), server_name=NAME))
        send_at_once(connection)
        return connection

    def echoed(self, connection: Connection, upstream: str, body: bytes, cut: list[int], *, is_chunked: bool) -> bytes:
        """What comes back of a body that is sent in these pieces, and asked for in them."""
        framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
        connection.send(f"POST /{upstream} HTTP/1.1\r\nHost: {NAME}\r\nX-Cut: {','.join(map(str, cut))}\r\n{framing}\r\n\r\n")
        for piece in chunked(body, cut) if is_chunked else pieces(body, cut):
            connection.send(piece)
        answer = connection.read_response()
        assert answer.status == 200, (answer.status, answer.body[:200])
        return answer.body


@pytest.fixture(scope="module")
def mixes(module_owner, authority):
    return Mixes(module_owner, authority)


def test_the_mixes_are_what_they_are_called(mixes):
    for upstream, line in (("plain", "POST /plain HTTP/1.1"), ("tls", "POST /tls HTTP/1.1"), ("h2", "POST /plain HTTP/2")):
        with mixes.connect("tls") as connection:
            assert mixes.echoed(connection, upstream, b"x", [1], is_chunked=True) == b"x"
        mixes.gateway.wait_for_access_line(line)


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


both_doors = pytest.mark.parametrize("door", ["plain", "tls"])
all_upstreams = pytest.mark.parametrize("upstream", ["plain", "tls", "h2"])


@both_doors
@all_upstreams
@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "length"])
def test_a_body_about_as_long_as_a_record_arrives_whole(mixes, door, upstream, is_chunked):
    with mixes.connect(door) as connection:
        for size in EDGES:
            body = content(size, size)
            assert mixes.echoed(connection, upstream, body, [size or 1], is_chunked=is_chunked) == body, size


@both_doors
@all_upstreams
@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "length"])
def test_a_body_in_any_pieces_arrives_whole(mixes, door, upstream, is_chunked):
    chance = random.Random(f"{door} {upstream} {is_chunked}")
    with mixes.connect(door) as connection:
        for number in range(12):
            cut = [chance.choice([1, 7, 1000, 5000, 8190, RECORD - 8, RECORD - 3, RECORD, 20_000, 70_000])
                   for _ in range(chance.randint(1, 4))]
            body = content(min(300_000, sum(cut) * 20), number)
            assert mixes.echoed(connection, upstream, body, cut, is_chunked=is_chunked) == body, cut


@all_upstreams
@pytest.mark.parametrize("size", [0, 1000, RECORD - 9, RECORD, 100_000, 3_000_000])
def test_an_http2_upload_of_unknown_length_arrives_whole(mixes, tmp_path, upstream, size):
    body = tmp_path / "body"
    body.write_bytes(content(size))
    with body.open("rb") as source:
        answer = curl("--http2", "--cacert", mixes.authority.certificate, "--resolve",
                      f"{NAME}:{mixes.gateway.port(443)}:127.0.0.1", "-X", "POST", "-T", "-", "-H", "X-Cut: 16377,5,20000",
                      f"https://{NAME}:{mixes.gateway.port(443)}/{upstream}", stdin=source)
    assert answer.status == 200, answer.stderr
    assert answer.body == body.read_bytes()
