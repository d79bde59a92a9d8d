"""The providers that others wrote, through the gateway: connected once, and it stays connected."""

import time

import anyio
import pytest
from gateway import ALICE, BOB, agent, world
from oauth_scene import connect, oauth
from processes import eventually
from real_providers import canaille, django, fastmcp
from sdk import client, text
from upstream import Upstream
from wire import JSON, ask, rpc


async def call_through(gateway, user, mode, until):
    """Calls in one session, over and over: the tokens that the server saw with them, in their order."""
    tokens, calls = [], 0
    async with client(gateway.url("tools"), agent(user), mode) as session:
        while time.monotonic() < until and len(tokens) < 5:
            result = await session.call_tool("whoami")
            assert not result.is_error
            calls += 1
            if text(result) not in tokens:
                tokens.append(text(result))
            await anyio.sleep(0.02)
    return tokens, calls


@pytest.mark.anyio
async def test_the_sdks_client_notices_nothing_of_three_expiries(start, real_directory):
    """In both eras. fastmcp ends the old token with a refresh, and the whole grant where an ended token is shown."""
    with fastmcp(real_directory, 4) as server:
        gateway = start(world({"tools": oauth(server.origin + "/mcp")}))
        found, until = {}, time.monotonic() + 20

        async def run(user, mode):
            found[mode] = await call_through(gateway, user, mode, until)

        for user in (ALICE, BOB):
            connect(gateway, "tools", user)
        async with anyio.create_task_group() as group:
            group.start_soon(run, ALICE, "auto")
            group.start_soon(run, BOB, "legacy")
        for tokens, calls in found.values():
            assert len(tokens) == 5 and calls > 50, (len(tokens), calls)
        assert not set(found["auto"][0]) & set(found["legacy"][0])


@pytest.mark.parametrize("kind", [django, canaille], ids=lambda kind: kind.__name__)
def test_a_real_provider_rotates_and_nothing_is_lost(start, real_directory, kind):
    """The server there takes any token; what counts is that the provider goes on giving them, also to a gateway that was killed."""
    with kind(real_directory, 2) as provider, Upstream() as upstream:
        scopes = ["read"] if kind is django else ["openid", "profile"]
        gateway = start(world({"crm": oauth(upstream.url, issuer=provider.issuer, scopes=scopes)}))
        connect(gateway, "crm", ALICE, **provider.fill)
        connect(gateway, "crm", BOB, **provider.fill | ({"username": "bob"} if kind is django else {"login": "bob"}))

        def token(user):
            answer = ask(gateway.port, "POST", "/mcp/crm", agent(user) | JSON, rpc())
            assert answer.status == 200, (answer, gateway.log()[-3000:])
            return upstream.requests[-1]["authorization"]

        def fresh():
            """Both have just got another token: nothing is under way."""
            before = {user: token(user) for user in (ALICE, BOB)}
            eventually(lambda: all(token(user) != before[user] for user in before), 10, 0.05)

        fresh()
        fresh()
        gateway.process.end(how=9)
        gateway.start()
        fresh()
        fresh()
        gateway.withdraw("crm", ALICE)
        assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc())["x-claviger-refusal"] == "credential_missing"
