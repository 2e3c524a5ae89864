"""The servers behind them all."""

import pathlib

from harness.certificates import Authority
from harness.ports import free_port
from harness.processes import OwnedProcess
from harness.waiting import accepts

from .site import UPSTREAM_NAME

SMALL = "a small response, as services give them\n"
# A gRPC message of 64 bytes, not compressed.
MESSAGE = b"\0" + (64).to_bytes(4) + b"m" * 64


class Upstream:
    """nginx for HTTP/1.1, nghttpd for HTTP/2 and gRPC: `/` is small, `/1m` and `/100m` are large, `/upload` takes a body.

    The gRPC server answers `/message` with one, and `grpc-status: 0` as a trailer.
    """

    def __init__(self, folder: pathlib.Path, authority: Authority, core: int):
        self.plain, self.tls, self.h2, self.grpc = (free_port() for _ in range(4))
        certificate = authority.issue(UPSTREAM_NAME, usage="server")
        folder.mkdir()
        folder.chmod(0o755)
        for name, size in (("1m", 1 << 20), ("100m", 100 << 20)):
            with open(folder / name, "wb") as file:
                file.truncate(size)
        (folder / "index.html").write_text(SMALL)
        (folder / "message").write_bytes(MESSAGE)
        (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 3600; tcp_nodelay on; sendfile on;
  sendfile_max_chunk 2m;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  ssl_protocols TLSv1.3; ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
  server {{ listen 127.0.0.1:{self.plain} backlog=16384; listen 127.0.0.1:{self.tls} ssl backlog=16384;
    location = /1m {{ root {folder}; }}
    location = /100m {{ root {folder}; }}
    location = /upload {{ # Answers when the whole body is there.
      client_max_body_size 0; client_body_buffer_size 1m; proxy_pass http://127.0.0.1:{self.plain}/;
      proxy_pass_request_body off; proxy_set_header Content-Length ""; }}
    location / {{ default_type text/plain; return 200 "{SMALL.strip()}\\n"; }} }}
}}""")
        nghttpd = ["nghttpd", "--no-tls", "--address=127.0.0.1", "--max-concurrent-streams=256", f"--htdocs={folder}"]
        commands = {
            "upstream": ["nginx", "-p", folder, "-c", folder / "nginx.conf"],
            "upstream-h2": [*nghttpd, self.h2],
            "upstream-grpc": [*nghttpd, "--trailer=grpc-status: 0", self.grpc]}
        self._processes = [OwnedProcess(name, ["taskset", "-c", str(core), *command], folder)
                           for name, command in commands.items()]
        for process, ports in zip(self._processes, ([self.plain, self.tls], [self.h2], [self.grpc])):
            process.wait_until(lambda ports=ports: all(accepts(port) for port in ports), "listens")

    def stop(self) -> None:
        for process in self._processes:
            process.stop()
