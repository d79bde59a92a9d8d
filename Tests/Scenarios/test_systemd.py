"""The daemon under a real systemd as PID 1, on a machine without Swift: started, watched, activated, restarted under load, drained, hardened."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import subprocess
import time

import pytest
from box import Held, measured, settled, thread_named
from canaries import canary
from collector import Collector
from gateway import ALICE, agent, header, world
from mcp import ClientSession
from mcp.client.sse import sse_client
from processes import HERE, ROOT, eventually
from protected import Protected
from provider import Client, Provider
from reloading import Load
from sdk import SessionClient, client, fixture_server, text
from upstream import OK
from wire import Wire, request

pytestmark = pytest.mark.anyio
PORT, ADMIN = 8080, 9901
UNITS = ("claviger.service", "claviger.socket")


@pytest.fixture(scope="module")
def real(box, runs):
    """Real MCP servers in the box's network."""
    with contextlib.ExitStack() as running:
        with box.network():
            servers = {kind: running.enter_context(fixture_server(kind, runs)) for kind in ("modern", "session", "sse")}
        yield servers


def configuration(raw, *, servers=None, **gateway):
    settings = {"listen": [{"address": "systemd:claviger"}], "public_url": f"http://127.0.0.1:{PORT}", "timeouts": {"drain": "3s"}} | gateway
    return world({"raw": {"url": raw.url, "auth": "none"}} | (servers or {}), gateway=settings, admin={"address": f"127.0.0.1:{ADMIN}"})


@pytest.fixture
def running(box, raw):
    """The daemon, activated through claviger.socket, before the scripted server, which answers at once."""
    raw.reads_body, raw.answer = True, lambda seen, peer: peer.send(OK)
    box.configure(configuration(raw))
    box.systemctl("restart", "claviger")
    yield box
    box.systemctl("stop", *UNITS)
    box.revert(*UNITS)


def get_stream():
    return request("GET", "/mcp/raw", agent() | {"Accept": "text/event-stream"})


def ask(path="/mcp/raw", port=PORT, method="POST", headers=None):
    """One request on a connection of its own: the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    with contextlib.closing(connection):
        connection.request(method, path, b"{}" if method == "POST" else None, agent() | {"Content-Type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_the_units_are_right_and_exposed_to_little(tmp_path):
    for unit in UNITS:
        (tmp_path / unit).write_text((ROOT / "systemd" / unit).read_text().replace("/usr/bin/claviger", "/bin/true"))
    units = [tmp_path / unit for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert done.returncode == 0 and "claviger" not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", units[0]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-400:]
    assert float(re.search(r"exposure level for claviger.service: ([\d.]+)", done.stdout)[1]) <= 1.5


def test_each_line_of_the_hardening_has_its_reason():
    section = (ROOT / "systemd/claviger.service").read_text().split("Hardening")[1].split("[Install]")[0]
    above = ""
    for line in section.splitlines()[1:]:
        assert not line or line.startswith("#") or above, f"nothing says why: {line}"
        above = line


def test_it_starts_and_says_that_it_serves(running):
    assert running.show("ActiveState") == "active"
    assert re.fullmatch(r"serving, snapshot .*, \d+ connections, \d+ streams.*", running.show("StatusText"))
    with running.network():
        assert ask() == 200
        assert ask("/readyz", ADMIN, "GET") == 200


def test_the_status_follows_what_is_under_way(running, raw):
    raw.answer = lambda seen, peer: (peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"), peer.wait_closed(30))
    with running.network(), Wire(PORT) as wire:
        wire.send(get_stream())
        wire.until(b"data: 1\n\n")
        settled(lambda: "1 connections, 1 streams" in running.show("StatusText"))


def test_its_group_administers_and_nobody_else(running):
    running.write("/etc/sysusers.d/people.conf", "u operator -\nu stranger -\nm operator claviger\n")
    running.run("systemd-sysusers")
    assert running.run("runuser", "-u", "operator", "--", "claviger", "status").returncode == 0
    assert running.run("runuser", "-u", "stranger", "--", "claviger", "status", check=False).returncode == 69


def test_the_hardening_is_in_force(running):
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{running.main_pid()}/status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    user = running.run("id", "-u", "claviger").stdout.strip()
    assert user != "0" and set(status["Uid"].split()) == {user}
    limits = pathlib.Path(f"/proc/{running.main_pid()}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    mounts = pathlib.Path(f"/proc/{running.main_pid()}/mountinfo").read_text().splitlines()
    root = next(line for line in mounts if line.split()[4] == "/")
    assert root.split()[5].startswith("ro,")
    assert "SWIFT_BACKTRACE=enable=no" in pathlib.Path(f"/proc/{running.main_pid()}/environ").read_text().split("\0")
    for path, mode in (("/var/lib/claviger", "700"), ("/run/claviger", "755"), ("/run/claviger/admin.sock", "660"), ("/run/claviger/portal.sock", "600")):
        assert running.run("stat", "-c", "%a %G", path).stdout.split() == [mode, "claviger"]


@pytest.fixture
def mcp(running, raw, real):
    """The same daemon with real MCP servers, whose credentials are sealed with a key that systemd gives it."""
    running.write("/etc/credstore/claviger.master.key", secrets.token_hex(32), 0o600)
    config = configuration(raw, servers={"modern": header(real["modern"].url), "older": header(real["session"].url)})
    running.configure(config | {"secrets": {"sealed_files": {"key": "${credential:master.key}"}}})
    running.run("rm", "-rf", "/var/lib/claviger/secrets", "/var/lib/claviger/master.key")
    running.systemctl("restart", "claviger")
    yield running
    running.run("rm", "-rf", "/etc/credstore/claviger.master.key", "/var/lib/claviger/secrets")


def deposit(box, server, token):
    box.run("claviger", "credential", "set", "--project", "acme", "--server", server, "--user", ALICE, input=f"token={token}\n")


async def test_a_whole_scenario_passes_within_the_hardening(mcp, real):
    deposit(mcp, "modern", "modern-token")
    deposit(mcp, "older", "older-token")
    with mcp.network():
        async with client(f"http://127.0.0.1:{PORT}/mcp/modern", agent(), mode="2026-07-28") as connected:
            assert {tool.name for tool in (await connected.list_tools()).tools} >= {"echo"}
            assert text(await connected.call_tool("echo", {"text": "hé"})) == "hé"
        with SessionClient(f"http://127.0.0.1:{PORT}/mcp/older", agent()) as connected:
            assert connected.version and connected.call("echo", text="x")["text"] == "x"
        for name, token in (("modern", "modern-token"), ("session", "older-token")):
            last = real[name].seen()[-1]
            assert ["authorization", f"Bearer {token}"] in [[key.lower(), value] for key, value in last["headers"]]


def test_the_key_is_systemds_and_lies_nowhere_else(mcp):
    deposit(mcp, "modern", "modern-token")
    assert not mcp.path("/var/lib/claviger/master.key").exists()
    assert list(mcp.path("/var/lib/claviger/secrets").iterdir())
    environment = pathlib.Path(f"/proc/{mcp.main_pid()}/environ").read_text()
    place = re.search(r"CREDENTIALS_DIRECTORY=([^\0]+)", environment)[1]
    assert mcp.run("runuser", "-u", "stranger", "--", "cat", f"{place}/master.key", check=False).returncode != 0
    key = mcp.path("/etc/credstore/claviger.master.key").read_text()
    assert key not in environment


def test_a_loop_that_does_not_turn_is_aborted_and_the_daemon_starts_again(running):
    running.override("claviger.service", "[Service]\nWatchdogSec=2\n")
    running.systemctl("restart", "claviger")
    time.sleep(3)
    first = running.main_pid()
    assert running.show("NRestarts") == "0"
    held = Held(thread_named(first, "worker-0"))
    settled(lambda: held.has_ended() and running.show("NRestarts") == "1" and running.show("ActiveState") == "active" and running.show("StatusText").startswith("serving"))
    assert "worker-0 did not turn" in running.journal()
    assert "Watchdog timeout" in running.journal("-u", "claviger")
    with running.network():
        assert ask() == 200


def test_a_connection_starts_it(running):
    running.systemctl("stop", "claviger.service")
    assert running.show("ActiveState") == "inactive"
    with running.network():
        assert ask() == 200
    assert running.show("ActiveState") == "active"


def test_two_families_may_have_one_name(running):
    running.systemctl("stop", "claviger.socket", "claviger.service")
    running.override("claviger.socket", "[Socket]\nListenStream=[::1]:8080\nListenStream=/run/agents.sock\n")
    running.systemctl("start", "claviger.service")
    with running.network():
        assert ask() == 200
        for place in (f"http://[::1]:{PORT}/", "--unix-socket /run/agents.sock http://unix/"):
            done = running.run("sh", "-c", f"curl -s -o /dev/null -w '%{{http_code}}' {place}")
            assert done.stdout == "404"


def test_a_name_that_systemd_did_not_hand_over_is_named_with_the_remedy(running, raw):
    running.configure(configuration(raw, listen=[{"address": "systemd:other"}]))
    assert running.systemctl("restart", "claviger", check=False).returncode != 0
    assert "cannot listen on systemd:other: systemd handed over only claviger; the socket unit needs FileDescriptorName=other" in running.journal()


def test_a_configuration_with_a_mistake_starts_nothing_and_says_where(running, raw):
    running.configure(configuration(raw, nonsense=1))
    assert running.systemctl("restart", "claviger", check=False).returncode != 0
    assert re.search(r"10-gateway\.yaml:\d+:\d+: unknown key `nonsense`", running.journal())


@pytest.mark.parametrize("waits", [False, True], ids=["nobody waits", "a caller waits"])
def test_what_was_mended_starts_however_often_it_failed_before(running, raw, waits):
    """The starts are not counted, so that the socket stays open; and who waits at it does not bring about more of them."""
    running.override("claviger.service", "[Service]\nRestartSec=100ms\n")
    running.configure(configuration(raw, nonsense=1))
    assert running.systemctl("restart", "claviger", check=False).returncode != 0
    with running.network(), Wire(PORT, timeout=30) as wire:
        if waits:
            wire.send(request("POST", "/mcp/raw", agent() | {"Content-Type": "application/json", "Connection": "close"}, b"{}"))
        began, first = time.monotonic(), int(running.show("NRestarts"))
        settled(lambda: int(running.show("NRestarts")) >= first + 12, 30)
        assert time.monotonic() - began > 12 * 0.1
        assert running.show("ActiveState", "claviger.socket") == "active"
        running.configure(configuration(raw))
        running.systemctl("restart", "claviger")
        assert ask() == 200
        if waits:
            while wire.fill():
                pass
            assert wire.buffer.startswith(b"HTTP/1.1 200 ")


def test_what_was_mended_starts_by_itself(running, raw):
    running.configure(configuration(raw, nonsense=1))
    assert running.systemctl("restart", "claviger", check=False).returncode != 0
    running.configure(configuration(raw))
    settled(lambda: running.show("ActiveState") == "active", 15)
    with running.network():
        assert ask() == 200


def test_a_reload_is_told_in_the_status_and_a_bad_one_changes_nothing(running, raw):
    before, pid = running.show("StatusText"), running.show("MainPID")
    running.configure(configuration(raw, timeouts={"drain": "4s"}))
    running.systemctl("reload", "claviger")
    good = settled(lambda: (text := running.show("StatusText")) != before and text)
    assert good.startswith("serving, snapshot 2 (") and "last reload" in good, good
    running.configure(configuration(raw, nonsense=1))
    assert running.systemctl("reload", "claviger", check=False).returncode != 0
    bad = running.show("StatusText")
    assert bad.startswith("serving, snapshot 2 (") and "refused" in bad, bad
    assert re.search(r"10-gateway\.yaml:\d+:\d+: unknown key `nonsense`", running.journal())
    assert running.show("MainPID") == pid and running.show("ActiveState") == "active"
    with running.network():
        assert ask() == 200


def test_a_restart_under_load_refuses_and_fails_nothing(running):
    with running.network(), Load(PORT, "raw", 8) as load:
        for _ in range(5):
            time.sleep(0.5)
            before = load.answered
            running.systemctl("restart", "claviger")
            settled(lambda: load.answered > before + 8)
    assert load.failed == []
    assert load.answered > 100


def test_nobody_waits_for_the_end_of_somebody_elses_stream(running, raw):
    """While a stream has the time to drain, callers are answered by the process that ends; then the stream ends whole, and the next process goes on."""
    def answer(seen, peer):
        if seen.method == "GET":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            peer.wait_closed(20)
        else:
            peer.send(OK)

    raw.answer = answer
    with running.network(), Wire(PORT) as wire, Load(PORT, "raw") as load:
        wire.send(get_stream())
        wire.until(b"data: 1\n\n")
        took = measured(lambda: running.systemctl("restart", "claviger"))
        while wire.fill():
            pass
        assert wire.buffer.endswith(b"0\r\n\r\n")
        time.sleep(0.5)
    assert load.failed == []
    assert 2.8 < took < 6, took
    assert load.slowest < 2.5, load.slowest


def test_readiness_goes_first_and_a_second_signal_hurries(running, raw):
    raw.answer = lambda seen, peer: (peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"), peer.wait_closed(60))
    running.configure(configuration(raw, timeouts={"drain": "60s"}))
    running.systemctl("restart", "claviger")
    with running.network(), Wire(PORT) as wire:
        wire.send(get_stream())
        wire.until(b"data: 1\n\n")
        running.systemctl("stop", "--no-block", "claviger.service")
        settled(lambda: running.show("StatusText").startswith("draining"))
        assert ask("/readyz", ADMIN, "GET") == 503
        assert ask("/healthz", ADMIN, "GET") == 200
        running.systemctl("kill", "--kill-whom=main", "-s", "TERM", "claviger")
        settled(lambda: running.show("ActiveState") == "inactive", 5)
        while wire.fill():
            pass
        assert wire.buffer.endswith(b"0\r\n\r\n")
    assert (running.show("Result"), running.show("ExecMainStatus")) == ("success", "0")
def test_who_starts_the_daemon_has_its_socket_too(running):
    running.systemctl("stop", *UNITS)
    running.systemctl("start", "claviger")
    with running.network():
        assert ask() == 200
    running.systemctl("stop", "claviger.socket")
    running.systemctl("restart", "claviger")
    with running.network():
        assert ask() == 200


def test_a_daemon_that_listens_itself_does_without_the_socket(running, raw):
    running.systemctl("mask", "--now", "claviger.socket")
    running.configure(configuration(raw, listen=[{"address": f"127.0.0.1:{PORT}"}]))
    running.systemctl("restart", "claviger")
    with running.network():
        assert ask() == 200
    running.systemctl("stop", "claviger")
    running.systemctl("unmask", "claviger.socket")


