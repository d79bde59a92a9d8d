"""Whole MCP calls through the official SDK's server, where gateways that speak MCP themselves can be measured too."""

import pathlib
import tempfile
import time

from .. import ports, processes
from ..contenders import ROOT
from ..fault import Fault
from ..figures import quantile
from ..mcp import Client
from ..running import Running
from ..work import KEY
from .workload import Workload


class WholeCalls(Workload):
    name, sentence = "mcp-calls", "tools/call after tools/call by one client, answered by the official SDK's server (without sessions)"
    main, metrics, plots = "cpu_call_ms", ("cpu_call_ms", "added_call_ms"), ("added_call_ms",)
    rounds, seconds, overhead, setup, in_quick = 0.3, 2.0, 0.5, 60.0, False

    def takes_part(self, contender):
        return True

    def prepare(self, bench, contenders):
        bench.dismiss()
        python = ROOT / ".build/venv-contextforge/bin/python"
        if not python.exists():
            raise Fault("the official SDK is not installed: run `make bench ARGS=--gateways`")
        self.port = ports.free()
        self.server = processes.start([python, ROOT / "bench/peer/server.py", self.port], processes.PEER_CORE)
        ports.await_listener(self.port, self.server)
        self.clients = {"direct": Client(self.port, "/mcp/bench", {}).begin()}
        work = self.work(bench, self.port)
        for contender in contenders:
            home = pathlib.Path(tempfile.mkdtemp(prefix=contender.name + "-", dir=bench.home)) / "home"
            bench.running[contender.name] = running = Running(contender, work, home).begin()
            path = getattr(contender, "path", "/mcp/bench")
            headers = getattr(contender, "headers", {"x-api-key": KEY, "x-user-email": work.email(0)})
            self.clients[contender.name] = self.patiently(lambda: Client(running.port, path, headers).begin(), contender)
            for _ in range(5):
                self.clients[contender.name].call()

    def patiently(self, begin, contender):
        """A gateway that has just been told of a server may take a while until it knows the tools."""
        for attempt in range(40):
            try:
                return begin()
            except (Fault, OSError) as error:
                if attempt == 39:
                    raise Fault(f"{contender.label}: {error}") from None
                time.sleep(0.5)

    def begin_round(self, bench):
        return {"direct": self.calls("direct", bench.options.seconds * self.seconds)}

    def calls(self, name, seconds):
        times, client = [], self.clients[name]
        client.refresh()
        began = time.monotonic()
        while not times or time.monotonic() < began + seconds:
            before = time.monotonic_ns()
            client.call()
            times.append(time.monotonic_ns() - before)
        return {"requests": len(times), "wall_ns": int((time.monotonic() - began) * 1e9), "p50_us": quantile(times, 0.5) / 1000, "cpu_ns": 0}

    def measure(self, bench, contender):
        measured = bench.observed(bench.running[contender.name], lambda: self.calls(contender.name, bench.options.seconds * self.seconds))
        measured["cpu_call_ms"] = measured["proxy_ns"] / measured["requests"] / 1e6
        return measured

    def finish_round(self, figures):
        for name, figure in figures.items():
            if name != "direct":
                figure["added_call_ms"] = (figure["p50_us"] - figures["direct"]["p50_us"]) / 1000

    def finish(self, bench):
        for client in self.clients.values():
            client.close()
        bench.dismiss()
        processes.end(self.server)
        return ["Gateways that speak MCP themselves do other work than a proxy: they keep lists of tools, and check and rewrite messages."]


WORKLOADS = [WholeCalls()]
