"""The sample server against the official clients of both eras, without a gateway between."""

import json
import urllib.error
import urllib.request

import pytest
from processes import Process, accepts, binary, free_port
from sdk import SessionClient, client, text

pytestmark = pytest.mark.anyio
TOKEN = "sample-token-of-some-length"


@pytest.fixture
def sample(tmp_path):
    """Starts a sample server with the given flags; gives its origin."""
    started = []

    def start(*flags):
        port = free_port()
        (tmp_path / "tokens").write_text(TOKEN + "\n")
        command = [binary("sample-server"), "--address", f"127.0.0.1:{port}", "--token-file", tmp_path / "tokens", *flags]
        started.append(Process(command, tmp_path / f"sample-{port}.log").ready(lambda: accepts(port)))
        return f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.end()


def bearer(token=TOKEN):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("mode, version", [("2026-07-28", "2026-07-28"), ("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_the_new_client_sees_its_credential_masked(sample, mode, version):
    async with client(sample() + "/mcp", bearer(), mode) as mcp:
        assert mcp.protocol_version == version
        assert {tool.name for tool in (await mcp.list_tools()).tools} == {"whoami", "echo", "count"}
        seen = json.loads(text(await mcp.call_tool("whoami")))
    assert seen == {
        "credential": f"sa… ({len(TOKEN)} characters)", "place": "header Authorization",
        "x-api-key": "did not arrive", "x-user-email": "did not arrive"}


async def test_it_says_so_when_the_agents_headers_arrive(sample):
    headers = bearer() | {"x-api-key": "ck_a.b", "x-user-email": "alice@acme.com"}
    async with client(sample() + "/mcp", headers) as mcp:
        seen = json.loads(text(await mcp.call_tool("whoami")))
    assert (seen["x-api-key"], seen["x-user-email"]) == ("ARRIVED", "ARRIVED")


def test_the_older_client_has_a_session_and_progress(sample):
    with SessionClient(sample() + "/mcp", bearer()) as mcp:
        assert mcp.version == "2025-11-25"
        assert mcp.call("echo", text="so")["text"] == "so"
        counted = mcp.call("count", to=3, pause_ms=150)
    assert counted["text"] == "counted to 3"
    assert len(counted["progress"]) == 3 and counted["progress"][2] - counted["progress"][0] > 0.2


async def test_progress_comes_event_by_event(sample):
    values = []

    async def note(value, total, message):
        values.append((value, total))

    async with client(sample() + "/mcp", bearer()) as mcp:
        assert text(await mcp.call_tool("count", {"to": 3, "pause_ms": 1}, progress_callback=note)) == "counted to 3"
    assert values == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "flags, path, headers, place",
    [
        (["--demand", "path"], f"/{TOKEN}/mcp", {}, "path"),
        (["--demand", "query"], f"/mcp?api_key={TOKEN}", {}, "query pair api_key"),
        (["--demand", "query", "--name", "key"], f"/mcp?key={TOKEN}", {}, "query pair key"),
        (["--name", "X-Key"], "/mcp", {"x-key": TOKEN}, "header X-Key"),
    ])
async def test_the_credential_may_stand_elsewhere(sample, flags, path, headers, place):
    async with client(sample(*flags) + path, headers) as mcp:
        assert json.loads(text(await mcp.call_tool("whoami")))["place"] == place


async def test_none_may_be_demanded(sample):
    async with client(sample("--demand", "none") + "/mcp") as mcp:
        assert json.loads(text(await mcp.call_tool("whoami")))["credential"] == "none"


@pytest.mark.parametrize("headers", [{}, bearer("wrong"), {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}])
def test_anything_else_is_401(sample, headers):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(sample() + "/mcp", b"{}", headers))
    assert refused.value.code == 401
    assert TOKEN not in refused.value.read().decode()


def ask(url, message, headers=None, method="POST"):
    request = urllib.request.Request(url, json.dumps(message).encode(), bearer() | (headers or {}), method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_head_that_differs_from_the_body_is_a_mismatch(sample):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    url = sample() + "/mcp"
    status, body = ask(url, message, {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"})
    assert (status, json.loads(body)["error"]["code"]) == (400, -32020)
    status, body = ask(url, message, {"MCP-Protocol-Version": "2027-01-01", "Mcp-Method": "tools/list"})
    assert (status, json.loads(body)["error"]["code"]) == (400, -32022)


def test_a_session_begins_is_needed_and_ends(sample):
    url = sample() + "/mcp"
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    begin = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}}
    request = urllib.request.Request(url, json.dumps(begin).encode(), bearer())
    with urllib.request.urlopen(request) as answer:
        mine = {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"]}
        assert json.load(answer)["result"]["protocolVersion"] == "2025-06-18"
    assert ask(url, ping)[0] == 400
    assert ask(url, ping, {"Mcp-Session-Id": "another"})[0] == 404
    assert ask(url, ping, mine)[0] == 200
    assert ask(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, mine)[0] == 202
    assert ask(url, {}, mine, "GET")[0] == 405
    assert ask(url, {}, mine, "DELETE")[0] == 204
    assert ask(url, ping, mine)[0] == 404
