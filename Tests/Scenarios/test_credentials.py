"""Deposits: in force at once on every worker, durable, bound to the server's origin, refused where they could do harm."""

import threading

import pytest
from canaries import canary
from gateway import ALICE, BOB, agent, header, world
from processes import free_port
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


def telling(seen, peer):
    """Answers with the Authorization it saw."""
    body = (seen["authorization"] or "none").encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)


@pytest.fixture
def scripted(start):
    with Upstream(telling) as upstream:
        gateway = start(world({"crm": header(upstream.url), "raw": {"url": upstream.url, "auth": "none"}}, gateway={"workers": 2}))
        gateway.upstream = upstream
        yield gateway


def on_every_worker(gateway, user=ALICE, server="crm"):
    """The answers over sixteen connections, which the kernel spreads over the workers."""
    return [ask(gateway.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc()) for _ in range(16)]


def test_a_deposit_is_in_force_for_the_next_request_everywhere(scripted):
    assert {answer["x-claviger-refusal"] for answer in on_every_worker(scripted)} == {"credential_missing"}
    for number in range(5):
        token = canary(f"deposit{number}")
        scripted.deposit("crm", ALICE, token=token)
        assert {answer.body for answer in on_every_worker(scripted)} == {b"Bearer " + token.encode()}


def test_a_deletion_is_in_force_for_the_next_request_everywhere(scripted):
    for _ in range(3):
        scripted.deposit("crm", ALICE, token=canary("deleted"))
        assert {answer.status for answer in on_every_worker(scripted)} == {200}
        scripted.withdraw("crm", ALICE)
        assert {answer["x-claviger-refusal"] for answer in on_every_worker(scripted)} == {"credential_missing"}


def test_kept_connections_see_the_change_too(scripted):
    wires = [Wire(scripted.port) for _ in range(8)]
    for number in range(3):
        token = canary(f"kept{number}")
        scripted.deposit("crm", ALICE, token=token)
        for wire in wires:
            wire.send(request("POST", "/mcp/crm", agent() | JSON, rpc()))
            assert wire.answer().body == b"Bearer " + token.encode()
    for wire in wires:
        wire.close()


def test_one_users_deposit_is_nobody_elses(scripted):
    scripted.deposit("crm", ALICE, token=canary("alices"))
    assert {answer["x-claviger-refusal"] for answer in on_every_worker(scripted, BOB)} == {"credential_missing"}


def test_addresses_are_normalised_alike_at_deposit_and_lookup(scripted):
    token = canary("normal")
    scripted.deposit("crm", "Alice@ACME.com", token=token)
    assert ask(scripted.port, "POST", "/mcp/crm", agent("ALICE@acme.COM") | JSON, rpc()).body == b"Bearer " + token.encode()


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nX-Evil: 1", "a\0b", "a\x01b", "a\x7fb", "ä", " ", "a\u2028b"],
    ids=["CR", "LF", "NUL", "SOH", "DEL", "umlaut", "blank", "line separator"])
def test_a_value_that_would_change_the_request_is_refused(scripted, value):
    done = scripted.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=f"token={value}\n")
    if "\n" in value:
        assert done.returncode != 0
    else:
        assert done.returncode == 1 and "token" in done.stderr and value.strip() not in done.stderr.replace("token", "") or not value.strip()
    assert ask(scripted.port, "POST", "/mcp/crm", agent() | JSON, rpc())["x-claviger-refusal"] == "credential_missing"


@pytest.mark.parametrize("value", [".", ".."])
def test_a_path_value_that_climbs_is_refused(start, upstream, value):
    gateway = start(world({"keyed": {"url": upstream.origin + "/{key}/mcp", "auth": "path"}}))
    done = gateway.command("credential", "set", "--project", "acme", "--server", "keyed", "--user", ALICE, input=f"key={value}\n")
    assert done.returncode == 1


@pytest.mark.parametrize("value, sent", [("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("a%2e", "a%252e"), ("a b+c&d=e", "a%20b%2Bc%26d%3De"), ("..a", "..a"), ("a;b\\c", "a%3Bb%5Cc")])
def test_path_and_query_values_are_encoded_whole(start, upstream, value, sent):
    gateway = start(world({
        "keyed": {"url": upstream.origin + "/{key}/mcp", "auth": "path"}, "asked": {"url": upstream.url, "auth": "query", "query": {"k": "{key}"}}}))
    for server in ("keyed", "asked"):
        done = gateway.command("credential", "set", "--project", "acme", "--server", server, "--user", ALICE, input=f"key={value}\n")
        assert done.returncode == 0 or server == "keyed", done.stderr
        if done.returncode == 0:
            assert ask(gateway.port, "POST", f"/mcp/{server}", agent(), b"{}").status == 200
            assert upstream.requests[-1].target == (f"/{sent}/mcp" if server == "keyed" else f"/mcp?k={sent}")


@pytest.mark.parametrize("fields", ["", "other=1\n", "token=a\nother=b\n", "token\n"])
def test_the_fields_are_exactly_the_servers(scripted, fields):
    done = scripted.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=fields)
    assert done.returncode in (1, 64) and done.stderr.strip()


def test_a_credential_for_another_origin_counts_as_missing(scripted):
    scripted.deposit("crm", ALICE, token=canary("origin"))
    scripted.process.end()
    with Upstream(telling) as other:
        scripted.write(world({"crm": header(other.url)}, gateway={"listen": [{"address": f"127.0.0.1:{scripted.port}"}]},
                             admin={"address": f"127.0.0.1:{scripted.admin}"}))
        scripted.start()
        assert ask(scripted.port, "POST", "/mcp/crm", agent() | JSON, rpc())["x-claviger-refusal"] == "credential_missing"
        assert not other.requests


def test_what_was_acknowledged_survives_kill_9(scripted):
    import signal

    for number in range(5):
        token = canary(f"kill{number}")
        scripted.deposit("crm", ALICE, token=token)
        scripted.process.end(signal.SIGKILL)
        scripted.start()
        assert ask(scripted.port, "POST", "/mcp/crm", agent() | JSON, rpc()).body == b"Bearer " + token.encode()


def test_kill_9_amid_deposits_leaves_one_of_them_whole(scripted):
    import signal

    tokens = [canary(f"amid{number}") for number in range(40)]
    acknowledged = []

    def deposit():
        for token in tokens:
            done = scripted.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=f"token={token}\n")
            if done.returncode:
                return
            acknowledged.append(token)

    thread = threading.Thread(target=deposit)
    thread.start()
    while len(acknowledged) < 3:
        pass
    scripted.process.end(signal.SIGKILL)
    thread.join()
    scripted.start()
    found = ask(scripted.port, "POST", "/mcp/crm", agent() | JSON, rpc()).body.decode().removeprefix("Bearer ")
    assert found in tokens and tokens.index(found) >= len(acknowledged) - 1


def test_a_damaged_file_fails_closed(scripted):
    scripted.deposit("crm", ALICE, token=canary("damaged"))
    scripted.process.end()
    sealed = [path for path in (scripted.directory / "state/secrets").rglob("*") if path.is_file()]
    assert sealed
    for path in sealed:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    scripted.start()
    answer = ask(scripted.port, "POST", "/mcp/crm", agent() | JSON, rpc())
    assert answer["x-claviger-refusal"] in ("store_unavailable", "credential_invalid") and answer.status in (502, 503)
    assert not scripted.upstream.requests


def test_a_value_fit_for_a_header_but_not_for_a_path_is_refused_at_injection(start, upstream):
    gateway = start(world({"crm": {"url": upstream.url, "auth": "header", "headers": {"X-Key": "{key}"}}}))
    gateway.deposit("crm", ALICE, key="..")
    gateway.process.end()
    config = world({"crm": {"url": upstream.origin + "/{key}/mcp", "auth": "path"}},
                   gateway={"listen": [{"address": f"127.0.0.1:{gateway.port}"}]}, admin={"address": f"127.0.0.1:{gateway.admin}"})
    gateway.write(config)
    gateway.start()
    answer = ask(gateway.port, "POST", "/mcp/crm", agent(), b"{}")
    assert (answer.status, answer["x-claviger-refusal"]) == (502, "credential_invalid") and not upstream.requests


def test_a_master_key_others_can_read_is_refused(scripted):
    scripted.process.end()
    (scripted.directory / "state/master.key").chmod(0o644)
    scripted.start(ready=False)
    scripted.process._child.wait(10)
    assert scripted.process._child.returncode in (1, 78) and "master.key" in scripted.log()
    (scripted.directory / "state/master.key").chmod(0o600)
    scripted.start()


def test_our_secrets_are_redacted_where_an_upstream_repeats_them(start):
    secret = canary("location")

    def answer(seen, peer):
        peer.send(f"HTTP/1.1 307 Moved\r\nLocation: {seen.target}&x=1\r\nLink: <http://e.example/?k={secret}>\r\nContent-Length: 0\r\n\r\n".encode())

    with Upstream(answer) as upstream:
        gateway = start(world({"asked": {"url": upstream.url, "auth": "query", "query": {"k": "{key}"}}}))
        gateway.deposit("asked", ALICE, key=secret)
        got = ask(gateway.port, "GET", "/mcp/asked", agent())
    assert got.status in (307, 502) and secret.encode() not in got.raw


def test_state_and_secrets_are_for_the_daemon_alone(scripted):
    scripted.deposit("crm", ALICE, token=canary("modes"))
    state = scripted.directory / "state"
    assert state.stat().st_mode & 0o077 == 0 or (state / "secrets").stat().st_mode & 0o077 == 0
    assert (state / "master.key").stat().st_mode & 0o777 == 0o600
    for path in (state / "secrets").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
