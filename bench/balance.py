"""How busy each of two workers is with few long connections."""

import contextlib
import statistics

import peers
from measuring import Bench, tick


class Balance:
    """Four HTTP/2 connections on two workers. New connections each round: where they land is chance for most."""

    name = "balance"
    usual = False
    WORKERS, CONNECTIONS, STREAMS, LEAST_ROUNDS = 2, 4, 16, 12

    def run(self, bench: Bench) -> dict:
        rounds, results = max(bench.rounds, self.LEAST_ROUNDS), {}
        with contextlib.ExitStack() as stack:
            layout = peers.Layout(doors=("tls_in",), workers=self.WORKERS)
            proxies = [stack.enter_context(bench.running(kind, layout)) for kind in bench.kinds]
            for _ in range(rounds):
                for proxy in proxies:
                    results.setdefault(proxy.name, []).append(self._round(bench, proxy))
                    tick()
        return {"proxies": results}

    def _round(self, bench: Bench, proxy: peers.Proxy) -> dict[str, float]:
        before = proxy.worker_nanoseconds()
        load = bench.generator.http2(f"https://127.0.0.1:{proxy.port['tls_in']}/", self.CONNECTIONS, self.STREAMS, 1)
        spent = sorted((time - before.get(thread, 0) for thread, time in proxy.worker_nanoseconds().items()),
                       reverse=True)[:self.WORKERS]
        return {"least_share": min(spent) / sum(spent), "requests_per_second": load.requests / load.seconds}

    def report(self, result: dict, ours: str) -> list[str]:
        lines = [f"### {self.CONNECTIONS} HTTP/2 connections on {self.WORKERS} workers", "",
                 "The workers share both cores with the load and the upstream. An even split is 50 %.", "",
                 "| proxy | the less busy worker's part of the time (least–most) | rounds in which it had nothing "
                 "| requests/s |", "|---|---|---|---|"]
        for name, runs in result["proxies"].items():
            shares = [run["least_share"] for run in runs]
            starved = sum(share < 0.02 for share in shares)
            lines.append(f"| {name} | {statistics.median(shares):.0%} ({min(shares):.0%}–{max(shares):.0%}) "
                         f"| {starved} of {len(runs)} "
                         f"| {statistics.median(run['requests_per_second'] for run in runs):,.0f} |")
        return lines + [""]
