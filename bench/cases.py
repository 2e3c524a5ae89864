"""Every case by name: requests at the doors of one layout, and the cases that are set up in a way of their own."""

import dataclasses

import peers
from balance import Balance
from idle import Idle
from routes import Routes


@dataclasses.dataclass(frozen=True)
class Requests:
    """A kind of traffic at a door. `run(generator, proxy, seconds)` makes it and answers a Load."""

    name: str
    title: str
    door: str
    run: object
    # Part of the set that runs when nothing is said.
    usual: bool = False


def plain_url(door: str, path: str = "/"):
    return lambda proxy: f"http://127.0.0.1:{proxy.port[door]}{path}"


def tls_url(door: str, path: str = "/"):
    return lambda proxy: f"https://127.0.0.1:{proxy.port[door]}{path}"


def keep_alive(url, connections: int):
    return lambda load, proxy, seconds: load.keep_alive(url(proxy), connections, seconds)


def http2(url, **options):
    return lambda load, proxy, seconds: load.http2(url(proxy), 8, 16, seconds, **options)


def named(door: str, connections: int, path: str, *, tls: bool = False, body: int = 0):
    """With a server name; requests that were begun are finished, as large ones must be."""
    return lambda load, proxy, seconds: load.named(peers.FRONT_NAME, proxy.port[door], connections, seconds, path, tls,
                                                   body)


def handshakes(door: str, *, resumed: bool = False):
    return lambda load, proxy, seconds: load.handshakes(peers.FRONT_NAME, proxy.port[door], 8, seconds, resumed=resumed)


GRPC = {"body": peers.MESSAGE, "fields": ("content-type: application/grpc", "te: trailers")}

REQUESTS = [
    Requests("plain", "HTTP/1.1 keep-alive, 32 connections", "plain", keep_alive(plain_url("plain"), 32), usual=True),
    Requests("plain-128", "HTTP/1.1 keep-alive, 128 connections", "plain", keep_alive(plain_url("plain"), 128), usual=True),
    Requests("tls-in", "TLS 1.3 in, keep-alive", "tls_in", keep_alive(tls_url("tls_in"), 32), usual=True),
    Requests("tls-out", "TLS 1.3 out, keep-alive", "tls_out", keep_alive(plain_url("tls_out"), 32), usual=True),
    Requests("h2-in", "HTTP/2 over TLS 1.3 in, HTTP/1.1 out, 8 connections of 16 streams", "tls_in",
             http2(tls_url("tls_in")), usual=True),
    Requests("h2-both", "HTTP/2 over TLS 1.3 in, HTTP/2 out, 8 connections of 16 streams", "h2_out",
             http2(tls_url("h2_out"))),
    Requests("grpc", "gRPC unary, 64 bytes each way, TLS 1.3 in, 8 connections of 16 streams", "grpc",
             http2(tls_url("grpc", "/message"), **GRPC)),
    Requests("handshake", "full TLS 1.3 handshake a request, ECDSA P-256", "tls_in", handshakes("tls_in"), usual=True),
    Requests("resumed", "resumed TLS 1.3 handshake a request", "tls_in", handshakes("tls_in", resumed=True)),
    Requests("body-1m", "1 MB response body", "plain", keep_alive(plain_url("plain", "/1m"), 8), usual=True),
    Requests("body-100m", "100 MB response body", "plain", named("plain", 2, "/100m")),
    Requests("upload-1m", "1 MB request body", "plain", named("plain", 8, "/upload", body=1 << 20)),
    Requests("upload-100m", "100 MB request body", "plain", named("plain", 2, "/upload", body=100 << 20)),
    Requests("paced", "HTTP/1.1, 2,000 requests/s", "plain",
             lambda load, proxy, seconds: load.paced(peers.FRONT_NAME, proxy.port["plain"], 16, seconds, 2000,
                                                     tls=False), usual=True),
    Requests("tcp-1m", "TCP, 1 MB a request, kept open", "tcp", keep_alive(plain_url("tcp", "/1m"), 8)),
    Requests("passthrough-1m", "TLS passthrough by server name, 1 MB a request, kept open", "passthrough",
             named("passthrough", 8, "/1m", tls=True)),
    Requests("passthrough", "TLS passthrough by server name, a connection a request", "passthrough",
             handshakes("passthrough")),
]

ALL = {case.name: case for case in (*REQUESTS, Idle(), Routes(), Balance())}
USUAL = [name for name, case in ALL.items() if case.usual]
