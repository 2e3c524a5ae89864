"""What a connection costs in memory that has had a request and does nothing."""

import time

import peers
from measuring import Bench, tick


class Idle:
    """Memory of a fresh process with and without the connections, over their number."""

    name = "idle"
    usual = False
    # Title, door, what the generator is asked for.
    KINDS = {"plain": ("plain", "plain"), "TLS": ("tls_in", "tls"), "HTTP/2 over TLS": ("tls_in", "h2")}

    def run(self, bench: Bench) -> dict:
        results: dict = {}
        for title, (door, kind) in self.KINDS.items():
            results[title] = {}
            for proxy_kind in bench.kinds:
                with bench.running(proxy_kind, peers.Layout(doors=(door,))) as proxy:
                    results[title][proxy.name] = self._measure(bench, proxy, proxy.port[door], kind)
                tick()
        return {"connections": bench.idle_connections, "bytes": results}

    @staticmethod
    def _measure(bench: Bench, proxy: peers.Proxy, port: int, kind: str) -> dict[str, float]:
        with bench.generator.idle(peers.FRONT_NAME, port, 32, kind):
            pass  # What is made once is not a connection's.
        time.sleep(0.5)
        before = proxy.memory()
        with bench.generator.idle(peers.FRONT_NAME, port, bench.idle_connections, kind):
            time.sleep(2)
            after = proxy.memory()
        return {key: (after[key] - before[key]) * 1024 / bench.idle_connections for key in before}

    @staticmethod
    def report(result: dict, ours: str) -> list[str]:
        lines = [f"### {result['connections']:,} idle connections, bytes each", "",
                 "| proxy | " + " | ".join(f"{title}: private (RssAnon), RSS" for title in result["bytes"]) + " |",
                 "|---|" + "---|" * len(result["bytes"])]
        names = dict.fromkeys(name for kind in result["bytes"].values() for name in kind)
        for name in names:
            cells = [f"{kind[name]['RssAnon']:,.0f}, {kind[name]['VmRSS']:,.0f}" for kind in result["bytes"].values()]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return lines + [""]
