"""gRPC with the real client and the real server: every kind of call, trailers, deadlines, errors of our own."""

import concurrent.futures
import threading

import grpc
import pytest

from harness.configuration import gateway, http_server, route, static_entry, virtual_service
from harness.http2 import CANCEL, HEADERS, RST_STREAM, Client, Upstream


def identity(value: bytes) -> bytes:
    return value


class Service(grpc.GenericRpcHandler):
    """Calls by name, on bytes."""

    def __init__(self):
        self.begun, self.cancelled = threading.Event(), threading.Event()

    def service(self, call):
        def unary(request, context):
            context.send_initial_metadata((("x-initial", "1"),))
            context.set_trailing_metadata((("x-trailing", "2"), ("x-bin", b"\0\1")))
            return request[::-1]

        def server_stream(request, context):
            for number in range(int(request)):
                yield str(number).encode()

        def client_stream(requests, context):
            return str(sum(len(request) for request in requests)).encode()

        def both(requests, context):
            for request in requests:
                yield request.upper()

        def failing(request, context):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: 100 %")

        def slow(request, context):
            self.begun.set()
            # False when the call is over already.
            if not context.add_callback(self.cancelled.set):
                self.cancelled.set()
            self.cancelled.wait(20)
            return b""

        kinds = {
            "/t.S/Unary": grpc.unary_unary_rpc_method_handler(unary),
            "/t.S/ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
            "/t.S/ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
            "/t.S/Both": grpc.stream_stream_rpc_method_handler(both),
            "/t.S/Failing": grpc.unary_unary_rpc_method_handler(failing),
            "/t.S/Slow": grpc.unary_unary_rpc_method_handler(slow),
        }
        return kinds.get(call.method)


@pytest.fixture
def running(owner):
    """A grpcio server behind a gateway, and a channel to it."""
    class Running:
        service = Service()
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    Running.server.add_generic_rpc_handlers((Running.service,))
    port = Running.server.add_insecure_port("127.0.0.1:0")
    Running.server.start()
    Running.gateway = owner.gateway([
        gateway(http_server("*")),
        virtual_service(route("upstream.example", 80, match={"uri": {"prefix": "/t.S/"}}),
                        route("dead.example", 80, match={"uri": {"prefix": "/dead/"}})),
        static_entry("upstream.example", port, protocol="GRPC"), static_entry("dead.example", 1, protocol="GRPC")])
    with grpc.insecure_channel(f"127.0.0.1:{Running.gateway.port()}",
                               options=[("grpc.enable_http_proxy", 0)]) as Running.channel:
        yield Running
    Running.service.cancelled.set()
    Running.server.stop(None).wait(10)


def test_unary(running):
    answer, call = running.channel.unary_unary("/t.S/Unary").with_call(b"abc", timeout=20)
    assert answer == b"cba"
    assert dict(call.initial_metadata())["x-initial"] == "1"
    assert dict(call.trailing_metadata())["x-trailing"] == "2"
    assert dict(call.trailing_metadata())["x-bin"] == b"\0\1"


def test_large_messages(running):
    message = bytes(range(256)) * 8000
    assert running.channel.unary_unary("/t.S/Unary")(message, timeout=20) == message[::-1]


def test_server_streaming(running):
    got = list(running.channel.unary_stream("/t.S/ServerStream")(b"1000", timeout=20))
    assert got == [str(number).encode() for number in range(1000)]


def test_client_streaming(running):
    messages = (bytes(1000) for _ in range(500))
    assert running.channel.stream_unary("/t.S/ClientStream")(messages, timeout=20) == b"500000"


def test_both_ways_at_once(running):
    """Each answer is awaited before the next message is sent: nothing is held back until the end."""
    ready = threading.Semaphore(1)
    texts = [b"one", b"two", b"three"]

    def messages():
        for text in texts:
            assert ready.acquire(timeout=20)
            yield text

    got = []
    for answer in running.channel.stream_stream("/t.S/Both")(messages(), timeout=20):
        got.append(answer)
        ready.release()
    assert got == [text.upper() for text in texts]


def test_an_error_of_the_server_passes(running):
    with pytest.raises(grpc.RpcError) as error:
        running.channel.unary_unary("/t.S/Failing")(b"", timeout=20)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert error.value.details() == "not today: 100 %"


@pytest.mark.parametrize("method, code", [
    ("/other/X", grpc.StatusCode.UNIMPLEMENTED), ("/dead/X", grpc.StatusCode.UNAVAILABLE)])
def test_errors_of_our_own_are_grpc_errors(running, method, code):
    """Trailers only, status 200: what Envoy makes of 404 and 503."""
    with pytest.raises(grpc.RpcError) as error:
        running.channel.unary_unary(method)(b"", timeout=20)
    assert error.value.code() == code
    with Client(running.gateway.port()) as client:
        answer = client.get(1, method, method="POST", extra=[("content-type", "application/grpc"), ("te", "trailers")])
    assert answer.status == 200 and answer.header("grpc-status") == str(code.value[0])
    assert answer.header("content-type") == "application/grpc" and answer.body == b""


def test_a_deadline_ends_the_call_upstream_too(owner):
    reset = threading.Event()

    def silent(peer, number):
        peer.read_until(HEADERS)
        if peer.read_until(RST_STREAM).error_code == CANCEL:
            reset.set()

    upstream = owner.own(Upstream(silent))
    running = owner.gateway([
        gateway(http_server("*")), virtual_service(route("upstream.example", 80)),
        static_entry("upstream.example", upstream.port, protocol="GRPC")])
    with Client(running.port()) as client:
        answer = client.get(1, "/t.S/Slow", method="POST", end=False, extra=[
            ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "300m")])
    assert answer.header("grpc-status") == str(grpc.StatusCode.DEADLINE_EXCEEDED.value[0])
    assert " UT " in running.wait_for_access_line("response_timeout")
    assert reset.wait(20)


def test_a_cancelled_call_is_cancelled_upstream(running):
    call = running.channel.unary_unary("/t.S/Slow").future(b"")
    assert running.service.begun.wait(20)
    call.cancel()
    assert running.service.cancelled.wait(20)
