"""Many callers, tokens that live a second, a provider that revokes a family at the first reuse, and a gateway that is killed at random.

`make soak` runs it long; the scenarios run it short. Usage: oauth_soak.py [--expiries N] [--callers N] [--grants N] [--seed N]
"""

import argparse
import contextlib
import pathlib
import random
import sys
import tempfile
import threading
import time
from collections import Counter

from gateway import Gateway, agent, world
from oauth_scene import connect, oauth
from protected import Protected
from provider import Provider
from wire import JSON, Wire, request, rpc

# From the provider's answer until the store has what it brought: a gateway killed in between has lost it, and cannot have told anybody.
WRITTEN_WITHIN = 1.0
PAUSE = 0.08


class Soak:
    """One run. `failures` are what must not happen; `counts` what did."""

    def __init__(self, directory, *, expiries, callers, grants, kills, seed, life=1):
        """`kills`: the mean time between two, in seconds; None for none."""
        self.random, self.expiries, self.callers, self.kills = random.Random(seed), expiries, callers, kills
        self.provider = Provider(life=life, marked=False)
        self.resource = Protected(self.provider)
        self.gateway = Gateway(directory, world({"crm": oauth(self.resource.url)}, gateway={"workers": 2}, log={"access": False}))
        self.users = [f"soak{number}@acme.com" for number in range(grants)]
        self.connecting = {user: threading.Lock() for user in self.users}
        self.up, self.over, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.killed, self.counts, self.failures = [], Counter(), []

    @property
    def rotations(self):
        with self.provider.lock:
            return sum(family.rotations for family in self.provider.families)

    def run(self, told=lambda text: None):
        for user in self.users:
            connect(self.gateway, "crm", user)
        self.up.set()
        threads = [threading.Thread(target=self.call, args=(random.Random(self.random.random()),)) for _ in range(self.callers)]
        for thread in threads:
            thread.start()
        try:
            began = last = time.monotonic()
            next_kill = began + self.until_kill()
            # A token is renewed at half its life: what takes four times as long does not get there.
            while self.rotations < self.expiries and time.monotonic() < began + 30 + 4 * self.expiries * self.provider.life / len(self.users):
                time.sleep(0.02)
                if time.monotonic() >= next_kill:
                    self.kill()
                    next_kill = time.monotonic() + self.until_kill()
                if time.monotonic() > last + 10:
                    last = time.monotonic()
                    told(self.line())
                if len(self.failures) > 20:
                    break
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self.judge()
        return self

    def until_kill(self):
        return self.random.expovariate(1 / self.kills) if self.kills else float("inf")

    def kill(self):
        self.up.clear()
        self.gateway.process.end(how=9)
        self.killed.append(time.monotonic())
        self.gateway.start()
        self.up.set()

    def call(self, choose):
        wire, made = None, 0
        while not self.over.is_set():
            self.up.wait(1)
            user, kills = choose.choice(self.users), len(self.killed)
            try:
                if wire is None or made != kills:
                    wire, made = Wire(self.gateway.port), kills
                wire.send(request("POST", "/mcp/crm", agent(user) | JSON, rpc()))
                answer = wire.answer()
                if not answer.complete:
                    raise ConnectionError("half an answer")
            except (OSError, AssertionError, ConnectionError) as error:
                wire = None
                # Also where the process is gone already, and nobody has noted it yet.
                time.sleep(0.1)
                if self.up.is_set() and len(self.killed) == kills:
                    self.note("a connection failed, and nobody was killed", error)
                continue
            self.look(user, answer)
            time.sleep(PAUSE * choose.uniform(0.5, 1.5))
        if wire:
            wire.close()

    def look(self, user, answer):
        refusal = answer["x-claviger-refusal"]
        with self.lock:
            self.counts[refusal or answer.status] += 1
        if answer.status == 200 and refusal is None:
            return
        if refusal != "credential_rejected" or self.provider.families_revoked == 0:
            return self.note("a call failed", answer)
        if "/connect/acme/crm" not in answer.body.decode():
            self.note("a refusal does not say where to connect", answer)
        self.reconnect(user)

    def reconnect(self, user):
        """As the person does it who reads the refusal; one of the callers, the others go on."""
        lock = self.connecting[user]
        if not lock.acquire(blocking=False):
            return
        with contextlib.ExitStack() as stack:
            stack.callback(lock.release)
            with self.lock:
                self.counts["reconnected"] += 1
            try:
                connect(self.gateway, "crm", user)
            except Exception as error:
                if self.up.is_set() and time.monotonic() > (self.killed or [0])[-1] + 5:
                    self.note("a person could not reconnect", error)

    def note(self, what, detail):
        with self.lock:
            self.failures.append(f"{what}: {str(detail)[:400]}")

    def judge(self):
        provider = self.provider
        for family in provider.families:
            if family.revoked is None:
                continue
            # What its last rotation brought was lost with a process that was killed right after, and was in no use yet: it is written first.
            lost = [killed for killed in self.killed if -0.05 <= killed - family.rotated <= WRITTEN_WITHIN]
            if not lost or family.was_in_use:
                self.note("a family was revoked, and nothing of it was lost", family)
        if self.resource.judged["expired"] or self.resource.judged["unknown"]:
            self.note("a bearer went upstream that was not good", dict(self.resource.judged))
        if self.resource.judged["revoked"] and not provider.families_revoked:
            self.note("a revoked bearer went upstream", dict(self.resource.judged))
        if provider.older_shown != provider.families_revoked:
            self.note("older tokens were shown again and again", provider.older_shown)
        if not self.killed and provider.at_once > 1:
            self.note("two refreshes of one grant at once", provider.at_once)
        if self.rotations < self.expiries:
            self.note("it did not get that far", self.rotations)

    def line(self):
        with self.lock:
            counts = dict(self.counts)
        return (f"{self.rotations} expiries, {sum(self.counts.values())} calls {counts}, {len(self.killed)} kills, "
                f"{self.provider.families_revoked} families revoked, {self.provider.count()} token requests, {len(self.failures)} failures")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gateway.__exit__(None, None, None)
        self.resource.__exit__(None, None, None)
        self.provider.__exit__(None, None, None)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--expiries", type=int, default=2000)
    options.add_argument("--callers", type=int, default=50)
    options.add_argument("--grants", type=int, default=4)
    options.add_argument("--kills", type=float, default=8, help="mean seconds between two")
    options.add_argument("--seed", type=int, default=int(time.time()))
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        with Soak(pathlib.Path(directory), expiries=chosen.expiries, callers=chosen.callers, grants=chosen.grants, kills=chosen.kills,
                  seed=chosen.seed) as soak:
            soak.run(lambda text: print(text, flush=True))
            print(soak.line())
            for failure in soak.failures:
                print(failure)
            sys.exit(1 if soak.failures else 0)


if __name__ == "__main__":
    main()
