"""More than there is room for: rates of addresses, the last descriptors, and more work than a worker can do."""

import os
import re
import subprocess
import threading
import time

import pytest
from gateway import KEY, agent, world
from processes import ROOT, Process, accepts, eventually, free_port
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


def figure(gateway, name):
    """A metric's value, or nothing where it is not there."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", ask(gateway.admin, "GET", "/metrics").body.decode(), re.M)
    return float(found[1]) if found else None


def call(gateway, **fields):
    return ask(gateway.port, "POST", "/mcp/echo", agent() | JSON | fields, rpc())


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as running:
        yield running


def test_an_address_that_asks_too_often_waits_and_another_does_not(start, upstream):
    config = world({"echo": {"url": upstream.url, "auth": "none"}}, gateway={"limits": {"per_address": "5/m"}, "trusted_proxies": ["127.0.0.1"]})
    gateway = start(config)
    answers = [call(gateway) for _ in range(7)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 2
    assert answers[5]["x-claviger-refusal"] == "rate_limited" and 1 <= int(answers[5]["retry-after"]) <= 12
    # Whom a proxy speaks for counts for himself, by the network that he has.
    assert [call(gateway, **{"X-Forwarded-For": "203.0.113.9"}).status for _ in range(6)] == [200] * 5 + [429]
    assert [call(gateway, **{"X-Forwarded-For": f"2001:db8:1:2::{each}"}).status for each in range(1, 7)] == [200] * 5 + [429]
    assert call(gateway, **{"X-Forwarded-For": "203.0.113.10"}).status == 200
    # Who shows no good key learns that, and nothing of rates; the administration has none.
    assert ask(gateway.port, "POST", "/mcp/echo", JSON, rpc()).status == 401
    assert all(ask(gateway.admin, "GET", "/healthz").status == 200 for _ in range(10))


def test_what_is_refused_counts_too_and_is_told_why_it_is(start, upstream):
    gateway = start(world({"echo": {"url": upstream.url, "auth": "none"}}, gateway={"limits": {"per_address": "5/m"}}))
    strangers = [ask(gateway.port, "POST", path, headers | JSON, rpc()) for path, headers in
                 [("/mcp/echo", {}), ("/mcp/echo", {"x-api-key": "ck_no.no"}), ("/elsewhere", {}), ("/mcp/none", agent()), ("/mcp/echo", agent("nobody"))]]
    assert [answer.status for answer in strangers] == [401, 401, 404, 404, 400]
    assert call(gateway).status == 429
    assert ask(gateway.port, "POST", "/mcp/echo", JSON, rpc()).status == 401


def test_near_the_last_descriptor_new_connections_wait_and_nobody_who_is_in_loses_his(start, upstream):
    config = world({"echo": {"url": upstream.url, "auth": "none"}}, gateway={"workers": 1, "limits": {"connections": 5000}})
    gateway = start(config, inside=("prlimit", "--nofile=160"))
    wires = [Wire(gateway.port) for _ in range(200)]
    try:
        for wire in wires:
            wire.send(request("POST", "/mcp/echo", agent() | JSON, rpc()))
        eventually(lambda: figure(gateway, "claviger_accept_paused") == 1)
        open_now = figure(gateway, "claviger_downstream_connections_open")
        assert 20 < open_now < 136 and figure(gateway, 'claviger_accept_pauses_total{reason="descriptors"}') >= 1
        assert ask(gateway.admin, "GET", "/readyz").status == 200 and gateway.command("status").returncode == 0
        assert gateway.log().count("new connections wait: of 160 descriptors") == 1
        done = 0
        while wires:
            wire = wires.pop(0)
            # In their order: each who leaves makes room for the next.
            assert wire.answer().status == 200, done
            wire.close()
            done += 1
        assert done == 200
        eventually(lambda: figure(gateway, "claviger_accept_paused") == 0)
        assert call(gateway).status == 200
    finally:
        for wire in wires:
            wire.close()


def test_the_last_descriptors_are_the_processes_own(start):
    """Without one the runtime's own threads cannot be looked after, which ends the process."""
    released = threading.Event()
    with Upstream(lambda seen, peer: (released.wait(10), peer.send(OK))) as slow:
        config = world({"echo": {"url": slow.url, "auth": "none"}}, gateway={"workers": 1, "limits": {"connections": 5000}})
        gateway = start(config, inside=("prlimit", "--nofile=160"))
        wires = [Wire(gateway.port) for _ in range(150)]
        try:
            for wire in wires:
                wire.send(request("POST", "/mcp/echo", agent() | JSON, rpc()))
            eventually(lambda: figure(gateway, "claviger_accept_paused") == 1)
            for _ in range(50):
                taken = {int(number) for number in os.listdir(f"/proc/{gateway.process.pid}/fd")}
                # What the administration takes for the look above may still be there.
                assert len([number for number in taken if number >= 152]) < 4, taken
                time.sleep(0.01)
            assert gateway.command("status").returncode == 0
        finally:
            released.set()
            for wire in wires:
                wire.close()
        assert gateway.process.is_running


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """The measurements' own upstream and load: fast enough to be waited for by nobody."""
    home = tmp_path_factory.mktemp("peers")
    for name in ("upstream", "load"):
        subprocess.run(["gcc", "-O2", "-o", home / name, ROOT / f"bench/peer/{name}.c"], check=True)
    port = free_port()
    with Process([home / "upstream", port], home / "log") as running:
        eventually(lambda: accepts(port))
        yield home / "load", port
        assert running.is_running


@pytest.mark.skipif("CLAVIGER_OVERLOAD" not in os.environ, reason="how many clients are too many depends on the machine: make soak tries it")
def test_a_worker_with_more_than_it_can_do_lets_new_ones_wait_and_answers_the_old(start, peers):
    load, port = peers
    gateway = start(world({"bench": {"url": f"http://127.0.0.1:{port}/mcp", "auth": "none"}}, gateway={"workers": 1}, log={"access": False}))
    arguments = [load, "post", str(gateway.port), "/mcp/bench", KEY.text, os.environ["CLAVIGER_OVERLOAD"], "8", "32", "250"]
    many = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    late = []

    def paused():
        late.append(Wire(gateway.port, timeout=20))
        late[-1].send(request("POST", "/mcp/bench", agent() | JSON, rpc()))
        return figure(gateway, 'claviger_accept_pauses_total{reason="strain"}') >= 1

    try:
        eventually(paused, 6, every=0.1)
        assert eventually(lambda: "new connections wait: worker 0" in gateway.log(), 6)
        # Those who come now are let in all the same, though not at once.
        for wire in late:
            assert wire.answer().status in (200, 503)
            wire.close()
        assert ask(gateway.admin, "GET", "/healthz").status == 200
        shown, wrong = many.communicate(timeout=30)
    finally:
        many.kill()
        many.wait()
    # Whoever was in had his answers, every one of them 200.
    assert many.returncode == 0, wrong
    eventually(lambda: figure(gateway, "claviger_accept_paused") == 0)
    began = time.monotonic()
    assert ask(gateway.port, "POST", "/mcp/bench", agent() | JSON, rpc()).status == 200 and time.monotonic() - began < 5
