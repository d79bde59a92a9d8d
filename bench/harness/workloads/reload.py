"""Reloads under load: what a request notices of them, and what the gateway keeps of them."""

import statistics
import subprocess
import threading
import time

from .. import check, processes
from ..fault import Fault
from .workload import Workload


class Reload(Workload):
    name, sentence = "reload", "170 reloads a round, each with another configuration, while 32 connections are served and 4 users come anew with each request"
    main, metrics = "reload_ms", ("reload_ms", "failed", "kib_grown", "requests")
    rounds, seconds, overhead, setup, in_quick, plots = 0.0, 0.0, 12.0, 2.0, False, ()
    count = 170

    def takes_part(self, contender):
        return contender.name == "claviger"

    def prepare(self, bench, contenders):
        bench.dismiss()

    def measure(self, bench, contender):
        running = bench.start(contender, self.work(bench))
        try:
            file = running.home / "conf.d/claviger.yaml"
            first = file.read_text()
            more = first.replace("servers:\n  bench:", f"servers:\n  extra: {{ url: \"http://127.0.0.1:{bench.upstream_port}/x\", auth: none }}\n  bench:", 1)
            more = more.replace("servers: { bench: {} }", "servers: { bench: {}, extra: {} }")
            if more == first:
                raise Fault("the template claviger.yaml is not what the workload `reload` changes")
            # The first few make what every later one uses.
            for text in (more, first) * 5:
                self.reload(contender, running, file, text)
            return self.under_load(bench, contender, running, file, (more, first))
        finally:
            running.discard()
            bench.running.pop(contender.name, None)

    def under_load(self, bench, contender, running, file, texts):
        over, failed, asked = threading.Event(), [0], [0]
        askers = [threading.Thread(target=self.ask, args=(running, user, over, failed, asked)) for user in range(4)]
        load = processes.start(bench.load_command("post", running.port, "/mcp/bench", 32, 60, 32, 250), processes.PEER_CORE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for asker in askers:
            asker.start()
        try:
            time.sleep(0.5)
            before, times = processes.resident(running.child.pid), []
            for number in range(self.count):
                began = time.monotonic()
                self.reload(contender, running, file, texts[number % 2])
                times.append((time.monotonic() - began) * 1000)
            # It ends at the first answer that is not the server's.
            broken = load.poll() is not None
            grown = processes.resident(running.child.pid) - before
        finally:
            over.set()
            for asker in askers:
                asker.join()
            processes.end(load)
        if broken:
            raise Fault(f"the load broke off while the gateway reloaded: {load.stderr.read().decode().strip()[-300:]}")
        return {"reload_ms": statistics.median(times), "failed": failed[0], "kib_grown": grown, "requests": asked[0]}

    def reload(self, contender, running, file, text):
        file.write_text(text)
        done = subprocess.run([contender.program(), "reload", "--runtime", running.home / "runtime"], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Fault(f"a reload was refused: {done.stdout}{done.stderr}")

    def ask(self, running, user, over, failed, asked):
        while not over.is_set():
            try:
                failed[0] += check.ask(running.port, "/mcp/bench", running.work, user)[0] != 200
            except OSError:
                failed[0] += 1
            asked[0] += 1


WORKLOADS = [Reload()]
