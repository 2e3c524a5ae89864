"""The binary under test, as a process with ports, logs and an admin endpoint."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

from . import configuration
from .ports import ADMIN_OFFSETS, free_admin_base, free_port
from .processes import OwnedProcess
from .waiting import accepts, eventually

_ROOT = pathlib.Path(__file__).resolve().parents[3]


def binary() -> str:
    """SALLYPORT_BIN, else the release build, else the debug build."""
    named = os.environ.get("SALLYPORT_BIN")
    for candidate in [named] if named else [".build/release/sallyport", ".build/debug/sallyport"]:
        path = (_ROOT / candidate).resolve()
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"no sallyport binary: build it, or set SALLYPORT_BIN (looked for {named or '.build'})")


def run_verb(*arguments: str, cwd: pathlib.Path | None = None, stdin: str | None = None, bound: float = 30,
             environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    """A verb that ends by itself."""
    return subprocess.run([binary(), *map(str, arguments)], cwd=cwd, input=stdin, capture_output=True, text=True,
                          timeout=bound, env={**os.environ, **(environment or {})})


def curl_line(result: subprocess.CompletedProcess) -> str:
    """The first curl command that `diff` or `explain` printed."""
    found = re.search(r"curl .*", result.stdout)
    assert found, result.stdout + result.stderr
    return found[0]


def write_secrets(folder: pathlib.Path, secrets: dict[str, dict[str, str]]) -> None:
    """One folder a secret, as mounted volumes are; keys readable by the owner alone."""
    for name, files in secrets.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for key, text in files.items():
            (place / key).write_text(text)
            (place / key).chmod(0o600)


class Gateway:
    """`sallyport run` of one instance. `port(80)` is where its gateway port 80 listens."""

    def __init__(self, folder: pathlib.Path, resources, *, ports: tuple[int, ...] = (80,), flags: tuple = (),
                 instance: str | None = None, labels: dict | None = None, namespace: str = configuration.NAMESPACE,
                 secrets: dict[str, dict[str, str]] | None = None, environment: dict[str, str] | None = None,
                 workers: int | None = 1, wait: str | None = "listening", bind: str = "127.0.0.1", name: str = "gateway",
                 preexec=None, admin_base: int | None = None, wrapper: tuple[str, ...] = ()):
        self.folder = folder
        self.resources = folder / "resources"
        self.resources.mkdir(parents=True, exist_ok=True)
        self.secrets = folder / "secrets"
        self.bind = bind
        self._ports = {port: free_port() for port in ports}
        self.admin_base = admin_base or free_admin_base()
        self.configure(resources)
        arguments = [*wrapper, binary(), "run", str(self.resources), "--admin-base", str(self.admin_base), "--bind", bind]
        if instance:
            arguments += ["--instance", instance]
        else:
            for key, value in (labels or configuration.LABELS).items():
                arguments += ["--label", f"{key}={value}"]
            arguments += ["--namespace", namespace]
        for port, local in self._ports.items():
            arguments += ["--publish", f"{local}:{port}"]
        if secrets is not None:
            write_secrets(self.secrets, secrets)
            arguments += ["--secrets", str(self.secrets)]
        if workers is not None:
            arguments += ["--workers", str(workers)]
        # A test's end must not wait for requests that its upstream never answers.
        if "--drain" not in flags:
            arguments += ["--drain", "1"]
        self.process = OwnedProcess(name, [*arguments, *map(str, flags)], folder, environment, preexec)
        if wait:
            try:
                self.wait_for(wait)
            except BaseException:
                self.process.stop()
                raise

    def configure(self, resources) -> None:
        """Writes the resources: a list, YAML text, or a dictionary of file names to either."""
        files = resources if isinstance(resources, dict) else {"resources.yaml": resources}
        for name, content in files.items():
            path = self.resources / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # Replaced as a whole, as a mounted volume is: a reload never sees half a file.
            temporary = path.with_name(f".{path.name}.new")
            temporary.write_text(configuration.as_yaml(content))
            temporary.rename(path)

    def wait_for(self, state: str, bound: float = 20) -> None:
        if state == "listening":
            self.process.wait_until(
                lambda: all(accepts(port, self.bind) for port in self._ports.values()) and self.health("live")[0] == 200,
                "listens", bound)
        elif state == "live":
            self.process.wait_until(lambda: self.health("live")[0] == 200, "is live", bound)
        elif state == "ready":
            self.process.wait_until(
                lambda: self.health()[0] == 200 and all(accepts(port, self.bind) for port in self._ports.values()),
                "is ready", bound)

    # Ports

    def port(self, gateway_port: int = 80) -> int:
        return self._ports[gateway_port]

    @property
    def health_port(self) -> int:
        return self.admin_base + ADMIN_OFFSETS["health"]

    def url(self, path: str = "/", gateway_port: int = 80) -> str:
        return f"http://{self.bind}:{self.port(gateway_port)}{path}"

    # Health and admin

    def health(self, what: str = "ready", query: str = "", headers: dict | None = None) -> tuple[int, str]:
        return fetch(f"http://{self.bind}:{self.health_port}/healthz/{what}{query}", headers=headers)

    def admin(self, path: str, method: str = "GET") -> tuple[int, str]:
        return fetch(f"http://127.0.0.1:{self.admin_base}{path}", method=method)

    def admin_json(self, path: str):
        status, body = self.admin(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def generation(self) -> int:
        """Counts up with every configuration that was taken."""
        status, text = self.admin("/stats?filter=^config.generation$")
        assert status == 200, text
        return int(text.split(":")[1])

    def wait_until_ready(self, ready: bool = True, bound: float = 30) -> str:
        """Waits for readiness to be so, and returns the body that says why."""
        wanted = 200 if ready else 503
        self.process.wait_until(lambda: self.health()[0] == wanted, "is ready" if ready else "is not ready", bound)
        return self.health(query="?verbose")[1]

    # Logs

    def access_lines(self) -> list[str]:
        return [line for line in self.process.stdout.splitlines() if line]

    def wait_for_access_line(self, part: str, count: int = 1) -> str:
        """The last access-log line with `part` in it, once `count` of them are there."""
        def found():
            lines = [line for line in self.access_lines() if part in line]
            return lines[-1] if len(lines) >= count else None
        return eventually(found, f"{count} access log line(s) with {part!r}; log: {self.process.stdout[-2000:]}")

    # Process

    def reload(self) -> None:
        """Asks it to read its files again. What to wait for is the test's to say."""
        self.process.signal(signal.SIGHUP)

    def reload_and_wait(self) -> None:
        """The same, until a new configuration is taken."""
        before = self.generation()
        self.reload()
        self.process.wait_until(lambda: self.generation() > before, "takes the new configuration")

    def stop(self) -> int:
        return self.process.stop()

    @property
    def pid(self) -> int:
        return self.process.pid


def fetch(url: str, method: str = "GET", headers: dict | None = None, data: bytes | None = None) -> tuple[int, str]:
    """Status and body of a plain request, whatever the status."""
    request = urllib.request.Request(url, method=method, headers=headers or {}, data=data)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


_FIELDS = ("start_time method path protocol response_code response_flags response_code_details "
           "connection_termination_details upstream_transport_failure_reason bytes_received bytes_sent duration "
           "upstream_service_time x_forwarded_for user_agent request_id authority upstream_host upstream_cluster "
           "upstream_local_address downstream_local_address downstream_remote_address requested_server_name "
           "route_name").split()

_LINE = re.compile(
    r'^\[(?P<start_time>[^\]]*)\] "(?P<method>\S+) (?P<path>.*?) (?P<protocol>\S+)" (?P<response_code>\S+) '
    r'(?P<response_flags>\S+) (?P<response_code_details>.+?) (?P<connection_termination_details>\S+) '
    r'"(?P<upstream_transport_failure_reason>[^"]*)" (?P<bytes_received>\d+) (?P<bytes_sent>\d+) (?P<duration>\d+|-) '
    r'(?P<upstream_service_time>\S+) "(?P<x_forwarded_for>[^"]*)" "(?P<user_agent>[^"]*)" "(?P<request_id>[^"]*)" '
    r'"(?P<authority>[^"]*)" "(?P<upstream_host>[^"]*)" (?P<upstream_cluster>\S+) (?P<upstream_local_address>\S+) '
    r'(?P<downstream_local_address>\S+) (?P<downstream_remote_address>\S+) (?P<requested_server_name>\S+) '
    r'(?P<route_name>\S+)$')


def parse_access_line(line: str) -> dict[str, str]:
    """A line of Istio's default text format, by the names of its JSON form."""
    match = _LINE.match(line)
    assert match, f"not in Istio's default access-log format: {line!r}"
    return {name: match.group(name) for name in _FIELDS}
