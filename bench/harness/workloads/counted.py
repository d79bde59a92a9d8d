"""What is counted, not timed: system calls and allocations of a request on a hit."""

import re
import shutil
import signal
import subprocess
import sys
import time

from .. import processes
from ..fault import Fault
from .workload import Workload

IO = {"read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg", "recv", "send"}


class SystemCalls(Workload):
    name, sentence = "syscalls", "system calls of post-32, under strace -c -f"
    main, metrics = "syscalls", ("syscalls", "beyond")
    rounds, seconds, overhead = 0.0, 1.0, 0.45

    def prepare(self, bench, contenders):
        if not shutil.which("strace"):
            raise Fault("strace is not installed: run `make bench`, or leave out the workload syscalls with --only")
        self.by_name = {}
        bench.fleet(contenders, self.work(bench))
        for contender in contenders:
            bench.load("post", bench.running[contender.name].port, "/mcp/bench", 32, 0.2, 32, 250)

    def measure(self, bench, contender):
        running, report = bench.running[contender.name], bench.home / "strace"
        pids = [word for pid in processes.family(running.child.pid) for word in ("-p", pid)]
        tracer = processes.start(["strace", "-c", "-f", "-o", report, *pids], processes.PEER_CORE, stderr=subprocess.PIPE)
        for _ in processes.family(running.child.pid):
            tracer.stderr.readline()    # "Process N attached"
        time.sleep(0.2)
        result = bench.load("post", running.port, "/mcp/bench", 32, bench.options.seconds, 32, 250)
        processes.end(tracer, signal.SIGINT)
        counts = {}
        for line in report.read_text().splitlines():
            row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if row and row[2] != "total":
                counts[row[2]] = int(row[1]) / result["requests"]
        return {"syscalls": sum(counts.values()), "beyond": sum(value for name, value in counts.items() if name not in IO),
                "by_name": {name: round(value, 4) for name, value in counts.items() if value >= 0.001}}


class Allocations(Workload):
    name, sentence = "allocations", "allocations of post-32 on a hit, under an interposed malloc"
    main, metrics = "allocations", ("allocations",)
    rounds, seconds, overhead = 0.0, 1.0, 0.15

    def takes_part(self, contender):
        return contender.relays and contender.counted

    def prepare(self, bench, contenders):
        self.began = {}
        bench.dismiss()
        for contender in contenders:
            file = bench.home / f"allocations-{contender.name}"
            bench.start(contender, self.work(bench), {"LD_PRELOAD": str(bench.built / "allocations.so"), "ALLOCATIONS": str(file)})
            bench.load("post", bench.running[contender.name].port, "/mcp/bench", 32, 0.2, 32, 250)

    def measure(self, bench, contender):
        file = bench.home / f"allocations-{contender.name}"
        before = int.from_bytes(file.read_bytes(), sys.byteorder)
        result = bench.load("post", bench.running[contender.name].port, "/mcp/bench", 32, bench.options.seconds, 32, 250)
        return {"allocations": (int.from_bytes(file.read_bytes(), sys.byteorder) - before) / result["requests"]}

    def finish(self, bench):
        bench.dismiss()
        return ["Envoy is left out: its allocator is linked into it and cannot be counted from outside."]


WORKLOADS = [SystemCalls(), Allocations()]
