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


def of_process(pid, file):
    return pathlib.Path(f"/proc/{pid}/{file}").read_text()


def test_the_hardening_is_in_force(running):
    pid = running.main_pid()
    status = dict(line.split(":\t", 1) for line in of_process(pid, "status").splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and status["Umask"] == "0077"
    assert {status[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    user = running.run("id", "-u", "claviger").stdout.strip()
    assert user != "0" and set(status["Uid"].split()) == {user}
    mounts = {fields[4]: fields[5].split(",") for line in of_process(pid, "mountinfo").splitlines() if (fields := line.split())}
    assert "ro" in mounts["/"]
    for own in ("/var/lib/claviger", "/var/log/claviger", "/run/claviger"):
        assert "rw" in mounts[own], mounts
    for alone in ("/tmp", "/var/tmp", "/dev", "/proc"):
        assert alone in mounts, mounts
    for kind in ("mnt", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/{running.pid}/ns/{kind}")
    assert "SWIFT_BACKTRACE=enable=no" in of_process(pid, "environ").split("\0")
    places = {
        "/var/lib/claviger": "700", "/var/log/claviger": "750", "/run/claviger": "755",
        "/run/claviger/admin.sock": "660", "/run/claviger/portal.sock": "600",
    }
    for path, mode in places.items():
        assert running.run("stat", "-c", "%a %G", path).stdout.split() == [mode, "claviger"], path


def limit(pid, name):
    """A process's soft and hard limit."""
    return [int(value) if value.isdigit() else float("inf") for value in re.search(rf"(?m)^{name}\s+(\S+)\s+(\S+)", of_process(pid, "limits")).groups()]


def test_what_it_may_use_is_limited(running):
    pid = running.main_pid()
    assert limit(pid, "Max core file size") == [0, 0]
    for name, wanted in (("Max open files", 65536), ("Max locked memory", 256 << 20), ("Max nice priority", 24)):
        # Without CAP_SYS_RESOURCE nobody gives more than what he has.
        may_raise = int(re.search(r"CapBnd:\s+(\w+)", of_process(running.pid, "status"))[1], 16) >> 24 & 1
        assert limit(pid, name) == [wanted if may_raise else min(wanted, limit(running.pid, name)[1])] * 2, name
    files = {"memory.max": 2 << 30, "memory/memory.limit_in_bytes": 2 << 30, "pids.max": 512, "pids/pids.max": 512, "memory.swap.max": 0}
    found = {}
    for name in files:
        group, _, file = name.rpartition("/")
        place = running.path(f"/sys/fs/cgroup/{group}/system.slice/claviger.service/{file}")
        if place.exists():
            found[name] = int(place.read_text())
    assert len(found) >= 2 and found == {name: files[name] for name in found}


def test_what_it_never_needs_is_refused(running):
    """By their effect: who runs as the unit does tries it."""
    running.copy(HERE / "sandbox_probe.py", to="/opt")
    running.write("/tmp/of-somebody-else", "")
    seen = json.loads(running.in_sandbox("/usr/bin/env", "python3", "/opt/sandbox_probe.py"))
    expected = dict.fromkeys(seen, "EPERM") | {
        "netlink": "EAFNOSUPPORT", "packets": "EAFNOSUPPORT", "a port of root's": "EACCES", "its configuration": "EACCES", "a file elsewhere": "EROFS", "root's home": "EACCES",
        "mode of a new file": "0o600", "others' files in /tmp": [], "other processes": [], "the kernel in /proc": [], "devices": [],
    }
    assert seen == expected


@pytest.fixture
def mcp(running, raw, real):
    """The same daemon with real MCP servers and a receiver of traces. What it seals, it seals with a key that systemd gives it."""
    running.write("/etc/credstore/claviger.master.key", secrets.token_hex(32), 0o600)
    with running.network():
        provider, collector = Provider(), Collector()
        guarded = Protected(provider, needs=["tools"])
    secret = canary("boxed-client")
    provider.clients["gate"] = Client("client_secret_basic", secret)
    running.write("/etc/claviger/client-secret", secret, 0o640)
    running.run("chgrp", "claviger", "/etc/claviger/client-secret")
    own = {"grant": "client_credentials", "client_id": "gate", "client_secret": "${file:/etc/claviger/client-secret}", "scopes": ["tools"]}
    config = configuration(raw, servers={
        "modern": header(real["modern"].url), "older": header(real["session"].url),
        "named": {"url": real["modern"].url.replace("127.0.0.1", "localhost"), "auth": "none"},
        "legacy": {"url": real["sse"].url, "transport": "sse", "auth": "header", "headers": {"X-Key": "{key}"}},
        "guarded": {"url": guarded.url, "auth": "oauth", "oauth": own | {"issuer": provider.issuer}},
    })
    config["projects"]["acme"]["servers"]["guarded"] = {"level": "project"}
    config["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
    sealed = {"sealed_files": {"key": "${credential:master.key}"}}
    running.configure(config | {"secrets": sealed, "trace": {"otlp": collector.url}, "portal": {"admins": ["ops@acme.com"]}})
    running.run("rm", "-rf", "/var/lib/claviger/secrets", "/var/lib/claviger/master.key")
    running.systemctl("restart", "claviger")
    running.provider, running.collector, running.guarded = provider, collector, guarded
    with provider, collector, guarded:
        yield running
    running.run("rm", "-rf", "/etc/credstore/claviger.master.key", "/etc/claviger/client-secret", "/var/lib/claviger/secrets")


def deposit(box, server, **fields):
    box.run("claviger", "credential", "set", "--project", "acme", "--server", server, "--user", ALICE, input="".join(f"{name}={value}\n" for name, value in fields.items()))


def url(server):
    return f"http://127.0.0.1:{PORT}/mcp/{server}"


async def test_the_newest_protocol_with_progress_as_events_passes_within_the_hardening(mcp, real):
    deposit(mcp, "modern", token="modern-token")
    noted = []

    async def note(progress, total, message):
        noted.append((progress, total))

    with mcp.network():
        async with client(url("modern"), agent(), mode="2026-07-28") as connected:
            assert {tool.name for tool in (await connected.list_tools()).tools} >= {"echo"}
            assert text(await connected.call_tool("echo", {"text": "hé"})) == "hé"
            assert text(await connected.call_tool("count", {"to": 3, "pause": 0.05}, progress_callback=note)) == "counted to 3"
        last = real["modern"].seen()[-1]
    assert noted == [(1, 3), (2, 3), (3, 3)]
    assert ["authorization", "Bearer modern-token"] in [[key.lower(), value] for key, value in last["headers"]]


def test_a_session_with_its_own_stream_passes_within_the_hardening(mcp, real):
    deposit(mcp, "older", token="older-token")
    with mcp.network():
        with SessionClient(url("older"), agent()) as connected:
            assert connected.version and connected.call("whoami")["text"] == "Bearer older-token"
            counted = connected.call("count", to=3, pause=0.05)
            assert counted["text"] == "counted to 3" and len(counted["progress"]) == 3
            eventually(lambda: "GET" in {seen["method"] for seen in real["session"].seen()})


async def test_the_old_transport_passes_within_the_hardening(mcp):
    deposit(mcp, "legacy", key="legacy-key")
    with mcp.network():
        async with sse_client(url("legacy"), headers=agent()) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            assert text(await session.call_tool("whoami")) == "legacy-key"


async def test_names_are_looked_up_within_the_hardening(mcp):
    with mcp.network():
        async with client(url("named"), agent(), mode="2026-07-28") as connected:
            assert text(await connected.call_tool("echo", {"text": "by name"})) == "by name"


def test_tokens_are_had_and_traces_given_within_the_hardening(mcp):
    with mcp.network():
        assert [ask("/mcp/guarded") for _ in range(3)] == [200, 200, 200]
        assert mcp.provider.count(grant_type="client_credentials") == 1 and mcp.guarded.bad == {}
        settled(mcp.collector.spans)


def test_people_have_their_pages_within_the_hardening(mcp):
    link = mcp.run("claviger", "sign-in", "ops@acme.com").stdout
    assert re.search(r"https?://\S+", link), link
    with mcp.network():
        for port, path in ((PORT, "/connect/acme"), (ADMIN, "/admin")):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
            with contextlib.closing(connection):
                connection.request("GET", path, headers={"Accept": "text/html"})
                answer = connection.getresponse()
                page = answer.read().decode()
                assert answer.getheader("Content-Type", "").startswith("text/html") and "<h1" in page, (answer.status, path, page)


def test_the_key_is_systemds_and_lies_nowhere_else(mcp):
    deposit(mcp, "modern", token="modern-token")
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
