"""Upstreams and moments that mean harm: whatever they do, the daemon lives, and nobody gets another's answer."""

import re
import signal
import time

import pytest
from canaries import canary
from gateway import ALICE, agent, header, world
from processes import eventually
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


@pytest.fixture
def hostile(start):
    """A gateway before a scripted upstream, once with a deposited credential (`keyed`) and once without auth (`raw`)."""
    with Upstream() as peer:
        servers = {"raw": {"url": peer.url, "auth": "none"}, "keyed": header(peer.url)}
        gateway = start(world(servers, gateway={"workers": 1, "timeouts": {"response": "2s", "drain": "3s"}}))
        gateway.deposit("keyed", ALICE, token=canary("hostile"))
        gateway.upstream = peer
        yield gateway


def chunked(size, whole=True):
    """A chunked body of pieces, ended or not."""
    pieces = b"".join(b"1000\r\n" + b"y" * 4096 + b"\r\n" for _ in range(size // 4096))
    return pieces + (b"0\r\n\r\n" if whole else b"")


ANSWERS = {
    "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "nonsense": b"no HTTP at all\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("size", [61_440, 143_360, 245_760])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "unfinished"])
def test_a_refusal_after_a_large_chunked_body_does_not_look_for_a_head_that_has_gone(hostile, answer, size, whole):
    gateway = hostile
    gateway.upstream.reads_body = whole
    gateway.upstream.answer = lambda seen, peer: peer.send(ANSWERS[answer])
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/keyed", agent() | JSON | {"Transfer-Encoding": "chunked"}), chunked(size, whole))
        assert wire.answer().status in (200, 403, 502)
    gateway.upstream.reads_body, gateway.upstream.answer = True, lambda seen, peer: peer.send(OK)
    assert ask(gateway.port, "POST", "/mcp/keyed", agent() | JSON, rpc()).status == 200


@pytest.mark.parametrize("packets", [1, 2])
def test_a_second_answer_nobody_asked_for_never_reaches_the_next_request(hostile, packets):
    """The connection it comes on is shared by all users. (One that comes after the next request was sent is that request's answer for
    every party of HTTP/1.1: so the requests here stand a little apart.)"""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"

    def answer(seen, peer):
        if packets == 1:
            peer.send(OK, evil)
        else:
            peer.send(OK)
            peer.send(evil)

    hostile.upstream.answer = answer
    with Wire(hostile.port) as wire:
        for _ in range(40):
            wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert wire.answer().body == b"{}"
            time.sleep(0.01)
    assert hostile.upstream.connections == 40


def test_interim_answers_without_end_are_refused_and_hold_nobody_up(hostile):
    def answer(seen, peer):
        if seen.target != "/mcp" or seen["x-flood"] is None:
            return peer.send(OK)
        for _ in range(100_000):
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")

    hostile.upstream.answer = answer
    with Wire(hostile.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent(x_flood="1") | JSON, rpc()))
        assert ask(hostile.port, "POST", "/mcp/raw", agent() | JSON, rpc()).status == 200
        while b"502 Bad Gateway" not in wire.buffer:
            assert wire.fill()
        assert wire.buffer.count(b"103 Early Hints") <= 16


def test_a_broken_answer_is_refused_in_words_also_after_an_invitation(hostile):
    """What the gateway itself said before, 100 Continue, is no part of the answer."""
    broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
    hostile.upstream.answer = lambda seen, peer: peer.send(broken)
    with Wire(hostile.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON | {"Expect": "100-continue", "Content-Length": "2"}))
        assert wire.head().status == 100
        wire.send(b"{}")
        answer = wire.answer()
        assert (answer.status, answer["x-claviger-refusal"]) == (502, "upstream_invalid")


def test_who_waits_in_the_backlog_when_the_end_comes_is_answered(hostile):
    hostile.process._child.send_signal(signal.SIGSTOP)
    wires = [Wire(hostile.port) for _ in range(5)]
    for wire in wires:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
    hostile.process._child.send_signal(signal.SIGTERM)
    hostile.process._child.send_signal(signal.SIGCONT)
    for wire in wires:
        assert wire.answer().status == 200
        wire.close()


def drained_stream(hostile, *after):
    """What a client has of an event stream that begins with `data: 1`, an event's end and `after[0]`; the rest comes when the time to drain is over."""
    def answer(seen, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", after[0])
        for more in after[1:]:
            assert peer.wait_closed(3.3) is None
            peer.send(more)
        peer.wait_closed(20)

    hostile.upstream.answer = answer
    with Wire(hostile.port) as wire:
        wire.send(request("GET", "/mcp/raw", agent()))
        wire.until(b"data: 1\n\n" + after[0])
        hostile.process.end(seconds=10)
        while wire.fill():
            pass
        assert "ending=cut" in hostile.log()
        return wire.buffer


def test_a_stream_ends_between_two_events_when_the_time_to_drain_is_over(hostile):
    assert drained_stream(hostile, b"").endswith(b"\r\n0\r\n\r\n")


def test_an_event_that_is_under_way_then_comes_to_its_end_and_no_other_begins(hostile):
    body = drained_stream(hostile, b"data:", b" 2\n\ndata: 3")
    assert body.endswith(b"4\r\n 2\n\n\r\n0\r\n\r\n"), body


def test_a_stream_that_stays_within_an_event_is_cut_off_without_an_end(hostile):
    assert not drained_stream(hostile, b"data: 2").endswith(b"0\r\n\r\n")


def test_a_head_that_cannot_be_read_is_nobody_elses(start):
    """Behind a proxy that keeps its connections: neither the last client's address nor the time in between is written of it."""
    with Upstream() as peer:
        config = world({"raw": {"url": peer.url, "auth": "none"}}, gateway={"trusted_proxies": ["127.0.0.1/32"]}, log={"access": True})
        gateway = start(config)
        with Wire(gateway.port) as wire:
            wire.send(request("POST", "/mcp/raw", agent() | JSON | {"X-Forwarded-For": "198.51.100.77"}, rpc()))
            assert wire.answer().status == 200
            time.sleep(0.5)
            wire.send(b"GET /\x00 HTTP/1.1\r\n\r\n")
            assert wire.answer().status == 400
        line = eventually(lambda: next((line for line in gateway.log().splitlines() if "status=400" in line), None))
        assert "client=127.0.0.1 " in line
        assert float(re.search(r"total_ms=([\d.]+)", line)[1]) < 400
