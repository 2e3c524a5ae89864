"""The two load generators, pinned, and what one run of either measured."""

import dataclasses
import json
import pathlib
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
    """Makes load from one core. `folder` is where the small C program is built."""

    def __init__(self, folder: pathlib.Path, core: int):
        self._core = core
        self._program = folder / "load"
        subprocess.run(["cc", "-O2", "-o", str(self._program), str(_HERE / "load.c"), "-lssl", "-lcrypto", "-lpthread"],
                       check=True)

    def keep_alive(self, url: str, connections: int, seconds: float) -> Load:
        """As many requests as the connections take, each kept alive (wrk)."""
        # wrk counts whole seconds.
        output = self._run(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s",
                            "-s", str(_HERE / "wrk-summary.lua"), url])
        line = next(line for line in output.splitlines() if line.startswith("SUMMARY "))
        return Load(**json.loads(line.removeprefix("SUMMARY ")))

    def handshakes(self, host: str, port: int, connections: int, seconds: float) -> Load:
        """A new connection and a full TLS 1.3 handshake for each request."""
        return Load(**json.loads(self._run(
            [str(self._program), "handshake", host, str(port), str(connections), str(seconds)])))

    def paced(self, host: str, port: int, connections: int, seconds: float, rate: int, tls: bool) -> Load:
        """Requests due at a fixed rate, whether or not the server keeps up."""
        return Load(**json.loads(self._run(
            [str(self._program), "paced", host, str(port), str(connections), str(seconds), str(rate),
             "tls" if tls else "plain"])))

    def _run(self, arguments: list[str]) -> str:
        result = subprocess.run(["taskset", "-c", str(self._core), *arguments], capture_output=True, text=True,
                                timeout=300)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: exit {result.returncode}: {result.stdout} {result.stderr}")
        return result.stdout
