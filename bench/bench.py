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
import resource
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEndTests"))

import cases  # noqa: E402
import peers  # noqa: E402
from harness.certificates import Authority  # noqa: E402
from load import Generator  # noqa: E402
from measuring import Bench, Sample, memory_table, rate_table, rounds_of  # noqa: E402

PROXY_CORE, LOAD_CORE = 0, 1
RESULTS = pathlib.Path(__file__).resolve().parent / "results"
# What a process has open besides the connections it is asked to hold.
SPARE_FILES = 1000


def run_requests(chosen: list[cases.Requests], bench: Bench) -> tuple[dict, dict]:
    """The cases of requests at one kind of doors, by the same processes: results by case, and memory."""
    doors = tuple(dict.fromkeys(case.door for case in chosen))
    kinds = [kind for kind in bench.kinds if any(door not in kind.cannot for door in doors)]
    results = {}
    with contextlib.ExitStack() as stack:
        proxies = [stack.enter_context(bench.running(kind, peers.Layout(doors=doors))) for kind in kinds]
        time.sleep(1)
        idle = {proxy.name: proxy.memory() for proxy in proxies}
        for case in chosen:
            announce(case.name)
            playing = {proxy.name: proxy for proxy in proxies if case.door in proxy.port}
            absent = {kind.name: kind.cannot[case.door] for kind in bench.kinds if case.door in kind.cannot}
            try:
                samples = rounds_of(playing, case.run, bench)
            except RuntimeError as error:
                results[case.name] = failure(error)
                continue
            results[case.name] = {"absent": absent, "samples": {
                peer: [dataclasses.asdict(run) for run in runs] for peer, runs in samples.items()}}
        loaded = {proxy.name: proxy.memory() for proxy in proxies}
    return results, {"idle": idle, "loaded": loaded}


def announce(name: str) -> None:
    print(f"\n{name} ", end="", flush=True, file=sys.stderr)


def run_all(names: list[str], bench: Bench) -> tuple[list[str], dict]:
    """The report's lines and what goes to the file of results. A case that fails says so; the others go on."""
    ours, results, memory = peers.Sallyport.name, {}, {}
    requests = [cases.ALL[name] for name in names if isinstance(cases.ALL[name], cases.Requests)]
    for group, doors in (("HTTP", peers.HTTP_DOORS), ("TCP", peers.TCP_DOORS)):
        if chosen := [case for case in requests if case.door in doors]:
            try:
                found, memory[group] = run_requests(chosen, bench)
            except (RuntimeError, TimeoutError) as error:
                found = {case.name: failure(error) for case in chosen}
            results.update(found)
    lines = []
    for name in names:
        case = cases.ALL[name]
        if not isinstance(case, cases.Requests):
            announce(name)
            try:
                results[name] = case.run(bench)
            except (RuntimeError, TimeoutError) as error:
                results[name] = failure(error)
        if "error" in results[name]:
            lines += [f"### {name}: failed", ""]
        elif isinstance(case, cases.Requests):
            lines += requests_section(case, results[name], ours)
        else:
            lines += case.report(results[name], ours)
    for group, parts in memory.items():
        lines += [f"### Memory, {group} cases, kB", "", *memory_table(parts["idle"], parts["loaded"]), ""]
    return lines, {"memory_kilobytes": memory, "cases": results}


def failure(error: Exception) -> dict[str, str]:
    print(f"\n{error}", file=sys.stderr)
    return {"error": str(error)}


def requests_section(case: cases.Requests, result: dict, ours: str) -> list[str]:
    absent = [f"Cannot play: {peer} ({why})." for peer, why in result["absent"].items()]
    samples = {peer: [Sample(**run) for run in runs] for peer, runs in result["samples"].items()}
    return [f"### {case.title}", "", *absent, *([""] if absent else []), *(rate_table(samples, ours) if samples else []),
            ""]


def machine() -> str:
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sallyport", help="the binary under test")
    parser.add_argument("--cases", default=",".join(cases.USUAL), help=f"comma-separated, or all: {','.join(cases.ALL)} "
                        "(usual: %(default)s)")
    parser.add_argument("--peers", default=",".join(peers.ALL), help="comma-separated: %(default)s")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of one run")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections, as far as open files allow")
    options = parser.parse_args()
    options.cases = list(cases.ALL) if options.cases == "all" else [name for name in options.cases.split(",") if name]
    options.peers = [name for name in options.peers.split(",") if name]
    for chosen, known in ((options.cases, cases.ALL), (options.peers, peers.ALL)):
        if unknown := [name for name in chosen if name not in known]:
            parser.error(f"no such: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def idle_connections(wanted: int) -> int:
    """As many as open files allow: one a connection here, and one in the proxy."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    possible = min(wanted, hard - SPARE_FILES)
    if possible < wanted:
        print(f"open files are limited to {hard:,}: {possible:,} idle connections, not {wanted:,}", file=sys.stderr)
    return possible


def main() -> int:
    options = arguments()
    peers.Sallyport.binary = os.path.abspath(options.sallyport) if options.sallyport else None
    chosen = [peers.ALL[name] for name in options.peers]
    left_out = [kind.name for kind in chosen if not kind.available()]

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sallyport-bench-")))
        folder.chmod(0o755)  # nginx's worker is not root, even when we are
        authority = Authority(folder / "ca")
        upstream = peers.Upstream(folder / "upstream", authority, LOAD_CORE)
        stack.callback(upstream.stop)
        site = peers.Site(folder, authority, authority.issue(peers.FRONT_NAME, usage="server"), upstream)
        bench = Bench([kind for kind in chosen if kind.available()], site, Generator(folder, LOAD_CORE), PROXY_CORE,
                      options.rounds, options.seconds, idle_connections(options.idle))
        tables, results = run_all(options.cases, bench)

    now = datetime.datetime.now(datetime.UTC)
    lines = [f"{now:%Y-%m-%d}, {machine()}; {options.rounds} rounds of {options.seconds:g} s, medians (least–most).", ""]
    if left_out:
        lines += [f"Not here, left out: {', '.join(left_out)}.", ""]
    print(file=sys.stderr)
    print("\n".join(lines + tables))

    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%S}.json"
    path.write_text(json.dumps({"time": now.isoformat(), "machine": machine(), "rounds": options.rounds,
                                "seconds": options.seconds, **results}, indent=1))
    print(f"written to {path.relative_to(pathlib.Path.cwd()) if path.is_relative_to(pathlib.Path.cwd()) else path}")
    return 1 if any("error" in result for result in results["cases"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
