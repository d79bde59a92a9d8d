"""The log: a record of each exchange that is one of each use, the audit in it, what is held back, and nothing that should not be there."""

import base64
import json
import os
import time

import pytest
from canaries import canary
from collector import Collector
from gateway import ALICE, BOB, KEY, agent, header, world
from processes import eventually
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

MODERN = {"MCP-Protocol-Version": "2026-07-28"}


def records(gateway, message="exchange"):
    lines = [json.loads(line) for line in gateway.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == message]


def record(gateway, answer):
    """The record of the exchange that `answer` came from."""
    return eventually(lambda: [line for line in records(gateway) if line["request_id"] == answer["x-request-id"]])[0]


@pytest.fixture
def gateway(start, upstream):
    servers = {"crm": header(upstream.url), "shared": header(upstream.url), "raw": {"url": upstream.url, "auth": "none"}}
    gateway = start(world(servers, instances={"shared": {"level": "project"}}, log={"format": "json"}))
    gateway.token = canary("records")
    gateway.deposit("crm", ALICE, token=gateway.token)
    gateway.deposit("shared", token=canary("records-all"))
    return gateway


# Whose address a log may have: no canary.
SHOWN = "shown@acme.com"


def call(gateway, server="crm", user=ALICE, **headers):
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(user, **headers) | JSON, rpc())


def test_a_record_of_an_exchange_is_the_record_of_a_use(gateway):
    own, shared, none = (record(gateway, call(gateway, server)) for server in ("crm", "shared", "raw"))
    assert own["use"] == "user" and shared["use"] == "project" and "use" not in none
    for line in (own, shared):
        assert (line["project"], line["navigator"], line["status"]) == ("acme", "agent", 200) and len(line["user"]) == 16
    assert own["user"] == shared["user"] and own["server"] == "crm"
    assert own["total_ms"] >= own["upstream_ms"] > 0
    # Nothing is used where nothing is sent.
    missing = record(gateway, call(gateway, user=BOB))
    assert missing["refusal"] == "credential_missing" and "use" not in missing and missing["user"] != own["user"]


def test_method_and_tool_stand_where_the_headers_say_them(gateway):
    said = record(gateway, call(gateway, **MODERN, mcp_method="tools/call", mcp_name="search_contacts"))
    assert (said["mcp_method"], said["mcp_name"]) == ("tools/call", "search_contacts")
    encoded = "=?base64?" + base64.b64encode("überblick\n".encode()).decode() + "?="
    assert record(gateway, call(gateway, **MODERN, mcp_method="tools/call", mcp_name=encoded))["mcp_name"] == "überblick\n"
    # A resource may be named by a URL with anything in it; older clients' headers are nobody's word.
    resource = record(gateway, call(gateway, **MODERN, mcp_method="resources/read", mcp_name="https://x/?key=" + canary("records-uri")))
    assert resource["mcp_method"] == "resources/read" and "mcp_name" not in resource
    older = record(gateway, call(gateway, mcp_protocol_version="2025-11-25", mcp_method="tools/call", mcp_name="x"))
    assert "mcp_method" not in older and "mcp_name" not in older


def test_the_record_names_the_key_by_its_id_also_where_it_was_not_accepted(gateway):
    assert record(gateway, call(gateway))["key"] == "agent1"
    for sent, key, why in (("ck_nobody99." + "A" * 43, "nobody99", "no key has this id"), ("ck_agent1." + "A" * 43, "agent1", "the key's secret is wrong"),
                           ("ck_UPPER." + "A" * 43, None, None), ("nothing", None, None)):
        refused = record(gateway, call(gateway, x_api_key=sent))
        assert refused["refusal"] == "unauthenticated" and "navigator" not in refused and refused.get("key") == key
        assert why in (None, refused["why"])


def test_the_trace_id_is_in_the_record(gateway):
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert record(gateway, call(gateway, traceparent=f"00-{trace}-b7ad6b7169203331-01"))["trace"] == trace
    assert "trace" not in record(gateway, call(gateway)) and "trace" not in record(gateway, call(gateway, traceparent="00-zz"))


def test_the_audit_is_in_the_log_and_names_nobody(gateway):
    gateway.withdraw("crm", ALICE)
    made = json.loads(gateway.command("link", "create", "--project", "acme", "--type", "project", "--servers", "shared", "--email", ALICE, "--json").stdout)
    rows = eventually(lambda: (lines := records(gateway, "audit")) and lines[-1]["action"] == "link_created" and lines)
    assert [row["action"] for row in rows] == ["deposit", "deposit", "revocation", "link_created"]
    deposit, _, revocation, link = rows
    assert deposit["project"] == "acme" and deposit["server"] == "crm" and deposit["by"].startswith("uid:") and deposit["client"] == "admin.sock"
    assert deposit["user"] == revocation["user"] and len(deposit["user"]) == 16
    assert link["link"] == made["id"] and deposit["user"] in link["detail"]
    assert ALICE not in gateway.log()


def test_users_stand_as_the_setting_says(start, upstream):
    for setting, expected in (("full", SHOWN), ("off", None)):
        gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json", "user": setting, "level": "error"}))
        line = record(gateway, call(gateway, "raw", SHOWN))
        assert line.get("user") == expected


def test_no_record_is_written_where_none_is_wanted(start, upstream):
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json", "access": False}))
    assert call(gateway, "raw").status == 200
    gateway.process.end()
    assert not records(gateway) and "stopped" in gateway.log()


def test_strangers_do_not_fill_the_log(start, upstream):
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json"}, gateway={"workers": 1}))
    began = time.monotonic()
    with Wire(gateway.port) as wire:
        for _ in range(2000):
            wire.send(request("GET", "/mcp/raw", {"x-api-key": "ck_nobody.x"}))
            assert wire.answer("GET").status == 401
    known = record(gateway, call(gateway, "raw"))
    assert known["status"] == 200
    took = time.monotonic() - began
    told = eventually(lambda: [line for line in gateway.log().splitlines() if "without an accepted key were held back" in line], 15)
    assert "unauthenticated" in told[0] and '"level":"warning"' in told[0]
    written = [line for line in records(gateway) if "navigator" not in line]
    assert 500 <= len(written) <= 500 + 50 * (took + 2)


def test_the_administration_has_records_of_its_own_and_probes_have_none(start, upstream):
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json"}, gateway={"workers": 1}))
    token = json.loads(gateway.command("token", "new", "--json").stdout)["token"]
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(gateway.admin, "GET", path).status == 200
    # A flood of strangers, then one who is known, and at his own door one who is not.
    with Wire(gateway.port) as wire:
        for _ in range(700):
            wire.send(request("GET", "/connect/nowhere", {}))
            assert wire.answer("GET").status == 404
    known = ask(gateway.admin, "GET", "/api/v1/status", {"Authorization": f"Bearer {token}"})
    assert known.status == 200 and known["x-claviger-known"] is None
    line = eventually(lambda: [line for line in records(gateway, "portal") if line["request_id"] == known["x-request-id"]])[0]
    assert (line["door"], line["method"], line["status"]) == ("admin", "GET", 200)
    doors = [line["door"] for line in records(gateway, "portal")]
    assert doors.count("socket") >= 1 and doors.count("admin") == 1 and doors.count("public") >= 500
    assert records(gateway) == []
    # Agents without a key have what they may.
    assert record(gateway, call(gateway, x_api_key="nothing"))["refusal"] == "unauthenticated"


def test_no_credential_and_no_key_is_in_the_log(gateway):
    for server in ("crm", "shared", "raw", "nope"):
        call(gateway, server, mcp_session_id=canary("records-session"), authorization="Bearer " + canary("records-agent"))
    ask(gateway.port, "POST", "/mcp/crm?token=" + canary("records-query"), agent() | JSON, rpc())
    gateway.process.end()
    log = gateway.log()
    assert "cnry-" not in log and KEY.secret not in log and gateway.token not in log


def test_a_log_that_nobody_reads_keeps_neither_agents_nor_the_end_waiting(start, upstream, tmp_path):
    pipe = tmp_path / "log"
    os.mkfifo(pipe)
    # The shell's own end keeps the pipe open; nothing ever reads there.
    inside = ("/bin/sh", "-c", 'exec 3<>"$0"; exec "$@" 2>&3', pipe)
    gateway = start(world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json"}), inside=inside)
    with Wire(gateway.port) as wire:
        for _ in range(2000):
            wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert wire.answer().status == 200
    began = time.monotonic()
    assert gateway.process.end(seconds=20) == 0
    assert time.monotonic() - began < 9


def test_what_the_log_and_the_traces_hold_goes_by_the_last_reload(start, upstream):
    wanted = world({"raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json", "user": "full"}, gateway={"workers": 2})
    gateway = start(wanted)

    def reload(**sections):
        wanted.update(sections)
        gateway.write(wanted)
        done = gateway.command("reload")
        assert done.returncode == 0 and not json.loads(gateway.command("status", "--json").stdout)["configuration"]["last_reload"]["needs_restart"], done.stdout
        # Enough that every worker has some.
        return [call(gateway, "raw", SHOWN, traceparent=f"00-{'1' * 32}-{'2' * 16}-01") for _ in range(12)]

    def generations():
        lines = [json.loads(line)["message"] for line in gateway.log().splitlines() if line.startswith("{")]
        return [line.split()[2].rstrip(",") for line in lines if line.startswith("reloaded: generation")]

    with Collector() as collector:
        hashed = [record(gateway, answer)["user"] for answer in reload(log={"format": "json"})]
        assert len(set(hashed)) == 1 and len(hashed[0]) == 16
        assert all("user" not in record(gateway, answer) for answer in reload(log={"format": "json", "user": "off"}))
        silent = reload(log={"format": "json", "access": False, "level": "error"})
        spoken = reload(log={"format": "json", "user": "full"}, trace={"otlp": collector.url})
        assert {record(gateway, answer)["user"] for answer in spoken} == {SHOWN}
        assert not {answer["x-request-id"] for answer in silent} & {line["request_id"] for line in records(gateway)}
        # The reload to `error` had nothing of that weight to say.
        assert generations() == ["2", "3", "5"]
        eventually(lambda: len(collector.spans()) == 12)
        wanted.pop("trace")
        reload()
        # Untraced, a request passes as it came.
        assert upstream.requests[-1]["traceparent"] == f"00-{'1' * 32}-{'2' * 16}-01"
        time.sleep(1.5)
        assert len(collector.spans()) == 12
