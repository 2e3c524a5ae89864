"""CPU time a request, by rounds, and the table that shows it."""

import contextlib
import dataclasses
import pathlib
import statistics
import sys

import peers
from load import Generator, Load


@dataclasses.dataclass(frozen=True)
class Sample:
    """One proxy in one round."""

    cpu_microseconds: float
    requests_per_second: float
    failed: int
    p50: int
    p99: int


class Bench:
    """What a case needs to run: the peers that were chosen, their site, the load, how long."""

    def __init__(self, kinds: list[type[peers.Proxy]], site: peers.Site, generator: Generator, proxy_core: int,
                 rounds: int, seconds: float, idle_connections: int):
        self.kinds, self.site, self.generator = kinds, site, generator
        self.rounds, self.seconds, self.idle_connections = rounds, seconds, idle_connections
        self._core, self._started = proxy_core, 0

    @contextlib.contextmanager
    def running(self, kind: type[peers.Proxy], layout: peers.Layout):
        """A proxy in a process and a folder of its own."""
        self._started += 1
        folder = pathlib.Path(self.site.folder) / f"{self._started:03}-{kind.name}"
        cores = str(self._core) if layout.workers == 1 else ",".join(str(core) for core in range(layout.workers))
        proxy = kind(self.site, layout, folder, cores)
        try:
            yield proxy
        finally:
            proxy.stop()


def measure(run, generator: Generator, proxy: peers.Proxy, seconds: float) -> Sample:
    """`run(generator, proxy, seconds)` makes the load and answers a Load."""
    before = proxy.cpu_nanoseconds()
    try:
        load: Load = run(generator, proxy, seconds)
    except RuntimeError as error:
        raise RuntimeError(f"{proxy.name}: {error}\n{proxy.process.report()}") from error
    spent = proxy.cpu_nanoseconds() - before
    if load.requests == 0:
        raise RuntimeError(f"{proxy.name}: no request succeeded, {load.failed} failed\n{proxy.process.report()}")
    return Sample(spent / 1000 / load.requests, load.requests / load.seconds, load.failed, load.p50, load.p99)


def rounds_of(contestants: dict, run, bench: Bench) -> dict:
    """The samples of each contestant (a key and its proxy), by round.

    The order turns, so that no one always runs after the same one.
    """
    samples: dict = {key: [] for key in contestants}
    for key, proxy in contestants.items():
        measure(run, bench.generator, proxy, 1)
    keys = list(contestants)
    for turn in range(bench.rounds):
        shift = turn % len(keys)
        for key in keys[shift:] + keys[:shift]:
            samples[key].append(measure(run, bench.generator, contestants[key], bench.seconds))
            tick()
    return samples


def tick() -> None:
    print(".", end="", flush=True, file=sys.stderr)


def ratio(ours: list[Sample], theirs: list[Sample]) -> float:
    """Our CPU a request over theirs: the median of the rounds' ratios."""
    return statistics.median(a.cpu_microseconds / b.cpu_microseconds for a, b in zip(ours, theirs))


def spread(runs: list[Sample]) -> str:
    """Median (least–most)."""
    cpu = [run.cpu_microseconds for run in runs]
    return f"{statistics.median(cpu):,.1f} ({min(cpu):,.1f}–{max(cpu):,.1f})"


def rate_table(samples: dict[str, list[Sample]], ours: str) -> list[str]:
    lines = [f"| proxy | CPU µs a request (spread) | requests/s | p50 µs | p99 µs | failed | {ours} / it |",
             "|---|---|---|---|---|---|---|"]
    for name, runs in samples.items():
        compared = f"{ratio(samples[ours], runs):.2f}" if ours in samples and name != ours else "–"
        lines.append(
            f"| {name} | {spread(runs)} "
            f"| {statistics.median(run.requests_per_second for run in runs):,.0f} "
            f"| {statistics.median(run.p50 for run in runs):,.0f} | {statistics.median(run.p99 for run in runs):,.0f} "
            f"| {sum(run.failed for run in runs)} | {compared} |")
    return lines


def memory_table(idle: dict[str, dict[str, int]], loaded: dict[str, dict[str, int]]) -> list[str]:
    lines = ["| proxy | RSS idle | private (RssAnon) idle | RSS after load | private after load |", "|---|---|---|---|---|"]
    for name, before in idle.items():
        after = loaded[name]
        lines.append(f"| {name} | {before['VmRSS']:,} | {before['RssAnon']:,} | {after['VmRSS']:,} | {after['RssAnon']:,} |")
    return lines
