#!/usr/bin/env python3
"""CPU time a request, beside the peers: `make bench`, or bench/bench.py --help.

Every proxy has one worker on one core; load and upstream share the other. Rounds are interleaved: in each round every
proxy runs once, so what the machine does besides falls on all alike, and ratios are taken within a round. The figure
is the whole process's time on a core (user and kernel, all threads) over the requests that succeeded.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEndTests"))

import peers  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from harness.processes import descendants, memory_kilobytes  # noqa: E402
from load import Generator  # noqa: E402

PROXY_CORE, LOAD_CORE = 0, 1
RESULTS = pathlib.Path(__file__).resolve().parent / "results"


@dataclasses.dataclass(frozen=True)
class Case:
    """A kind of traffic. `run(generator, proxy, seconds)` makes it and answers a Load."""

    name: str
    title: str
    run: object


CASES = [
    Case("plain", "HTTP/1.1 keep-alive",
         lambda load, proxy, seconds: load.keep_alive(f"http://127.0.0.1:{proxy.plain}/", 32, seconds)),
    Case("tls-in", "TLS 1.3 in, keep-alive",
         lambda load, proxy, seconds: load.keep_alive(f"https://127.0.0.1:{proxy.tls_in}/", 32, seconds)),
    Case("tls-out", "TLS 1.3 out, keep-alive",
         lambda load, proxy, seconds: load.keep_alive(f"http://127.0.0.1:{proxy.tls_out}/", 32, seconds)),
    Case("handshake", "full TLS 1.3 handshake a request, ECDSA P-256",
         lambda load, proxy, seconds: load.handshakes(peers.FRONT_NAME, proxy.tls_in, 8, seconds)),
    Case("body-1m", "1 MB response body",
         lambda load, proxy, seconds: load.keep_alive(f"http://127.0.0.1:{proxy.plain}/1m", 8, seconds)),
    Case("paced", "HTTP/1.1, 2,000 requests/s",
         lambda load, proxy, seconds: load.paced(peers.FRONT_NAME, proxy.plain, 16, seconds, 2000, tls=False)),
]


@dataclasses.dataclass(frozen=True)
class Sample:
    """One proxy in one round."""

    cpu_microseconds: float
    requests_per_second: float
    failed: int
    p50: int
    p99: int


def measure(case: Case, generator: Generator, proxy: peers.Proxy, seconds: float) -> Sample:
    before = proxy.cpu_nanoseconds()
    try:
        load = case.run(generator, proxy, seconds)
    except RuntimeError as error:
        raise RuntimeError(f"{proxy.name}, {case.name}: {error}\n{proxy.process.report()}") from error
    spent = proxy.cpu_nanoseconds() - before
    if load.requests == 0:
        raise RuntimeError(f"{proxy.name}, {case.name}: no request succeeded, {load.failed} failed")
    return Sample(spent / 1000 / load.requests, load.requests / load.seconds, load.failed, load.p50, load.p99)


def memory(proxy: peers.Proxy) -> dict[str, int]:
    """kB, over all processes of the proxy."""
    parts = [memory_kilobytes(pid) for pid in descendants(proxy.process.pid)]
    return {key: sum(part.get(key, 0) for part in parts) for key in ("VmRSS", "RssAnon")}


def rounds_of(case: Case, proxies: list[peers.Proxy], generator: Generator, rounds: int, seconds: float):
    """The samples of each proxy, by round. The order turns, so that no one always runs after the same one."""
    samples: dict[str, list[Sample]] = {proxy.name: [] for proxy in proxies}
    for proxy in proxies:
        measure(case, generator, proxy, 1)
    for turn in range(rounds):
        shift = turn % len(proxies)
        for proxy in proxies[shift:] + proxies[:shift]:
            samples[proxy.name].append(measure(case, generator, proxy, seconds))
            print(".", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    return samples


def ratios(samples: dict[str, list[Sample]], name: str) -> dict[str, float]:
    """`name`'s CPU a request over each peer's: the median of the rounds' ratios."""
    ours = samples[name]
    return {peer: statistics.median(a.cpu_microseconds / b.cpu_microseconds for a, b in zip(ours, theirs))
            for peer, theirs in samples.items() if peer != name}


def table(case: Case, samples: dict[str, list[Sample]], ours: str) -> list[str]:
    lines = [f"### {case.title}", "",
             f"| proxy | CPU µs a request (spread) | requests/s | p50 µs | p99 µs | failed | {ours} / it |",
             "|---|---|---|---|---|---|---|"]
    against = ratios(samples, ours) if ours in samples else {}
    for name, runs in samples.items():
        cpu = [run.cpu_microseconds for run in runs]
        ratio = f"{against[name]:.2f}" if name in against else "–"
        lines.append(
            f"| {name} | {statistics.median(cpu):.1f} ({min(cpu):.1f}–{max(cpu):.1f}) "
            f"| {statistics.median(run.requests_per_second for run in runs):,.0f} "
            f"| {statistics.median(run.p50 for run in runs):,.0f} | {statistics.median(run.p99 for run in runs):,.0f} "
            f"| {sum(run.failed for run in runs)} | {ratio} |")
    return lines + [""]


def memory_table(idle: dict[str, dict[str, int]], loaded: dict[str, dict[str, int]]) -> list[str]:
    lines = ["### Memory, kB", "", "| proxy | RSS idle | private (RssAnon) idle | RSS after load | private after load |",
             "|---|---|---|---|---|"]
    for name, before in idle.items():
        after = loaded[name]
        lines.append(f"| {name} | {before['VmRSS']:,} | {before['RssAnon']:,} | {after['VmRSS']:,} | {after['RssAnon']:,} |")
    return lines + [""]


def machine() -> str:
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sallyport", help="the binary under test")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES), help="comma-separated: %(default)s")
    parser.add_argument("--peers", default=",".join(peers.ALL), help="comma-separated: %(default)s")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of one run")
    options = parser.parse_args()

    peers.Sallyport.binary = os.path.abspath(options.sallyport) if options.sallyport else None
    chosen = [peers.ALL[name] for name in options.peers.split(",")]
    left_out = [kind.name for kind in chosen if not kind.available()]
    chosen = [kind for kind in chosen if kind.available()]
    cases = [next(case for case in CASES if case.name == name) for name in options.cases.split(",") if name]

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-bench-")))
        folder.chmod(0o755)  # nginx's worker is not root, even when we are
        authority = Authority(folder / "ca")
        upstream = peers.Upstream(folder / "upstream", authority, LOAD_CORE)
        stack.callback(upstream.stop)
        front = authority.issue(peers.FRONT_NAME, usage="server")
        site = peers.Site(folder, authority, upstream.plain, upstream.tls, front)
        generator = Generator(folder, LOAD_CORE)
        proxies = []
        for kind in chosen:
            proxy = kind(site, PROXY_CORE)
            stack.callback(proxy.stop)
            proxies.append(proxy)
        time.sleep(1)
        idle = {proxy.name: memory(proxy) for proxy in proxies}

        results: dict[str, dict[str, list[Sample]]] = {}
        for case in cases:
            print(f"{case.name} ", end="", flush=True, file=sys.stderr)
            results[case.name] = rounds_of(case, proxies, generator, options.rounds, options.seconds)
        loaded = {proxy.name: memory(proxy) for proxy in proxies}

    now = datetime.datetime.now(datetime.UTC)
    lines = [f"{now:%Y-%m-%d}, {machine()}; {options.rounds} rounds of {options.seconds:g} s, medians (least–most).", ""]
    if left_out:
        lines += [f"Not here, left out: {', '.join(left_out)}.", ""]
    for case in cases:
        lines += table(case, results[case.name], peers.Sallyport.name)
    lines += memory_table(idle, loaded)
    print("\n".join(lines))

    RESULTS.mkdir(exist_ok=True)
    report = {"time": now.isoformat(), "machine": machine(), "rounds": options.rounds, "seconds": options.seconds,
              "memory_kilobytes": {"idle": idle, "loaded": loaded},
              "cases": {name: {proxy: [dataclasses.asdict(run) for run in runs] for proxy, runs in samples.items()}
                        for name, samples in results.items()}}
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    path.write_text(json.dumps(report, indent=1))
    print(f"written to {path.relative_to(pathlib.Path.cwd()) if path.is_relative_to(pathlib.Path.cwd()) else path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
