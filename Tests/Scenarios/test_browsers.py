"""Origins: listed ones are answered, others refused; the preflight needs no key."""

import pytest
from gateway import agent, world
from upstream import Upstream
from wire import JSON, ask, rpc

ORIGIN = "https://app.acme.com"


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    with upstream, daemons(world({"raw": {"url": upstream.url, "auth": "none"}}, gateway={"allowed_origins": [ORIGIN]})) as running:
        running.upstream = upstream
        yield running


def preflight(gateway, origin, path="/mcp/raw"):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key, x-user-email, content-type"}
    return ask(gateway.port, "OPTIONS", path, asked)


def test_a_preflight_is_answered_here_without_a_key(gateway):
    answer = preflight(gateway, ORIGIN)
    assert answer.status == 204 and answer["access-control-allow-origin"] == ORIGIN and answer["x-request-id"]
    allowed = {name.strip().lower() for name in answer["access-control-allow-headers"].split(",")}
    assert {"x-api-key", "x-user-email", "content-type"} <= allowed or allowed == {"*"}
    assert "POST" in answer["access-control-allow-methods"] and "origin" in (answer["vary"] or "").lower()
    assert not gateway.upstream.requests


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.acme.com", "https://app.acme.com.evil.example", "https://app.acme.com:444", "null"])
def test_another_origin_is_refused(gateway, origin):
    answer = preflight(gateway, origin)
    assert (answer.status, answer["x-claviger-refusal"], answer["access-control-allow-origin"]) == (403, "origin_not_allowed", None)
    assert ask(gateway.port, "POST", "/mcp/raw", agent(origin=origin) | JSON, rpc()).status == 403


@pytest.mark.parametrize("target, status", [("/mcp/raw", 200), ("/mcp/nothing", 404)])
def test_answers_to_a_listed_origin_say_so(gateway, target, status):
    answer = ask(gateway.port, "POST", target, agent(origin=ORIGIN) | JSON, rpc())
    assert (answer.status, answer["access-control-allow-origin"]) == (status, ORIGIN)
    exposed = {name.strip() for name in answer["access-control-expose-headers"].split(",")}
    assert exposed == {"Mcp-Session-Id", "x-request-id", "x-claviger-refusal"}


def test_without_an_origin_nothing_is_said(gateway):
    assert ask(gateway.port, "POST", "/mcp/raw", agent() | JSON, rpc())["access-control-allow-origin"] is None
