"""The load generators, pinned to a core, and what one run of any of them measured."""

import contextlib
import dataclasses
import json
import pathlib
import re
import subprocess

_HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Load:
    """One run: requests that succeeded, those that did not, its length and latencies in microseconds."""

    requests: int
    failed: int
    seconds: float
    p50: int
    p99: int


class Generator:
    """Makes load from one core. `folder` is where the small C program is built and files are kept."""

    def __init__(self, folder: pathlib.Path, core: int):
        self._core, self._folder = core, folder
        self._program = folder / "load"
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(self._program), str(_HERE / "load.c"), str(_HERE / "idle.c"),
                        "-lssl", "-lcrypto", "-lpthread"], check=True)

    def keep_alive(self, url: str, connections: int, seconds: float, *, paths: int = 0, hosts: int = 0) -> Load:
        """As many requests as the connections take, each kept alive (wrk).

        With `paths` or `hosts` the requests go to each of so many rules or hosts in a scattered order.
        """
        # wrk counts whole seconds.
        output = self._run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "60",
                            "-s", _HERE / "wrk-summary.lua", url, "--", paths, hosts])
        line = next(line for line in output.splitlines() if line.startswith("SUMMARY "))
        return Load(**json.loads(line.removeprefix("SUMMARY ")))

    def http2(self, url: str, connections: int, streams: int, seconds: float, *, body: bytes | None = None,
              fields: tuple[str, ...] = ()) -> Load:
        """As many requests as the streams of the connections take (h2load); a POST when there is a body."""
        log = self._folder / "h2load.log"
        log.unlink(missing_ok=True)
        extra = [f"--header={field}" for field in fields]
        if body is not None:
            (self._folder / "body").write_bytes(body)
            extra.append(f"--data={self._folder / 'body'}")
        output = self._run(["h2load", f"--clients={connections}", f"--max-concurrent-streams={streams}",
                            f"--duration={max(1, round(seconds))}", f"--log-file={log}", *extra, url])
        counts = re.search(r"requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", output)
        statuses = re.search(r"status codes: (\d+) 2xx", output)
        finished = re.search(r"finished in ([\d.]+)(ms|s|us)", output)
        if not (counts and statuses and finished):
            raise RuntimeError(f"h2load said: {output}")
        done, _, failed, errored = map(int, counts.groups())
        succeeded = min(int(statuses[1]), done)
        latencies = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines()) or [0]
        seconds = float(finished[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6}[finished[2]]
        return Load(succeeded, max(failed + errored, done - succeeded), seconds, latencies[len(latencies) // 2],
                    latencies[len(latencies) * 99 // 100])

    def handshakes(self, host: str, port: int, connections: int, seconds: float, *, resumed: bool = False) -> Load:
        """A new connection and a TLS 1.3 handshake for each request."""
        return self._own("resumed" if resumed else "handshake", host, port, connections, seconds)

    def named(self, host: str, port: int, connections: int, seconds: float, path: str, tls: bool, body: int = 0) -> Load:
        """Kept alive as fast as it goes, with `host` as the server name; a POST when there are bytes of a body."""
        return self._own("keep", host, port, connections, seconds, "tls" if tls else "plain", path, body)

    def paced(self, host: str, port: int, connections: int, seconds: float, rate: int, tls: bool) -> Load:
        """Requests due at a fixed rate, whether or not the server keeps up."""
        return self._own("paced", host, port, connections, seconds, "tls" if tls else "plain", "/", rate)

    @contextlib.contextmanager
    def idle(self, host: str, port: int, connections: int, kind: str):
        """Connections (plain, tls or h2) that have had one request and do nothing for as long as the context lasts."""
        arguments = ["taskset", "-c", str(self._core), str(self._program), "idle", host, str(port), str(connections), kind]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            try:
                if not process.stdout.readline():
                    raise RuntimeError(f"{' '.join(arguments)}: {process.stderr.read()}")
                yield
            finally:
                process.stdin.close()

    def _own(self, *arguments) -> Load:
        return Load(**json.loads(self._run([self._program, *arguments])))

    def _run(self, arguments: list) -> str:
        arguments = ["taskset", "-c", str(self._core), *(str(argument) for argument in arguments)]
        result = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: exit {result.returncode}: {result.stdout} {result.stderr}")
        return result.stdout
