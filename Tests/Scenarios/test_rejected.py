"""A server that answers 401 to a credential of ours: the store is asked once more, and the request sent once more where it can be."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import sqlite3
import threading
import time
import urllib.request

import pytest
from canaries import canary
from gateway import ALICE, agent, header, world
from processes import eventually
from sdk import SessionClient
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"theirs\"\r\nContent-Length: 7\r\n\r\ntheirs!"
KEPT = 64 << 10


class Guarded(Upstream):
    """A server that takes one token, wherever in the head it stands, and tells what it got with it."""

    def __init__(self, **options):
        super().__init__(self.judge, **options)
        self.token, self.no = "nobody's", UNAUTHORIZED

    def takes(self, seen):
        return self.token.encode() in seen.raw_head

    def judge(self, seen, peer):
        peer.send(self.yes(seen) if self.takes(seen) else self.no)

    def yes(self, seen):
        body = hashlib.sha256(seen.body).hexdigest().encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def rejected(self):
        return [seen for seen in self.requests if not self.takes(seen)]


class Credential:
    """Alice's, of one server. `rotate` changes the store underneath the gateway, which still has the old one."""

    def __init__(self, gateway, upstream, server="crm", field="token"):
        self.gateway, self.upstream, self.server, self.field = gateway, upstream, server, field
        self.old, self.new = canary(f"{server}-old"), canary(f"{server}-new")
        self.deposit(self.new)
        sealed = self.sealed()
        self.deposit(self.old)
        self.changed = {path: content for path, content in sealed.items() if self.sealed()[path] != content}
        assert len(self.changed) == 1
        upstream.token = self.old

    def sealed(self):
        return {path: path.read_bytes() for path in (self.gateway.directory / "state/secrets").rglob("*") if path.is_file()}

    def deposit(self, token):
        self.gateway.deposit(self.server, ALICE, **{self.field: token})

    def warm(self, *wires):
        """Every connection given has sent the old one once: its worker knows it."""
        for wire in wires:
            wire.send(request("POST", f"/mcp/{self.server}", agent() | JSON, rpc()))
            assert wire.answer().status == 200
        self.upstream.requests.clear()

    def rotate(self, at_upstream=True):
        for path, content in self.changed.items():
            fresh = path.with_suffix(".fresh")
            fresh.write_bytes(content)
            os.chmod(fresh, 0o600)
            fresh.rename(path)
        if at_upstream:
            self.upstream.token = self.new

    def entry(self):
        done = self.gateway.command("credential", "list", "--project", "acme", "--json")
        (entry,) = [entry for entry in json.loads(done.stdout)["credentials"] if entry["server"] == self.server]
        return entry


def metric(gateway, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.admin}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1])


def reads(gateway):
    return metric(gateway, 'claviger_store_operations_total{operation="read"}')


def replays(gateway):
    return metric(gateway, "claviger_upstream_replays_total")


def record(gateway, answer):
    """The line of the exchange that `answer` came from."""
    mark = f" exchange request_id={answer['x-request-id']} "
    return eventually(lambda: [line for line in gateway.log().splitlines() if mark in line])[0]


@pytest.fixture
def guarded():
    with Guarded() as upstream:
        yield upstream


@pytest.fixture
def gateway(start, guarded):
    return start(world({"crm": header(guarded.url), "raw": {"url": guarded.url, "auth": "none"}}))


@pytest.fixture
def rotated(gateway, guarded):
    """A credential that was used, and then replaced in the store and at the server."""
    credential = Credential(gateway, guarded)
    with Wire(gateway.port) as wire:
        credential.warm(wire)
    credential.rotate()
    return credential


def post(gateway, body=b"{}", headers=None):
    return ask(gateway.port, "POST", "/mcp/crm", agent() | JSON | (headers or {}), body)


def chunked(body, size=1000):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def digest(body):
    return hashlib.sha256(body).hexdigest().encode()


# What is sent again.


@pytest.mark.parametrize("kind", ["header", "path", "query"])
def test_a_rotation_underneath_is_not_seen_by_the_agent(start, guarded, kind):
    servers = {
        "header": header(guarded.url),
        "path": {"url": guarded.origin + "/{token}/mcp", "auth": "path"},
        "query": {"url": guarded.url + "?fixed=1", "auth": "query", "query": {"api_key": "{token}"}},
    }
    gateway = start(world({"crm": servers[kind]}))
    credential = Credential(gateway, guarded)
    with Wire(gateway.port) as wire:
        credential.warm(wire)
        credential.rotate()
        before = reads(gateway)
        body = rpc("tools/call", name="pay")
        wire.send(request("POST", "/mcp/crm", agent() | JSON, body))
        answer = wire.answer()
        assert (answer.status, answer.body, answer["x-claviger-refusal"]) == (200, digest(body), None)
        assert [seen.body for seen in guarded.requests] == [body, body]
        assert [credential.old in seen.raw_head.decode() for seen in guarded.requests] == [True, False]
        assert (reads(gateway) - before, replays(gateway)) == (1, 1)
        guarded.requests.clear()
        wire.send(request("POST", "/mcp/crm", agent() | JSON, body))
        next = wire.answer()
        assert next.status == 200 and not guarded.rejected() and replays(gateway) == 1
    assert " replayed=yes" in record(gateway, answer) and "replayed" not in record(gateway, next)
    assert "rejected" not in credential.entry()


@pytest.mark.parametrize("length", [0, 1, 1000, KEPT - 1, KEPT])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_bodies_up_to_64_kib_are_sent_again_whole(rotated, gateway, guarded, framing, length):
    body = os.urandom(length)
    if framing == "length":
        answer = post(gateway, body)
    else:
        answer = post(gateway, chunked(body), {"Transfer-Encoding": "chunked"})
    assert (answer.status, answer.body) == (200, digest(body))
    assert [seen.length for seen in guarded.requests] == [length, length]


@pytest.mark.parametrize("body, headers", [
    (b"x" * (KEPT + 1), {}),
    (b"x" * (1 << 20), {}),
    (chunked(b"x" * (KEPT + 1)), {"Transfer-Encoding": "chunked"}),
    (chunked(b"x" * (1 << 20)), {"Transfer-Encoding": "chunked"}),
    (chunked(b"x" * (60 << 10), 1), {"Transfer-Encoding": "chunked"}),
], ids=["length", "large", "chunked", "chunked large", "much framing"])
def test_a_larger_body_is_refused_and_the_next_request_has_the_new_value(rotated, gateway, guarded, body, headers):
    answer = post(gateway, body, headers)
    assert (answer.status, answer["x-claviger-refusal"]) == (403, "credential_rejected")
    assert b"/connect/acme/crm" in answer.body and len(guarded.requests) == 1
    assert post(gateway).status == 200 and len(guarded.requests) == 2
    assert "another value" in record(gateway, answer) and "rejected" not in rotated.entry()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_still_coming_is_sent_again_with_its_rest(start, framing):
    first, rest = os.urandom(3000), os.urandom(5000)

    def judge(seen, peer):
        if upstream.takes(seen):
            peer.read_body(seen)
            peer.send(upstream.yes(seen))
        else:
            peer.send(UNAUTHORIZED)
            peer.close()

    with Guarded(reads_body=False) as upstream:
        upstream.answer = judge
        gateway = start(world({"crm": header(upstream.url)}))
        credential = Credential(gateway, upstream)
        with Wire(gateway.port) as wire:
            credential.warm(wire)
        credential.rotate()
        with Wire(gateway.port) as wire:
            if framing == "length":
                head = agent() | {"Content-Length": "8000"}
                parts = [first, rest]
            else:
                head = agent() | {"Transfer-Encoding": "chunked"}
                parts = [b"%x\r\n%s\r\n" % (len(first), first), chunked(rest)]
            wire.send(request("POST", "/mcp/crm", head), parts[0])
            eventually(lambda: len(upstream.requests) == 2)
            wire.send(parts[1])
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, digest(first + rest))
            wire.send(request("POST", "/mcp/crm", agent(), b"next"))
            assert wire.answer().body == digest(b"next")


def test_a_body_that_was_asked_to_wait_is_invited_once(rotated, gateway, guarded):
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/crm", agent() | {"Expect": "100-continue", "Content-Length": "4"}))
        assert wire.head().status == 100
        wire.send(b"body")
        answer = wire.head()
        assert answer.status == 200 and wire.exactly(64) == digest(b"body")
        wire.send(request("POST", "/mcp/crm", agent(), b"more"))
        assert wire.head().status == 200


def test_a_server_that_says_no_before_the_invited_body_does_not_bring_a_second_invitation(start):
    def judge(seen, peer):
        if not upstream.takes(seen):
            peer.send(UNAUTHORIZED)
            return peer.close()
        peer.read_body(seen)
        peer.send(upstream.yes(seen))

    with Guarded(reads_body=False) as upstream:
        upstream.answer = judge
        gateway = start(world({"crm": header(upstream.url)}))
        credential = Credential(gateway, upstream)
        credential.warm(Wire(gateway.port))
        credential.rotate()
        with Wire(gateway.port) as wire:
            wire.send(request("POST", "/mcp/crm", agent() | {"Expect": "100-continue", "Content-Length": "4"}))
            assert wire.head().status == 100
            eventually(lambda: len(upstream.requests) == 2)
            wire.send(b"body")
            answer = wire.head()
            assert answer.status == 200 and wire.exactly(64) == digest(b"body")


@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "PUT"])
def test_requests_without_a_body_are_sent_again(rotated, gateway, guarded, method):
    guarded.no = UNAUTHORIZED if method != "HEAD" else b"HTTP/1.1 401 No\r\nContent-Length: 7\r\n\r\n"
    guarded.answer = lambda seen, peer: peer.send(
        b"HTTP/1.1 204 No Content\r\n\r\n" if guarded.takes(seen) else guarded.no)
    assert ask(gateway.port, method, "/mcp/crm", agent()).status == 204
    assert [seen.method for seen in guarded.requests] == [method, method]


def test_an_event_stream_begins_after_a_replay_and_the_rejected_connection_is_gone(rotated, gateway, guarded):
    ended = []
    go = threading.Event()

    def judge(seen, peer):
        if not guarded.takes(seen):
            peer.send(b"HTTP/1.1 401 No\r\nContent-Length: 1000\r\n\r\nhalf")
            ended.append(peer.wait_closed(5))
            return
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", b"9\r\ndata: 1\n\n\r\n")
        go.wait(10)
        peer.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    guarded.answer = judge
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/crm", agent() | {"Accept": "text/event-stream"}))
        assert wire.head().status == 200
        wire.until(b"data: 1\n\n")
        assert eventually(lambda: ended)[0] is not None, "while the stream goes on"
        go.set()
        wire.until(b"data: 2\n\n")
        wire.until(b"0\r\n\r\n")
        guarded.answer = guarded.judge
        wire.send(request("POST", "/mcp/crm", agent(), b"{}"))
        assert wire.answer().status == 200


# What is not.


def test_a_second_401_is_refused_and_on_record(rotated, gateway, guarded):
    guarded.token = "another still"
    before = reads(gateway)
    answer = post(gateway, rpc(id=7))
    assert answer["x-claviger-refusal"] == "credential_rejected" and b"theirs" not in answer.raw
    assert (answer.json()["id"], answer.json()["error"]["code"]) == (7, -32042)
    assert len(guarded.requests) == 2 and reads(gateway) - before == 1
    assert rotated.entry()["rejected"]


def test_the_present_value_is_refused_without_a_replay(gateway, guarded):
    credential = Credential(gateway, guarded)
    guarded.token = "another"
    before = reads(gateway)
    for _ in range(20):
        answer = post(gateway, rpc())
        assert answer["x-claviger-refusal"] == "credential_rejected" and b"/connect/acme/crm" in answer.body
    assert len(guarded.requests) == 20 and reads(gateway) - before == 2, "a miss, and one time more"
    assert replays(gateway) == 0 and credential.entry()["rejected"]


@pytest.mark.parametrize("status", [400, 403, 407, 500])
def test_only_401_says_that_a_request_was_not_processed(rotated, gateway, guarded, status):
    guarded.no = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    before = reads(gateway)
    answer = post(gateway)
    assert (answer.status, answer["x-claviger-refusal"]) == (status, None)
    assert len(guarded.requests) == 1 and reads(gateway) == before


def test_a_401_where_nothing_was_injected_passes(gateway, guarded):
    answer = ask(gateway.port, "POST", "/mcp/raw", agent(), b"{}")
    assert (answer.status, answer.body, answer["x-claviger-refusal"]) == (401, b"theirs!", None)
    assert len(guarded.requests) == 1


def test_a_deletion_underneath_is_a_rejection_and_then_missing(gateway, guarded):
    credential = Credential(gateway, guarded)
    with Wire(gateway.port) as wire:
        credential.warm(wire)
    for path in credential.changed:
        path.unlink()
    guarded.token = "another"
    assert post(gateway)["x-claviger-refusal"] == "credential_rejected"
    assert post(gateway)["x-claviger-refusal"] == "credential_missing" and len(guarded.requests) == 1


def test_a_store_that_cannot_be_asked_is_said_and_costs_nobody_his_credential(rotated, gateway, guarded):
    (path, content), = rotated.changed.items()
    path.unlink()
    path.mkdir()
    answer = post(gateway)
    assert (answer.status, answer["x-claviger-refusal"]) == (503, "store_unavailable") and answer["retry-after"]
    guarded.token = rotated.old
    assert post(gateway).status == 200, "the server may take it yet"
    guarded.token = rotated.new
    path.rmdir()
    rotated.rotate()
    eventually(lambda: post(gateway).status == 200, 10, 0.3)


# What goes on behind it.


@pytest.mark.parametrize("no, connections", [
    (UNAUTHORIZED, 1),
    (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1),
    (b"HTTP/1.1 401 No\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntheirs!", 2),
    (b"HTTP/1.1 401 No\r\nContent-Length: 70\r\n\r\ntheirs!", 2),
    (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 2),
    (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\nno chunk", 2),
    (UNAUTHORIZED + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 2),
    (b"HTTP/1.1 401 No\r\n\r\nuntil the end", 2),
], ids=["whole", "chunked", "close", "half", "half chunked", "broken", "more than asked", "until closed"])
def test_nothing_of_a_401_is_the_next_answer(rotated, gateway, guarded, no, connections):
    guarded.no = no
    before = guarded.connections
    with Wire(gateway.port) as wire:
        for number in range(5):
            body = b"request %d" % number
            wire.send(request("POST", "/mcp/crm", agent(), body))
            answer = wire.answer()
            assert (answer.status, answer.body) == (200, digest(body))
    # The connection that warmed it up may be used first.
    assert guarded.connections - before in (connections - 1, connections) and len(guarded.rejected()) == 1


def test_a_pipelined_request_behind_a_replay_has_its_own_answer(rotated, gateway, guarded):
    bodies = [b"first", os.urandom(20_000), b"third"]
    with Wire(gateway.port) as wire:
        wire.send(*(request("POST", "/mcp/crm", agent(), body) for body in bodies))
        assert [wire.answer().body for _ in bodies] == [digest(body) for body in bodies]
    assert len(guarded.rejected()) == 1 and len(guarded.requests) == 4


def test_the_connection_goes_on_after_a_rejection(gateway, guarded):
    credential = Credential(gateway, guarded)
    guarded.token = "another"
    with Wire(gateway.port) as wire:
        for body in (b"{}", chunked(b"{}"), b"x" * 1000):
            extra = {"Transfer-Encoding": "chunked"} if body.startswith(b"2\r\n") else {}
            wire.send(request("POST", "/mcp/crm", agent() | extra, body))
            assert wire.answer()["x-claviger-refusal"] == "credential_rejected"
        guarded.token = credential.old
        wire.send(request("POST", "/mcp/crm", agent(), b"{}"))
        assert wire.answer().status == 200


def test_a_hundred_at_once_ask_the_store_once(start, guarded):
    gateway = start(world({"crm": header(guarded.url)}, gateway={"workers": 2}))
    credential = Credential(gateway, guarded)
    wires = [Wire(gateway.port) for _ in range(100)]
    credential.warm(*wires)
    together = threading.Barrier(100, timeout=20)

    def judge(seen, peer):
        if not guarded.takes(seen):
            together.wait()
        guarded.judge(seen, peer)

    guarded.answer = judge
    credential.rotate()
    before = reads(gateway)
    for number, wire in enumerate(wires):
        wire.send(request("POST", "/mcp/crm", agent(), b"%d" % number))
    assert [wire.answer().body for wire in wires] == [digest(b"%d" % number) for number in range(100)]
    assert (len(guarded.rejected()), replays(gateway), reads(gateway) - before) == (100, 100, 1)
    for wire in wires:
        wire.close()


def test_a_client_that_leaves_during_the_replay_ends_it(rotated, gateway, guarded):
    ended = []

    def judge(seen, peer):
        if guarded.takes(seen):
            ended.append(peer.wait_closed())
        else:
            peer.send(UNAUTHORIZED)

    guarded.answer = judge
    wire = Wire(gateway.port)
    wire.send(request("POST", "/mcp/crm", agent(), b"{}"))
    eventually(lambda: len(guarded.requests) == 2)
    left = time.monotonic()
    wire.close()
    assert eventually(lambda: ended)[0] - left < 1
    assert " ending=client_left " in eventually(lambda: [line for line in gateway.log().splitlines() if " replayed=yes" in line])[0]


def test_a_server_that_dies_after_the_401_is_unreachable_not_rejected(rotated, gateway, guarded):
    def judge(seen, peer):
        if guarded.takes(seen):
            peer.reset()
        else:
            peer.send(b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    guarded.answer = judge
    assert post(gateway)["x-claviger-refusal"] == "upstream_unreachable"
    assert len(guarded.requests) == 2


# What people see.


def test_the_status_shows_a_rejection_until_it_is_mended(gateway, guarded):
    credential = Credential(gateway, guarded)
    assert post(gateway).status == 200 and "rejected" not in credential.entry()
    guarded.token = "another"
    assert post(gateway)["x-claviger-refusal"] == "credential_rejected"
    entry = credential.entry()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["rejected"]) and "deposit a new one" in entry["remedy"]
    text = gateway.command("credential", "list", "--project", "acme").stdout
    assert f"crm for {ALICE}: rejected since {entry['rejected']}" in text and "deposit a new one" in text
    # It is the record that is looked at, by another process too.
    gateway.process.end()
    gateway.start()
    assert credential.entry() == entry
    assert post(gateway)["x-claviger-refusal"] == "credential_rejected" and credential.entry() == entry
    guarded.token = credential.old
    assert post(gateway).status == 200
    eventually(lambda: "rejected" not in credential.entry())
    guarded.token = "another"
    gateway.process.end()
    gateway.start()
    post(gateway)
    assert credential.entry()["rejected"]
    credential.deposit(credential.new)
    assert "rejected" not in credential.entry()


def test_a_state_of_before_is_brought_to_the_present_form(gateway, guarded):
    credential = Credential(gateway, guarded)
    gateway.process.end()
    with sqlite3.connect(gateway.directory / "state/state.db") as database:
        database.execute("ALTER TABLE reference DROP COLUMN rejected_at")
        database.execute("DELETE FROM grdb_migrations WHERE identifier = 'rejected credentials'")
    database.close()
    gateway.start()
    assert credential.entry()["user"] == ALICE and "rejected" not in credential.entry()
    assert post(gateway).status == 200


def test_the_end_waits_until_the_record_of_a_rejection_is_mended(gateway, guarded):
    """The answer has gone to the agent while the record still waits for the database: a daemon that is ended then writes it first."""
    credential = Credential(gateway, guarded)
    guarded.token = "another"
    assert post(gateway, rpc())["x-claviger-refusal"] == "credential_rejected" and credential.entry()["rejected"]
    guarded.token = credential.old
    with contextlib.closing(sqlite3.connect(gateway.directory / "state/state.db", isolation_level=None, check_same_thread=False)) as database:
        database.execute("BEGIN IMMEDIATE")
        assert post(gateway, rpc()).status == 200
        release = threading.Timer(1.0, database.execute, ["ROLLBACK"])
        release.start()
        gateway.process.end()
        release.join()
        assert database.execute("SELECT count(*) FROM reference WHERE rejected_at IS NOT NULL").fetchone() == (0,)


# The official SDK.


def test_a_session_of_the_official_sdk_goes_on_over_a_rotation(start, session):
    """Its server is the real one, behind a guard that looks at the token first."""
    def judge(seen, peer):
        if not guarded.takes(seen):
            return peer.send(UNAUTHORIZED)
        if seen.method == "GET":
            return peer.send(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")
        onward = http.client.HTTPConnection("127.0.0.1", session.port, timeout=10)
        kept = {name: value for name, value in seen.headers if name.lower() not in ("host", "content-length", "transfer-encoding", "connection")}
        onward.request(seen.method, "/mcp", seen.body, kept)
        answer = onward.getresponse()
        body = answer.read()
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders()
                        if name.lower() not in ("content-length", "transfer-encoding", "connection"))
        onward.close()
        peer.send(f"HTTP/1.1 {answer.status} {answer.reason}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode(), body)

    with Guarded() as guarded:
        guarded.answer = judge
        gateway = start(world({"crm": header(guarded.url)}))
        credential = Credential(gateway, guarded)
        with SessionClient(gateway.url("crm"), agent()) as connected:
            assert connected.call("whoami")["text"] == "Bearer " + credential.old
            credential.rotate()
            assert connected.call("whoami")["text"] == "Bearer " + credential.new
            assert connected.call("echo", text="on")["text"] == "on"
            guarded.token = "another"
            assert "error" in connected.call("echo", text="no")
            credential.deposit(guarded.token)
            assert connected.call("echo", text="again")["text"] == "again"
        assert replays(gateway) == 1
