"""The log under a real journald: entries with fields, which `journalctl FIELD=VALUE` finds. In a box with a systemd of its own (Tests/Box)."""

import json
import re
import subprocess
import time

import pytest
from canaries import canary
from gateway import ALICE, KEY, header, world
from processes import ROOT, binary, eventually

BOX = ROOT / "Tests/Box/box"
PORT, SERVER = 8080, 8081

# The MCP server of the scenario: says 200 to everything.
PLAIN = f"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{{}}")
http.server.ThreadingHTTPServer(("127.0.0.1", {SERVER}), Handler).serve_forever()
"""


class Box:
    def __init__(self, directory):
        self.directory = directory

    def run(self, action, *arguments, **options):
        done = subprocess.run([BOX, action, self.directory, *map(str, arguments)], text=True, capture_output=True, timeout=120, **options)
        assert done.returncode == 0, f"{action} {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def execute(self, *arguments, **options):
        return self.run("exec", *arguments, **options)

    def entries(self, *conditions):
        """What journalctl finds under these conditions, the oldest first."""
        self.execute("journalctl", "--sync")
        lines = self.execute("journalctl", "-o", "json", "-u", "gateway", *conditions).splitlines()
        return [json.loads(line) for line in lines]

    def call(self, server, *headers):
        fields = [f"x-user-email: {ALICE}", "Content-Type: application/json", *headers]
        arguments = [part for field in fields for part in ("-H", field)]
        text = self.execute("curl", "-s", "-i", *arguments, "-d", "{}", f"http://127.0.0.1:{PORT}/mcp/{server}")
        return int(text.split()[1]), re.search(r"x-request-id: (\w+)", text)[1]


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    directory = tmp_path_factory.mktemp("journal") / "box"
    box = Box(directory)
    box.run("up")
    try:
        source = tmp_path_factory.mktemp("source")
        config = world({"crm": header(f"http://127.0.0.1:{SERVER}/mcp")}, gateway={"listen": [{"address": f"127.0.0.1:{PORT}"}]})
        (source / "conf.d").mkdir()
        (source / "conf.d/gateway.yaml").write_text(json.dumps(config))
        (source / "server.py").write_text(PLAIN)
        box.run("copy", source / "conf.d", source / "server.py", binary("claviger"), "/opt/journal")
        # A debug build brings no Swift runtime of its own, and the box has none.
        needed = re.findall(r"=> (\S*/swift/\S+)", subprocess.run(["ldd", binary("claviger")], text=True, capture_output=True, check=True).stdout)
        if needed:
            box.run("copy", *needed, "/opt/journal/lib")
        box.execute("systemd-run", "--collect", "--unit=server", "/usr/bin/python3", "/opt/journal/server.py")
        box.execute("curl", "-s", "--retry", "30", "--retry-delay", "1", "--retry-connrefused", f"http://127.0.0.1:{SERVER}", "-d", "{}")
        places = ["--config", "/opt/journal/conf.d", "--state", "/var/lib/gateway", "--runtime", "/run/gateway"]
        # With `notify`, systemd-run comes back when the gateway says that it is ready.
        properties = [f"--property={each}" for each in ("Type=notify", "StateDirectory=gateway", "RuntimeDirectory=gateway")]
        box.execute("systemd-run", "--collect", "--unit=gateway", *properties,
                    "--setenv=LD_LIBRARY_PATH=/opt/journal/lib", "/opt/journal/claviger", "serve", *places)
        assert box.call("crm")[0] == 401
        token = canary("journal")
        box.execute("env", "LD_LIBRARY_PATH=/opt/journal/lib", "/opt/journal/claviger", "credential", "set", "--runtime", "/run/gateway", "--project", "acme",
                    "--server", "crm", "--user", ALICE, input=f"token={token}\n")
        yield box
        everything = box.execute("journalctl", "-o", "export")
        assert token not in everything and KEY.secret not in everything and ALICE not in everything
    finally:
        subprocess.run([BOX, "down", directory], timeout=60, check=True)


def test_an_exchange_is_an_entry_with_fields(box):
    status, request = box.call("crm", f"x-api-key: {KEY.text}", "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: search")
    assert status == 200
    [entry] = eventually(lambda: box.entries(f"CLAVIGER_REQUEST_ID={request}"))
    assert entry["MESSAGE"].startswith("exchange POST acme/crm tools/call search: 200 in ")
    assert entry["PRIORITY"] == "6" and entry["SYSLOG_IDENTIFIER"] == "claviger" and entry["_SYSTEMD_UNIT"] == "gateway.service"
    said = {name.removeprefix("CLAVIGER_").lower(): value for name, value in entry.items() if name.startswith("CLAVIGER_")}
    assert said["project"] == "acme" and said["server"] == "crm" and said["navigator"] == "agent" and said["use"] == "user"
    assert said["status"] == "200" and said["mcp_name"] == "search" and float(said["total_ms"]) >= float(said["upstream_ms"]) > 0
    # For whom: the same person has the same name everywhere.
    assert len(said["user"]) == 16
    assert request in [entry["CLAVIGER_REQUEST_ID"] for entry in box.entries(f"CLAVIGER_USER={said['user']}", "CLAVIGER_RECORD=exchange")]


def test_refusals_are_found_by_their_code(box):
    request = box.call("crm", "x-api-key: ck_nobody.x")[1]
    found = eventually(lambda: [entry for entry in box.entries("CLAVIGER_REFUSAL=unauthenticated") if entry["CLAVIGER_REQUEST_ID"] == request])
    assert found[0]["CLAVIGER_STATUS"] == "401" and "CLAVIGER_PROJECT" not in found[0] and "CLAVIGER_USE" not in found[0]


def test_the_audit_is_there_and_so_is_every_other_line(box):
    [row] = box.entries("CLAVIGER_RECORD=audit")
    assert row["CLAVIGER_ACTION"] == "deposit" and row["CLAVIGER_BY"] == "uid:0" and row["CLAVIGER_PROJECT"] == "acme" and row["PRIORITY"] == "5"
    [start] = [entry for entry in box.entries("PRIORITY=5") if "CLAVIGER_RECORD" not in entry and " started, " in entry["MESSAGE"]]
    assert start["_TRANSPORT"] == "journal"


def test_many_entries_are_all_there(box):
    script = f"for n in $(seq 300); do curl -s -o /dev/null -H 'x-api-key: {KEY.text}' -H 'x-user-email: {ALICE}' -H 'Mcp-Session-Id: x' -d {{}} "
    before = len(box.entries("CLAVIGER_STATUS=200"))
    box.execute("sh", "-c", script + f"http://127.0.0.1:{PORT}/mcp/crm; done")
    eventually(lambda: len(box.entries("CLAVIGER_STATUS=200")) == before + 300, 20, 0.5)


def test_a_journal_that_has_stopped_keeps_the_daemon_from_ending_for_seconds_only(box):
    """The last one here: it ends the gateway."""
    journal = box.execute("pidof", "systemd-journald").strip()
    box.execute("kill", "-STOP", journal)
    try:
        box.execute("sh", "-c", f"for n in $(seq 400); do curl -s -o /dev/null http://127.0.0.1:{PORT}/mcp/crm; done")
        began = time.monotonic()
        box.execute("systemctl", "stop", "gateway")
        took = time.monotonic() - began
    finally:
        box.execute("kill", "-CONT", journal)
    assert took < 15
