"""The bench itself: the peers that were built, the upstream, the contenders that run, and one load at a time."""

import functools
import json
import pathlib
import re
import resource
import shutil
import subprocess
import tempfile

from . import check, ports, processes
from .contenders import ROOT
from .fault import Fault
from .running import Running
from .work import KEY

TARGET = "/mcp/bench"


class Bench:
    def __init__(self, options, home):
        self.options, self.home = options, pathlib.Path(home)
        self.built = options.built = self.home / "built"
        self.running, self.fleet_work, self.checks = {}, None, {}
        self.descriptors = raise_descriptors()
        # A proxy needs two for each connection of a relay's kind, and some for itself.
        self.most_connections = min(15000, (self.descriptors - 200) // 2)
        self.build()
        self.upstream_port = ports.free()
        self.upstream = processes.start([self.built / "upstream", self.upstream_port], processes.PEER_CORE)
        ports.await_listener(self.upstream_port, self.upstream)

    def build(self):
        self.built.mkdir()
        for name in ("upstream", "load", "relay"):
            compile_peer(self.built / name, ROOT / f"bench/peer/{name}.c")
        compile_peer(self.built / "allocations.so", ROOT / "bench/peer/allocations.c", "-shared", "-fPIC")

    def start(self, contender, work, environment=None):
        """Started, supplied, and checked to do the work."""
        home = pathlib.Path(tempfile.mkdtemp(prefix=contender.name + "-", dir=self.home)) / "home"
        running = Running(contender, work, home, environment).begin()
        sentence = check.check(running, TARGET)
        self.checks[contender.name] = sentence
        self.running[contender.name] = running
        return running

    def fleet(self, contenders, work):
        """All of them, running for `work`; those that already do are left as they are."""
        if self.fleet_work != work:
            self.dismiss()
        for contender in contenders:
            if contender.name not in self.running:
                self.start(contender, work)
        self.fleet_work = work

    def dismiss(self):
        for running in self.running.values():
            running.discard()
        self.running, self.fleet_work = {}, None

    def load_command(self, mode, port, target, *arguments):
        return [self.built / "load", mode, port, target, KEY, *arguments]

    def load(self, mode, port, target, *arguments):
        child = processes.start(self.load_command(mode, port, target, *arguments), processes.PEER_CORE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        shown, wrong = child.communicate(timeout=120)
        processes.end(child)
        if child.returncode:
            raise Fault(f"the load ended ({mode} {target}): {wrong.decode().strip()[-500:]}")
        return json.loads(shown)

    @functools.cached_property
    def certificate(self):
        """A P-256 certificate of this run's own and its key, in one file."""
        file, parts = self.home / "certificate.pem", [self.home / "certificate.crt", self.home / "certificate.key"]
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench",
                               "-addext", "subjectAltName=IP:127.0.0.1", "-out", parts[0], "-keyout", parts[1]], capture_output=True, text=True)
        if done.returncode:
            raise Fault(f"openssl makes no certificate: {done.stderr.strip()[-300:]}")
        file.touch(0o600)
        file.write_bytes(b"".join(part.read_bytes() for part in parts))
        return file

    def wrk(self, port, target, connections, encrypted=False, closes=False):
        """One second by wrk; what it used of its core is asked of the kernel once it has ended."""
        if not shutil.which("wrk"):
            raise Fault("wrk is not installed: run `make bench`, or leave out the workload post-32-wrk with --only")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        scheme = "https" if encrypted else "http"
        child = processes.start(["wrk", "-t1", f"-c{connections}", "-d1s", "-s", ROOT / "bench/peer/post.lua", f"{scheme}://127.0.0.1:{port}{target}",
                                 "--", KEY, *(["close"] if closes else [])], processes.PEER_CORE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        shown, wrong = child.communicate(timeout=60)
        processes.end(child)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = re.search(rb"^RESULT (.*)$", shown, re.M)
        if not found:
            raise Fault(f"wrk said nothing that is understood: {(wrong or shown).decode().strip()[-500:]}")
        return json.loads(found[1]) | {"cpu_ns": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9}

    def observed(self, running, load):
        """What the load says, and what proxy and peers used meanwhile."""
        proxy, upstream, stolen = processes.scheduled(running.child.pid), processes.scheduled(self.upstream.pid), processes.stolen()
        result = load()
        ran, busiest, waited = processes.spent(proxy, processes.scheduled(running.child.pid))
        upstream_ran, _, _ = processes.spent(upstream, processes.scheduled(self.upstream.pid))
        wall = result["wall_ns"]
        result["proxy_ns"], result["worker_ns"] = ran, busiest
        result["proxy_busy"] = ran / wall
        result["peers_busy"] = (result["cpu_ns"] + upstream_ran) / wall
        result["proxy_waited"] = waited / wall
        result["stolen"] = (processes.stolen() - stolen) * 1e7 / wall / 2
        return result

    def close(self):
        processes.end_all()


def compile_peer(product, source, *words):
    done = subprocess.run(["gcc", "-O2", *words, "-o", product, source], capture_output=True, text=True)
    if done.returncode:
        raise Fault(f"{source.name} does not compile: {done.stderr.strip()}")


def raise_descriptors(wanted=65536):
    """As many descriptors as this machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted), max(hard, wanted)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
