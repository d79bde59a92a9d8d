"""A missing credential, as each era says it: held to the SDK's own types, and as the SDK's clients meet it."""

import mcp_types
import pytest
from gateway import ALICE, BOB, agent, header, world
from mcp import MCPError
from mcp_types import InputRequiredResult, JSONRPCError, JSONRPCResponse
from mcp_types import _v2025_11_25 as sessions
from mcp_types import _v2026_07_28 as stateless
from sdk import SessionClient, client, text
from wire import JSON, ask, rpc

pytestmark = pytest.mark.anyio
URL = "https://connect.acme.com/connect/acme/crm"
PREFIX = "io.modelcontextprotocol/"


@pytest.fixture(scope="module")
def gateway(daemons, modern, session):
    servers = {"crm": header(modern.url), "older": header(session.url)}
    with daemons(world(servers, portal={"public_url": "https://connect.acme.com"})) as running:
        yield running


def call(gateway, method="tools/call", version="2026-07-28", capabilities=None, **params):
    meta = {PREFIX + "protocolVersion": version, PREFIX + "clientCapabilities": capabilities or {}}
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": method} if version else {}
    body = rpc(method, id="call-1", name="whoami", uri="a:b", _meta=meta, **params)
    return ask(gateway.port, "POST", "/mcp/crm", agent() | JSON | headers, body)


@pytest.mark.parametrize("version", [None, "2025-03-26", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("method", ["initialize", "tools/call", "tools/list"])
def test_the_session_era_gets_32042(gateway, version, method):
    answer = call(gateway, method, version)
    assert (answer.status, answer["x-claviger-refusal"]) == (200, "credential_missing")
    error = JSONRPCError.model_validate_json(answer.body)
    assert error.id == "call-1" and error.error.code == -32042 and URL in error.error.message
    [elicitation] = sessions.URLElicitationRequiredError.model_validate(answer.json()).error.data.elicitations
    assert (elicitation.mode, elicitation.url) == ("url", URL) and elicitation.elicitation_id and elicitation.message


@pytest.mark.parametrize("method", ["tools/call", "prompts/get", "resources/read"])
def test_2026_07_28_gets_an_input_request_where_the_client_takes_urls(gateway, method):
    answer = call(gateway, method, capabilities={"elicitation": {"url": {}}})
    assert (answer.status, answer["x-claviger-refusal"]) == (200, "credential_missing")
    response = JSONRPCResponse.model_validate_json(answer.body)
    assert response.id == "call-1"
    result = stateless.InputRequiredResult.model_validate(response.result)
    assert result.result_type == "input_required" and result.request_state is None
    asked = response.result["inputRequests"]
    assert set(asked) == {"claviger_connect"}
    params = stateless.ElicitRequest.model_validate(asked["claviger_connect"]).params
    assert (params.mode, params.url) == ("url", URL) and params.message
    assert isinstance(InputRequiredResult.model_validate(response.result), InputRequiredResult)


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}, {"sampling": {}}])
def test_2026_07_28_gets_32010_where_it_does_not(gateway, capabilities):
    answer = call(gateway, "tools/call", capabilities=capabilities)
    assert answer["x-claviger-refusal"] == "credential_missing" and answer.status == 403
    error = JSONRPCError.model_validate_json(answer.body).error
    assert error.code == -32010 and URL in error.message and URL in str(error.data) and error.data["refusal"] == "credential_missing"


def test_2026_07_28_gets_32010_for_other_methods(gateway):
    answer = call(gateway, "tools/list", capabilities={"elicitation": {"url": {}}})
    assert JSONRPCError.model_validate_json(answer.body).error.code == -32010


async def test_the_new_client_is_asked_to_open_the_page_and_then_succeeds(gateway):
    """The agent's callback plays the person: it deposits the credential, and the SDK's own retry goes through."""
    asked = []

    async def elicit(context, params):
        asked.append(params.url)
        gateway.deposit("crm", BOB, token="deposited-by-bob")
        return mcp_types.ElicitResult(action="accept")

    async with client(gateway.url("crm"), agent(BOB), "2026-07-28", elicitation_callback=elicit) as connected:
        assert text(await connected.call_tool("whoami")) == "Bearer deposited-by-bob"
    assert asked == [URL]
    gateway.withdraw("crm", BOB)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_new_client_fails_with_the_page_in_the_message(gateway, mode):
    with pytest.raises(BaseException) as raised:
        async with client(gateway.url("crm"), agent(), mode):
            pass
    errors = [error for error in flatten(raised.value) if isinstance(error, MCPError)]
    assert errors and URL in errors[0].error.message


def test_the_older_client_fails_with_the_page_in_the_message(gateway):
    with SessionClient(gateway.url("older"), agent()) as connected:
        assert connected.refusal["code"] == -32042 and URL.replace("crm", "older") in connected.refusal["message"]


def flatten(error):
    if isinstance(error, BaseExceptionGroup):
        return [inner for outer in error.exceptions for inner in flatten(outer)]
    return [error]


def test_the_portals_place_says_whom_to_ask(gateway):
    answer = ask(gateway.port, "GET", "/connect/acme/crm", {})
    assert answer.status == 200 and b"claviger credential set" in answer.body and answer["content-type"].startswith("text/html")
