"""The cache while the store fails underneath: nobody is refused while what he used is usable, and nothing outlives its bound or its deletion."""

import contextlib
import json
import time

import pytest
from canaries import canary
from gateway import ALICE, BOB, agent, header, world
from processes import eventually
from upstream import Upstream
from wire import JSON, ask, rpc

STALE = 4


def telling(seen, peer):
    body = (seen["authorization"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.fixture
def cached(start):
    """A gateway whose credentials are fresh for a second, and usable four more."""
    with Upstream(telling) as upstream:
        yield start(world({"crm": header(upstream.url)}, gateway={"workers": 2}, cache={"ttl": "1s", "stale_if_error": f"{STALE}s"}))


def call(gateway, user=ALICE):
    return ask(gateway.port, "POST", "/mcp/crm", agent(user) | JSON, rpc())


def calls(gateway, seconds):
    """What is answered in so many seconds."""
    end, answers = time.monotonic() + seconds, []
    while time.monotonic() < end:
        answers.append(call(gateway))
        time.sleep(0.02)
    return answers


@contextlib.contextmanager
def failing(gateway):
    """Every sealed file is a directory: reading it fails."""
    secrets = gateway.directory / "state" / "secrets"
    files = [file for file in secrets.iterdir() if file.is_file()]
    assert files
    for file in files:
        file.rename(gateway.directory / file.name)
        file.mkdir()
    yield
    for file in files:
        file.rmdir()
        (gateway.directory / file.name).rename(file)


def figures(gateway):
    return json.loads(gateway.command("status", "--json").stdout)["cache"]


def test_a_store_that_fails_costs_nobody_a_request_and_recovers_by_itself(cached):
    old, new = canary("old"), canary("new")
    cached.deposit("crm", ALICE, token=old)
    cached.deposit("crm", BOB, token=canary("never-used"))
    assert call(cached).status == 200
    with failing(cached):
        assert {answer.body for answer in calls(cached, 3)} == {b"Bearer " + old.encode()}
        refused = call(cached, BOB)
        assert refused.status == 503 and refused["x-claviger-refusal"] == "store_unavailable" and refused["retry-after"]
        seen = figures(cached)
        assert seen["stale"] > 0 and 0 < seen["failed_refreshes"] < 20
    assert {answer.body for answer in calls(cached, 2)} == {b"Bearer " + old.encode()}
    assert call(cached, BOB).status == 200
    cached.deposit("crm", ALICE, token=new)
    assert call(cached).body == b"Bearer " + new.encode()


def test_what_is_past_its_time_is_served_to_its_bound_and_not_beyond(cached):
    cached.deposit("crm", ALICE, token=canary("bounded"))
    assert call(cached).status == 200
    began = time.monotonic()
    with failing(cached):
        assert {answer.status for answer in calls(cached, 3)} == {200}
        time.sleep(max(0, began + 1 + STALE + 0.5 - time.monotonic()))
        assert call(cached)["x-claviger-refusal"] == "store_unavailable"
    # That it could not be had is remembered for a second.
    eventually(lambda: call(cached).status == 200, 3)


def test_a_deletion_seen_in_the_store_ends_what_was_served(cached):
    cached.deposit("crm", ALICE, token=canary("removed"))
    assert call(cached).status == 200
    for file in (cached.directory / "state" / "secrets").iterdir():
        file.unlink()
    time.sleep(1.1)
    assert call(cached)["x-claviger-refusal"] == "credential_missing"


def test_what_is_in_use_is_read_again_ahead_of_its_end(start):
    with Upstream(telling) as upstream:
        gateway = start(world({"crm": header(upstream.url)}, gateway={"workers": 1}, cache={"ttl": "8s", "refresh_ahead": "4s"}))
        gateway.deposit("crm", ALICE, token=canary("ahead"))
        assert {answer.status for answer in calls(gateway, 10)} == {200}
        seen = figures(gateway)
        assert seen["refreshes"] >= 1 and seen["misses"] == 1 and seen["stale"] == 0
