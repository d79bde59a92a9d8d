"""Five times the clients that there is room for: what is left of the answers that come in time."""

import time

from .. import processes
from ..fault import Fault
from .workload import Workload

TIMES = 5


class Overload(Workload):
    """First as many clients as keep the proxy just busy, whose answers a second are its peak; then five times as many.

    A client asks, thinks, asks again, and gives up where no answer comes in time: it closes, thinks, and connects anew. What is answered after that is
    work for nobody. Without a bound, five times the clients wait four times as long as they think, and all of them give up. Three programs that only
    count share the proxy's core, so that load and upstream, which share the other, are never the bound."""

    name, sentence = "overload", "five times as many clients as there is room for, each of whom gives up after a while: what is lost of the peak's answers in time"
    main, metrics = "lost_pc", ("lost_pc", "peak_rate", "crowd_rate", "late_pc")
    rounds, seconds, overhead, setup = 0.25, 0.0, 12.0, 2.0
    in_quick, only_named = False, True

    def takes_part(self, contender):
        return contender.relays

    def prepare(self, bench, contenders):
        bench.fleet(contenders, self.work(bench))
        for contender in contenders:
            bench.load("post", bench.running[contender.name].port, "/mcp/bench", 32, 1, 32, 250)

    def measure(self, bench, contender):
        burden = [processes.start(["sh", "-c", "while :; do :; done"], processes.PROXY_CORE) for _ in range(3)]
        try:
            return self.crowded(bench, contender, bench.running[contender.name].port)
        finally:
            for each in burden:
                processes.end(each)

    def crowded(self, bench, contender, port):
        # What the round before has left in the backlog goes first.
        time.sleep(3)
        carried = bench.load("post", port, "/mcp/bench", 64, 2, 32, 250)
        rate = carried["requests"] / carried["wall_ns"] * 1e9
        # As many as this machine can hold of five times what is carried; they think as long as makes it so.
        clients = min(bench.most_connections, 9500)
        think = clients / TIMES / rate * 1000
        patience = 3 * think
        peak = bench.load("crowd", port, "/mcp/bench", clients // TIMES, 3, 32, 250, think, patience)
        crowd = bench.load("crowd", port, "/mcp/bench", clients, 4, 32, 250, think, patience)
        figures = {name: each["requests"] / each["wall_ns"] * 1e9 for name, each in (("peak_rate", peak), ("crowd_rate", crowd))}
        if not figures["peak_rate"]:
            raise Fault(f"{contender.label} answered nobody in time")
        tried = sum(crowd[name] for name in ("requests", "late", "refused", "broken"))
        return figures | {
            "lost_pc": 100 * (1 - figures["crowd_rate"] / figures["peak_rate"]), "late_pc": 100 * (1 - crowd["requests"] / tried),
            "clients": clients, "think_ms": think, "peak": peak, "crowd": crowd}


WORKLOADS = [Overload()]
