"""Every refusal of the contract: its status, its header, its body, plain and as JSON-RPC, and the order in which they apply."""

import json
import time

import pytest
from gateway import ALICE, KEY, Key, agent, header, world
from processes import eventually, refusing_port
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

PAST, EXPIRED = "2020-01-01T00:00:00Z", Key("expired1", expires="2020-01-01T00:00:00Z")
DENIED, SLOW = Key("denied1"), Key("slow1")


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    servers = {
        "raw": {"url": upstream.url, "auth": "none"},
        "crm": header(upstream.url, title="The CRM"),
        "team": header(upstream.url),
        "paused": {"url": upstream.url, "auth": "none"},
        "gone": {"url": f"http://127.0.0.1:{refusing_port()}/mcp", "auth": "none"},
        "slow": {"url": upstream.url, "auth": "none", "timeouts": {"response": "1s"}},
    }
    config = world(
        servers, instances={"paused": {"status": "paused"}, "team": {"level": "project"}},
        gateway={
            "allowed_origins": ["https://app.acme.com"], "hosts": ["gateway"],
            "limits": {"body": "1MiB"}, "timeouts": {"head": "1s", "body": "1s"}},
        portal={"public_url": "https://connect.acme.com"})
    navigators = config["projects"]["acme"]["navigators"]
    navigators["agent"]["keys"].append(EXPIRED.line)
    navigators["denied"] = {"keys": [DENIED.line], "users": {"domains": ["acme.com"]}, "deny": {"servers": ["raw"]}}
    navigators["slow"] = {"keys": [SLOW.line], "users": {"domains": ["acme.com"]}, "rate": "1/s"}
    with upstream, daemons(config) as running:
        running.upstream = upstream
        yield running


def refused(answer, status, code):
    """Holds an answer to the plain form."""
    assert (answer.status, answer["x-claviger-refusal"]) == (status, code), answer
    assert answer["x-request-id"] and answer["content-type"].startswith("application/json")
    body = answer.json()
    assert set(body) == {"error"} and body["error"]["code"] == code and body["error"]["message"]
    return answer


def raw(gateway, *parts):
    with Wire(gateway.port) as wire:
        wire.send(*parts)
        return wire.answer()


POST = ("POST", "/mcp/raw")


@pytest.mark.parametrize(
    "sent, status, code",
    [
        (b"POST /mcp/raw HTTP/1.1\r\nHost : gateway\r\n\r\n", 400, "bad_request"),
        (request("GET", "/" + "a" * 9000), 414, "line_too_long"),
        (request("GET", "/mcp/raw", {"a": "b" * 33_000}), 431, "head_too_large"),
        (request("GET", "/mcp/raw", [(f"a{number}", "b") for number in range(120)]), 431, "head_too_large"),
        (request("TRACE", "/mcp/raw", agent()), 405, "method_not_allowed"),
        (request("CONNECT", "example.com:443", agent()), 405, "method_not_allowed"),
        (request(*POST, agent() | {"Expect": "the-best", "Content-Length": "0"}), 417, "expectation_failed"),
        (request(*POST, agent() | {"Host": "elsewhere"}, b"{}"), 421, "wrong_host"),
        (request("GET", "/", agent()), 404, "not_found"),
        (request("GET", "/mcp", agent()), 404, "not_found"),
        (request("GET", "/mcpx/raw", agent()), 404, "not_found"),
        (request("POST", "/mcp/raw/further", agent(), b"{}"), 404, "not_found"),
        (request(*POST, agent(origin="https://evil.example"), b"{}"), 403, "origin_not_allowed"),
        (request(*POST, {"x-user-email": ALICE}, b"{}"), 401, "unauthenticated"),
        (request(*POST, {"x-api-key": KEY.text}, b"{}"), 400, "bad_email"),
        (request(*POST, agent("mallory@evil.example"), b"{}"), 403, "user_not_allowed"),
        (request("POST", "/mcp/nothing", agent(), b"{}"), 404, "unknown_server"),
        (request("POST", "/mcp/crm", agent(), b"{}"), 403, "credential_missing"),
        (request("POST", "/mcp/gone", agent(), b"{}"), 502, "upstream_unreachable"),
        (request(*POST, agent() | {"Content-Length": str(2 << 20)}), 413, "too_large"),
    ])
def test_the_plain_form(gateway, sent, status, code):
    refused(raw(gateway, sent), status, code)


def test_the_first_that_applies_is_given(gateway):
    """Each request has every fault from its own on; the contract's order decides."""
    wrong = {"Host": "elsewhere", "Origin": "https://evil.example", "x-api-key": "ck_no.no", "x-user-email": "no", "Expect": "x"}
    assert raw(gateway, request("POST", "/nowhere", wrong, b"{}"))["x-claviger-refusal"] == "expectation_failed"
    for name, code in (("Expect", "wrong_host"), ("Host", "not_found")):
        del wrong[name]
        assert raw(gateway, request("POST", "/nowhere", wrong, b"{}"))["x-claviger-refusal"] == code
    for name, code in ((None, "origin_not_allowed"), ("Origin", "unauthenticated")):
        wrong.pop(name, None)
        assert raw(gateway, request("POST", "/mcp/nothing", wrong, b"{}"))["x-claviger-refusal"] == code
    wrong["x-api-key"] = KEY.text
    assert raw(gateway, request("POST", "/mcp/nothing", wrong, b"{}"))["x-claviger-refusal"] == "bad_email"
    wrong["x-user-email"] = "a@evil.example"
    assert raw(gateway, request("POST", "/mcp/nothing", wrong, b"{}"))["x-claviger-refusal"] == "user_not_allowed"
    wrong["x-user-email"] = ALICE
    assert raw(gateway, request("POST", "/mcp/nothing", wrong, b"{}"))["x-claviger-refusal"] == "unknown_server"


def test_a_key_that_is_not_good_is_one_message_for_all(gateway):
    good = KEY.text
    bad = [
        [], [("x-api-key", good), ("x-api-key", good)], [("x-api-key", "ck_nobody." + KEY.secret)],
        [("x-api-key", good[:-1] + ("A" if good[-1] != "A" else "B"))], [("x-api-key", EXPIRED.text)], [("x-api-key", "")],
        [("x-api-key", good + ", " + good)], [("x-api-key", good.upper())], [("x_api_key", good)], [("Authorization", "Bearer " + good)],
    ]
    said = set()
    for headers in bad:
        answer = refused(raw(gateway, request(*POST, headers + [("x-user-email", ALICE)], b"{}")), 401, "unauthenticated")
        assert answer["www-authenticate"] == 'X-API-Key realm="claviger"'
        said.add(answer.body)
    assert len(said) == 1


@pytest.mark.parametrize(
    "values",
    [["a@acme.com", "a@acme.com"], ["a@acme.com,b@acme.com"], [""], ["a"], ["a@@acme.com"], ["a@acme.com."], ['"a"@acme.com'], ["a@[127.0.0.1]"],
     ["a@acme.com@evil.example"], ["ä@acme.com"], ["a b@acme.com"], ["a@" + "x" * 300 + ".com"], ["<a@acme.com>"]])
def test_an_address_that_is_none_is_refused(gateway, values):
    headers = [("x-api-key", KEY.text)] + [("x-user-email", value) for value in values]
    refused(raw(gateway, request(*POST, headers, b"{}")), 400, "bad_email")


@pytest.mark.parametrize("user", ["a@sub.acme.com", "a@evilacme.com", "a@acme.com.evil.example", "a@acme.co"])
def test_the_domain_is_compared_whole(gateway, user):
    refused(raw(gateway, request(*POST, agent(user), b"{}")), 403, "user_not_allowed")


def test_unknown_paused_and_denied_look_the_same(gateway):
    said = {raw(gateway, request("POST", f"/mcp/{name}", agent(key=key), b"{}")).body
            for name, key in (("nothing", KEY), ("paused", KEY), ("raw", DENIED))}
    assert len(said) == 1
    for name, key in (("nothing", KEY), ("paused", KEY), ("raw", DENIED)):
        refused(raw(gateway, request("POST", f"/mcp/{name}", agent(key=key), b"{}")), 404, "unknown_server")


def test_a_rate_is_kept(gateway):
    answers = [raw(gateway, request(*POST, agent(key=SLOW), b"{}")) for _ in range(5)]
    assert answers[0].status == 200
    limited = refused(next(answer for answer in answers if answer.status != 200), 429, "rate_limited")
    assert int(limited["retry-after"]) >= 1


def test_a_head_that_does_not_come_times_out(gateway):
    with Wire(gateway.port) as wire:
        wire.send(b"POST /mcp/raw HTTP/1.1\r\nHost: gate")
        began = time.monotonic()
        refused(wire.answer(), 408, "request_timeout")
        assert 0.8 < time.monotonic() - began < 3
        assert wire.is_closed()


def test_an_answer_that_does_not_come_times_out(gateway):
    gateway.upstream.answer = lambda seen, peer: peer.wait_closed()
    try:
        refused(raw(gateway, request("POST", "/mcp/slow", agent(), b"{}")), 504, "upstream_timeout")
    finally:
        gateway.upstream.answer = Upstream().answer


def test_a_body_without_length_is_cut_at_the_limit(gateway):
    with Wire(gateway.port) as wire:
        wire.send(request(*POST, agent() | {"Transfer-Encoding": "chunked"}))
        try:
            for _ in range(40):
                wire.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            pass
        refused(wire.answer(), 413, "too_large")
        assert wire.is_closed()


def test_nothing_of_the_request_is_echoed(gateway):
    marked = "ECHO-THIS-MARK"
    for sent in (request("GET", f"/mcp/{marked}?{marked}", agent(user="a@acme.com", mark=marked)), request("POST", f"/mcp/{marked.lower()}", agent(), marked.encode()),
                 request("GET", "/" + marked), f"GET /mcp HTTP/1.1\r\nHost: {marked}\r\n{marked}\r\n\r\n".encode(),
                 request(*POST, {"x-api-key": marked, "x-user-email": marked}, b"{}"), request(*POST, agent(marked), b"{}")):
        answer = raw(gateway, sent)
        assert marked.lower().encode() not in (answer.raw + answer.body).lower()


# --- to a JSON-RPC request


@pytest.mark.parametrize("id", [1, -7, 2 ** 53, 1.5, "a", "ä \" \\ \u2028", "x" * 128])
def test_a_json_rpc_request_gets_a_json_rpc_error(gateway, id):
    answer = raw(gateway, request("POST", "/mcp/nothing", agent() | JSON, rpc(id=id)))
    assert (answer.status, answer["x-claviger-refusal"]) == (404, "unknown_server")
    body = answer.json()
    assert body["jsonrpc"] == "2.0" and body["id"] == id and type(body["id"]) is type(id)
    assert body["error"]["code"] == -32010 and body["error"]["message"]
    assert body["error"]["data"] == {"refusal": "unknown_server", "request_id": answer["x-request-id"]}


@pytest.mark.parametrize(
    "body, headers",
    [
        (rpc(id="x" * 129), JSON), (b'{"jsonrpc":"2.0","method":"notifications/x"}', JSON), (rpc(id=None), JSON), (rpc(id=[1]), JSON),
        (rpc(id=1), {"Content-Type": "text/plain"}), (b"not json", JSON), (b'{"id":1', JSON), (rpc(id=1, pad="x" * 70_000), JSON), (b"", JSON),
    ], ids=["long id", "notification", "null id", "list id", "another type", "no json", "half json", "over 64 KiB", "no body"])
def test_what_has_no_usable_id_gets_the_plain_form(gateway, body, headers):
    refused(raw(gateway, request("POST", "/mcp/nothing", agent() | headers, body)), 404, "unknown_server")


def test_before_the_key_is_accepted_the_body_is_not_looked_at(gateway):
    refused(raw(gateway, request(*POST, {"x-api-key": "ck_no.no", "x-user-email": ALICE} | JSON, rpc())), 401, "unauthenticated")


def test_after_an_expect_the_body_is_not_awaited(gateway):
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/nothing", agent() | JSON | {"Expect": "100-continue", "Content-Length": "80"}))
        began = time.monotonic()
        refused(wire.answer(), 404, "unknown_server")
        assert time.monotonic() - began < 1


def test_a_body_that_drips_is_awaited_two_seconds_at_most(gateway):
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/nothing", agent() | JSON | {"Content-Length": "80"}), b'{"id":')
        began = time.monotonic()
        refused(wire.answer(), 404, "unknown_server")
        assert time.monotonic() - began < 3


def test_a_batch_gets_an_array(gateway):
    batch = json.dumps([json.loads(rpc(id=1)), {"jsonrpc": "2.0", "method": "notifications/x"}, json.loads(rpc(id="b"))]).encode()
    answer = raw(gateway, request("POST", "/mcp/nothing", agent() | JSON, batch))
    assert [entry["id"] for entry in answer.json()] == [1, "b"]
    assert {entry["error"]["code"] for entry in answer.json()} == {-32010}


@pytest.mark.parametrize("server, path", [("crm", "/mcp/crm"), ("team", "/mcp/team")])
def test_what_is_no_json_rpc_request_is_told_where_to_connect(gateway, server, path):
    answer = refused(raw(gateway, request("GET", path, agent())), 403, "credential_missing")
    assert f"https://connect.acme.com/connect/acme/{server}" in answer.body.decode()


def test_a_project_credential_wants_an_administrator(gateway):
    message = raw(gateway, request("POST", "/mcp/team", agent(), b"{}")).json()["error"]["message"]
    assert "administrator" in message


def test_an_upstreams_401_to_our_credential_is_a_refusal(gateway):
    gateway.upstream.answer = lambda seen, peer: peer.send(
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"theirs\"\r\nContent-Length: 0\r\n\r\n")
    gateway.deposit("crm", ALICE, token="rejected-token")
    try:
        answer = raw(gateway, request("POST", "/mcp/crm", agent() | JSON, rpc()))
        assert answer["x-claviger-refusal"] == "credential_rejected" and "theirs" not in answer.raw.decode()
        assert "https://connect.acme.com/connect/acme/crm" in answer.body.decode()
        refused(raw(gateway, request("GET", "/mcp/crm", agent())), 403, "credential_rejected")
        passed = raw(gateway, request("GET", "/mcp/raw", agent()))
        assert passed.status == 401 and passed["www-authenticate"] is None and passed["x-claviger-refusal"] is None
    finally:
        gateway.upstream.answer = Upstream().answer
        gateway.withdraw("crm", ALICE)


@pytest.mark.parametrize("status", [400, 403, 404, 406, 409, 421, 429, 500, 503])
def test_other_answers_pass_as_they_are(gateway, status):
    body = b'{"error":"the upstream\'s own words"}'
    gateway.upstream.answer = lambda seen, peer: peer.send(
        b"HTTP/1.1 %d Own Words\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-Theirs: yes\r\n\r\n" % (status, len(body)), body)
    try:
        answer = raw(gateway, request(*POST, agent(), b"{}"))
        assert (answer.status, answer.body, answer["x-theirs"], answer["x-claviger-refusal"]) == (status, body, "yes", None)
        assert answer["x-request-id"]
    finally:
        gateway.upstream.answer = Upstream().answer
