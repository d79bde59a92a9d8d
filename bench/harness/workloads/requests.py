"""Requests as fast as they are answered: small ones on few and many connections, large bodies, a connection each."""

from ..fault import Fault
from .workload import Workload


class Requests(Workload):
    metrics = ("cpu_us", "worker_us", "p50_us", "p99_us")
    plots = ("p99_us",)
    mode, connections, body, target = "post", 32, 250, "/mcp/bench"

    def prepare(self, bench, contenders):
        bench.fleet(contenders, self.work(bench))
        for contender in contenders:
            self.warm(bench, contender)

    def measure(self, bench, contender):
        return self.load(bench, contender, bench.options.seconds * self.seconds)

    def warm(self, bench, contender):
        """Until every user has asked, so that nobody's credential is still to be fetched; each load begins with another user."""
        asked = 0
        for _ in range(60):
            asked += self.load(bench, contender, 0.2 if self.users <= 32 else 1)["requests"]
            if asked >= 5 * self.users:
                return

    def load(self, bench, contender, seconds):
        running = bench.running[contender.name]
        measured = bench.observed(running, lambda: bench.load(
            self.mode, running.port, self.target, self.connections, seconds, self.users, self.body))
        return self.figured(measured)

    def figured(self, measured):
        measured["cpu_us"] = measured["proxy_ns"] / measured["requests"] / 1000
        measured["worker_us"] = measured["worker_ns"] / measured["requests"] / 1000
        measured["rate"] = measured["requests"] / measured["wall_ns"] * 1e9
        return measured


class ByWrk(Requests):
    """The same work from a load generator that is not ours: whether the ratios hang on who asks."""

    rounds, in_quick, closes = 0.25, False, False

    def cost(self, options, contenders):
        return self.setup + self.rounds_of(options) * len(contenders) * 1.4

    def load(self, bench, contender, seconds):
        running = bench.running[contender.name]
        measured = bench.observed(running, lambda: bench.wrk(running.port, self.target, self.connections, self.encrypted, self.closes))
        if measured["errors"]:
            raise Fault(f"wrk counted {measured['errors']} failed requests at {contender.label}")
        return self.figured(measured)


WORKLOADS = [
    Requests("post-32", "a JSON POST of 250 bytes, an answer of 300, on 32 keep-alive connections of 32 users"),
    Requests("post-1", "the small POST on one keep-alive connection", connections=1),
    Requests("post-256", "the small POST on 256 keep-alive connections of 32 users", connections=256),
    Requests("body-32k", "a POST of 32 KiB, an answer of 32 KiB, on 8 keep-alive connections",
             connections=8, body=32768, target="/mcp/bench?bytes=32768", large=True, rounds=0.5),
    Requests("body-1m", "a POST of 32 KiB, an answer of 1 MiB, on 8 keep-alive connections",
             connections=8, body=32768, target="/mcp/bench?bytes=1048576", large=True, rounds=0.5),
    Requests("connect", "the small POST, each on a new connection, 16 at a time", mode="connect", connections=16, rounds=0.5),
    Requests("post-32-records", "post-32 with access records on for all, written to a file", access=True, in_quick=False, overhead=0.25),
    ByWrk("post-32-wrk", "post-32 asked by wrk instead of our own load: do the ratios hang on who asks?"),
    ByWrk("tls", "post-32 by TLS 1.3 with a P-256 certificate, asked by wrk", encrypted=True, rounds=0.5),
    ByWrk("tls-connect", "the small POST, each on a new TLS connection with a handshake of its own, 16 at a time", connections=16, encrypted=True,
          closes=True),
    Requests("users-10k", "post-32 with 10,000 users in turn, the credential of each at hand", users=10000, rounds=0.5, in_quick=False, setup=35.0),
]
