"""Bodies of any size stream both ways in flat memory."""

import threading
import time

import pytest
from gateway import agent, world
from processes import eventually
from upstream import Upstream
from wire import Wire, request

MIB = 1 << 20
SIZE = 100 * MIB
BLOCK = bytes(range(256)) * 4096


def answer_big(seen, peer):
    """An answer of as many bytes as the query asks for, chunked or with a length."""
    kind, size = seen.target.split("?")[1].split("=")
    size = int(size)
    if kind == "length":
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // MIB):
            peer.send(BLOCK)
    elif kind == "chunks":
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(size // MIB):
            peer.send(b"100000\r\n", BLOCK, b"\r\n")
        peer.send(b"0\r\n\r\n")
    else:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def gateway(daemons, encrypted):
    upstream = Upstream(answer_big)
    config = world({"raw": {"url": upstream.url, "auth": "none"}}, gateway={"limits": {"body": "200MiB"}})
    with upstream, daemons(config, encrypted=encrypted) as running:
        running.upstream = upstream
        with Wire(running.port) as wire:
            wire.send(request("POST", "/mcp/raw?length=1048576", agent(), b"x"))
            wire.answer()
        yield running


class Watch(threading.Thread):
    """The most memory a process had while this ran, beyond what it began with."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.began = process, process.resident()
        self.most, self.over = self.began, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            self.most = max(self.most, self.process.resident())

    def growth(self):
        self.over.set()
        self.join()
        return self.most - self.began


@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_a_hundred_megabytes_up_in_flat_memory(gateway, coding):
    watch = Watch(gateway.process)
    with Wire(gateway.port, timeout=60) as wire:
        if coding == "length":
            wire.send(request("POST", "/mcp/raw?none=0", agent() | {"Content-Length": str(SIZE)}))
            for _ in range(SIZE // MIB):
                wire.send(BLOCK)
        else:
            wire.send(request("POST", "/mcp/raw?none=0", agent() | {"Transfer-Encoding": "chunked"}))
            for _ in range(SIZE // MIB):
                wire.send(b"100000\r\n", BLOCK, b"\r\n")
            wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200
    assert gateway.upstream.requests[-1].length == SIZE
    assert gateway.upstream.requests[-1].body[:MIB] == BLOCK
    assert watch.growth() < 8 * MIB


@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_a_hundred_megabytes_down_in_flat_memory(gateway, coding):
    watch = Watch(gateway.process)
    with Wire(gateway.port, timeout=60) as wire:
        wire.send(request("POST", f"/mcp/raw?{coding}={SIZE}", agent(), b"{}"))
        head = wire.head()
        assert head.status == 200
        received = 0
        while received < SIZE:
            if coding == "chunks":
                size = int(wire.until(b"\r\n"), 16)
                received += len(wire.exactly(size))
                wire.exactly(2)
            else:
                received += len(wire.exactly(MIB))
    assert watch.growth() < 8 * MIB


def test_a_reader_that_stalls_costs_little_memory(gateway):
    watch = Watch(gateway.process)
    with Wire(gateway.port, receive_buffer=4096) as wire:
        wire.send(request("POST", f"/mcp/raw?length={200 * MIB}", agent(), b"{}"))
        wire.head()
        time.sleep(3)
        wire.exactly(100_000)
        time.sleep(1)
    assert watch.growth() < 8 * MIB


def test_a_writer_faster_than_the_upstream_costs_little_memory(gateway):
    slow = threading.Event()

    def answer(seen, peer):
        slow.wait(3)
        peer.close()

    gateway.upstream.answer, gateway.upstream.reads_body = answer, False
    watch = Watch(gateway.process)
    try:
        with Wire(gateway.port, timeout=2) as wire:
            wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": str(SIZE)}))
            with pytest.raises(OSError):
                for _ in range(SIZE // MIB):
                    wire.send(BLOCK)
        slow.set()
    finally:
        gateway.upstream.answer, gateway.upstream.reads_body = answer_big, True
    assert watch.growth() < 8 * MIB


def test_the_default_limit_is_sixteen_mebibytes(start, upstream):
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}))
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": str(SIZE)}))
        refused = wire.answer()
        assert (refused.status, refused["x-claviger-refusal"]) == (413, "too_large")
        assert wire.is_closed()
    assert not upstream.requests
    with Wire(gateway.port, timeout=30) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": str(16 * MIB)}))
        for _ in range(16):
            wire.send(BLOCK)
        assert wire.answer().status == 200


def test_a_body_goes_up_as_it_comes(gateway):
    """The upstream has the first part while the second is not yet sent."""
    parts = []

    def answer(seen, peer):
        while len(b"".join(parts)) < 10:
            if not peer.buffer and not peer.fill():
                return
            parts.append(peer.buffer)
            peer.buffer = b""
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    gateway.upstream.answer, gateway.upstream.reads_body = answer, False
    try:
        with Wire(gateway.port) as wire:
            wire.send(request("POST", "/mcp/raw", agent() | {"Content-Length": "10"}), b"first")
            eventually(lambda: parts == [b"first"])
            wire.send(b"again")
            assert wire.answer().status == 200
    finally:
        gateway.upstream.answer, gateway.upstream.reads_body = answer_big, True


def test_an_expectation_is_met_after_the_key_was_accepted(gateway):
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw?none=0", agent() | {"Expect": "100-continue", "Content-Length": "5"}))
        assert wire.head().status == 100
        wire.send(b"hello")
        assert wire.answer().status == 200
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw?none=0", {"Expect": "100-continue", "Content-Length": "5"}))
        assert wire.head().status == 401
