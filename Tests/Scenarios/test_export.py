"""Moving credentials from store to store: whole or not at all, resumed after any end, and never a value in the clear."""

import base64
import contextlib
import hashlib
import http.client
import json
import pathlib
import secrets
import signal
import socket
import subprocess
import threading
import time

import pytest
from canaries import canary, forms
from conftest import next_directory
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fault_relay import FaultRelay, Faults
from fault_relay import answer as fault_answer
from gateway import ALICE, BOB, agent, header, world
from parameter_store import AWS, reference
from processes import binary, eventually
from test_credentials import telling
from upstream import Upstream
from wire import JSON, ask, rpc


@pytest.fixture
def scripted():
    with Upstream(telling) as upstream:
        yield upstream


@pytest.fixture
def stores(start, scripted):
    """Two gateways before one server, each with its own state directory and master key; the first has three credentials."""
    def made():
        return start(world({"crm": header(scripted.url), "all": header(scripted.url)}, instances={"all": {"level": "project"}}))

    first, second = made(), made()
    first.tokens = {ALICE: canary("export-a"), BOB: canary("export-b"), None: canary("export-all")}
    for user, token in first.tokens.items():
        first.deposit("crm" if user else "all", user, token=token)
    return first, second


def injected(gateway, server="crm", user=ALICE):
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc()).body.decode()


def export(gateway, file, *arguments):
    return gateway.command("credential", "export", file, *arguments)


def take(gateway, file, *arguments):
    return gateway.command("credential", "import", file, *arguments)


def summary(done):
    return json.loads(done.stdout)


def plant(gateway, count):
    """Puts `count` credentials into the store by way of the API, faster than a command each would."""
    tokens = {}
    for number in range(count):
        user = f"user{number}@acme.com"
        # Those that `some` looks at are marked; two thousand marks would take the search for them minutes.
        tokens[user] = canary(f"many{number}") if number % 211 == 0 else secrets.token_urlsafe(32)
        body = json.dumps({"token": tokens[user]})
        done = over_socket(gateway, "PUT", f"/api/v1/projects/acme/credentials/crm?user={user}", body)
        assert done[0] == 204
    return tokens


def over_socket(gateway, method, target, body=None):
    """Status and body of an answer over admin.sock."""
    connection = http.client.HTTPConnection("localhost", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30)
    connection.sock.connect(str(gateway.directory / "runtime/admin.sock"))
    with contextlib.closing(connection):
        connection.request(method, target, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_everything_arrives_in_a_store_of_another_key(stores):
    first, second = stores
    file = first.directory / "moved"
    done = export(first, file, "--json")
    assert done.returncode == 0, done.stderr
    assert summary(done) == {"file": str(file), "credentials": 3, "earlier": 0, "gone": 0, "unreadable": 0}
    assert oct(file.stat().st_mode & 0o777) == oct((first.directory / "moved.key").stat().st_mode & 0o777) == "0o600"
    assert ask(second.port, "POST", "/mcp/crm", agent() | JSON, rpc())["x-claviger-refusal"] == "credential_missing"
    done = take(second, file, "--json")
    assert done.returncode == 0, done.stderr
    assert (summary(done)["imported"], summary(done)["conflicting"], summary(done)["failed"]) == (3, 0, 0)
    for user in (ALICE, BOB):
        assert injected(second, user=user) == "Bearer " + first.tokens[user]
    assert injected(second, "all") == "Bearer " + first.tokens[None]
    listed = [json.loads(gateway.command("credential", "list", "--project", "acme", "--json").stdout) for gateway in stores]
    assert listed[0] == listed[1]
    assert (first.directory / "state/master.key").read_text() != (second.directory / "state/master.key").read_text()


def test_no_value_stands_in_what_is_written_and_said(stores):
    first, second = stores
    file = first.directory / "moved"
    said = [export(first, file), take(second, file), take(second, file)]
    second.deposit("crm", ALICE, token=canary("export-conflict"))
    said.append(take(second, file))
    assert [done.returncode for done in said] == [0, 0, 0, 1]
    seen = "".join(done.stdout + done.stderr for done in said).encode() + file.read_bytes() + first.log().encode() + second.log().encode()
    key = (first.directory / "moved.key").read_text().strip()
    assert key.encode() not in seen
    for token in first.tokens.values():
        for form in forms(token):
            assert form not in seen
    assert "action=credentials_exported" in first.log() and "action=credentials_imported" in second.log()


def test_what_is_there_stays_unless_it_is_to_be_replaced(stores):
    first, second = stores
    file = first.directory / "moved"
    newer = canary("export-newer")
    second.deposit("crm", ALICE, token=newer)
    assert export(first, file).returncode == 0
    done = take(second, file, "--json")
    assert done.returncode == 1 and (summary(done)["imported"], summary(done)["conflicting"]) == (2, 1)
    assert "/acme/users/" in done.stderr and "--replace" in done.stderr and len(done.stderr.splitlines()) == 1
    assert injected(second) == "Bearer " + newer
    done = take(second, file, "--replace", "--json")
    assert done.returncode == 0 and (summary(done)["imported"], summary(done)["present"]) == (1, 2)
    assert injected(second) == "Bearer " + first.tokens[ALICE]


def test_a_bound_origin_stays_bound(stores, start):
    """What was deposited for one origin is not injected toward another, whatever the other gateway's configuration says."""
    first, _ = stores
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    with Upstream(telling) as other:
        elsewhere = start(world({"crm": header(other.url)}))
        assert take(elsewhere, file).returncode == 0
        answer = ask(elsewhere.port, "POST", "/mcp/crm", agent() | JSON, rpc())
        assert answer["x-claviger-refusal"] == "credential_missing" and not other.requests


def crafted(file, entries):
    """An export as the documentation describes it, made without the daemon. `entries`: reference and value."""
    key = secrets.token_bytes(32)
    pathlib.Path(f"{file}.key").write_text(key.hex())
    pathlib.Path(f"{file}.key").chmod(0o600)
    mark = hashlib.sha256(b"claviger sealed files: which key" + key).digest()[:7].hex()
    digest, lines = bytes(32), []

    def add(head, value=b""):
        nonlocal digest
        text = json.dumps(head, separators=(",", ":"), sort_keys=True)[:-1].encode()
        nonce = secrets.token_bytes(12)
        sealed = base64.b64encode(nonce + AESGCM(key).encrypt(nonce, value, text))
        lines.append(text + b',"sealed":"' + sealed + b'"}')
        digest = hashlib.sha256(digest + lines[-1]).digest()

    add({"claviger": "credentials", "form": 1, "key": mark, "begun": "2026-11-21T00:00:00Z"})
    for reference, value in entries:
        add({"reference": reference}, value)
    add({"credentials": len(entries), "digest": digest.hex()})
    file.write_bytes(b"".join(line + b"\n" for line in lines))


def test_grants_and_clients_travel_too(stores):
    """Whatever lies in the store, also what no server of the configuration has; and the file's form is the documented one."""
    first, second = stores
    values = {"/acme/users/abc/crm.grant": canary("export-grant").encode(), "/_clients/abc": canary("export-client").encode(),
              "/gone/shared/old": b'{"token":"' + canary("export-gone").encode() + b'"}'}
    file, again = first.directory / "crafted", first.directory / "again"
    crafted(file, list(values.items()))
    assert summary(take(first, file, "--json"))["imported"] == 3
    assert summary(export(first, again, "--json"))["credentials"] == 6
    assert summary(take(second, again, "--json"))["imported"] == 6
    listed = [json.loads(over_socket(gateway, "GET", "/api/v1/credentials")[1])["references"] for gateway in stores]
    assert listed[0] == listed[1] and set(values) < set(listed[1])
    # The same values, not only something of the same name.
    assert summary(take(second, file, "--json"))["present"] == 3


@pytest.mark.parametrize("damage", ["truncated", "tail", "bit", "line", "doubled", "record"])
def test_a_file_that_is_not_as_it_was_exported_is_refused_whole(stores, damage):
    first, second = stores
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    assert len(lines) == 5
    changed = {
        "truncated": b"".join(lines[:-1]), "tail": content[:-20], "bit": content.replace(lines[2], lines[2][:-10] + bytes([lines[2][-10] ^ 1]) + lines[2][-9:]),
        "line": b"".join(lines[:2] + lines[3:]), "doubled": b"".join(lines[:2] + lines[1:]), "record": content.replace(b'"host":"127.0.0.1"', b'"host":"127.0.0.2"', 1)}
    file.write_bytes(changed[damage])
    done = take(second, file)
    assert done.returncode == 1 and str(file) in done.stderr and len(done.stderr.splitlines()) == 1
    if damage in ("bit", "record", "doubled"):
        assert "line " in done.stderr
    if damage in ("truncated", "tail"):
        assert "run the export again" in done.stderr
    assert not list((second.directory / "state/secrets").iterdir())


def test_a_truncated_export_is_completed_by_the_next(stores):
    first, second = stores
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    done = export(first, file)
    assert done.returncode == 1 and "a whole export" in done.stderr
    file.write_bytes(file.read_bytes()[:-300])
    done = export(first, file, "--json")
    assert done.returncode == 0 and summary(done)["credentials"] == 3 and 0 < summary(done)["earlier"] < 3, done.stderr
    assert take(second, file).returncode == 0
    assert injected(second, user=BOB) == "Bearer " + first.tokens[BOB]


def test_another_key_opens_nothing_and_is_said(stores):
    first, second = stores
    file, key, other = (first.directory / name for name in ("moved", "moved.key", "other.key"))
    assert export(first, file).returncode == 0
    other.write_text("ab" * 32)
    other.chmod(0o600)
    for command in (export, take):
        done = command(second, file, "--key", other)
        assert done.returncode == 1 and "another key" in done.stderr
    key.chmod(0o644)
    assert "chmod 600" in take(second, file).stderr
    key.unlink()
    assert "missing" in take(second, file).stderr
    assert "missing" in export(first, file).stderr and not key.exists()
    assert not list((second.directory / "state/secrets").iterdir())


def test_what_cannot_be_read_is_named_and_the_rest_goes(stores):
    first, second = stores
    for path in (first.directory / "state/secrets").iterdir():
        if "shared" in path.name:
            path.write_bytes(path.read_bytes()[:-1])
    file = first.directory / "moved"
    done = export(first, file, "--json")
    assert done.returncode == 1 and summary(done)["unreadable"] == 1 and summary(done)["credentials"] == 2
    assert "/acme/shared/all" in done.stderr and "deposit the credential again" in done.stderr
    assert take(second, file).returncode == 0


def test_other_files_and_no_daemon_are_said(stores, tmp_path):
    first, second = stores
    other = first.directory / "conf.d/gateway.yaml"
    before = other.read_bytes()
    (first.directory / "conf.d/gateway.yaml.key").write_text("ab" * 32)
    (first.directory / "conf.d/gateway.yaml.key").chmod(0o600)
    for command in (export, take):
        done = command(first, other)
        assert done.returncode == 1 and "no export of credentials" in done.stderr
    assert other.read_bytes() == before
    (first.directory / "conf.d/gateway.yaml.key").unlink()
    unended = tmp_path / "unended"
    unended.write_text("somebody's only copy")
    assert "no export of credentials" in export(first, unended).stderr
    assert unended.read_text() == "somebody's only copy" and not (tmp_path / "unended.key").exists()
    assert take(first, tmp_path / "nothing").returncode == 1
    second.process.end()
    done = export(second, tmp_path / "unmade")
    assert done.returncode == 69 and not (tmp_path / "unmade").exists() and not (tmp_path / "unmade.key").exists()


def said(done):
    """What a command that was refused said, in its one line."""
    assert done.returncode in (1, 64) and len(done.stderr.splitlines()) == 1, done
    return done.stderr


def test_somebody_elses_file_is_called_that_before_a_key_is_spoken_of(stores, tmp_path):
    first, _ = stores
    other = tmp_path / "other"
    other.write_text("somebody's\nonly copy\n")
    other.chmod(0o644)
    for command in (export, take):
        line = said(command(first, other))
        assert "no export of credentials" in line and ".key" not in line
    assert other.read_text() == "somebody's\nonly copy\n" and other.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_file_that_cannot_be_written_is_said_with_what_to_do(stores, tmp_path):
    first, _ = stores
    same, link = tmp_path / "same", tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    assert "its key" in said(export(first, same, "--key", tmp_path / "." / "same")) and not same.exists()
    assert "symbolic link" in said(export(first, link)) and not (tmp_path / "target").exists()
    for place in ("/dev/full", tmp_path):
        assert "name a file" in said(export(first, place))
    for place in ("/proc/x", tmp_path / "no" / "where"):
        assert "no file can be made there: name a file in a directory" in said(export(first, place))
    assert "there is no such file" in said(take(first, same))
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_an_empty_file_that_all_could_read_becomes_the_owners(stores, tmp_path):
    first, _ = stores
    file = tmp_path / "moved"
    file.touch(0o644)
    assert export(first, file).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600


@contextlib.contextmanager
def mounted(directory, options):
    """A small file system of its own at `directory`; `remount(options)`."""
    directory.mkdir()

    def mount(options):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory], capture_output=True).returncode == 0

    if not mount(options):
        pytest.skip("no file system can be mounted here")
    try:
        yield lambda options: mount(f"remount,{options}") or pytest.fail("cannot be mounted again")
    finally:
        subprocess.run(["umount", directory], check=True)


def test_an_export_is_imported_from_where_nobody_may_write(stores, tmp_path):
    first, second = stores
    with mounted(tmp_path / "moved", "size=1m") as remount:
        file = tmp_path / "moved/export"
        assert export(first, file).returncode == 0
        remount("ro")
        done = take(second, file, "--json")
        assert done.returncode == 0 and summary(done)["imported"] == 3, done.stderr
        other = said(export(first, tmp_path / "moved/other"))
        assert "Read-only file system" in other and "where you may write" in other


def start_command(gateway, *arguments):
    return subprocess.Popen([str(binary("claviger")), *map(str, arguments), "--runtime", str(gateway.directory / "runtime")],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sealed(gateway):
    secrets = gateway.directory / "state/secrets"
    return sum(not path.name.startswith(".") for path in secrets.iterdir()) if secrets.exists() else 0


@pytest.fixture(scope="module")
def many(daemons):
    """A gateway with 2,000 credentials; `many.tokens[user]`."""
    with Upstream(telling) as upstream, daemons(world({"crm": header(upstream.url)})) as gateway:
        gateway.upstream = upstream
        gateway.tokens = plant(gateway, 2000)
        yield gateway


def lands_in(start, many):
    return start(world({"crm": header(many.upstream.url)}))


def some(tokens):
    return list(tokens.items())[::211]


def test_two_thousand_go_through_without_the_daemons_growing(many, start, tmp_path):
    second = lands_in(start, many)
    file = tmp_path / "moved"
    before = [gateway.process.resident() for gateway in (many, second)]
    done = export(many, file, "--json")
    assert done.returncode == 0 and summary(done)["credentials"] == 2000, done.stderr
    done = take(second, file, "--json")
    assert done.returncode == 0 and summary(done)["imported"] == 2000, done.stderr
    after = [gateway.process.resident() for gateway in (many, second)]
    for user, token in some(many.tokens):
        assert injected(second, user=user) == "Bearer " + token
    content = file.read_bytes()
    assert not any(form in content for _, token in some(many.tokens) for form in forms(token))
    # The file has more than half a megabyte; ten values at a time are in memory.
    assert all(grown - was < 24 << 20 for was, grown in zip(before, after)), (before, after)
    assert take(second, file, "--json").returncode == 0


def test_a_command_that_is_killed_goes_on_when_run_again(many, start, tmp_path):
    second = lands_in(start, many)
    file = tmp_path / "moved"
    child = start_command(many, "credential", "export", file)
    eventually(lambda: file.exists() and file.stat().st_size > 50_000, seconds=20, every=0.001)
    child.kill()
    child.communicate()
    size = file.stat().st_size
    done = export(many, file, "--json")
    assert done.returncode == 0 and summary(done)["credentials"] == 2000 and 0 < summary(done)["earlier"] < 2000, (done.stderr, size)
    child = start_command(second, "credential", "import", file)
    eventually(lambda: sealed(second) > 100, seconds=20, every=0.001)
    child.kill()
    child.communicate()
    done = take(second, file, "--json")
    report = summary(done)
    assert done.returncode == 0 and report["present"] >= 100 and report["imported"] > 0 and report["present"] + report["imported"] == 2000, (report, done.stderr)
    for user, token in some(many.tokens):
        assert injected(second, user=user) == "Bearer " + token


def test_an_export_onto_a_full_disk_goes_on_when_there_is_room(many, start, tmp_path):
    second = lands_in(start, many)
    with mounted(tmp_path / "small", "size=256k") as remount:
        file = tmp_path / "small/moved"
        line = said(export(many, file))
        assert "No space left on device" in line and "is kept" in line and "run the same command again" in line
        # Still full: nothing of what is there is lost.
        before = file.read_bytes()
        assert "is kept" in said(export(many, file))
        whole = before[:before.rindex(b"\n") + 1]
        assert len(whole) > 100_000 and file.read_bytes().startswith(whole)
        remount("size=4m")
        done = export(many, file, "--json")
        assert done.returncode == 0 and summary(done)["credentials"] == 2000 and summary(done)["earlier"] > 100, done.stderr
        assert summary(take(second, file, "--json"))["imported"] == 2000
    for user, token in some(many.tokens):
        assert injected(second, user=user) == "Bearer " + token


def test_a_daemon_that_is_killed_loses_nothing_that_was_said(many, start, tmp_path):
    second = lands_in(start, many)
    file = tmp_path / "moved"
    assert export(many, file).returncode == 0
    child = start_command(second, "credential", "import", file)
    eventually(lambda: sealed(second) > 300, seconds=20, every=0.001)
    second.process.end(signal.SIGKILL)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 69 and len(said.splitlines()) == 1
    second.start()
    done = take(second, file, "--json")
    report = summary(done)
    assert done.returncode == 0 and report["present"] >= 300 and report["present"] + report["imported"] == 2000, (report, done.stderr)
    for user, token in some(many.tokens):
        assert injected(second, user=user) == "Bearer " + token


def test_a_second_export_to_the_same_file_waits_for_nobody(many, tmp_path):
    file = tmp_path / "moved"
    child = start_command(many, "credential", "export", file)
    eventually(lambda: file.exists() and file.stat().st_size > 10_000, seconds=20, every=0.001)
    done = export(many, file)
    child.communicate(timeout=60)
    assert child.returncode == 0 and done.returncode == 1 and ("at work" in done.stderr or "a whole export" in done.stderr)


def test_users_are_served_while_credentials_are_moved(many, tmp_path):
    """Requests go on, and a deposit amid an export is in force at once."""
    stop, answers = threading.Event(), []

    def ask_on():
        while not stop.is_set():
            answers.append(injected(many, user="user7@acme.com"))

    thread = threading.Thread(target=ask_on)
    thread.start()
    file = tmp_path / "moved"
    done = export(many, file)
    stop.set()
    thread.join()
    assert done.returncode == 0 and len(answers) > 5 and set(answers) == {"Bearer " + many.tokens["user7@acme.com"]}


@pytest.fixture(scope="module")
def aws(runs):
    with AWS(next_directory(runs)) as aws:
        yield aws


@pytest.fixture
def in_aws(start, scripted, aws):
    """Starts a gateway whose store is Parameter Store, with every signature checked: `in_aws(prefix, endpoint)`."""
    def serve(prefix, endpoint=None, **more):
        secrets = aws.store(endpoint, prefix=prefix, reads="200/s", writes="100/s")
        secrets["parameter_store"] |= more
        return start(world({"crm": header(scripted.url), "all": header(scripted.url)}, instances={"all": {"level": "project"}}, secrets=secrets),
                     environment=aws.environment())
    return serve


def test_sealed_files_to_parameter_store_and_back(stores, in_aws, aws):
    first, last = stores
    middle = in_aws("/moved")
    files = [first.directory / "there", first.directory / "back"]
    assert export(first, files[0]).returncode == 0
    done = take(middle, files[0], "--json")
    assert done.returncode == 0 and summary(done)["imported"] == 3, done.stderr
    for user, token in first.tokens.items():
        found = aws.get(reference("crm" if user else "all", user, prefix="/moved"))
        assert found["fields"] == {"token": token} and found["Type"] == "SecureString"
    assert injected(middle) == "Bearer " + first.tokens[ALICE]
    assert summary(take(middle, files[0], "--json"))["present"] == 3
    assert export(middle, files[1]).returncode == 0
    done = take(last, files[1], "--json")
    assert done.returncode == 0 and summary(done)["imported"] == 3, done.stderr
    listed = [json.loads(gateway.command("credential", "list", "--project", "acme", "--json").stdout) for gateway in (first, middle, last)]
    assert listed[0] == listed[1] == listed[2]
    assert injected(last, "all") == "Bearer " + first.tokens[None]


def test_the_store_is_switched_in_place_as_documented(start, scripted, aws):
    def config(**secrets):
        return world({"crm": header(scripted.url)}, **({"secrets": secrets} if secrets else {}))

    gateway = start(config(), environment=aws.environment())
    token, file = canary("export-place"), gateway.directory / "moved"
    gateway.deposit("crm", ALICE, token=token)
    assert export(gateway, file).returncode == 0
    gateway.process.end()
    places = {"gateway": {"listen": [{"address": f"127.0.0.1:{gateway.port}"}]}, "admin": {"address": f"127.0.0.1:{gateway.admin}"}}
    gateway.write(config(**aws.store(prefix="/place")) | places)
    gateway.start()
    assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc())["x-claviger-refusal"] == "credential_missing"
    done = take(gateway, file)
    assert done.returncode == 0 and injected(gateway) == "Bearer " + token, done.stderr
    gateway.process.end()
    gateway.write(config() | places)
    gateway.start()
    assert injected(gateway) == "Bearer " + token, "the old store is the way back"


def test_what_parameter_store_does_not_take_is_named_and_the_rest_goes(stores, in_aws, aws):
    first, _ = stores
    first.deposit("crm", "long@acme.com", token="x" * 5000)
    second = in_aws("/long")
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    done = take(second, file, "--json")
    report = summary(done)
    assert done.returncode == 1 and (report["imported"], report["failed"]) == (3, 1), done.stderr
    assert "/acme/users/" in done.stderr and "tier" in done.stderr and "xxx" not in done.stderr and len(done.stderr.splitlines()) == 1
    listed = json.loads(second.command("credential", "list", "--project", "acme", "--json").stdout)
    assert len(listed["credentials"]) == 3


def test_a_denial_is_said_at_once_and_not_as_something_to_try_again(stores, in_aws, aws):
    first, _ = stores
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    with FaultRelay(aws.port) as relay:
        second = in_aws("/denied", relay.endpoint)
        relay.fault = lambda relay, connection, message: fault_answer(
            connection, 400, {"__type": "AccessDeniedException", "message": "User is not authorized to perform this action"})
        before = time.monotonic()
        for done in (export(second, first.directory / "other"), take(second, file)):
            line = said(done)
            assert "ssm:" in line and "again" not in line, line
        assert time.monotonic() - before < 15


def test_throttling_amid_an_import_is_waited_out(stores, in_aws, aws):
    first, _ = stores
    file = first.directory / "moved"
    assert export(first, file).returncode == 0
    with FaultRelay(aws.port) as relay:
        second = in_aws("/throttled", relay.endpoint)
        relay.fault = Faults.throttling
        child = start_command(second, "credential", "import", file, "--json")
        eventually(lambda: relay.count > 2, seconds=20)
        relay.fault = None
        said, errors = child.communicate(timeout=60)
        assert child.returncode == 0 and json.loads(said)["imported"] == 3, errors
    assert aws.get(reference("crm", BOB, prefix="/throttled"))["fields"] == {"token": first.tokens[BOB]}
