"""Event streams: how much later an event arrives than it would without a proxy, and what it costs."""

from .workload import Workload


class Events(Workload):
    main = "cpu_event_us"
    metrics = ("cpu_event_us", "added_p50_us", "added_p99_us", "added_max_us")
    plots = ("added_p50_us", "added_p99_us")
    streams, target = 8, "/mcp/bench?events=100&pause=5"
    seconds, overhead, rounds = 0.0, 0.55, 0.7

    def cost(self, options, contenders):
        return self.setup + (super().cost(options, contenders) - self.setup) * (len(contenders) + 1) / len(contenders)

    def prepare(self, bench, contenders):
        bench.fleet(contenders, self.work(bench))

    def begin_round(self, bench):
        return {"direct": bench.load("events", bench.upstream_port, self.target, self.streams)}

    def measure(self, bench, contender):
        running = bench.running[contender.name]
        measured = bench.observed(running, lambda: bench.load("events", running.port, self.target, self.streams))
        measured["cpu_event_us"] = measured["proxy_ns"] / measured["events"] / 1000
        return measured

    def finish_round(self, figures):
        for name, figure in figures.items():
            if name == "direct":
                continue
            # The latest event of a round is an accident of that round: it is held against the direct median, not against another accident.
            for part, against in (("p50", "p50"), ("p99", "p99"), ("max", "p50")):
                figure[f"added_{part}_us"] = figure[f"{part}_us"] - figures["direct"][f"{against}_us"]


WORKLOADS = [Events("events", "8 event streams of 100 events, one every 5 ms in each")]
