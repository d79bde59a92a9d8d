"""Cold start: from exec to the first right answer."""

import socket
import time

from .. import check
from ..fault import Fault
from .workload import Workload


class ColdStart(Workload):
    name, sentence = "cold-start", "from exec to the first right answer; 32 users' credentials stand in the map, or in the store"
    main, metrics = "start_ms", ("start_ms",)
    rounds, seconds, overhead = 0.5, 0.0, 0.15

    def prepare(self, bench, contenders):
        bench.dismiss()
        self.made = {}
        for contender in contenders:
            self.made[contender.name] = bench.start(contender, self.work(bench))
            self.made[contender.name].end()

    def measure(self, bench, contender):
        running = self.made[contender.name]
        running.spawn()
        began = time.monotonic()
        try:
            while time.monotonic() < began + 20:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", running.port)):
                        time.sleep(0.0002)
                        continue
                try:
                    status, _ = check.ask(running.port, "/mcp/bench", running.work, 1)
                except OSError:
                    continue
                if status == 200:
                    return {"start_ms": (time.monotonic() - began) * 1000}
            raise Fault(f"{contender.label} gave no answer within 20 seconds of its start")
        finally:
            running.end()

    def finish(self, bench):
        for running in self.made.values():
            running.discard()
        return []


WORKLOADS = [ColdStart()]
