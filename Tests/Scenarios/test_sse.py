"""The old HTTP+SSE transport: its endpoint event is rewritten to lie under /mcp/{server}/."""

import pytest
from gateway import ALICE, BOB, KEY, agent, world
from mcp import ClientSession
from mcp.client.sse import sse_client
from sdk import text
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("user", [ALICE, BOB])
async def test_the_sdks_client_calls_over_sse(mcp, sse, user):
    async with sse_client(mcp.url("legacy"), headers=agent(user)) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            assert text(await session.call_tool("whoami")) == mcp.tokens["legacy", user]
    posts = [request for request in sse.seen() if request["method"] == "POST"]
    assert posts and all(request["path"].startswith("/messages/") for request in posts)
    assert all(KEY.secret not in repr(request) and "x-api-key" not in dict(request["headers"]) for request in sse.seen())


def events(*parts):
    def answer(seen, peer):
        if seen.method == "POST":
            peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            return
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            peer.send(b"%x\r\n%s\r\n" % (len(part), part))
        peer.send(b"0\r\n\r\n")

    return answer


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    with upstream, daemons(world({"old": {"url": upstream.origin + "/base/sse", "transport": "sse", "auth": "none"}})) as running:
        running.upstream = upstream
        yield running


def stream(gateway, *parts):
    gateway.upstream.answer = events(*parts)
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/old", agent()))
        return wire.answer("GET").body.decode()


@pytest.mark.parametrize(
    "endpoint, reached",
    [("/messages?session_id=a1", "/messages?session_id=a1"), ("messages?s=1", "/base/messages?s=1"), ("/base/sse/m/", "/base/sse/m/"), ("{origin}/x/y?z=1", "/x/y?z=1")])
def test_where_the_event_points_is_where_a_post_arrives(gateway, endpoint, reached):
    endpoint = endpoint.replace("{origin}", gateway.upstream.origin)
    body = stream(gateway, f"event: endpoint\r\ndata: {endpoint}\r\n\r\n".encode(), b"event: message\ndata: /messages\n\n")
    target = body.split("data: ")[1].split()[0]
    assert target.startswith("/mcp/old/") or target.startswith(gateway.origin + "/mcp/old/")
    assert body.endswith("event: message\ndata: /messages\n\n")
    assert ask(gateway.port, "POST", target.removeprefix(gateway.origin), agent() | JSON, rpc()).status == 202
    assert gateway.upstream.requests[-1].target == reached


def test_the_event_may_come_in_pieces(gateway):
    whole = b": hello\n\nevent: endpoint\ndata: /m?s=1\n\n"
    body = stream(gateway, *(bytes([byte]) for byte in whole))
    assert "data: /mcp/old/" in body or f"data: {gateway.origin}/mcp/old/" in body


@pytest.mark.parametrize("endpoint", ["http://elsewhere.example/m", "//elsewhere.example/m", "http://127.0.0.1:1/m"])
def test_an_event_that_points_elsewhere_is_never_passed_on(gateway, endpoint):
    """The stream breaks off; where its head had not left by then, it is a refusal."""
    gateway.upstream.answer = events(f"event: endpoint\ndata: {endpoint}\n\n".encode())
    with Wire(gateway.port) as wire:
        wire.send(request("GET", "/mcp/old", agent(connection="close")))
        while wire.fill():
            pass
        assert b"upstream_invalid" in wire.buffer or b"200 OK" in wire.buffer
        assert b"elsewhere" not in wire.buffer and b"127.0.0.1:1/" not in wire.buffer and not wire.buffer.endswith(b"0\r\n\r\n")


def test_a_path_beside_the_stream_is_only_for_sse(gateway):
    for target in ("/mcp/old/../x", "/mcp/old/%2e%2e/x"):
        assert ask(gateway.port, "POST", target, agent(), b"{}").status in (400, 404)
