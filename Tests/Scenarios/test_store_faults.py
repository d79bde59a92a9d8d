"""Parameter Store fails in every way: what is cached goes on serving, what is not is refused in words, and recovery needs no restart."""

import concurrent.futures
import os
import threading
import time

import pytest
from authority import Authority
from canaries import canary
from conftest import next_directory
from fault_relay import Faults, FaultRelay, partial_batches
from gateway import ALICE, BOB, agent, header, world
from parameter_store import AWS, reference
from processes import eventually
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

CACHE = {"ttl": "2s", "refresh_ahead": "1s", "stale_if_error": "5m", "negative_ttl": "1s"}
EVERY = [fault.__func__ for name, fault in vars(Faults).items() if not name.startswith("_")]


def telling(seen, peer):
    """Answers with the Authorization it saw."""
    body = (seen["authorization"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


class Scene:
    """A gateway, its server, and the store behind a relay; everything under a prefix of its own."""

    made = 0

    def __init__(self, aws, start, relay, upstream, *, host="127.0.0.1", cache=None, store=None, environment=None, **options):
        Scene.made += 1
        self.aws, self.relay, self.prefix = aws, relay, f"/faults{Scene.made}"
        self.expected = {}
        config = world({"crm": header(upstream.url)}, gateway={"workers": 2}, cache=CACHE | (cache or {}),
                       secrets=aws.store(**({"endpoint": relay.endpoint.replace("127.0.0.1", host), "prefix": self.prefix} | (store or {}))))
        self.prepare = lambda: start(config, environment=aws.environment() | (environment or {}), **options)
        self.failures, self.answered = [], 0

    def begin(self):
        self.gateway = self.prepare()
        return self

    def put(self, user, label="fault"):
        value = canary(label)
        self.aws.put(reference("crm", user, prefix=self.prefix), token=value)
        self.expected[user] = value
        return value

    def ask(self, user):
        return ask(self.gateway.port, "POST", "/mcp/crm", agent(user) | JSON, rpc())

    def has(self, user):
        return self.ask(user).body == b"Bearer " + self.expected[user].encode()

    def refused(self, user):
        """Asserts that there is an honest refusal, and gives what it says of when to come back."""
        before = time.monotonic()
        answer = self.ask(user)
        assert (answer.status, answer["x-claviger-refusal"]) == (503, "store_unavailable"), answer
        assert 1 <= int(answer["retry-after"]) <= 60
        assert time.monotonic() - before < 12
        return int(answer["retry-after"])

    def serve(self, user, seconds, *values):
        """Asks for that long over one connection; every answer is one of `values`."""
        good = {b"Bearer " + value.encode() for value in values or [self.expected[user]]}
        end = time.monotonic() + seconds
        with Wire(self.gateway.port) as wire:
            while time.monotonic() < end:
                wire.send(request("POST", "/mcp/crm", agent(user) | JSON, rpc()))
                answer = wire.answer()
                self.answered += 1
                if answer.status != 200 or answer.body not in good:
                    self.failures.append(answer)
                time.sleep(0.01)
        assert not self.failures, f"{len(self.failures)} of {self.answered}: {self.failures[:3]}"


@pytest.fixture(scope="module")
def aws(runs):
    with AWS(next_directory(runs)) as running:
        yield running


@pytest.fixture
def scene(aws, start):
    """Scenes with a relay each, made of what differs."""
    opened = []

    def make(context=None, **more):
        upstream, relay = Upstream(telling), FaultRelay(aws.port, context)
        opened.extend([upstream, relay])
        return Scene(aws, start, relay, upstream, **more)

    yield make
    for each in opened:
        each.__exit__(None, None, None)


def through(scene, fault, heal, seconds=6):
    """The whole course of an outage: `fault()` begins it, `heal()` ends it, so many seconds later."""
    scene.put(ALICE)
    scene.put(BOB)
    scene.begin()
    assert scene.has(ALICE)
    fault()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        served = pool.submit(scene.serve, ALICE, seconds)
        time.sleep(seconds - 6)
        scene.refused(BOB)
        served.result()
    old = scene.expected[ALICE]
    new = scene.put(ALICE, "rotated")
    heal()
    eventually(lambda: scene.has(BOB), 20)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        served = pool.submit(scene.serve, ALICE, 5, old, new)
        eventually(lambda: scene.has(ALICE), 20)
        served.result()
    scene.serve(ALICE, 1)


@pytest.mark.parametrize("faults", [EVERY[first::4] for first in range(4)], ids=lambda faults: " ".join(each.__name__ for each in faults))
def test_what_is_cached_serves_through_it(scene, faults):
    """Each with a scene of its own, side by side: they mostly wait."""
    def course(scene, fault):
        def begin():
            scene.relay.fault = fault

        def heal():
            scene.relay.fault = None
            scene.relay.close_connections()

        through(scene, begin, heal)
        text = ask(scene.gateway.admin, "GET", "/metrics").body.decode()
        assert 'claviger_cache_lookups_total{result="stale"}' in text

    scenes = [scene() for _ in faults]
    with concurrent.futures.ThreadPoolExecutor(len(faults)) as pool:
        under_way = {fault.__name__: pool.submit(course, own, fault) for own, fault in zip(scenes, faults)}
    for name, each in under_way.items():
        assert each.exception() is None, f"{name}: {each.exception()!r}"


def test_nobody_listens_for_a_while(scene):
    scene = scene()
    through(scene, scene.relay.leave, scene.relay.come_back)


def test_an_untrusted_certificate_for_a_while(scene, tmp_path):
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    good, bad = ours.server("127.0.0.1"), theirs.server("127.0.0.1")
    scene = scene(context=good, environment={"AWS_CA_BUNDLE": str(ours.file)})

    def change(context):
        scene.relay.context = context
        scene.relay.close_connections()

    through(scene, lambda: change(bad), lambda: change(good))
    assert "certificate" in scene.gateway.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="a hosts file of its own needs root")
def test_the_name_does_not_resolve_for_a_while(scene, tmp_path):
    hosts, switch = tmp_path / "hosts", tmp_path / "nsswitch.conf"
    switch.write_text("hosts: files\n")
    known = "127.0.0.1 localhost store.test\n"
    hosts.write_text(known)
    mounts = f"mount --bind {hosts} /etc/hosts && mount --bind {switch} /etc/nsswitch.conf && exec \"$@\""
    ours = Authority(tmp_path, "ours")
    scene = scene(context=ours.server("store.test"), host="store.test", environment={"AWS_CA_BUNDLE": str(ours.file)},
                  inside=["unshare", "--mount", "sh", "-c", mounts, "sh"])

    def one_answer_each(relay, connection, message):
        connection.sendall(relay.forward(message))

    # A connection that is kept needs no name.
    scene.relay.fault = one_answer_each

    def forget():
        hosts.write_text("127.0.0.1 localhost\n")
        scene.relay.close_connections()

    # Longer than libcurl remembers a name: ten seconds.
    through(scene, forget, lambda: hosts.write_text(known), seconds=18)


def test_a_name_left_out_of_an_answer_is_not_taken_for_deleted(scene):
    scene = scene()
    scene.put(ALICE)
    scene.put(BOB)
    scene.begin()
    assert scene.has(ALICE)
    scene.relay.fault = partial_batches({reference("crm", ALICE, prefix=scene.prefix)})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        both = pool.submit(scene.has, BOB)
        scene.serve(ALICE, 5)
        assert both.result()


def test_a_deletion_that_was_seen_ends_it_whatever_the_store_does_next(scene):
    scene = scene()
    scene.put(ALICE)
    scene.begin()
    assert scene.has(ALICE)
    scene.aws.delete(reference("crm", ALICE, prefix=scene.prefix))
    eventually(lambda: scene.ask(ALICE)["x-claviger-refusal"] == "credential_missing", 10)
    scene.relay.fault = Faults.internal_errors
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert scene.ask(ALICE)["x-claviger-refusal"] in ("credential_missing", "store_unavailable")


def test_a_rotation_underneath_is_served_within_the_ttl(scene):
    scene = scene()
    old = scene.put(ALICE)
    scene.begin()
    assert scene.has(ALICE)
    new = scene.put(ALICE)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        served = pool.submit(scene.serve, ALICE, 5, old, new)
        eventually(lambda: scene.has(ALICE), 5)
        assert time.monotonic() - began < 3.5
        served.result()
    scene.serve(ALICE, 1)


def test_an_old_value_is_not_served_for_ever(scene):
    scene = scene(cache={"ttl": "1s", "refresh_ahead": "0s", "stale_if_error": "3s"})
    scene.put(ALICE)
    scene.begin()
    assert scene.has(ALICE)
    scene.relay.fault = Faults.internal_errors
    scene.serve(ALICE, 2)
    eventually(lambda: scene.ask(ALICE).status == 503, 10)
    scene.refused(ALICE)
    scene.relay.fault = None
    eventually(lambda: scene.has(ALICE), 20)


def test_a_store_that_fails_at_the_start_does_not_keep_the_gateway_from_starting(scene):
    scene = scene()
    scene.put(ALICE)
    scene.relay.fault = Faults.bare_503
    scene.begin()
    scene.refused(ALICE)
    scene.relay.fault = None
    eventually(lambda: scene.has(ALICE), 20)


def test_an_outage_costs_each_request_nothing_and_the_store_little(scene):
    """Requests for what is cached do not wait for the store, and the store is not asked once for each of them."""
    scene = scene()
    scene.put(ALICE)
    scene.begin()
    assert scene.has(ALICE)
    scene.relay.fault = Faults.hang
    slowest, end = 0.0, time.monotonic() + 8
    with Wire(scene.gateway.port) as wire:
        while time.monotonic() < end:
            before = time.monotonic()
            wire.send(request("POST", "/mcp/crm", agent(ALICE) | JSON, rpc()))
            assert wire.answer().status == 200
            slowest = max(slowest, time.monotonic() - before)
    assert slowest < 1.0, slowest
    assert scene.relay.count < 30


def test_the_circuit_opens_is_seen_and_closes(scene):
    scene = scene()
    scene.put(ALICE)
    scene.put(BOB)
    scene.begin()
    assert scene.has(ALICE)

    def state():
        text = ask(scene.gateway.admin, "GET", "/metrics").body.decode()
        return [line.split()[-1] for line in text.splitlines() if line.startswith("claviger_store_circuit_state")]

    assert state() == ["0"]
    scene.relay.fault = Faults.internal_errors
    eventually(lambda: scene.ask(BOB).status == 503 and state() == ["2"], 30, every=0.2)
    before = scene.relay.count
    for _ in range(50):
        scene.refused(BOB)
    assert scene.relay.count - before < 10
    scene.relay.fault = None
    # Its next request is what finds out.
    eventually(lambda: scene.has(BOB) and state() == ["0"], 40, every=0.2)


def test_a_flood_of_strangers_holds_up_nobody_who_is_there(scene):
    """One who names thousands of addresses takes the budget of none who deposited something, nor of what is read ahead."""
    scene = scene(store={"reads": "6/s"}, cache={"ttl": "4s", "refresh_ahead": "2s", "stale_if_error": "0s"})
    scene.put(ALICE)
    scene.begin()
    for number in range(3):
        scene.expected[f"late{number}@acme.com"] = canary("late")
        scene.gateway.deposit("crm", f"late{number}@acme.com", token=scene.expected[f"late{number}@acme.com"])
    assert scene.has(ALICE)
    end = time.monotonic() + 12

    def name_strangers(part):
        number = 0
        while time.monotonic() < end:
            number += 1
            with Wire(scene.gateway.port) as wire:
                wire.send(request("POST", "/mcp/crm", agent(f"stranger{part}-{number}@acme.com") | JSON, rpc()))
                time.sleep(0.005)

    threads = [threading.Thread(target=name_strangers, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(3)
    for number in range(3):
        before = time.monotonic()
        assert scene.has(f"late{number}@acme.com")
        assert time.monotonic() - before < 3
    # Without a time of need, one whose entry is not read in time would be refused.
    scene.serve(ALICE, 5)
    for thread in threads:
        thread.join()


def test_users_whose_entries_end_together_stay_within_the_budget_and_none_fails(scene):
    users = [f"user{n}@acme.com" for n in range(600)]
    scene = scene(store={"reads": "10/s"}, cache={"ttl": "5s", "refresh_ahead": "2s"})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(scene.put, users))
    scene.begin()
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        first = list(pool.map(scene.ask, users))
    assert {answer.status for answer in first} == {200}
    scene.relay.log.clear()
    began = time.monotonic()

    def keep_asking(mine):
        with Wire(scene.gateway.port) as wire:
            while time.monotonic() < began + 12:
                for user in mine:
                    wire.send(request("POST", "/mcp/crm", agent(user) | JSON, rpc()))
                    answer = wire.answer()
                    if answer.status != 200 or answer.body != b"Bearer " + scene.expected[user].encode():
                        scene.failures.append((user, answer))

    threads = [threading.Thread(target=keep_asking, args=(users[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not scene.failures, scene.failures[:3]
    times = [at for at, *_ in scene.relay.log]
    busiest = max(sum(1 for at in times if begin <= at < begin + 1) for begin in times)
    # One more than the budget, for calls do not arrive exactly as they leave.
    assert busiest <= 11 and len(times) <= 10 * (times[-1] - times[0]) + 11, (busiest, len(times), times[-1] - times[0])
