"""Another configuration while everything goes on: what counts at once, what stays, and that a bad file changes nothing."""

import copy
import json
import os
import signal
import threading
import time

import pytest
from authority import Authority
from canaries import canary
from gateway import ALICE, KEY, Key, agent, command, header, world
from people import Sink
from processes import accepts, eventually, free_port
from provider import Provider
from reloading import Load, log_lines, resident
from test_mail import ask_for_a_code
from test_oauth_kinds import client_credentials
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


def telling(seen, peer):
    """Answers with the credential that came."""
    body = (seen["authorization"] or seen["x-other"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.fixture
def other():
    with Upstream(telling) as running:
        yield running


@pytest.fixture
def crm():
    with Upstream(telling) as running:
        yield running


@pytest.fixture
def gateway(start, crm):
    """Two workers; the scenario changes `gateway.wanted`, and `reload` writes it."""
    wanted = world({"crm": header(crm.url)}, gateway={"workers": 2})
    running = start(wanted)
    running.wanted = copy.deepcopy(wanted)
    running.token = canary("reloaded")
    running.deposit("crm", ALICE, token=running.token)
    return running


def reload(gateway, *arguments, expect=0):
    gateway.write(gateway.wanted)
    done = gateway.command("reload", *arguments)
    assert done.returncode == expect, (done.stdout, done.stderr)
    return done


def call(gateway, server="crm", key=KEY, port=None):
    return ask(port or gateway.port, "POST", f"/mcp/{server}", agent(ALICE, key) | JSON, rpc())


def everywhere(gateway, status, server="crm", key=KEY):
    """On connections enough that every worker has some."""
    assert {call(gateway, server, key).status for _ in range(24)} == {status}


def standing(gateway):
    return json.loads(gateway.command("status", "--json").stdout)["configuration"]


def metric(gateway, name):
    text = ask(gateway.admin, "GET", "/metrics").body.decode()
    [value] = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")]
    return float(value)


# What counts at once.


def test_a_server_comes_changes_and_goes(gateway, other):
    everywhere(gateway, 200)
    gateway.wanted["servers"]["docs"] = {"url": other.url, "auth": "none"}
    gateway.wanted["projects"]["acme"]["servers"]["docs"] = {}
    done = reload(gateway)
    assert "server docs added" in done.stdout and "project acme changed: servers.docs" in done.stdout
    assert "generation 2" in done.stdout.splitlines()[0]
    everywhere(gateway, 200, "docs")
    gateway.wanted["projects"]["acme"]["servers"]["docs"] = {"status": "paused"}
    reload(gateway)
    everywhere(gateway, 404, "docs")
    gateway.wanted["projects"]["acme"]["servers"].pop("docs")
    gateway.wanted["servers"].pop("docs")
    assert "server docs removed" in reload(gateway).stdout
    everywhere(gateway, 404, "docs")
    everywhere(gateway, 200)


def test_a_key_that_is_gone_is_refused_on_every_worker_and_connection(gateway):
    second = Key("agent2")
    gateway.wanted["projects"]["acme"]["navigators"]["agent"]["keys"].append(second.line)
    assert "key agent2 added" in reload(gateway).stdout
    wires = [Wire(gateway.port) for _ in range(16)]
    for wire in wires:
        wire.send(request("POST", "/mcp/crm", agent(ALICE, second) | JSON, rpc()))
        assert wire.answer().status == 200
    gateway.wanted["projects"]["acme"]["navigators"]["agent"]["keys"].pop()
    assert "key agent2 removed" in reload(gateway).stdout
    for wire in wires:
        wire.send(request("POST", "/mcp/crm", agent(ALICE, second) | JSON, rpc()))
        assert wire.answer()["x-claviger-refusal"] == "unauthenticated"
        wire.close()
    everywhere(gateway, 200)


def test_a_project_and_its_navigator_come_and_go(gateway, other):
    theirs = Key("globex1")
    gateway.wanted["servers"]["docs"] = {"url": other.url, "auth": "none"}
    gateway.wanted["projects"]["globex"] = {
        "servers": {"docs": {}}, "navigators": {"bot": {"keys": [theirs.line], "users": {"domains": ["acme.com"]}}}}
    done = reload(gateway).stdout
    for line in ["project globex added", "navigator globex/bot added", "key globex1 added"]:
        assert line in done
    everywhere(gateway, 200, "docs", theirs)
    assert gateway.command("user", "list", "--project", "globex").returncode == 0
    gateway.wanted["projects"]["globex"]["navigators"]["bot"]["deny"] = {"servers": ["docs"]}
    assert "navigator globex/bot changed: deny" in reload(gateway).stdout
    everywhere(gateway, 404, "docs", theirs)
    gateway.wanted["projects"].pop("globex")
    reload(gateway)
    everywhere(gateway, 401, "docs", theirs)
    assert gateway.command("user", "list", "--project", "globex").returncode == 1


def test_a_credential_is_rendered_anew_and_never_goes_to_another_origin(gateway, crm, other):
    assert call(gateway).body == b"Bearer " + gateway.token.encode()
    gateway.wanted["servers"]["crm"]["headers"] = {"X-Other": "Key {token}"}
    assert "server crm changed: headers" in reload(gateway).stdout
    assert {call(gateway).body for _ in range(16)} == {b"Key " + gateway.token.encode()}
    gateway.wanted["servers"]["crm"]["url"] = other.url
    reload(gateway)
    assert "x-claviger-refusal" in dict(call(gateway).headers) and call(gateway)["x-claviger-refusal"] == "credential_missing"
    everywhere(gateway, call(gateway).status)
    assert other.requests == []
    gateway.wanted["servers"]["crm"]["url"] = crm.url
    reload(gateway)
    assert {call(gateway).body for _ in range(16)} == {b"Key " + gateway.token.encode()}


def test_a_listener_comes_moves_and_goes(gateway):
    first, second = gateway.port, free_port()
    kept = Wire(first)
    kept.send(request("POST", "/mcp/crm", agent() | JSON, rpc()))
    assert kept.answer()["connection"] != "close"
    gateway.wanted["gateway"]["listen"].append({"address": f"127.0.0.1:{second}"})
    assert f"listener 127.0.0.1:{second} added" in reload(gateway).stdout
    assert call(gateway, port=first).status == call(gateway, port=second).status == 200
    gateway.wanted["gateway"]["listen"] = [{"address": f"127.0.0.1:{second}"}]
    assert f"listener 127.0.0.1:{first} removed" in reload(gateway).stdout
    eventually(lambda: not accepts(first))
    # Who came through it is answered, and told to come back elsewhere.
    kept.send(request("POST", "/mcp/crm", agent() | JSON, rpc()))
    last = kept.answer()
    assert last.status == 200 and last["connection"] == "close" and kept.is_closed()
    # To every address with the same port, and back, without a moment in between.
    for host in ("0.0.0.0", "127.0.0.1"):
        gateway.wanted["gateway"]["listen"] = [{"address": f"{host}:{second}"}]
        reload(gateway)
        assert call(gateway, port=second).status == 200
    addresses = [each["address"] for each in json.loads(gateway.command("status", "--json").stdout)["listeners"]]
    assert f"127.0.0.1:{second}" in addresses and f"127.0.0.1:{first}" not in addresses


def test_a_socket_in_the_file_system_and_the_administration_move(gateway, tmp_path):
    path, admin = tmp_path / "gateway.sock", free_port()
    gateway.wanted["gateway"]["listen"].append({"address": f"unix:{path}"})
    gateway.wanted["admin"] = {"address": f"127.0.0.1:{admin}"}
    reload(gateway)
    assert path.is_socket() and ask(admin, "GET", "/readyz").status == 200
    eventually(lambda: not accepts(gateway.admin))
    gateway.wanted["gateway"]["listen"].pop()
    reload(gateway)
    assert not path.exists()


def test_limits_time_outs_and_the_log_level(gateway):
    assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, b"x" * 3000).status == 200
    gateway.wanted["gateway"]["limits"] = {"body": "2KiB", "head": "64KiB", "line": "1KiB"}
    gateway.wanted["gateway"]["timeouts"] = {"head": "500ms"}
    gateway.wanted["log"] = {"level": "debug", "access": False}
    done = reload(gateway).stdout
    assert "setting gateway.limits.body added" in done and "setting log.level added" in done
    assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, b"x" * 3000).status == 413
    assert ask(gateway.port, "POST", "/mcp/crm", agent(x_long="y" * 50_000) | JSON, rpc()).status == 200
    assert ask(gateway.port, "GET", "/mcp/" + "z" * 2000, agent()).status == 414
    with Wire(gateway.port) as wire:
        wire.send(b"POST /mcp/crm HTTP/1.1\r\n")
        began = time.monotonic()
        assert wire.answer().status == 408 and time.monotonic() - began < 3
    assert not any(f"status={status}" in gateway.log() for status in (408, 413, 414))


def test_a_rate_that_stays_has_used_what_it_has_used(gateway):
    gateway.wanted["projects"]["acme"]["navigators"]["agent"]["rate"] = "5/m"
    reload(gateway)
    assert [call(gateway).status for _ in range(6)] == [200] * 5 + [429]
    gateway.wanted["log"] = {"access": True}
    reload(gateway)
    assert call(gateway).status == 429
    gateway.wanted["projects"]["acme"]["navigators"]["agent"]["rate"] = "500/m"
    reload(gateway)
    assert call(gateway).status == 200


def test_the_cache_keeps_what_it_has_and_goes_by_the_new_times(gateway):
    call(gateway)
    reads = json.loads(gateway.command("status", "--json").stdout)["store"]["reads"]
    gateway.wanted["cache"] = {"ttl": "1s", "refresh_ahead": "0s", "capacity": 10}
    reload(gateway)
    assert {call(gateway).status for _ in range(16)} == {200}
    status = json.loads(gateway.command("status", "--json").stdout)
    assert status["store"]["reads"] == reads and status["cache"]["capacity"] == 10
    gateway.deposit("crm", ALICE, token=gateway.token)
    call(gateway)
    time.sleep(1.2)
    call(gateway)
    assert json.loads(gateway.command("status", "--json").stdout)["store"]["reads"] > reads


def test_mail_goes_by_the_new_server(gateway):
    with Sink() as sink:
        gateway.wanted["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
        reload(gateway)
        ask_for_a_code(gateway)
        eventually(lambda: "SIGN-IN CODE" in gateway.log())
        gateway.wanted["portal"] = sink.settings()
        reload(gateway)
        ask_for_a_code(gateway)
        sink.code("ann@acme.com")
        gateway.wanted["portal"]["sign_in"]["email_code"]["from"] = "Other <other@acme.com>"
        assert "setting portal.sign_in.email_code.from changed" in reload(gateway).stdout
        ask_for_a_code(gateway, "bob@acme.com")
        sink.code("bob@acme.com")
        assert sink.mails[-1][0].mail_from == "other@acme.com"


def test_tokens_are_had_by_the_new_settings(scene):
    provider = Provider()
    settings = client_credentials(provider, "client_secret_basic")
    scene = scene(provider, settings=settings, instance={"level": "project"}, environment={"CLIENT_SECRET": provider.clients["robot"].secret})
    assert [scene.good()["scopes"] for _ in range(8)] == [["robot"]] * 8 and provider.count(grant_type="client_credentials") == 1
    wanted = json.loads((scene.gateway.config / "gateway.yaml").read_text())
    wanted["projects"]["acme"]["title"] = "Acme"
    scene.gateway.wanted = wanted
    reload(scene.gateway)
    scene.good()
    assert provider.count(grant_type="client_credentials") == 1, "nothing of it changed"
    wanted["servers"]["crm"]["oauth"]["scopes"] = ["robot", "more"]
    assert "server crm changed: oauth" in reload(scene.gateway).stdout
    assert [set(scene.good()["scopes"]) for _ in range(8)] == [{"robot", "more"}] * 8
    assert provider.count(grant_type="client_credentials") == 2


def test_authorities_that_are_others_in_the_same_file_count_for_connections_that_wait_too(gateway, tmp_path):
    ours, theirs, trusted = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs"), tmp_path / "trusted.pem"
    trusted.write_bytes(ours.file.read_bytes())
    with Upstream(context=ours.server("localhost")) as upstream:
        gateway.wanted["servers"]["docs"] = {"url": f"https://localhost:{upstream.port}/mcp", "auth": "none", "tls": {"ca": str(trusted)}}
        gateway.wanted["projects"]["acme"]["servers"]["docs"] = {}
        reload(gateway)
        everywhere(gateway, 200, "docs")
        trusted.write_bytes(theirs.file.read_bytes())
        assert "server docs changed: tls" in reload(gateway).stdout
        everywhere(gateway, 502, "docs")
        trusted.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
        refused = reload(gateway, expect=78)
        assert "authorities cannot be used" in refused.stdout
        trusted.write_bytes(ours.file.read_bytes())
        reload(gateway)
        everywhere(gateway, 200, "docs")


def test_what_only_a_restart_changes_says_so(gateway):
    gateway.wanted["gateway"]["workers"] = 1
    gateway.wanted["secrets"] = {"sealed_files": {"directory": str(gateway.directory / "elsewhere")}}
    for _ in range(2):
        done = reload(gateway).stdout
        assert "needs a restart: gateway.workers" in done and "needs a restart: secrets.sealed_files.directory" in done
    assert json.loads(gateway.command("status", "--json").stdout)["workers"] == 2
    assert "gateway.workers counts only after a restart" in gateway.log() and "needs a restart: gateway.workers" in gateway.command("status").stdout
    everywhere(gateway, 200)


# What stays.


def test_an_exchange_ends_with_what_it_began_with(gateway, crm):
    held, release = threading.Event(), threading.Event()

    def waiting(seen, peer):
        held.set()
        release.wait(10)
        telling(seen, peer)

    crm.answer = waiting
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/crm", agent() | JSON, rpc()))
        assert held.wait(5)
        gateway.wanted["servers"] = {"docs": {"url": crm.url, "auth": "none"}}
        gateway.wanted["projects"]["acme"]["servers"] = {"docs": {}}
        reload(gateway)
        assert metric(gateway, "claviger_snapshots_held") == 2
        crm.answer = telling
        everywhere(gateway, 404)
        release.set()
        assert wire.answer().body == b"Bearer " + gateway.token.encode()
        # The connection goes on, by the new.
        wire.send(request("POST", "/mcp/crm", agent() | JSON, rpc()))
        assert wire.answer().status == 404
    eventually(lambda: metric(gateway, "claviger_snapshots_held") == 1)


def test_pipelined_requests_are_answered_each_by_what_was_in_force_when_it_came(gateway, crm):
    held, release = threading.Event(), threading.Event()

    def waiting(seen, peer):
        held.set()
        release.wait(10)
        telling(seen, peer)

    crm.answer = waiting
    one = request("POST", "/mcp/crm", agent() | JSON, rpc())
    with Wire(gateway.port) as wire:
        wire.send(one + one + one)
        assert held.wait(5)
        gateway.wanted["projects"]["acme"]["servers"]["crm"] = {"status": "paused"}
        reload(gateway)
        release.set()
        assert [wire.answer().status for _ in range(3)] == [200, 404, 404]


EVENT = b"data: one\n\n"


def streaming(seen, peer):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(2000):
        peer.send(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
        time.sleep(0.01)


def test_a_stream_goes_on_and_one_whose_key_is_gone_ends_within_a_second(gateway, crm):
    crm.answer = streaming
    second = Key("agent2")
    gateway.wanted["projects"]["acme"]["navigators"]["agent"]["keys"].append(second.line)
    reload(gateway)
    with Wire(gateway.port) as stays, Wire(gateway.port) as goes:
        for wire, key in ((stays, KEY), (goes, second)):
            wire.send(request("GET", "/mcp/crm", agent(ALICE, key)))
            assert wire.head().status == 200 and wire.until(EVENT).endswith(EVENT)
        gateway.wanted["projects"]["acme"]["navigators"]["agent"]["keys"].pop()
        gateway.wanted["gateway"]["timeouts"] = {"idle": "70s"}
        reload(gateway)
        ended = time.monotonic()
        while goes.fill():
            assert time.monotonic() < ended + 1
        assert not goes.buffer.endswith(b"0\r\n\r\n")
        for _ in range(50):
            assert stays.until(EVENT).endswith(EVENT)
    eventually(lambda: "a reload took the key" in gateway.log())


def test_idle_connections_to_servers_that_stay_are_kept(gateway, crm):
    for _ in range(8):
        call(gateway)
    before = crm.connections
    gateway.wanted["gateway"]["hosts"] = []
    gateway.wanted["projects"]["acme"]["title"] = "Acme"
    reload(gateway)
    for _ in range(8):
        call(gateway)
    assert crm.connections == before


# What is refused.


def broken(gateway):
    (gateway.config / "gateway.yaml").write_text("gatway: { workers: 2 }\nlog: { level: loud }\n")


def exposed(gateway):
    os.chmod(gateway.config / "gateway.yaml", 0o666)


def gone(gateway):
    gateway.config.rename(gateway.directory / "away")


@pytest.mark.parametrize("spoil, words", [(broken, "unknown key `gatway`"), (exposed, "everyone may write it"), (gone, "is no directory")])
def test_a_bad_configuration_changes_nothing_and_says_so_everywhere(gateway, spoil, words):
    spoil(gateway)
    before = standing(gateway)
    done = gateway.command("reload")
    assert done.returncode == 78 and words in done.stdout and "stays in force" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    after = standing(gateway)
    assert (after["generation"], after["since"]) == (before["generation"], before["since"])
    assert after["last_reload"]["result"] == "refused" and any(words in line for line in after["last_reload"]["problems"])
    assert words in gateway.command("status").stdout and words in gateway.log()
    assert metric(gateway, "claviger_last_reload_done") == 0 and metric(gateway, 'claviger_reloads_total{result="refused"}') == 1
    everywhere(gateway, 200)
    [row] = [line for line in gateway.command("audit").stdout.splitlines() if "reload" in line]
    assert "refused" in row and f"uid:{os.getuid()}" in row


def test_the_problems_are_those_that_check_prints(gateway):
    broken(gateway)
    done = gateway.command("reload")
    checked = command("check", "--config", gateway.config)
    assert done.stdout == checked.stdout and len(done.stdout.splitlines()) == 2


def test_an_address_that_somebody_else_has_changes_nothing(gateway, other):
    extra = free_port()
    gateway.wanted["gateway"]["listen"] += [{"address": f"127.0.0.1:{extra}"}, {"address": f"127.0.0.1:{other.port}"}]
    gateway.wanted["projects"]["acme"]["servers"] = {}
    done = reload(gateway, expect=1)
    assert f"cannot listen on 127.0.0.1:{other.port}" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not accepts(extra)
    assert standing(gateway)["last_reload"]["result"] == "failed"
    everywhere(gateway, 200)


def test_a_reference_that_leads_elsewhere_is_another_value_and_none_is_ever_shown(gateway, tmp_path):
    secret, path = [canary("smtp-one"), canary("smtp-two")], tmp_path / "smtp"
    path.write_text(secret[0])
    path.chmod(0o600)
    mail = {"smtp": "smtp://127.0.0.1:1", "user": "u", "password": f"${{file:{path}}}", "from": "connect@acme.com"}
    gateway.wanted["portal"] = {"sign_in": {"email_code": mail}}
    reload(gateway)
    assert "nothing changed" in reload(gateway).stdout
    path.write_text(secret[1])
    done = reload(gateway, "--json")
    [change] = json.loads(done.stdout)["changes"]
    assert change == {"kind": "setting", "name": "portal.sign_in.email_code.password", "what": "changed", "keys": []}
    assert not any(each in done.stdout + gateway.log() + gateway.command("status", "--json").stdout for each in secret)


# By a signal, and often.


def test_a_signal_reloads_as_the_command_does(gateway):
    gateway.wanted["projects"]["acme"]["title"] = "Acme"
    gateway.write(gateway.wanted)
    os.kill(gateway.process.pid, signal.SIGHUP)
    eventually(lambda: standing(gateway)["generation"] == 2)
    last = standing(gateway)["last_reload"]
    assert last["by"] == ["gateway"] and [each["name"] for each in last["changes"]] == ["acme"]
    [row] = [line for line in gateway.command("audit").stdout.splitlines() if "reload" in line]
    assert "SIGHUP" in row


def test_whoever_asks_during_a_reload_shares_the_next(gateway):
    gateway.wanted["servers"] |= {f"s{n}": {"url": f"https://s{n}.example.com/mcp", "auth": "none"} for n in range(300)}
    gateway.write(gateway.wanted)
    threads = [threading.Thread(target=gateway.command, args=("reload",)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2 <= standing(gateway)["generation"] < 13


COUNT = int(os.environ.get("CLAVIGER_RELOADS", "60"))


def test_many_reloads_under_load_fail_nothing_and_keep_nothing(gateway, crm):
    crm.answer = lambda seen, peer: peer.send(OK)
    both = [copy.deepcopy(gateway.wanted), copy.deepcopy(gateway.wanted)]
    both[1]["servers"]["docs"] = {"url": crm.url, "auth": "none"}
    both[1]["projects"]["acme"]["servers"]["docs"] = {}
    both[1]["gateway"]["timeouts"] = {"idle": "70s"}
    both[1]["gateway"]["listen"] = both[0]["gateway"]["listen"] + [{"address": f"127.0.0.1:{free_port()}"}]
    with Load(gateway.port) as load:
        sizes = []
        for number in range(COUNT):
            gateway.wanted = both[number % 2]
            reload(gateway)
            if number >= COUNT // 4:
                sizes.append(resident(gateway))
        gateway.wanted = both[1]
        reload(gateway)
    print(f"{COUNT} reloads: {load.answered} requests, {len(load.failed)} failed; KiB at a quarter {sizes[0]}, at the end {sizes[-1]}")
    assert load.failed == [] and load.answered > COUNT
    assert standing(gateway)["generation"] == COUNT + 2
    assert metric(gateway, "claviger_snapshots_held") == 1
    assert sizes[-1] - sizes[0] < 4096, sizes


STORM = int(os.environ.get("CLAVIGER_HANGUPS", "300"))


def test_a_storm_of_signals_under_load_fails_nothing(gateway):
    with Load(gateway.port) as load:
        for _ in range(STORM):
            os.kill(gateway.process.pid, signal.SIGHUP)
            time.sleep(0.002)
        eventually(lambda: standing(gateway)["generation"] > 1, 20)
        time.sleep(0.5)
    made = standing(gateway)["generation"] - 1
    print(f"{STORM} signals: {made} reloads, {load.answered} requests, {len(load.failed)} failed")
    assert load.failed == [] and 1 <= made <= STORM
    assert log_lines(gateway, "error") == []


# What the log says of it.


def test_each_change_and_each_problem_has_its_line(gateway, other):
    for number in range(60):
        gateway.wanted["servers"][f"crm-{number}"] = {"url": other.url, "auth": "none"}
    reload(gateway)
    eventually(lambda: gateway.log().count("reloaded: server crm-") == 60)
    for number in range(50):
        gateway.wanted["servers"][f"bad-{number}"] = {"url": other.url, "auth": "nothing"}
    reload(gateway, expect=78)
    # Each server has one problem and its name in another's words nowhere.
    eventually(lambda: len([line for line in log_lines(gateway, "error") if "gateway.yaml:" in line]) == 50)
