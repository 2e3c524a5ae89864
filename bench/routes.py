"""What many rules and many hosts cost: CPU a request, time to start, memory."""

import contextlib
import dataclasses

import peers
from measuring import Bench, Sample, ratio, rounds_of, spread


class Routes:
    """Every peer with every number of rules runs at once, so that rounds compare the numbers, too."""

    name = "routes"
    usual = False
    LAYOUTS = {"1 rule": {"rules": 1}, "100 rules": {"rules": 100}, "1,000 rules": {"rules": 1000},
               "10,000 rules": {"rules": 10_000}, "10,000 hosts": {"hosts": 10_000}}

    def run(self, bench: Bench) -> dict:
        kinds = [kind for kind in bench.kinds if not kind.cannot_route]
        with contextlib.ExitStack() as stack:
            contestants, facts = {}, {}
            for kind in kinds:
                for title, size in self.LAYOUTS.items():
                    proxy = stack.enter_context(bench.running(kind, peers.Layout(doors=("plain",), **size)))
                    contestants[kind.name, title] = proxy
                    facts[kind.name, title] = {"ready_seconds": proxy.ready_seconds, **proxy.memory()}
            samples = rounds_of(contestants, self._load, bench)
        return {
            "absent": {kind.name: kind.cannot_route for kind in bench.kinds if kind.cannot_route},
            "rows": [{"proxy": name, "size": title, **facts[name, title],
                      "samples": [dataclasses.asdict(run) for run in runs]}
                     for (name, title), runs in samples.items()]}

    @staticmethod
    def _load(generator, proxy: peers.Proxy, seconds: float):
        layout = proxy.layout
        return generator.keep_alive(f"http://127.0.0.1:{proxy.port['plain']}/", 32, seconds, paths=layout.rules,
                                    hosts=layout.hosts)

    @staticmethod
    def report(result: dict, ours: str) -> list[str]:
        lines = ["### Many rules on one host, many hosts", ""]
        lines += [f"Cannot play: {name} ({why})." for name, why in result["absent"].items()] + [""]
        lines += [f"| proxy | size | CPU µs a request (spread) | to its 1 rule | failed | {ours} / it | ready ms | RSS kB "
                  "| private kB |", "|---|---|---|---|---|---|---|---|---|"]
        runs = {(row["proxy"], row["size"]): [Sample(**sample) for sample in row["samples"]] for row in result["rows"]}
        for row in result["rows"]:
            key = row["proxy"], row["size"]
            our = runs.get((ours, row["size"]))
            compared = f"{ratio(our, runs[key]):.2f}" if our and row["proxy"] != ours else "–"
            lines.append(
                f"| {key[0]} | {key[1]} | {spread(runs[key])} | {ratio(runs[key], runs[key[0], '1 rule']):.2f} "
                f"| {sum(run.failed for run in runs[key])} | {compared} | {row['ready_seconds'] * 1000:,.0f} "
                f"| {row['VmRSS']:,} | {row['RssAnon']:,} |")
        return lines + [""]
