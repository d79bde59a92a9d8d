"""Auth links, users, tokens, the audit and backups, by the commands and the API of a running daemon."""

import datetime
import json
import os
import re
import signal
import sqlite3
import stat
import time
import urllib.error
import urllib.request

import pytest
from canaries import canary
from gateway import ALICE, BOB, agent, command, header, world
from processes import ROOT, eventually
from upstream import Upstream
from wire import JSON, ask, rpc

TOKEN = re.compile(r"c[lia]_[A-Za-z0-9_-]{43}")


def links_world(url, **more):
    """crm and wiki of user level, shared of project level, docs without a credential; acme's people may connect."""
    servers = {"crm": header(url), "wiki": header(url), "shared": header(url), "rest": header(url), "docs": {"url": url, "auth": "none"}}
    config = world(servers, instances={"shared": {"level": "project"}, "rest": {"status": "paused"}}, **more)
    config["projects"]["acme"] |= {"admins": ["lead@acme.com"], "connect": {"domains": ["acme.com"]}}
    return config


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    with upstream, daemons(links_world(upstream.url, portal={"admins": ["ops@acme.com"]})) as running:
        yield running


def done(gateway, *arguments, input=None, status=0):
    """A command's JSON, or its words where it has none; its exit code is checked, and that a failure is one line."""
    result = gateway.command(*arguments, input=input)
    assert result.returncode == status, result.stdout + result.stderr
    if status:
        assert len(result.stderr.strip().splitlines()) == 1 and not result.stdout
        return result.stderr
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def user_link(gateway, *more, servers="crm,wiki", domain="acme.com"):
    return done(gateway, "link", "create", "--project", "acme", "--type", "user", "--servers", servers, "--domain", domain, "--json", *more)


def api(gateway, method, path, token=None, body=None):
    """Over TCP: status and JSON."""
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.admin}/api/v1/{path}", method=method, data=None if body is None else json.dumps(body).encode())
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as fault:
        return fault.code, json.loads(fault.read() or "null")


# Links


def test_a_link_is_made_and_its_url_is_the_first_line_shown_once(gateway):
    said = done(gateway, "link", "create", "--project", "acme", "--type", "user", "--servers", "crm", "--domain", "Acme.com", "--expires", "2d")
    url = said.splitlines()[0]
    assert re.fullmatch(re.escape(gateway.origin) + r"/connect/cl_[A-Za-z0-9_-]{43}", url)
    id = re.search(r"Its id is ([a-z0-9]{10})", said)[1]
    shown = done(gateway, "link", "show", id)
    assert "acme.com" in shown and "crm" in shown and "nobody yet" in shown and not TOKEN.search(shown)
    assert id in done(gateway, "link", "list", "--project", "acme")
    assert not TOKEN.search(gateway.log())


def test_a_project_link_is_for_one_address(gateway):
    link = done(gateway, "link", "create", "--project", "acme", "--type", "project", "--servers", "shared", "--email", "Ann@Acme.com", "--json")
    assert link["type"] == "project" and link["email"] == "ann@acme.com" and link["offered"] == ["shared"] and "domains" not in link
    life = datetime.datetime.fromisoformat(link["expires"]) - datetime.datetime.fromisoformat(link["created"])
    assert life == datetime.timedelta(days=7)


@pytest.mark.parametrize("servers, kind, words", [
    ("crm,shared", ["user", "--domain", "acme.com"], ["shared is of project level"]),
    ("shared,crm,docs,rest,nope", ["project", "--email", ALICE], ["crm is of user level", "docs needs no credential", "rest is", "nope is no server"]),
    ("rest", ["user", "--domain", "acme.com"], ["rest is paused"]),
])
def test_servers_that_do_not_fit_are_all_named(gateway, servers, kind, words):
    said = done(gateway, "link", "create", "--project", "acme", "--servers", servers, "--type", *kind, status=1)
    assert all(word in said for word in words)


@pytest.mark.parametrize("arguments, status", [
    (["create", "--project", "acme", "--type", "user", "--servers", "crm"], 64),
    (["create", "--project", "acme", "--type", "project", "--servers", "shared", "--domain", "acme.com"], 64),
    (["create", "--project", "acme", "--type", "user", "--servers", "crm", "--domain", "acme.com", "--email", ALICE], 64),
    (["create", "--project", "acme", "--type", "both", "--servers", "crm", "--domain", "acme.com"], 64),
    (["create", "--project", "acme", "--type", "user", "--servers", "crm", "--domain", "acme.com", "--expires", "soon"], 64),
    (["create", "--project", "nope", "--type", "user", "--servers", "crm", "--domain", "acme.com"], 1),
    (["create", "--project", "acme", "--type", "user", "--servers", "crm", "--domain", "@acme.com"], 1),
    (["create", "--project", "acme", "--type", "user", "--servers", "crm", "--domain", "acme.com", "--expires", "400d"], 1),
    (["edit", "abcdefghjk"], 64), (["edit", "abcdefghjk", "--expires", "1d"], 1), (["show", "../tokens"], 1), (["delete", "abcdefghjk"], 1),
    (["renew", "abcdefghjk"], 1), (["list", "--project", "nope"], 1),
])
def test_what_is_wrong_has_its_exit_code(gateway, arguments, status):
    result = gateway.command("link", *arguments)
    assert result.returncode == status and result.stderr and not result.stdout


def test_a_link_is_edited_renewed_and_deleted(gateway):
    link = user_link(gateway)
    edited = done(gateway, "link", "edit", link["id"], "--domain", "acme.org", "--domain", "acme.net", "--expires", "30d", "--json")
    assert edited["domains"] == ["acme.org", "acme.net"] and edited["expires"] > link["expires"] and "url" not in edited
    assert "not for one address" in done(gateway, "link", "edit", link["id"], "--email", ALICE, status=1)
    renewed = done(gateway, "link", "renew", link["id"], "--json")
    assert renewed["url"] != link["url"] and renewed["id"] == link["id"]
    done(gateway, "link", "delete", link["id"])
    assert "no such link" in done(gateway, "link", "show", link["id"], status=1)
    assert link["id"] not in done(gateway, "link", "list", "--project", "acme")
    rows = done(gateway, "audit", "--link", link["id"], "--json")["rows"]
    assert [row["action"] for row in rows] == ["link_deleted", "link_renewed", "link_edited", "link_created"]
    assert {row["actor"] for row in rows} == {f"uid:{os.getuid()}"} and {row["source"] for row in rows} == {"admin.sock"}


def test_the_standing_link_is_listed_with_what_it_offers(gateway):
    standing = done(gateway, "link", "list", "--project", "acme", "--json")["links"][0]
    assert "id" not in standing and standing["offered"] == ["crm", "wiki"] and standing["url"] == f"{gateway.origin}/connect/acme"
    assert "expires" not in standing and standing["domains"] == ["acme.com"]


# Users


def test_users_what_they_use_and_what_they_are_connected_to(gateway):
    for user in (ALICE, BOB):
        gateway.deposit("crm", user, token=canary(f"crm-{user}"))
    for _ in range(5):
        assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc()).status == 200
    users = {user["email"]: user for user in done(gateway, "user", "list", "--project", "acme", "--json")["users"]}
    assert users[ALICE]["connected"] == 1 and {s["server"]: s["state"] for s in users[BOB]["servers"]} == {"crm": "connected", "wiki": "missing"}
    counted = lambda: done(gateway, "user", "show", ALICE, "--project", "acme", "--json")["calls_7_days"] == 5
    eventually(counted, 25)
    assert "crm" in done(gateway, "user", "show", ALICE, "--project", "acme")


def test_what_is_revoked_is_missed_by_the_next_call(gateway):
    gateway.deposit("wiki", BOB, token=canary("wiki-bob"))
    assert ask(gateway.port, "POST", "/mcp/wiki", agent(BOB) | JSON, rpc()).status == 200
    assert "revoked: wiki" in done(gateway, "user", "revoke", BOB, "--project", "acme", "--servers", "wiki")
    refused = ask(gateway.port, "POST", "/mcp/wiki", agent(BOB) | JSON, rpc())
    assert refused["x-claviger-refusal"] == "credential_missing"
    assert "nothing there" in done(gateway, "user", "revoke", BOB, "--project", "acme", "--servers", "wiki")
    assert "no server" in done(gateway, "user", "revoke", BOB, "--project", "acme", "--servers", "nope", status=1)


def test_a_deleted_user_has_nothing_left(gateway):
    who = "carol@acme.com"
    for server in ("crm", "wiki"):
        gateway.deposit(server, who, token=canary(f"{server}-carol"))
    assert ask(gateway.port, "POST", "/mcp/crm", agent(who) | JSON, rpc()).status == 200
    done(gateway, "user", "delete", who, "--project", "acme")
    for server in ("crm", "wiki"):
        assert ask(gateway.port, "POST", f"/mcp/{server}", agent(who) | JSON, rpc())["x-claviger-refusal"] == "credential_missing"
    assert who not in done(gateway, "credential", "list", "--project", "acme")
    assert "no such user" in done(gateway, "user", "delete", who, "--project", "acme", status=1)
    actions = [row["action"] for row in done(gateway, "audit", "--user", who, "--json")["rows"]]
    assert actions == ["user_deleted", "revocation", "revocation", "deposit", "deposit"]


def test_a_user_of_a_server_that_is_gone_is_deleted_too(start, upstream):
    gateway = start(links_world(upstream.url))
    gateway.deposit("wiki", ALICE, token=canary("wiki-gone"))
    gateway.process.end()
    config = links_world(upstream.url)
    del config["projects"]["acme"]["servers"]["wiki"]
    config["gateway"], config["admin"] = {"listen": [{"address": f"127.0.0.1:{gateway.port}"}]}, {"address": f"127.0.0.1:{gateway.admin}"}
    gateway.write(config)
    gateway.start()
    done(gateway, "user", "delete", ALICE, "--project", "acme")
    assert not done(gateway, "credential", "list", "--project", "acme", "--json")["credentials"]


# Tokens


def test_a_bearer_token_opens_the_api_over_tcp_until_it_is_revoked(gateway):
    assert api(gateway, "GET", "status")[0] == 401
    made = done(gateway, "token", "new", "--note", "scenario", "--expires", "1d", "--json")
    assert api(gateway, "GET", "status", made["token"])[0] == 200
    status, link = api(gateway, "POST", "projects/acme/links", made["token"], {"type": "user", "servers": ["crm"], "domains": ["acme.com"]})
    assert status == 201 and link["creator"] == f"token:{made['id']}"
    row = done(gateway, "audit", "--link", link["id"], "--json")["rows"][0]
    assert row["actor"] == f"token:{made['id']}" and row["source"] == "127.0.0.1"
    listed = done(gateway, "token", "list")
    assert made["id"] in listed and "scenario" in listed and made["token"] not in listed
    done(gateway, "token", "revoke", made["id"])
    status, body = api(gateway, "GET", "status", made["token"])
    assert status == 401 and body["error"]["code"] == "unauthenticated" and made["token"] not in gateway.log()


def test_the_description_names_what_is_there(gateway):
    token = done(gateway, "token", "new", "--json")["token"]
    status, document = api(gateway, "GET", "openapi.json", token)
    assert status == 200 and document["openapi"].startswith("3.1")
    for path, verbs in document["paths"].items():
        if "{" not in path and "get" in verbs and path != "/backup":
            assert api(gateway, "GET", path[1:], token)[0] == 200, path


def test_the_public_listener_has_no_api(gateway):
    with pytest.raises(urllib.error.HTTPError) as fault:
        urllib.request.urlopen(f"{gateway.origin}/api/v1/status", timeout=5)
    assert fault.value.code == 404


def test_an_address_with_a_slash_is_named_in_a_path(gateway):
    gateway.deposit("crm", "o/neil@acme.com", token=canary("slash"))
    assert done(gateway, "user", "show", "o/neil@acme.com", "--project", "acme", "--json")["connected"] == 1
    token = done(gateway, "token", "new", "--json")["token"]
    assert api(gateway, "GET", "projects/acme/users/o%2Fneil%40acme.com", token)[1]["email"] == "o/neil@acme.com"
    done(gateway, "user", "delete", "o/neil@acme.com", "--project", "acme")


# Signing in


def test_a_sign_in_link_is_for_administrators(gateway):
    for who in ("ops@acme.com", "lead@acme.com"):
        made = done(gateway, "sign-in", who, "--json")
        assert re.fullmatch(rf"http://127\.0\.0\.1:{gateway.admin}/admin/_enter/ci_[A-Za-z0-9_-]{{43}}", made["url"])
        assert made["url"] not in gateway.log()
    assert "portal.admins" in done(gateway, "sign-in", ALICE, status=1)


# What is written, and survives


def test_nothing_in_the_state_is_a_token(gateway):
    made = [user_link(gateway)["url"], done(gateway, "token", "new", "--json")["token"], done(gateway, "sign-in", "ops@acme.com", "--json")["url"]]
    written = b"".join(path.read_bytes() for path in (gateway.directory / "state").iterdir() if path.is_file())
    assert b"link_created" in written
    for text in made:
        assert TOKEN.search(text)[0].encode() not in written


def test_a_backup_is_whole_and_can_be_put_back(start, upstream, tmp_path):
    gateway = start(links_world(upstream.url))
    link = user_link(gateway)
    gateway.deposit("crm", ALICE, token=canary("backup"))
    file = tmp_path / "state.db"
    assert done(gateway, "backup", file, "--json")["bytes"] == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and canary("backup").encode() not in file.read_bytes()
    assert "is there already" in done(gateway, "backup", file, status=1)
    # What another one left unfinished is not taken for a copy, nor written over.
    (tmp_path / "other.db.part").write_bytes(b"half")
    assert "is there already" in done(gateway, "backup", tmp_path / "other.db", status=1)
    assert (tmp_path / "other.db.part").read_bytes() == b"half" and not (tmp_path / "other.db").exists()
    assert sorted(path.name for path in tmp_path.glob("*.db*")) == ["other.db.part", "state.db"]
    done(gateway, "link", "delete", link["id"])
    gateway.process.end()
    state = gateway.directory / "state"
    (state / "state.db").write_bytes(file.read_bytes())
    for name in ("state.db-wal", "state.db-shm"):
        (state / name).unlink(missing_ok=True)
    gateway.start()
    assert done(gateway, "link", "show", link["id"], "--json")["state"] == "active"
    assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc()).status == 200


def test_use_counted_before_an_end_is_there_after_it(start, upstream):
    gateway = start(links_world(upstream.url))
    gateway.deposit("crm", ALICE, token=canary("counted"))
    for _ in range(3):
        assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc()).status == 200
    gateway.process.end()
    gateway.start()
    assert done(gateway, "user", "show", ALICE, "--project", "acme", "--json")["calls_7_days"] == 3


def test_the_audit_is_kept_as_long_as_it_is_configured(start, upstream):
    gateway = start(links_world(upstream.url, audit={"keep": "2d"}))
    user_link(gateway)
    gateway.process.end()
    with sqlite3.connect(gateway.directory / "state" / "state.db") as database:
        now = int(time.time())
        for age in (1, 3):
            database.execute("INSERT INTO audit (time, actor, action) VALUES (?, 'gateway', 'reload')", (now - age * 86400,))
    database.close()
    gateway.start()
    kept = lambda: [row["action"] for row in done(gateway, "audit", "--json")["rows"]] == ["reload", "link_created"]
    eventually(kept, 10)


# The chapters


@pytest.mark.parametrize("page", ["Portal/Documentation.docc/Administering.md", "State/Documentation.docc/TheDatabase.md"])
def test_every_command_of_the_chapter_is_a_command(page):
    text = (ROOT / "Sources" / page).read_text()
    shown = re.findall(r"(?:`|^ *)claviger ([^`\n#]+)", text, re.MULTILINE)
    assert shown
    for line in shown:
        words = line.split()
        for count in (2, 1):
            help = command(*words[:count], "--help")
            if re.search(rf"USAGE: claviger {' '.join(words[:count])}(?![a-z-])", help.stdout):
                break
        else:
            raise AssertionError(line)
        for flag in re.findall(r"--[a-z]+", line):
            assert flag in help.stdout, line
