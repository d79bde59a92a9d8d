"""Connections: kept, pooled, replaced when that is safe, limited, and ended by their timers."""

import time

import pytest
from gateway import ALICE, BOB, agent, world
from processes import eventually
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


@pytest.fixture
def scripted(start):
    """Starts a gateway with one worker before a scripted upstream; `gateway.upstream` is it."""
    made = []

    def begin(answer=None, server=None, navigator=None, **gateway):
        upstream = Upstream(answer)
        made.append(upstream)
        servers = {"raw": {"url": upstream.url, "auth": "none"} | (server or {})}
        running = start(world(servers, navigator=navigator, gateway={"workers": 1} | gateway))
        running.upstream = upstream
        return running

    yield begin
    for upstream in made:
        upstream.close()


def get(wire, method="GET", body=None):
    wire.send(request(method, "/mcp/raw", agent() | JSON, body))
    return wire.answer()


def test_one_upstream_connection_serves_one_client_after_another(scripted):
    gateway = scripted()
    for _ in range(3):
        with Wire(gateway.port) as wire:
            for _ in range(5):
                assert get(wire).status == 200
    assert gateway.upstream.connections == 1


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_body_that_comes_behind_its_head_leaves_both_connections_usable(scripted, size):
    def answer(seen, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        time.sleep(0.02)
        peer.send(b"x" * size)

    gateway = scripted(answer)
    with Wire(gateway.port) as wire:
        for _ in range(5):
            wire.send(request("POST", "/mcp/raw", agent(), b"y" * size))
            assert wire.answer().body == b"x" * size
    assert gateway.upstream.connections == 1


def test_a_client_that_wants_to_close_gets_its_wish(scripted):
    gateway = scripted()
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/raw", agent() | {"Connection": "close"}))
        answer = wire.answer()
        assert answer.status == 200 and answer["connection"].lower() == "close" and wire.is_closed()
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/raw", agent(), version="HTTP/1.0"))
        assert wire.answer().status == 200 and wire.is_closed()


def closing_second(ends):
    """Answers the first request of each connection; ends the connection at the second. `ends` gets the second requests."""
    served = set()

    def answer(seen, peer):
        if seen.connection in served:
            ends.append(seen)
            peer.close()
        else:
            served.add(seen.connection)
            peer.send(OK)

    return answer


def test_a_get_is_sent_again_when_its_pooled_connection_died(scripted):
    ends = []
    gateway = scripted(closing_second(ends))
    with Wire(gateway.port) as wire:
        assert get(wire).status == 200
        assert get(wire).status == 200
    assert len(ends) == 1 and gateway.upstream.connections == 2


def test_a_post_that_may_have_run_is_never_sent_again(scripted):
    ends = []
    gateway = scripted(closing_second(ends))
    with Wire(gateway.port) as wire:
        assert get(wire).status == 200
        refused = get(wire, "POST", rpc())
    assert refused.status == 502 and len(ends) == 1
    assert sum(seen.method == "POST" for seen in gateway.upstream.requests) == 1


def test_a_post_goes_over_a_new_connection_when_the_pooled_one_was_closed_before(scripted):
    def answer(seen, peer):
        peer.send(OK)
        peer.close()

    gateway = scripted(answer)
    with Wire(gateway.port) as wire:
        for _ in range(5):
            assert get(wire, "POST", rpc()).status == 200
            time.sleep(0.05)
    assert gateway.upstream.connections == 5


def test_an_upstream_that_says_close_is_not_used_again(scripted):
    gateway = scripted(lambda seen, peer: peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
    with Wire(gateway.port) as wire:
        assert get(wire).status == 200
        assert get(wire).status == 200
    assert gateway.upstream.connections == 2


def test_bytes_behind_an_answer_are_never_the_next_ones(scripted):
    """A connection that answers too much is not pooled: its surplus must not become another user's answer."""
    gateway = scripted(lambda seen, peer: peer.send(OK + OK.replace(b"{}", b"!!")))
    with Wire(gateway.port) as wire:
        for user in (ALICE, BOB, ALICE):
            wire.send(request("GET", "/mcp/raw", agent(user)))
            assert wire.answer().body == b"{}"
            time.sleep(0.05)


def test_an_early_answer_does_not_leave_a_body_to_be_parsed(scripted):
    gateway = scripted()
    smuggled = request("GET", "/mcp/raw", agent())
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", {"x-api-key": "ck_no.no", "Content-Length": str(len(smuggled))}), smuggled, request("GET", "/mcp/raw", agent(BOB)))
        assert wire.answer().status == 401
        if not wire.is_closed(0.5):
            assert wire.answer().status == 200
    assert len(gateway.upstream.requests) <= 1


# --- limits


def test_connections_beyond_the_limit_are_turned_away(scripted):
    gateway = scripted(limits={"connections": 4})
    held = [Wire(gateway.port) for _ in range(4)]
    for wire in held:
        assert get(wire).status == 200
    with Wire(gateway.port, timeout=3) as extra:
        answer = get(extra)
        assert (answer.status, answer["x-claviger-refusal"]) == (503, "overloaded") and int(answer["retry-after"]) >= 1
        assert extra.is_closed()
    held.pop().close()
    eventually(lambda: answers(gateway))
    for wire in held:
        wire.close()


def answers(gateway):
    try:
        return ask(gateway.port, "GET", "/mcp/raw", agent()).status == 200
    except (OSError, AssertionError):
        return False


def test_connections_of_an_address_are_limited(scripted):
    gateway = scripted(limits={"per_address": 3})
    held = [Wire(gateway.port) for _ in range(3)]
    for wire in held:
        assert get(wire).status == 200
    assert not answers(gateway)
    for wire in held:
        wire.close()
    eventually(lambda: answers(gateway))


def test_requests_of_a_key_are_limited(scripted):
    gateway = scripted(limits={"per_key": "5/s"})
    with Wire(gateway.port) as wire:
        got = [get(wire) for _ in range(12)]
    limited = [answer for answer in got if answer.status == 429]
    assert limited and got[0].status == 200 and all(answer["retry-after"] for answer in limited)
    assert {answer["x-claviger-refusal"] for answer in limited} == {"rate_limited"}


def test_streams_of_a_user_are_limited(scripted):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    def answer(seen, peer):
        peer.send(head)
        peer.wait_closed()

    gateway = scripted(answer, limits={"streams_per_user": 2})
    held = []
    for _ in range(2):
        wire = Wire(gateway.port)
        wire.send(request("GET", "/mcp/raw", agent()))
        assert wire.head().status == 200
        held.append(wire)
    refused = ask(gateway.port, "GET", "/mcp/raw", agent())
    assert (refused.status, refused["x-claviger-refusal"]) == (429, "rate_limited") and refused["retry-after"]
    with Wire(gateway.port) as other:
        other.send(request("GET", "/mcp/raw", agent(BOB)))
        assert other.head().status == 200
    held.pop().close()

    def again():
        with Wire(gateway.port) as wire:
            wire.send(request("GET", "/mcp/raw", agent()))
            return wire.head().status == 200

    eventually(again)
    for wire in held:
        wire.close()


@pytest.mark.parametrize(
    "limits, sent, status",
    [
        ({"line": "1KiB"}, request("GET", "/mcp/raw?" + "a" * 2000, agent()), 414),
        ({"line": "1KiB", "head": "2KiB"}, request("GET", "/mcp/raw", agent() | {"A": "b" * 3000}), 431),
        ({"headers": 10}, request("GET", "/mcp/raw", agent() | {f"A{number}": "b" for number in range(12)}), 431),
        ({"body": "1KiB"}, request("POST", "/mcp/raw", agent(), b"x" * 2000), 413),
    ])
def test_sizes_are_configured(scripted, limits, sent, status):
    gateway = scripted(limits=limits)
    with Wire(gateway.port) as wire:
        wire.send(sent)
        assert wire.answer().status == status
    assert not gateway.upstream.requests


# --- timers


def test_an_idle_connection_is_closed(scripted):
    gateway = scripted(timeouts={"idle": "1s"})
    with Wire(gateway.port) as wire:
        assert get(wire).status == 200
        began = time.monotonic()
        assert wire.is_closed()
        assert 0.8 < time.monotonic() - began < 3


def test_a_fresh_connection_that_says_nothing_is_closed(scripted):
    gateway = scripted(timeouts={"idle": "1s", "head": "1s"})
    with Wire(gateway.port) as wire:
        wire.fill()
        assert wire.buffer == b"" or b" 408 " in wire.buffer


def test_a_dripping_head_does_not_live_longer(scripted):
    gateway = scripted(timeouts={"head": "1s"})
    with Wire(gateway.port) as wire:
        began = time.monotonic()
        wire.send(b"GET /mcp/raw HTTP/1.1\r\nHost: gateway\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - began < 5:
                wire.send(b"A: b\r\n")
                time.sleep(0.1)
        assert time.monotonic() - began < 3


def test_a_body_without_progress_is_ended(scripted):
    gateway = scripted(timeouts={"body": "1s"})
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": "100"}), b"half")
        answer = wire.answer()
        assert answer.status == 408 and wire.is_closed()
    assert len(gateway.upstream.requests) == 0


def test_a_body_with_progress_lives(scripted):
    gateway = scripted(timeouts={"body": "1s"})
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": "5"}))
        for byte in b"hello":
            time.sleep(0.4)
            wire.send(bytes([byte]))
        assert wire.answer().status == 200


def test_an_upstream_that_cannot_be_reached_in_time_is_a_refusal(scripted):
    """192.0.2.1 would need the network; a listener whose queue is full drops connections just as well."""
    import socket

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        gateway = scripted(server={"url": f"http://127.0.0.1:{full.getsockname()[1]}/mcp"}, timeouts={"connect": "1s"})
        began = time.monotonic()
        answer = ask(gateway.port, "GET", "/mcp/raw", agent())
        assert answer.status in (502, 504) and 0.8 < time.monotonic() - began < 4
        assert answer["x-claviger-refusal"] in ("upstream_unreachable", "upstream_timeout")
        for filler in fillers:
            filler.close()


def test_a_stream_idle_on_both_sides_ends(scripted):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    closed = []

    def answer(seen, peer):
        peer.send(head, b"9\r\ndata: 1\n\n\r\n")
        closed.append(peer.wait_closed())

    gateway = scripted(answer, timeouts={"stream_idle": "1s"})
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/raw", agent()))
        answer = wire.answer("GET")
        assert b"data: 1" in answer.body and not answer.complete
    eventually(lambda: closed)


def test_events_leave_as_they_arrive(scripted):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    def answer(seen, peer):
        peer.send(head)
        for _ in range(5):
            time.sleep(0.1)
            text = b"data: %.6f\n\n" % time.monotonic()
            peer.send(b"%x\r\n%s\r\n" % (len(text), text))
        peer.send(b"0\r\n\r\n")

    gateway = scripted(answer)
    with Wire(gateway.port) as wire:
        began = time.monotonic()
        wire.send(request("GET", "/mcp/raw", agent()))
        wire.head()
        assert time.monotonic() - began < 0.09, "the head waited for the first event"
        delays = []
        for _ in range(5):
            sent = float(wire.until(b"\n\n").split(b"data: ")[1])
            delays.append(time.monotonic() - sent)
    assert sorted(delays)[2] < 0.02 and max(delays) < 0.08, delays
