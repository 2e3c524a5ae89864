"""HTTP/2 by the frame: a client and an upstream that send what a test says, allowed or not."""

import dataclasses
import socket
import ssl
import struct
import threading

import hpack

from .waiting import eventually

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY_FLAG = 1, 1, 4, 8, 0x20
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, \
    REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = range(12)
TIMEOUT_SECONDS = 20


@dataclasses.dataclass
class Frame:
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes
    # Of HEADERS: what they say.
    fields: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    @property
    def error_code(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8])[0]

    @property
    def last_stream(self) -> int:
        return struct.unpack(">I", self.payload[:4])[0]


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"", length: int | None = None) -> bytes:
    """A frame's bytes; `length` lies about the payload's."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


class Closed(ConnectionError):
    """The other side closed."""


class Peer:
    """One end of an HTTP/2 connection."""

    def __init__(self, connection: socket.socket):
        self.socket = connection
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self._buffer = b""

    def close(self) -> None:
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            try:
                data = self.socket.recv(1 << 16)
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError) as error:
                raise Closed(str(error)) from error
            if not data:
                raise Closed("end of connection")
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def read_frame(self) -> Frame:
        head = self._take(9)
        length = struct.unpack(">I", b"\0" + head[:3])[0]
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        got = Frame(kind, flags, stream & 0x7FFFFFFF, self._take(length))
        if kind == HEADERS:
            # Each block must be decoded, wanted or not: the table depends on it.
            got.fields = self.decoder.decode(got.payload)
        return got

    def read_until(self, *kinds: int, stream: int | None = None) -> Frame:
        """The next frame of one of these kinds; settings and pings are acknowledged on the way."""
        for _ in range(10_000):
            got = self.read_frame()
            if got.kind == SETTINGS and not got.flags & ACK:
                self.send(frame(SETTINGS, ACK))
            elif got.kind == PING and not got.flags & ACK:
                self.send(frame(PING, ACK, payload=got.payload))
            if got.kind in kinds and stream in (None, got.stream):
                return got
        raise AssertionError("ten thousand frames, and none of those")

    def read_closed(self) -> list[Frame]:
        """Everything up to the end of the connection."""
        frames = []
        try:
            for _ in range(100_000):
                frames.append(self.read_frame())
        except Closed:
            return frames
        raise AssertionError("the connection goes on")

    def headers(self, stream: int, fields: list[tuple[str, str]], *, end: bool = True, flags: int = END_HEADERS) -> bytes:
        return frame(HEADERS, flags | (END_STREAM if end else 0), stream, self.encoder.encode(fields))

    def data(self, stream: int, payload: bytes, *, end: bool = True) -> bytes:
        return frame(DATA, END_STREAM if end else 0, stream, payload)


@dataclasses.dataclass
class Answer:
    """A whole response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


class Client(Peer):
    """A client's connection; the preface and empty settings are sent."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, server_name: str | None = None,
                 settings_frame: bytes | None = None, preface: bytes = PREFACE, receive_buffer: int | None = None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            tls.set_alpn_protocols(["h2"])
            connection = tls.wrap_socket(connection, server_hostname=server_name)
            assert connection.selected_alpn_protocol() == "h2"
        super().__init__(connection)
        self.send(preface + (settings() if settings_frame is None else settings_frame))

    def request(self, stream: int = 1, path: str = "/", *, method: str = "GET", authority: str = "h", end: bool = True,
                scheme: str = "http", extra: list[tuple[str, str]] = ()) -> bytes:
        """The bytes of a request's head."""
        return self.headers(stream, [(":method", method), (":scheme", scheme), (":path", path),
                                     (":authority", authority), *extra], end=end)

    def get(self, stream: int = 1, path: str = "/", **options) -> Answer:
        self.send(self.request(stream, path, **options))
        return self.answer(stream)

    def answer(self, stream: int) -> Answer:
        """The final response of a stream, windows opened on the way."""
        answer: Answer | None = None
        while True:
            got = self.read_until(HEADERS, DATA, RST_STREAM, GOAWAY)
            if got.kind == GOAWAY and got.error_code != NO_ERROR:
                raise Closed(f"GOAWAY {got.error_code}")
            if got.kind == GOAWAY:
                continue
            fields = got.fields
            if got.kind == DATA and got.payload:
                size = struct.pack(">I", len(got.payload))
                self.send(frame(WINDOW_UPDATE, stream=0, payload=size))
                if not got.flags & END_STREAM:
                    self.send(frame(WINDOW_UPDATE, stream=got.stream, payload=size))
            if got.stream != stream:
                continue
            if got.kind == RST_STREAM:
                raise Closed(f"RST_STREAM {got.error_code}")
            if got.kind == DATA:
                answer.body += got.payload
            elif answer is None or answer.status < 200:
                answer = Answer(int(dict(fields)[":status"]), fields)
            else:
                answer.trailers = fields
            if got.flags & END_STREAM:
                return answer

    def still_serves(self, stream: int) -> bool:
        return self.get(stream).status == 200


class Upstream:
    """An HTTP/2 upstream that runs `script(peer, number)` on each connection, the client's preface read."""

    def __init__(self, script, tls: ssl.SSLContext | None = None):
        self.script, self._tls = script, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []
        self.problems: list[BaseException] = []
        self.connections = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._run, args=(connection, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket, number: int) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            peer = Peer(connection)
            self._peers.append(peer)
            assert peer._take(len(PREFACE)) == PREFACE
            peer.send(settings())
            self.script(peer, number)
        except (Closed, OSError):
            pass
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.problems.append(error)
        finally:
            connection.close()

    def wait_for_connections(self, count: int) -> None:
        eventually(lambda: self.connections >= count, f"{count} connections")

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            peer.close()
        for thread in [self._thread, *self._threads]:
            thread.join(TIMEOUT_SECONDS)
        assert not self.problems, self.problems
