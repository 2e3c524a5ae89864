"""Counting what a process does inside: allocations by thread, calls by function."""

import collections
import pathlib
import re
import struct
import subprocess

_SOURCE = pathlib.Path(__file__).with_name("malloc_counter.c")
_ENTRY = struct.Struct("<qQQ")


class AllocationCounter:
    """Builds the preloaded counter; `environment` is for the process, `calls()` reads it while it runs."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        library, self._table = folder / "malloc_counter.so", folder / "counts"
        subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(_SOURCE)], check=True)
        self.environment = {"LD_PRELOAD": str(library), "ALLOCATION_COUNTS": str(self._table)}

    def calls(self) -> dict[int, int]:
        """How often each thread has asked for memory so far."""
        data = self._table.read_bytes()
        return {thread: calls for thread, calls, _ in _ENTRY.iter_unpack(data) if thread}


def core_nanoseconds(pid: int) -> dict[int, int]:
    """Time on a core so far, by thread."""
    return {int(task.name): int((task / "schedstat").read_text().split()[0])
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def calls_by_function(profile: pathlib.Path) -> collections.Counter:
    """How often each function was called, from a callgrind output file."""
    names: dict[str, str] = {}
    counts: collections.Counter = collections.Counter()
    callee = None
    for line in profile.read_text(errors="replace").splitlines():
        if match := re.match(r"^c?fn=\((\d+)\)(?: (.*))?$", line):
            number, name = match.groups()
            if name is not None:
                names[number] = name
            if line.startswith("cfn="):
                callee = names[number]
        elif line.startswith("calls=") and callee is not None:
            counts[callee] += int(line[6:].split()[0])
            callee = None
    return counts
