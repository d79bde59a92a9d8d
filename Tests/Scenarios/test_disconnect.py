"""A side that goes closes the other at once; what breaks off upstream breaks off visibly downstream."""

import time

import pytest
from gateway import agent, world
from processes import eventually
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def scripted(daemons, encrypted):
    """A gateway before a scripted server: its answer is set by each scenario; `closed` is when a connection ended."""
    upstream = Upstream()
    with upstream, daemons(world({"raw": {"url": upstream.url, "auth": "none"}}), encrypted=encrypted) as gateway:
        gateway.upstream = upstream
        yield gateway


def leaving(scripted, answer, before_leaving):
    """Sends a call, runs `before_leaving(wire)`, closes, and gives how long the upstream waited for its end, in seconds."""
    closed = []

    def answering(seen, peer):
        answer(peer)
        closed.append(peer.wait_closed())

    scripted.upstream.answer = answering
    with Wire(scripted.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        before_leaving(wire)
    gone = time.monotonic()
    eventually(lambda: closed)
    assert closed[0] is not None, "the upstream's connection stayed open"
    return closed[0] - gone


def test_the_client_leaves_before_the_head(scripted):
    asked = len(scripted.upstream.requests)
    waited = leaving(scripted, lambda peer: None, lambda wire: eventually(lambda: len(scripted.upstream.requests) > asked))
    assert waited < 0.1
    # It had no answer, and that is no failure of the server's.
    counted = 'claviger_requests_total{project="acme",server="raw",status="none",refusal=""} '
    assert eventually(lambda: counted in ask(scripted.admin, "GET", "/metrics").body.decode())


def test_the_client_leaves_mid_body(scripted):
    def answer(peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)

    assert leaving(scripted, answer, lambda wire: (wire.head(), wire.exactly(100))) < 0.1


def test_the_client_leaves_an_idle_stream(scripted):
    def answer(peer):
        peer.send(HEAD, b"9\r\ndata: 1\n\n\r\n")

    def read_then_idle(wire):
        wire.head()
        assert b"data: 1" in wire.until(b"\n\n")
        time.sleep(0.3)

    assert leaving(scripted, answer, read_then_idle) < 0.1


def test_the_client_leaves_amid_its_own_body(scripted):
    closed = []

    def serve_half(seen, peer):
        closed.append(peer.wait_closed())

    scripted.upstream.answer, scripted.upstream.reads_body = serve_half, False
    try:
        asked = len(scripted.upstream.requests)
        with Wire(scripted.port) as wire:
            wire.send(request("POST", "/mcp/raw", agent() | {"Content-Type": "application/octet-stream", "Content-Length": "100000"}), b"x" * 5000)
            eventually(lambda: len(scripted.upstream.requests) > asked)
        gone = time.monotonic()
        eventually(lambda: closed)
        assert closed[0] is not None and closed[0] - gone < 0.1
    finally:
        scripted.upstream.reads_body = True


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        HEAD + b"5\r\nhalf\n\r\n",
        HEAD + b"50\r\nhalf",
    ], ids=["length", "between chunks", "in a chunk"])
def test_an_answer_that_breaks_off_breaks_off_visibly(scripted, part, ending):
    def answer(seen, peer):
        peer.send(part)
        time.sleep(0.1)
        getattr(peer, ending)()

    scripted.upstream.answer = answer
    with Wire(scripted.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        got = wire.answer()
        assert got.status == 200 and b"half" in got.body and not got.complete
        assert wire.is_closed()


def test_an_answer_that_ends_with_its_connection_ends_downstream(scripted):
    def answer(seen, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it")
        peer.close()

    scripted.upstream.answer = answer
    with Wire(scripted.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        got = wire.answer()
    assert (got.status, got.body, got.complete) == (200, b"all of it", True)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n"],
    ids=["nothing", "half a head", "no HTTP", "two lengths", "length and chunks", "unasked 101", "unknown coding", "a fold"])
def test_an_invalid_answer_is_a_refusal(scripted, answer):
    def serve(seen, peer):
        peer.send(answer)
        peer.close()

    scripted.upstream.answer = serve
    with Wire(scripted.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        got = wire.answer()
    assert got.status == 502 and got["x-claviger-refusal"] in ("upstream_invalid", "upstream_unreachable")


def test_answers_before_the_answer_are_passed_over(scripted):
    def serve(seen, peer):
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    scripted.upstream.answer = serve
    with Wire(scripted.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        assert wire.answer().body == b"ok"
