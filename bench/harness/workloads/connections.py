"""What an idle connection, or an idle stream, holds of memory."""

import subprocess
import time

from ..fault import Fault
from .. import processes
from .workload import Workload


class Held(Workload):
    main = "kib_each"
    metrics = ("kib_each", "mib_fresh")
    rounds, seconds = 0.15, 0.0
    mode, target, wanted = "idle", "/mcp/bench", 10000

    def prepare(self, bench, contenders):
        bench.dismiss()
        self.count = min(self.wanted, bench.most_connections - 900)
        if self.count < 100:
            raise Fault(f"this process may open {bench.descriptors:,} descriptors, too few to hold connections: raise the limit with `ulimit -n 20000`")

    def measure(self, bench, contender):
        running = bench.start(contender, self.work(bench))
        holder = None
        try:
            # One of each user first: what the cache and the code's own pages take is not a connection's.
            bench.load("post", running.port, "/mcp/bench", 32, 0.1, 32, 250)
            time.sleep(0.3)
            fresh = processes.resident(running.child.pid)
            holder = processes.start(bench.load_command(self.mode, running.port, self.target, self.count), processes.PEER_CORE,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if b"held" not in holder.stdout.readline():
                raise Fault(f"{self.count} connections to {contender.label} could not be held: {holder.stderr.read().decode().strip()}")
            time.sleep(0.3)
            held = processes.resident(running.child.pid)
        finally:
            if holder:
                processes.end(holder)
            running.discard()
        return {"kib_each": (held - fresh) / self.count, "mib_fresh": fresh / 1024, "held": self.count}

    def finish(self, bench):
        if self.count == self.wanted:
            return []
        return [f"{self.count:,} were held instead of {self.wanted:,}: this machine allows a process {bench.descriptors:,} descriptors, "
                "and a relay needs two for each connection."]


WORKLOADS = [
    Held("idle-connections", "10,000 idle keep-alive connections, each after one request", overhead=1.8),
    Held("idle-streams", "1,000 open event streams on which nothing happens", mode="streams", target="/mcp/bench?hold=1", wanted=1000,
         overhead=1.0),
]
