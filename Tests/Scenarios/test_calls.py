"""The main job: an agent's SDK calls a tool, and the server sees that user's credential and nothing of the agent's key."""

import time

import anyio
import pytest
from gateway import ALICE, BOB, KEY, agent
from sdk import SessionClient, client, text

pytestmark = pytest.mark.anyio
MODES = [("2026-07-28", "2026-07-28"), ("auto", "2026-07-28"), ("legacy", "2025-11-25")]


def carries_no_key(request):
    """Holds a recorded request to what must never reach a server."""
    names = {name for name, _ in request["headers"]}
    assert not names & {"x-api-key", "x-user-email", "cookie", "forwarded", "x-forwarded-for", "via"}
    everything = repr(request)
    assert KEY.secret not in everything and ALICE not in everything and BOB not in everything


@pytest.mark.parametrize("mode, version", MODES)
async def test_the_header_credential_of_the_user_arrives(mcp, modern, mode, version):
    async with client(mcp.url("modern"), agent(), mode) as connected:
        assert connected.protocol_version == version
        assert "whoami" in {tool.name for tool in (await connected.list_tools()).tools}
        assert text(await connected.call_tool("whoami")) == "Bearer " + mcp.tokens["modern", ALICE]
    for request in modern.seen():
        carries_no_key(request)


async def test_the_new_client_falls_back_to_a_session(mcp):
    async with client(mcp.url("older"), agent(BOB), "auto") as connected:
        assert connected.protocol_version == "2025-11-25"
        assert text(await connected.call_tool("whoami")) == "Bearer " + mcp.tokens["older", BOB]


@pytest.mark.parametrize("server", ["older", "modern"])
def test_the_older_client_has_its_session(mcp, session, server):
    with SessionClient(mcp.url(server), agent()) as connected:
        assert connected.version == "2025-11-25"
        assert connected.call("whoami")["text"] == "Bearer " + mcp.tokens[server, ALICE]
    for request in session.seen():
        carries_no_key(request)
    if server == "older":
        assert "DELETE" in {request["method"] for request in session.seen()}


async def test_several_headers_are_templates(mcp, modern):
    async with client(mcp.url("several"), agent(), "2026-07-28") as connected:
        assert text(await connected.call_tool("whoami")) == mcp.tokens["several", ALICE]
    headers = dict(modern.seen()[-1]["headers"])
    assert headers["x-account"].startswith("a/cnry-") and "authorization" not in headers


@pytest.mark.parametrize("mode, version", MODES)
async def test_the_path_credential_stands_in_the_path(mcp, modern, mode, version):
    async with client(mcp.url("keyed"), agent(), mode) as connected:
        assert text(await connected.call_tool("whoami")) == "none"
    assert {request["path"] for request in modern.seen() if "cnry" in request["path"]} == {f"/{mcp.tokens['keyed', ALICE]}/mcp"}


async def test_the_query_credential_stands_in_the_query_once(mcp, modern):
    sent = "?api_key=mine&API%5fKEY=x&a=1&api%5Fkey=mine"
    async with client(mcp.url("asked") + sent, agent(), "2026-07-28") as connected:
        assert text(await connected.call_tool("whoami")) == "none"
    pairs = modern.seen()[-1]["query"].split("&")
    assert pairs.count("api_key=" + mcp.tokens["asked", ALICE]) == 1
    assert not [pair for pair in pairs if pair.startswith(("api%5Fkey=", "api%5fkey="))]
    assert "fixed=1" in pairs and "a=1" in pairs and not any("mine" in pair for pair in pairs)


async def test_without_auth_nothing_is_put_in(mcp, modern):
    async with client(mcp.url("open"), agent() | {"Authorization": "Bearer agents-own"}, "2026-07-28") as connected:
        assert text(await connected.call_tool("whoami")) == "none"
    carries_no_key(modern.seen()[-1])


async def test_a_project_credential_serves_everyone(mcp):
    for user in (ALICE, BOB):
        async with client(mcp.url("shared"), agent(user), "2026-07-28") as connected:
            assert text(await connected.call_tool("whoami")) == "Bearer " + mcp.tokens["shared", None]


async def test_what_the_agent_sends_under_the_injected_name_never_wins(mcp, modern):
    for name in ("authorization", "AUTHORIZATION"):
        async with client(mcp.url("modern"), agent() | {name: "Bearer mine", "Cookie": "a=b"}, "2026-07-28") as connected:
            assert text(await connected.call_tool("whoami")) == "Bearer " + mcp.tokens["modern", ALICE]
    values = [value for name, value in modern.seen()[-1]["headers"] if name == "authorization"]
    assert values == ["Bearer " + mcp.tokens["modern", ALICE]]


async def test_two_users_never_get_each_others_answers(mcp):
    """200 concurrent calls over eight clients, four of each user."""
    wrong = []

    async def calls(user):
        async with client(mcp.url("modern"), agent(user), "2026-07-28") as connected:
            async def one(number):
                said = text(await connected.call_tool("whoami"))
                echoed = text(await connected.call_tool("echo", {"text": f"{user} {number}"}))
                if said != "Bearer " + mcp.tokens["modern", user] or echoed != f"{user} {number}":
                    wrong.append((user, said, echoed))

            async with anyio.create_task_group() as group:
                for number in range(25):
                    group.start_soon(one, number)

    async with anyio.create_task_group() as group:
        for user in (ALICE, BOB) * 4:
            group.start_soon(calls, user)
    assert not wrong


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_progress_events_arrive_one_by_one(mcp, mode):
    arrived = []

    async def note(value, total, message):
        arrived.append(time.monotonic())

    async with client(mcp.url("modern"), agent(), mode) as connected:
        assert text(await connected.call_tool("count", {"to": 5, "pause": 0.15}, progress_callback=note)) == "counted to 5"
    gaps = [later - earlier for earlier, later in zip(arrived, arrived[1:])]
    assert len(arrived) == 5 and min(gaps) > 0.08, gaps


def test_progress_reaches_the_older_client_too(mcp):
    with SessionClient(mcp.url("older"), agent()) as connected:
        counted = connected.call("count", to=4, pause=0.15)
    gaps = [later - earlier for earlier, later in zip(counted["progress"], counted["progress"][1:])]
    assert counted["text"] == "counted to 4" and len(gaps) == 3 and min(gaps) > 0.08


@pytest.mark.parametrize("speak", [False, True])
async def test_a_cancelled_call_ends_at_the_server(mcp, modern, speak):
    """Silent, the answer has no head yet; speaking, its stream is open and idle."""
    before = len(modern.cancelled())
    async with client(mcp.url("modern"), agent(), "2026-07-28") as connected:
        async def ignore(value, total, message):
            pass

        with anyio.move_on_after(0.5):
            await connected.call_tool("wait", {"seconds": 30, "speak": speak}, progress_callback=ignore)
        gone = time.monotonic()
        await anyio.sleep(0.5)
        cancelled = modern.cancelled()[before:]
    assert len(cancelled) == 1 and cancelled[0] - gone < 0.25, (cancelled, gone)

