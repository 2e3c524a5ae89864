"""Upstream servers: scripted to the byte, nginx, httpbin."""

import collections
import dataclasses
import os
import pathlib
import socket
import ssl
import sys
import threading

from .ports import free_port, place
from .processes import OwnedProcess
from .waiting import accepts, eventually


@dataclasses.dataclass
class Request:
    """A request as an upstream got it. Header names as they came; `raw_head` is the head's bytes."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    raw_head: bytes
    body: bytes = b""
    trailers: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None


class UpstreamConnection:
    """The upstream's end of one connection, for a script to act on."""

    def __init__(self, connection: socket.socket, log: list[Request], number: int):
        self.socket = connection
        self.number = number
        self.server_name: str | None = None
        self._log = log
        self._buffer = bytearray()

    def _fill(self) -> bool:
        try:
            data = self.socket.recv(1 << 20)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def read_head(self) -> Request | None:
        """The next request's head, or None at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                return None
        head = self._take(self._buffer.index(b"\r\n\r\n") + 4)[:-4]
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        request = Request(method, target, version, headers, head + b"\r\n\r\n")
        self._log.append(request)
        return request

    def read_request(self) -> Request | None:
        """The next request with its body."""
        request = self.read_head()
        if request is not None:
            self.read_body(request)
        return request

    def read_body(self, request: Request) -> None:
        if (request.header("transfer-encoding") or "").lower() == "chunked":
            while True:
                size = int(self._line().split(b";")[0], 16)
                if size == 0:
                    break
                request.body += self.read_exactly(size + 2)[:-2]
            while line := self._line():
                name, _, value = line.decode("latin-1").partition(":")
                request.trailers.append((name, value.strip()))
        elif length := request.header("content-length"):
            request.body = self.read_exactly(int(length))

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self._fill():
                raise EOFError
        return self._take(self._buffer.index(b"\r\n") + 2)[:-2]

    def read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            if not self._fill():
                raise EOFError
        return self._take(count)

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def wait_for_end(self) -> None:
        """Returns when the other side has ended the connection."""
        while self._fill():
            self._buffer.clear()


def response(body: bytes | str = b"ok", status: str = "200 OK", *lines: str) -> bytes:
    """A length-delimited response."""
    data = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + data


def answering(answer) -> object:
    """A script that answers each request of a connection with `answer(request)`'s bytes."""
    def script(connection: UpstreamConnection) -> None:
        while (request := connection.read_request()) is not None:
            connection.send(answer(request))
    return script


class ScriptedUpstream:
    """A server that runs `script(connection)` for each connection, and remembers what it got.

    The script may be replaced while it runs: `upstream.script = ...` holds for the connections that come after.
    """

    def __init__(self, script=None, *, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0,
                 receive_buffer: int | None = None):
        self.script = script or answering(lambda request: response())
        self.requests: list[Request] = []
        self.handshake_errors: list[Exception] = []
        self.server_names: list[str | None] = []
        self.address = address
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._accepted = 0
        family, name = place(address, port or (0 if address.startswith(("/", "@")) else free_port()))
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(name)
        self._listener.listen(512)
        self.port = 0 if family == socket.AF_UNIX else self._listener.getsockname()[1]
        if tls:
            tls.sni_callback = lambda _, name, __: self.server_names.append(name)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._accepted

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._accepted += 1
            self._open.add(connection)
            threading.Thread(target=self._run, args=(connection, self._accepted), daemon=True).start()

    def _run(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self._tls:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except (ssl.SSLError, OSError) as error:
                    self.handshake_errors.append(error)
                    return
                self._open.add(connection)
            self.script(UpstreamConnection(connection, self.requests, number))
        except (OSError, EOFError):
            pass
        finally:
            for each in (connection, plain):
                self._open.discard(each)
                each.close()

    def wait_for_requests(self, count: int) -> list[Request]:
        eventually(lambda: len(self.requests) >= count, f"{count} requests at the upstream, has {len(self.requests)}")
        return self.requests

    def close_connections(self) -> None:
        """Ends every open connection, cleanly."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self) -> None:
        """Stops listening and ends what is open: from now on connections are refused."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.close_connections()

    def counts_by(self, key) -> collections.Counter:
        return collections.Counter(key(request) for request in self.requests)


def server_context(certificate, client_authority=None, *, minimum=None, maximum=None) -> ssl.SSLContext:
    """A TLS server's settings. With `client_authority` a client certificate from it is required."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority.certificate)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    return context


class Nginx:
    """nginx with a plain door, and a TLS door when given a certificate.

    /status/N answers N, /big is 100 MB, /sni the server name it was called by, / its name; anything else is a file.
    """

    def __init__(self, folder: pathlib.Path, certificate=None, client_authority=None, name: str = "nginx"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.plain = free_port()
        self.tls = free_port() if certificate else None
        root = folder / "root"
        root.mkdir(exist_ok=True)
        # As root, nginx's workers become nobody, who cannot read the folder of a test.
        user = "user root;" if os.geteuid() == 0 else ""
        tls = f"""
    listen 127.0.0.1:{self.tls} ssl; ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;""" if certificate else ""
        if client_authority:
            tls += f" ssl_verify_client on; ssl_client_certificate {client_authority.certificate};"
        statuses = " ".join(f"location = /status/{code} {{ return {code} 'status {code}\\n'; }}"
                            for code in (200, 204, 304, 404, 418, 500, 503))
        (folder / "nginx.conf").write_text(f"""
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log info;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/access.log combined; keepalive_requests 1000000; client_max_body_size 0;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; default_type text/plain;
  server {{
    listen 127.0.0.1:{self.plain};{tls}
    root {root};
    location = / {{ return 200 "{name}\\n"; }}
    location = /sni {{ return 200 "$ssl_server_name\\n"; }}
    location = /client {{ return 200 "$ssl_client_s_dn\\n"; }}
    location = /host {{ return 200 "$http_host\\n"; }}
    {statuses}
  }}
}}""")
        self.root = root
        self.process: OwnedProcess | None = None
        self.start()

    def start(self) -> None:
        self.process = OwnedProcess("nginx", ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
                                    self.folder)
        self.process.wait_until(lambda: accepts(self.plain), "listens")

    def stop(self) -> None:
        if self.process:
            self.process.stop()


class HTTPBin:
    """httpbin, the upstream of the main scenario, over TLS when given a certificate."""

    def __init__(self, folder: pathlib.Path, certificate=None, port: int | None = None):
        self.folder, self.port = folder, port or free_port()
        tls = ["--certfile", str(certificate.chain), "--keyfile", str(certificate.key)] if certificate else []
        self._arguments = [sys.executable, "-m", "gunicorn", "httpbin:app", "--bind", f"127.0.0.1:{self.port}",
                           "--worker-class", "gthread", "--threads", "8", "--keep-alive", "30", *tls]
        self.process: OwnedProcess | None = None
        self.start()

    def start(self) -> None:
        self.process = OwnedProcess("httpbin", self._arguments, self.folder)
        self.process.wait_until(lambda: accepts(self.port), "listens", 60)

    def stop(self) -> None:
        if self.process:
            self.process.stop()
