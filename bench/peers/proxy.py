"""A proxy under load: its process, its ports, its time on a core, its memory."""

import pathlib
import time

from harness.ports import free_port
from harness.processes import OwnedProcess, descendants, memory_kilobytes
from harness.waiting import accepts

from .site import Layout, Site


class Proxy:
    """One running proxy with the doors of a layout."""

    name = ""
    # Doors that the product does not have, and why.
    cannot: dict[str, str] = {}
    # Why it has no part where there are many rules or hosts; empty: it has.
    cannot_route = ""

    def __init__(self, site: Site, layout: Layout, folder: pathlib.Path, cores: str):
        self.site, self.layout, self.folder = site, layout, folder
        self.port = {door: free_port() for door in layout.doors if door not in self.cannot}
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        command = self._command()
        started = time.monotonic()
        self.process = OwnedProcess(self.name, ["taskset", "-c", cores, *command], folder)
        for door, port in self.port.items():
            self.process.wait_until(lambda port=port: accepts(port), f"listens on {port} ({door})", bound=120)
        # From exec to the last door open: configuration read and compiled.
        self.ready_seconds = time.monotonic() - started

    @staticmethod
    def available() -> bool:
        return True

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _write(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def worker_nanoseconds(self) -> dict[int, int]:
        """Time on a core so far, by thread, of all processes of the proxy (the kernel's schedstat)."""
        times = {}
        for pid in descendants(self.process.pid):
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    times[int(task.name)] = int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return times

    def cpu_nanoseconds(self) -> int:
        return sum(self.worker_nanoseconds().values())

    def memory(self) -> dict[str, int]:
        """kB, over all processes of the proxy."""
        parts = [memory_kilobytes(pid) for pid in descendants(self.process.pid)]
        return {key: sum(part.get(key, 0) for part in parts) for key in ("VmRSS", "RssAnon")}

    def stop(self) -> None:
        self.process.stop()
