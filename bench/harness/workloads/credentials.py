"""What Claviger asks of Parameter Store: a storm of first requests, many users in steady state, an outage and its end."""

import concurrent.futures
import json
import subprocess
import sys
import threading
import time
import urllib.request

from .. import check, ports, processes
from ..contenders import ROOT
from ..fault import Fault
from ..figures import quantile
from ..work import Work
from .workload import Workload

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIABENCH", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": ""}


class WithStore(Workload):
    """Claviger alone, before a stand-in for Parameter Store that answers after ten milliseconds."""

    ttl, in_quick, plots = "5m", False, ()

    def takes_part(self, contender):
        return contender.name == "claviger"

    def prepare(self, bench, contenders):
        bench.dismiss()
        self.port = ports.free()
        self.wanted = Work(upstream=bench.upstream_port, users=self.users, ttl=self.ttl, store=self.port)
        self.store = processes.start([sys.executable, ROOT / "bench/peer/store.py", self.port, 10], processes.PEER_CORE, stdin=subprocess.PIPE)
        values = {self.wanted.reference(number): json.dumps({"token": self.wanted.credential(number)}) for number in range(self.users)}
        self.store.stdin.write(json.dumps(values).encode())
        self.store.stdin.close()
        ports.await_listener(self.port, self.store)

    def started(self, bench, contender):
        """A gateway that knows nobody yet. The check of its work has asked for two users."""
        running = bench.start(contender, self.wanted, ENVIRONMENT)
        del bench.running[contender.name]
        return running

    def tell(self, path, method="POST"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def calls(self):
        return self.tell("calls", "GET")["calls"]

    def finish(self, bench):
        processes.end(self.store)
        return []

    def ask(self, running, user):
        """Milliseconds until the answer; a `Fault` where it is not the server's."""
        began = time.monotonic()
        status, body = check.ask(running.port, "/mcp/bench", running.work, user)
        if status != 200:
            raise Fault(f"user {user} was answered {status}: {body[:200].decode(errors='replace')}")
        return (time.monotonic() - began) * 1000


class FirstRequests(WithStore):
    name, sentence = "first-requests", "1,000 users ask for the first time, all at once; the store answers after 10 ms"
    main, metrics = "store_calls", ("store_calls", "first_ms", "first_p50_ms")
    users, rounds, seconds, overhead, setup = 1002, 0.15, 0.0, 6.0, 2.0

    def measure(self, bench, contender):
        running = self.started(bench, contender)
        try:
            before, began = self.calls(), time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(1000) as pool:
                times = list(pool.map(lambda user: self.ask(running, user), range(1, self.users - 1)))
            took = (time.monotonic() - began) * 1000
            return {"store_calls": self.calls() - before, "first_ms": took, "first_p50_ms": quantile(times, 0.5), "requests": len(times)}
        finally:
            running.discard()


class Steady(WithStore):
    """The users ask in turn, each several times a TTL, so that all of them stay in use."""

    main, metrics = "store_rate", ("store_rate", "failed", "requests")
    setup, rounds, overhead, fewest = 2.0, 0.0, 0.0, 1

    def cost(self, options, contenders):
        return self.setup + self.span

    def measure(self, bench, contender):
        running = self.started(bench, contender)
        try:
            failed, asked, end = [0], [0], time.monotonic() + self.span
            threads = [threading.Thread(target=self.keep_asking, args=(running, part, end, failed, asked)) for part in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(self.span * 0.55)
            before, began = self.calls(), time.monotonic()
            for thread in threads:
                thread.join()
            rate = (self.calls() - before) / (time.monotonic() - began)
            return {"store_rate": rate, "failed": failed[0], "requests": asked[0]}
        finally:
            running.discard()

    def keep_asking(self, running, part, end, failed, asked):
        pause = self.every / (self.users / 4)
        due = time.monotonic()
        while time.monotonic() < end:
            for user in range(part, self.users, 4):
                try:
                    self.ask(running, user)
                except (Fault, OSError):
                    failed[0] += 1
                asked[0] += 1
                due += pause
                time.sleep(max(0.0, due - time.monotonic()))
                if time.monotonic() >= end:
                    return


class Outage(WithStore):
    name, sentence = "store-outage", "the store fails for 15 seconds while 32 users go on asking; then it works again"
    main, metrics = "recovered_ms", ("recovered_ms", "failed", "requests", "store_calls")
    ttl, users, rounds, seconds, overhead = "5s", 34, 0.1, 0.0, 20.0

    def measure(self, bench, contender):
        running = self.started(bench, contender)
        try:
            for user in range(32):
                self.ask(running, user)
            self.tell("down")
            before, end, failed, asked = self.calls(), time.monotonic() + 15, 0, 0
            while time.monotonic() < end:
                for user in range(32):
                    try:
                        self.ask(running, user)
                    except Fault:
                        failed += 1
                    asked += 1
                    time.sleep(0.002)
            calls = self.calls() - before
            # An uncached one meets the outage, so that it is known to be one.
            self.is_refused(running, 32)
            self.tell("up")
            up = time.monotonic()
            while self.is_refused(running, 32):
                if time.monotonic() > up + 120:
                    raise Fault("the gateway did not recover within two minutes of its store")
                time.sleep(0.005)
            return {"recovered_ms": (time.monotonic() - up) * 1000, "failed": failed, "requests": asked, "store_calls": calls}
        finally:
            self.tell("up")
            running.discard()

    def is_refused(self, running, user):
        return check.ask(running.port, "/mcp/bench", running.work, user)[0] == 503


WORKLOADS = [
    FirstRequests(),
    Steady("store-steady", "2,000 users at a TTL of a minute, each asking every 15 seconds, for three minutes",
           users=2000, ttl="1m", every=15.0, span=180.0),
    Steady("store-steady-10k", "10,000 users at a TTL of 5 minutes, each asking every minute, for 15 minutes; only when named",
           users=10000, ttl="5m", every=60.0, span=900.0, only_named=True),
    Outage(),
]
