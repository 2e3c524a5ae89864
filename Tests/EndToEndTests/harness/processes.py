"""A child process with an owner: started, waited for, ended by its own pid, its output kept for a failure report."""

import os
import pathlib
import signal
import subprocess
import time

from .waiting import eventually


CRASHES = {-signal.SIGILL, -signal.SIGTRAP, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGSEGV}


class OwnedProcess:
    """A process in a session of its own; `stop` ends it and whatever it started."""

    # Every one that was started, oldest first: a failed test shows the newest, and the session's end finds leftovers.
    started: list["OwnedProcess"] = []

    def __init__(self, name: str, arguments: list[str], folder: pathlib.Path, environment: dict[str, str] | None = None,
                 preexec=None):
        self.name = name
        self.folder = folder
        self.arguments = [str(argument) for argument in arguments]
        folder.mkdir(parents=True, exist_ok=True)
        self.stdout_path = folder / f"{name}.stdout"
        self.stderr_path = folder / f"{name}.stderr"
        with open(self.stdout_path, "ab") as stdout, open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=folder,
                env={**os.environ, **(environment or {})}, start_new_session=True, preexec_fn=preexec)
        OwnedProcess.started.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        return self.stdout_path.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def has_crashed(self) -> bool:
        """It was ended by a trap of its own: a check that failed, memory that is not there."""
        return self.process.poll() in CRASHES

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, bound: float = 20.0) -> int:
        """The exit code. Negative: the signal that killed it."""
        return self.process.wait(timeout=bound)

    def wait_until(self, condition, what: str, bound: float = 20.0) -> None:
        """Waits for `condition`, and fails at once, with the output, when the process ends first."""
        def holds():
            if not self.running:
                raise ProcessEnded(self)
            return condition()
        eventually(holds, f"{self.name}: {what}", bound)

    def stop(self, bound: float = 10.0) -> int:
        """Asks it to end, insists when it does not, and reaps what it started."""
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(timeout=bound)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._end_group()
        return self.process.returncode

    def _end_group(self) -> None:
        """Ends children that outlived it: they share its session, which is ours alone."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)

    def report(self) -> str:
        """Its command line and the ends of its output, for a failed test."""
        state = "running" if self.running else f"exit {self.process.returncode}"
        return (f"--- {self.name} (pid {self.pid}, {state}): {' '.join(self.arguments)}\n"
                f"--- stdout\n{self.stdout[-4000:]}\n--- stderr\n{self.stderr[-8000:]}\n")


class ProcessEnded(RuntimeError):
    """A process ended while something waited for it."""

    def __init__(self, owned: OwnedProcess):
        super().__init__(f"{owned.name} ended early\n{owned.report()}")


def thread_ids(pid: int) -> list[int]:
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))


def descendants(pid: int) -> list[int]:
    """The process and all it started, directly or not."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            fields = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(name))
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        queue += parents.get(current, [])
    return found


def memory_kilobytes(pid: int) -> dict[str, int]:
    """VmRSS and RssAnon of one process, in kB."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in ("VmRSS", "RssAnon", "RssFile", "VmHWM"):
            fields[key] = int(value.split()[0])
    return fields
