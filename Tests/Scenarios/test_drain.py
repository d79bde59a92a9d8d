"""The end: whoever is in has his answer or is broken off with a record, nothing new begins, and the time to drain is kept to."""

import contextlib
import re
import signal
import socket
import threading
import time

import pytest
from box import Held, thread_named
from gateway import agent, header, world
from processes import accepts, eventually, free_port
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"


def draining(url, **more):
    """A gateway with one server, and a second to drain."""
    server = {"url": url, "auth": "none"} | more.pop("server", {})
    gateway = {"workers": 1, "timeouts": {"drain": "1s", "connect": "30s"}} | more.pop("gateway", {})
    return world({"raw": server}, gateway=gateway, log={"access": True}, **more)


def post(wire):
    wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))


def end(gateway, most=1.9):
    """SIGTERM: the daemon goes in order, within a drain of one second and what little comes behind it."""
    began = time.monotonic()
    assert gateway.process.end() == 0
    assert time.monotonic() - began < most and re.search(r"\bstopped\b", gateway.log()), gateway.log()[-2000:]


def cut_records(gateway):
    return [line for line in gateway.log().splitlines() if "ending=cut" in line and "server=raw" in line]


@contextlib.contextmanager
def full_queue():
    """The port of a listener that takes no connection any more: who connects waits."""
    with socket.socket() as full, contextlib.ExitStack() as fillers:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@contextlib.contextmanager
def silent():
    """The port of a listener that accepts, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_who_waits_for_a_connection_is_cut_off_with_a_record(start):
    with full_queue() as port:
        gateway = start(draining(f"http://127.0.0.1:{port}/mcp"))
        with Wire(gateway.port) as wire:
            post(wire)
            time.sleep(0.3)
            end(gateway)
            assert wire.is_closed()
        assert len(cut_records(gateway)) == 1


def test_who_waits_for_tls_with_a_server_is_cut_off_with_a_record(start):
    with silent() as port:
        gateway = start(draining(f"https://127.0.0.1:{port}/mcp"))
        with Wire(gateway.port) as wire:
            post(wire)
            time.sleep(0.3)
            end(gateway)
        assert len(cut_records(gateway)) == 1


def test_who_waits_for_the_secret_store_is_cut_off_with_a_record(start):
    with silent() as port:
        store = {"parameter_store": {"region": "eu-west-1", "endpoint": f"http://127.0.0.1:{port}"}}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        with Upstream() as upstream:
            gateway = start(draining(upstream.url, server=header(upstream.url), secrets=store), environment=keys)
            with Wire(gateway.port) as wire:
                post(wire)
                time.sleep(0.3)
                end(gateway)
            assert not upstream.requests
        assert len(cut_records(gateway)) == 1


def test_a_second_signal_hurries_whatever_is_waited_for(start):
    with full_queue() as port:
        gateway = start(draining(f"http://127.0.0.1:{port}/mcp", gateway={"timeouts": {"drain": "60s", "connect": "30s"}}))
        with Wire(gateway.port) as wire:
            post(wire)
            gateway.process._child.send_signal(signal.SIGTERM)
            eventually(lambda: ask(gateway.admin, "GET", "/readyz").status == 503)
            end(gateway, most=3)
            assert wire.is_closed()
        assert len(cut_records(gateway)) == 1


def test_a_worker_that_stands_still_is_left_behind_and_all_else_ends_in_order(start, upstream):
    gateway = start(draining(upstream.url))
    with Wire(gateway.port) as wire:
        post(wire)
        assert wire.answer().status == 200
        worker = Held(thread_named(gateway.process.pid, "worker-0"))
        gateway.process._child.send_signal(signal.SIGTERM)
        eventually(worker.has_ended, 4)
    assert gateway.process._child.wait(5) == 0
    assert "exchanges did not break off" in gateway.log() and re.search(r"\bstopped\b", gateway.log())


@pytest.mark.parametrize("begun", [b"POST /mcp/raw HTTP/1.1\r\nHost: ga", request("POST", "/mcp/raw", {"x-api-key": "ck_no.no", "Content-Length": "9"}, b"ha")],
                         ids=["head", "body of a refused request"])
def test_half_a_request_keeps_nobody_from_ending_in_order(start, begun):
    with Upstream() as upstream:
        gateway = start(draining(upstream.url))
        with Wire(gateway.port) as wire:
            wire.send(begun)
            time.sleep(0.1)
            end(gateway)
            assert wire.fill() in (True, False)


def test_a_request_under_way_is_answered_and_its_answer_ends_the_connection(start):
    released = threading.Event()

    def answer(seen, peer):
        released.wait(5)
        peer.send(OK)

    with Upstream(answer) as upstream:
        gateway = start(draining(upstream.url, gateway={"timeouts": {"drain": "8s"}}))
        with Wire(gateway.port) as wire, Wire(gateway.port) as idle:
            post(idle)
            post(wire)
            eventually(lambda: len(upstream.requests) == 2)
            gateway.process._child.send_signal(signal.SIGTERM)
            eventually(lambda: ask(gateway.admin, "GET", "/readyz").status == 503)
            released.set()
            for each in (wire, idle):
                answer = each.answer()
                assert answer.status == 200 and answer["connection"].lower() == "close" and each.is_closed()
        end(gateway)


def test_a_reload_is_refused_once_the_gateway_ends_and_says_so(start, tmp_path):
    """And systemd, which was told STOPPING=1, hears of no reload and of no readiness after it."""
    told, path = [], tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, Upstream(lambda seen, peer: (peer.send(STREAM), peer.wait_closed(20))) as upstream:
        manager.bind(str(path))
        manager.settimeout(0.2)
        config = draining(upstream.url, gateway={"timeouts": {"drain": "20s"}})
        gateway = start(config, environment={"NOTIFY_SOCKET": str(path)})

        def listen():
            with contextlib.suppress(TimeoutError):
                while True:
                    told.append(manager.recv(1 << 16).decode())

        with Wire(gateway.port) as wire:
            wire.send(request("GET", "/mcp/raw", agent()))
            wire.until(b"data: 1\n\n")
            gateway.process._child.send_signal(signal.SIGTERM)
            eventually(lambda: ask(gateway.admin, "GET", "/readyz").status == 503)
            listen()
            assert any("READY=1" in each for each in told) and "STOPPING=1" in told[-1]
            told.clear()
            other = free_port()
            config["gateway"]["listen"].append({"address": f"127.0.0.1:{other}"})
            gateway.write(config)
            done = gateway.command("reload")
            assert done.returncode == 1 and "the gateway is ending" in done.stderr, (done.stdout, done.stderr)
            assert not done.stdout and not accepts(other)
            gateway.process._child.send_signal(signal.SIGHUP)
            eventually(lambda: gateway.log().count("the gateway is ending") >= 2)
            listen()
            assert not any("READY=1" in each or "RELOADING=1" in each for each in told), told
        end(gateway)
