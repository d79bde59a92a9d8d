"""The commands: what they print, their exit codes, and what they leave in the log."""

import hashlib
import json
import re

import pytest
from canaries import canary
from gateway import ALICE, KEY, agent, command, header, world
from processes import eventually
from upstream import Upstream
from wire import JSON, ask, rpc


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    with upstream, daemons(world({"crm": header(upstream.url), "docs": {"url": upstream.url, "auth": "none"}}, log={"user": "hashed"})) as running:
        running.upstream = upstream
        yield running


def check(tmp_path, text):
    (tmp_path / "one.yaml").write_text(text if isinstance(text, str) else json.dumps(text, indent=1))
    return command("check", "--config", tmp_path)


def test_check_is_content_with_a_good_configuration(tmp_path, upstream):
    done = check(tmp_path, world({"crm": header(upstream.url)}))
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_reports_every_problem_with_its_place(tmp_path):
    done = check(
        tmp_path,
        "servers:\n  crm: { url: 'http://127.0.0.1/mcp', auht: none }\nprojects:\n  acme:\n    servers: { crn: {} }\n"
        "    navigators: { support: { keys: [], deny: { tools: { crm: [drop] } } } }\n",
    )
    assert done.returncode == 78
    lines = [line for line in (done.stdout + done.stderr).splitlines() if re.match(r".*one\.yaml:\d+:\d+: ", line)]
    assert len(lines) >= 3
    said = "\n".join(lines)
    assert ":2:" in said and "auth" in said and "crm" in said and "not supported by this version" in said


def test_check_of_nothing_names_the_directory(tmp_path):
    done = command("check", "--config", tmp_path)
    assert done.returncode == 78 and str(tmp_path) in done.stderr + done.stdout


def test_serve_refuses_what_check_refuses(tmp_path):
    (tmp_path / "one.yaml").write_text("gatewey: {}\n")
    done = command("serve", "--config", tmp_path, "--state", tmp_path / "s", "--runtime", tmp_path / "r")
    assert done.returncode == 78 and "gateway" in done.stderr + done.stdout


@pytest.mark.parametrize("arguments", [["serve", "--no-such-flag"], ["no-such-command"], ["credential", "set"], ["key"]])
def test_wrong_usage_is_64(arguments):
    done = command(*arguments)
    assert done.returncode in (64, 0) and (done.stderr or done.stdout)
    assert done.returncode == 64 or arguments == ["key"]


def test_no_daemon_is_69(tmp_path):
    for arguments in (["status"], ["credential", "list", "--project", "acme"]):
        done = command(*arguments, "--runtime", tmp_path)
        assert done.returncode == 69 and len(done.stderr.strip().splitlines()) == 1 and str(tmp_path) in done.stderr


def test_version():
    done = command("version")
    assert done.returncode == 0 and re.search(r"\d+\.\d+", done.stdout)


def test_a_new_key_works_with_the_line_it_prints(tmp_path, start, upstream):
    done = command("key", "new", "--id", "fresh1", "--note", "for a scenario")
    key = re.search(r"ck_fresh1\.[A-Za-z0-9_-]{43}", done.stdout)[0]
    assert done.returncode == 0
    digest = re.search(r"[0-9a-f]{64}", done.stdout)[0]
    assert digest == hashlib.sha256(key.split(".")[1].encode()).hexdigest()
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, navigator={"keys": [{"id": "fresh1", "sha256": digest, "note": "for a scenario"}]}))
    assert ask(gateway.port, "POST", "/mcp/raw", agent() | {"x-api-key": key} | JSON, rpc()).status == 200


def test_a_new_key_has_an_id_of_its_own():
    assert len({re.search(r"ck_([a-z0-9]{4,16})\.", command("key", "new").stdout)[1] for _ in range(3)}) == 3


def test_status_says_what_runs(gateway):
    done = gateway.command("status")
    assert done.returncode == 0 and "crm" in done.stdout
    facts = gateway.command("status", "--json")
    assert facts.returncode == 0 and isinstance(json.loads(facts.stdout), dict)


def test_credentials_are_set_listed_and_deleted(gateway):
    token = canary("command")
    gateway.deposit("crm", ALICE, token=token)
    listed = gateway.command("credential", "list", "--project", "acme")
    assert listed.returncode == 0 and ALICE in listed.stdout and "crm" in listed.stdout and token not in listed.stdout
    as_json = gateway.command("credential", "list", "--project", "acme", "--json")
    assert ALICE in as_json.stdout and json.loads(as_json.stdout) and token not in as_json.stdout
    gateway.withdraw("crm", ALICE)
    assert ALICE not in gateway.command("credential", "list", "--project", "acme").stdout


@pytest.mark.parametrize(
    "arguments",
    [["--project", "acme", "--server", "nothing", "--user", ALICE], ["--project", "nothing", "--server", "crm", "--user", ALICE],
     ["--project", "acme", "--server", "crm", "--user", "no-address"], ["--project", "acme", "--server", "crm"],
     ["--project", "acme", "--server", "docs", "--user", ALICE]],
    ids=["unknown server", "unknown project", "no address", "no user for a user's server", "auth none"])
def test_a_deposit_that_cannot_be_says_why_in_one_line(gateway, arguments):
    done = gateway.command("credential", "set", *arguments, input="token=cnry-wrong-place\n")
    assert done.returncode in (1, 64) and done.stderr.strip() and "cnry" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 or done.returncode == 64


def test_the_log_begins_with_one_line_and_has_a_record_per_exchange(gateway):
    gateway.deposit("crm", ALICE, token=canary("logged"))
    answer = ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc())
    started = [line for line in gateway.log().splitlines() if " started" in line]
    assert len(started) == 1 and "claviger 0" in started[0] and str(gateway.port) in started[0] and "snapshot" in started[0]

    record = eventually(lambda: [line for line in gateway.log().splitlines() if answer["x-request-id"] in line])
    assert len(record) == 1
    for word in ("acme", "agent", "crm", "200"):
        assert word in record[0]
    assert ALICE not in gateway.log() and KEY.secret not in gateway.log()


def test_metrics_and_health(gateway):
    for path in ("/healthz", "/readyz"):
        assert ask(gateway.admin, "GET", path).status == 200
    answer = ask(gateway.admin, "GET", "/metrics", {"Host": "127.0.0.1"})
    assert answer.status == 200 and b"# TYPE" in answer.body and ALICE.encode() not in answer.body
    reads = [line for line in answer.body.decode().splitlines() if line.startswith('claviger_store_calls_total{operation="read"')]
    assert len(reads) > 3 and all(line.split()[-1].isdigit() for line in reads)
    assert ask(gateway.port, "GET", "/metrics").status == 404


def test_a_port_in_use_is_a_clear_line(gateway, tmp_path):
    (tmp_path / "one.yaml").write_text(json.dumps(world({"docs": {"url": gateway.upstream.url, "auth": "none"}}, gateway={"listen": [{"address": f"unix:{tmp_path}/g.sock"}]},
                                                        admin={"address": f"127.0.0.1:{gateway.upstream.port}"})))
    done = command("serve", "--config", tmp_path, "--state", tmp_path / "s", "--runtime", tmp_path / "r")
    assert done.returncode == 1 and str(gateway.upstream.port) in done.stderr + done.stdout


def test_a_unix_socket_is_listened_on(daemons, upstream, tmp_path):
    import socket

    from wire import Answer, Wire, request

    path = tmp_path / "g.sock"
    with daemons(world({"raw": {"url": upstream.url, "auth": "none"}}, gateway={"listen": [{"address": f"unix:{path}"}]})) as running:
        wire = Wire.__new__(Wire)
        wire.socket, wire.buffer = socket.socket(socket.AF_UNIX), b""
        wire.socket.settimeout(5)
        wire.socket.connect(str(path))
        wire.send(request("GET", "/mcp/raw", agent()))
        assert wire.answer("GET").status == 200
        wire.close()
