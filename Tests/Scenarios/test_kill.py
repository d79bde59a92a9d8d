"""kill -9 at random instants of deposits and link changes: what was acknowledged is there, and nothing is half there.

CLAVIGER_KILLS says how often; `make soak` does it 200 times. CLAVIGER_SEED repeats the instants of a run, as far as instants repeat.
"""

import json
import os
import random
import signal
import sqlite3
import threading

from admin_socket import AdminSocket
from canaries import canary
from gateway import agent, header, world
from upstream import Upstream
from wire import JSON, ask, rpc

KILLS = int(os.environ.get("CLAVIGER_KILLS", "8"))
SEED = int(os.environ.get("CLAVIGER_SEED", random.randrange(1 << 30)))


class Writer(threading.Thread):
    """Does one change after the other until the daemon is gone. What was asked for last may have been done or not."""

    def __init__(self, gateway, number):
        super().__init__(daemon=True)
        self.socket, self.number, self.done, self.begun = AdminSocket(gateway.directory / "runtime"), number, 0, 0
        self.unexpected = None

    def run(self):
        while self.step():
            pass
        self.socket.close()

    def change(self, method, path, body=None, good=(200, 201, 204)):
        """The answer; None where the daemon is gone, and what it was asked may have been done."""
        answer = self.socket.ask(method, path, body)
        if answer is not None and answer[0] not in good:
            self.unexpected = answer
            return None
        return answer


class Depositor(Writer):
    """Puts numbered values in place of one another."""

    def __init__(self, gateway, number, of=None):
        super().__init__(gateway, number)
        self.user, self.mark = f"user{number}@acme.com", of.mark if of else canary(f"kill-{number}")
        self.done, self.begun = (of.done, of.begun) if of else (0, 0)
        # How often one was told that it is done; how often one was found done of which nobody was told.
        self.acknowledged, self.unacknowledged = (of.acknowledged, of.unacknowledged) if of else (0, 0)

    def token(self, number):
        return f"{self.mark}-{number}"

    def step(self):
        self.begun += 1
        if not self.change("PUT", f"projects/acme/credentials/crm?user={self.user}", {"token": self.token(self.begun)}):
            return False
        self.done = self.begun
        self.acknowledged += 1
        return True

    def check(self, gateway, api):
        answer = ask(gateway.port, "POST", "/mcp/crm", agent(self.user) | JSON, rpc())
        found = answer.body.decode().removeprefix("Bearer ")
        possible = [self.token(number) for number in range(self.done, self.begun + 1) if number]
        assert found in possible or (not self.done and answer["x-claviger-refusal"] == "credential_missing"), (self.done, self.begun, answer)
        if found in possible and possible.index(found) + max(self.done, 1) > self.done:
            self.unacknowledged += 1
        # From now on it is that one, or a later.
        self.done = possible.index(found) + max(self.done, 1) if found in possible else 0
        rows = api.ask("GET", f"audit?user={self.user}&limit=1000")[1]["rows"]
        # What was acknowledged is told, and nothing that was not asked for; nor is anything in force of which nothing is told.
        assert len(rows) == 1000 or self.acknowledged + self.unacknowledged <= len(rows) <= self.begun
        assert {row["action"] for row in rows} <= {"deposit", "replacement"}


class Linker(Writer):
    """Makes links, edits them, and deletes every third."""

    def __init__(self, gateway, number, of=None):
        super().__init__(gateway, number)
        self.links, self.acknowledged = (of.links, of.acknowledged) if of else ({}, 0)
        # What was under way when the daemon went: may be, or not.
        self.pending, self.unnamed = None, (of.unnamed if of else 0)

    def step(self):
        self.begun += 1
        self.unnamed += 1
        made = self.change("POST", "projects/acme/links", {"type": "user", "servers": ["crm"], "domains": [f"w{self.number}.example"]})
        if not made:
            return False
        self.unnamed -= 1
        id = made[1]["id"]
        self.links[id] = {"domain": f"w{self.number}.example", "rows": ["link_created"]}
        for turn in range(2):
            domain = f"w{self.number}-{self.begun}-{turn}.example"
            self.pending = (id, "link_edited", domain)
            if not self.change("PATCH", f"links/{id}", {"domains": [domain]}):
                return False
            self.settle(id, "link_edited", domain)
        if self.begun % 3 == 0:
            self.pending = (id, "link_deleted", None)
            if not self.change("DELETE", f"links/{id}"):
                return False
            self.settle(id, "link_deleted", None)
        self.done = self.begun
        return True

    def settle(self, id, action, domain):
        self.links[id]["domain"] = domain
        self.links[id]["rows"].append(action)
        self.acknowledged += 1
        self.pending = None

    def check(self, gateway, api):
        listed = {link["id"]: link["domains"][0] for link in all_links(api) if link["domains"][0].split("-")[0].split(".")[0] == f"w{self.number}"}
        assert len(set(listed) - set(self.links)) <= self.unnamed, "a link that nobody asked for"
        if self.pending:
            id, action, domain = self.pending
            rows = [row["action"] for row in api.ask("GET", f"audit?link={id}")[1]["rows"]][::-1]
            # Done with its row, or not done and without.
            if rows == self.links[id]["rows"] + [action]:
                self.settle(id, action, domain)
            self.pending = None
        for id, link in self.links.items():
            assert listed.get(id) == link["domain"], (id, link, listed.get(id))
        for id, link in list(self.links.items())[-20:]:
            assert [row["action"] for row in api.ask("GET", f"audit?link={id}")[1]["rows"]][::-1] == link["rows"]


def all_links(api):
    """Page after page."""
    page = api.ask("GET", "projects/acme/links")[1]
    yield from page["links"]
    while "next" in page:
        page = api.ask("GET", f"projects/acme/links?after={page['next']}")[1]
        yield from page["links"]


def echo(seen, peer):
    body = (seen["authorization"] or "").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


def test_kill_9_at_random_instants_loses_nothing_that_was_acknowledged(start):
    chance = random.Random(SEED)
    print(f"CLAVIGER_SEED={SEED}")
    with Upstream(echo) as upstream:
        gateway = start(world({"crm": header(upstream.url)}))
        writers = [Depositor(gateway, 0), Depositor(gateway, 1), Linker(gateway, 2), Linker(gateway, 3)]
        for _ in range(KILLS):
            timer = threading.Timer(chance.uniform(0.005, 0.25), os.kill, (gateway.process.pid, signal.SIGKILL))
            timer.start()
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join(30)
                assert not writer.is_alive() and writer.unexpected is None, writer.unexpected
            timer.join()
            gateway.process.end(signal.SIGKILL)
            database = sqlite3.connect(f"file:{gateway.directory}/state/state.db?mode=ro", uri=True)
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            database.close()
            gateway.start()
            api = AdminSocket(gateway.directory / "runtime")
            for writer in writers:
                writer.check(gateway, api)
            api.close()
            writers = [type(writer)(gateway, writer.number, of=writer) for writer in writers]
        acknowledged = sum(writer.acknowledged for writer in writers)
        print(json.dumps({"kills": KILLS, "acknowledged": acknowledged}))
        assert acknowledged > KILLS, "the writers got something done"
