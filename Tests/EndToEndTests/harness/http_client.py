"""Clients that show the bytes: a raw connection, and curl."""

import dataclasses
import pathlib
import socket
import ssl
import subprocess
import tempfile

from .ports import place

TIMEOUT_SECONDS = 20


@dataclasses.dataclass
class Response:
    """A parsed HTTP/1.1 response. Header names are lower-case; `raw` is every byte of it."""

    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]]
    raw: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


class ConnectionClosed(ConnectionError):
    """The other side ended the connection where more bytes were due. `clean`: FIN, not a reset."""

    def __init__(self, clean: bool, received: bytes):
        super().__init__(f"connection {'closed' if clean else 'reset'} after {received[-300:]!r}")
        self.clean, self.received = clean, received


class Connection:
    """One client connection, plain or TLS, read and written as the test says."""

    def __init__(self, port: int, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None,
                 server_name: str | None = None, receive_buffer: int | None = None):
        family, name = place(address, port)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            # With small segments the other side's kernel takes little, too.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.socket.connect(name)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def _fill(self, so_far: bytes = b"") -> None:
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError) as error:
            raise ConnectionClosed(False, so_far + self._buffer) from error
        if not data:
            raise ConnectionClosed(True, so_far + self._buffer)
        self._buffer += data

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        while mark not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(mark)
        return head + mark

    def read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def read_some(self) -> bytes:
        if not self._buffer:
            self._fill()
        data, self._buffer = self._buffer, b""
        return data

    def read_to_end(self) -> tuple[bytes, bool]:
        """Everything up to the end of the connection, and whether that end was clean."""
        try:
            while True:
                self._fill()
        except ConnectionClosed as end:
            data, self._buffer = self._buffer, b""
            return data, end.clean

    def closed_by_peer(self) -> bool:
        """Whether the other side ends the connection without another byte."""
        data, _ = self.read_to_end()
        return data == b""

    def read_head(self) -> Response:
        raw = self.read_until(b"\r\n\r\n")
        status_line, *lines = raw.decode("latin-1").split("\r\n")
        version, status, reason = (status_line.split(" ", 2) + [""])[:3]
        return Response(int(status), reason, version, _fields(lines), b"", [], raw)

    def read_response(self, head_request: bool = False, skip_interim: bool = True) -> Response:
        """One response with its body."""
        response = self.read_head()
        while skip_interim and 100 <= response.status < 200 and response.status != 101:
            response = self.read_head()
        if head_request or response.status < 200 or response.status in (204, 304):
            return response
        if (response.header("transfer-encoding") or "").lower() == "chunked":
            while True:
                line = self.read_until(b"\r\n")
                response.raw += line
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    break
                data = self.read_exactly(size + 2)
                response.raw += data
                assert data.endswith(b"\r\n"), data[-20:]
                response.body += data[:-2]
            lines = []
            while (line := self.read_until(b"\r\n")) != b"\r\n":
                response.raw += line
                lines.append(line.decode("latin-1").rstrip("\r\n"))
            response.raw += line
            response.trailers = _fields(lines)
        elif (length := response.header("content-length")) is not None:
            response.body = self.read_exactly(int(length))
        else:
            response.body, _ = self.read_to_end()
        return response

    def request(self, method: str = "GET", target: str = "/", host: str = "any.example", body: bytes = b"",
                **headers: str) -> Response:
        """A well-formed request and its response. Underscores in names stand for dashes."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return self.read_response(head_request=method == "HEAD")


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    fields = []
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.append((name.lower(), value.strip()))
    return fields


def get(port: int, target: str = "/", host: str = "any.example", address: str = "127.0.0.1", method: str = "GET",
        **headers: str) -> Response:
    """One request on a connection of its own."""
    with Connection(port, address) as connection:
        return connection.request(method, target, host, **headers)


def post(port: int, body: bytes, target: str = "/", host: str = "any.example", **headers: str) -> Response:
    with Connection(port) as connection:
        return connection.request("POST", target, host, body=body, **headers)


@dataclasses.dataclass
class Curled:
    """What a curl run came to."""

    exit_code: int
    status: int
    head: str
    body: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def header(self, name: str) -> str | None:
        for line in self.head.splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return None


def curl(*arguments: str, stdin=None) -> Curled:
    """curl with these arguments, never a proxy from the environment."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        result = subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(TIMEOUT_SECONDS),
             "--dump-header", str(folder / "head"), "--output", str(folder / "body"), "--write-out", "%{http_code}",
             *map(str, arguments)], stdin=stdin, capture_output=True, text=True)
        body, head = folder / "body", folder / "head"
        return Curled(result.returncode, int(result.stdout or 0), head.read_text() if head.exists() else "",
                      body.read_bytes() if body.exists() else b"", result.stderr)


def s_client(port: int, *arguments: str, address: str = "127.0.0.1", stdin: str = "Q\n") -> str:
    """openssl s_client's whole output."""
    result = subprocess.run(["openssl", "s_client", "-connect", f"{address}:{port}", *map(str, arguments)],
                            input=stdin, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    return result.stdout + result.stderr


def client_context(authority=None, certificate=None, minimum=None, maximum=None) -> ssl.SSLContext:
    """A client's TLS settings: trusting `authority`, or nobody in particular."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        context.load_verify_locations(authority.certificate)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context
