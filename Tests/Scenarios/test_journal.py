"""The log of the packaged daemon under a real journald: entries with fields, which `journalctl FIELD=VALUE` finds."""

import re
import time

import pytest
from canaries import canary
from gateway import ALICE, KEY, header, world
from processes import eventually

PORT = 8080


@pytest.fixture(scope="module")
def logged(box, raw):
    """The daemon with one server and one credential, after a call by nobody. In the end no secret stands in the journal, and no address."""
    box.configure(world({"crm": header(raw.url)}, gateway={"listen": [{"address": "systemd:claviger"}]}))
    box.systemctl("restart", "claviger")
    assert call(box)[0] == 401
    token = canary("journal")
    box.run("claviger", "credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input=f"token={token}\n")
    yield box
    everything = box.run("journalctl", "-o", "export").stdout
    assert token not in everything and KEY.secret not in everything and ALICE not in everything


def call(box, *headers):
    """A call: the status, and the request's id."""
    fields = [f"x-user-email: {ALICE}", "Content-Type: application/json", *headers]
    arguments = [part for field in fields for part in ("-H", field)]
    text = box.run("curl", "-s", "-i", *arguments, "-d", "{}", f"http://127.0.0.1:{PORT}/mcp/crm").stdout
    return int(text.split()[1]), re.search(r"x-request-id: (\w+)", text)[1]


def test_an_exchange_is_an_entry_with_fields(logged):
    status, request = call(logged, f"x-api-key: {KEY.text}", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: search")
    assert status == 200
    [entry] = eventually(lambda: logged.entries(f"CLAVIGER_REQUEST_ID={request}"))
    assert entry["MESSAGE"].startswith("exchange POST acme/crm tools/call search: 200 in ")
    assert entry["PRIORITY"] == "6" and entry["SYSLOG_IDENTIFIER"] == "claviger" and entry["_SYSTEMD_UNIT"] == "claviger.service"
    said = {name.removeprefix("CLAVIGER_").lower(): value for name, value in entry.items() if name.startswith("CLAVIGER_")}
    assert said["project"] == "acme" and said["server"] == "crm" and said["navigator"] == "agent" and said["use"] == "user"
    assert said["status"] == "200" and said["mcp_name"] == "search" and float(said["total_ms"]) >= float(said["upstream_ms"]) > 0
    # For whom: the same person has the same name everywhere.
    assert len(said["user"]) == 16
    assert request in [entry["CLAVIGER_REQUEST_ID"] for entry in logged.entries(f"CLAVIGER_USER={said['user']}", "CLAVIGER_RECORD=exchange")]


def test_refusals_are_found_by_their_code(logged):
    request = call(logged, "x-api-key: ck_nobody.x")[1]
    found = eventually(lambda: [entry for entry in logged.entries("CLAVIGER_REFUSAL=unauthenticated") if entry["CLAVIGER_REQUEST_ID"] == request])
    assert found[0]["CLAVIGER_STATUS"] == "401" and "CLAVIGER_PROJECT" not in found[0] and "CLAVIGER_USE" not in found[0]


def test_the_audit_is_there_and_so_is_every_other_line(logged):
    [row] = logged.entries("CLAVIGER_RECORD=audit")
    assert row["CLAVIGER_ACTION"] == "deposit" and row["CLAVIGER_BY"] == "uid:0" and row["CLAVIGER_PROJECT"] == "acme" and row["PRIORITY"] == "5"
    start = [entry for entry in logged.entries("PRIORITY=5") if "CLAVIGER_RECORD" not in entry and " started, " in entry["MESSAGE"]][-1]
    assert start["_TRANSPORT"] == "journal"


def test_many_entries_are_all_there(logged):
    script = f"for n in $(seq 300); do curl -s -o /dev/null -H 'x-api-key: {KEY.text}' -H 'x-user-email: {ALICE}' -H 'Mcp-Session-Id: x' -d {{}} "
    before = len(logged.entries("CLAVIGER_STATUS=200"))
    logged.run("sh", "-c", script + f"http://127.0.0.1:{PORT}/mcp/crm; done")
    eventually(lambda: len(logged.entries("CLAVIGER_STATUS=200")) == before + 300, 20, 0.5)


def test_a_journal_that_has_stopped_keeps_the_daemon_from_ending_for_seconds_only(logged):
    """The last one here: it ends the gateway."""
    journal = logged.run("pidof", "systemd-journald").stdout.strip()
    logged.run("kill", "-STOP", journal)
    try:
        logged.run("sh", "-c", f"for n in $(seq 400); do curl -s -o /dev/null -d {{}} http://127.0.0.1:{PORT}/mcp/crm; done")
        began = time.monotonic()
        logged.systemctl("stop", "claviger.socket", "claviger")
        took = time.monotonic() - began
    finally:
        logged.run("kill", "-CONT", journal)
    assert took < 15 and logged.show("Result") == "success"
    logged.systemctl("start", "claviger")
