"""Ambiguous or malformed requests: 400, the connection closed, nothing complete upstream, nothing behind it parsed."""

import pytest
from gateway import agent, world
from upstream import Upstream
from wire import Wire, request

KEYS = "".join(f"{name}: {value}\r\n" for name, value in agent().items()).encode()
START = b"POST /mcp/raw HTTP/1.1\r\nHost: gateway\r\n" + KEYS
BEHIND = b"GET /mcp/raw/behind HTTP/1.1\r\nHost: gateway\r\n" + KEYS + b"\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(daemons):
    upstream = Upstream()
    with upstream, daemons(world({"raw": {"url": upstream.url, "auth": "none"}}, gateway={"timeouts": {"head": "2s", "body": "2s"}})) as running:
        running.upstream = upstream
        yield running


def with_fields(*fields):
    return START + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


LENGTHS = [b"+5", b"-5", b"0x5", b"5 5", b"5,5", b"5, 5", b"", b" ", b"5a", b"\xd9\xa5", b"9" * 20, b"9223372036854775808", b"5.0", b"\t5\x0b", b"5;a=b", b'"5"']
CODINGS = [
    b"gzip", b"identity", b"chunked, gzip", b"gzip, chunked", b"chunked, chunked", b"chunked,", b",chunked", b'"chunked"', b"chunked;a=b", b"xchunked",
    b"chunked\x0b", b"chunked\x0c", b"\x0bchunked", b"chun\xc5\xbfed", b"chun\xe2\x84\xaaed", b"chunked\x00", b"chunked\x01", b"chunked\xa0", b"", b"chunked identity"]
HEADS = {
    "length and chunks": with_fields(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "chunks and length": with_fields(b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    "length 0 and chunks": with_fields(b"Content-Length: 0", b"Transfer-Encoding: chunked"),
    "two lengths": with_fields(b"Content-Length: 5", b"Content-Length: 6"),
    "two equal lengths": with_fields(b"Content-Length: 5", b"Content-Length: 5"),
    "two codings": with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "two codings, one other": with_fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "coding in 1.0": START.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    "underscored coding": with_fields(b"Transfer_Encoding: chunked", b"Content-Length: 5"),
    "underscored length": with_fields(b"Content_Length: 5"),
    "space before colon": with_fields(b"Transfer-Encoding : chunked"),
    "tab before colon": with_fields(b"Content-Length\t: 5"),
    "folded coding": with_fields(b"Transfer-Encoding:", b" chunked"),
    "folded": with_fields(b"A: b", b" c"),
    "folded with tab": with_fields(b"A: b", b"\tc"),
    "first line folded": b"POST /mcp/raw HTTP/1.1\r\n Host: gateway\r\nHost: gateway\r\n" + KEYS + b"\r\n",
    "bare LF lines": START.replace(b"\r\n", b"\n") + b"Content-Length: 5\n\n",
    "one bare LF": START + b"A: b\nContent-Length: 5\r\n\r\n",
    "bare CR": with_fields(b"A: b\rContent-Length: 5"),
    "LF LF end": START + b"A: b\n\n",
    "CR CR LF end": START + b"A: b\r\r\n\r\n",
    "NUL in value": with_fields(b"A: b\x00c"),
    "NUL in name": with_fields(b"A\x00: b"),
    "control in value": with_fields(b"A: b\x01c"),
    "DEL in value": with_fields(b"A: b\x7fc"),
    "empty name": with_fields(b": b"),
    "no colon": with_fields(b"nothing"),
    "space in name": with_fields(b"A b: c"),
    "brackets in name": with_fields(b"A(b): c"),
    "high byte in name": with_fields(b"Transfer-Encod\xefng: chunked"),
    "no host": b"POST /mcp/raw HTTP/1.1\r\n" + KEYS + b"\r\n",
    "two hosts": with_fields(b"Host: gateway"),
    "host list": START.replace(b"Host: gateway", b"Host: gateway, other") + b"\r\n",
    "host with path": START.replace(b"Host: gateway", b"Host: gateway/x") + b"\r\n",
    "host with userinfo": START.replace(b"Host: gateway", b"Host: a@gateway") + b"\r\n",
    "host with blank": START.replace(b"Host: gateway", b"Host: gate way") + b"\r\n",
    "userinfo in target": START.replace(b"POST /mcp/raw", b"POST http://a:b@gateway/mcp/raw") + b"\r\n",
    "two blanks": START.replace(b"POST /", b"POST  /") + b"\r\n",
    "tab as blank": START.replace(b"POST /", b"POST\t/") + b"\r\n",
    "blank before method": b" " + START + b"\r\n",
    "no version": START.replace(b" HTTP/1.1", b"") + b"\r\n",
    "HTTP/0.9": b"GET /mcp/raw\r\n\r\n",
    "HTTP/2.0": START.replace(b"HTTP/1.1", b"HTTP/2.0") + b"\r\n",
    "HTTP/1.10": START.replace(b"HTTP/1.1", b"HTTP/1.10") + b"\r\n",
    "http/1.1": START.replace(b"HTTP/1.1", b"http/1.1") + b"\r\n",
    "HTTP/1.1 and more": START.replace(b"HTTP/1.1", b"HTTP/1.1 x") + b"\r\n",
    "blank in target": START.replace(b"/mcp/raw ", b"/mcp/r aw ") + b"\r\n",
    "control in target": START.replace(b"/mcp/raw", b"/mcp/r\x01w") + b"\r\n",
    "high byte in target": START.replace(b"/mcp/raw", b"/mcp/r\xc3\xa4w") + b"\r\n",
    "fragment": START.replace(b"/mcp/raw", b"/mcp/raw#x") + b"\r\n",
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
}
HEADS |= {f"length {value!r}": with_fields(b"Content-Length: " + value) for value in LENGTHS}
HEADS |= {f"coding {value!r}": with_fields(b"Transfer-Encoding: " + value) for value in CODINGS}
BODIES = {
    "no size": b"\r\nhello\r\n", "sign": b"+5\r\nhello\r\n0\r\n\r\n", "minus": b"-5\r\nhello\r\n0\r\n\r\n", "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "leading blank": b" 5\r\nhello\r\n0\r\n\r\n", "trailing blank": b"5 \r\nhello\r\n0\r\n\r\n", "no hex": b"g\r\nhello\r\n0\r\n\r\n",
    "seventeen digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n", "overflow": b"FFFFFFFFFFFFFFFF\r\nhello", "bare LF": b"5\nhello\r\n0\r\n\r\n",
    "LF behind payload": b"5\r\nhello\n0\r\n\r\n", "spill": b"5\r\nhello!!\r\n0\r\n\r\n", "bare CR": b"5\rhello\r\n0\r\n\r\n",
    "LF in extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n", "NUL in extension": b"5;a=\x00\r\nhello\r\n0\r\n\r\n", "long extension": b"5;" + b"a" * 400 + b"\r\nhello\r\n0\r\n\r\n",
    "bad trailer": b"0\r\nTransfer-Encoding : x\r\n\r\n", "bare LF trailer": b"0\r\nA: b\n\r\n", "LF end": b"0\r\n\n",
}


def meets_a_400(gateway, sent):
    """Sends the bytes with a good request behind them; one 400, then the end, and no whole request upstream."""
    asked = len(gateway.upstream.requests)
    with Wire(gateway.port) as wire:
        wire.send(sent)
        try:
            wire.send(BEHIND)
        except OSError:
            pass
        answer = wire.answer()
        assert answer.status == 400 and answer["x-claviger-refusal"] == "bad_request", answer
        assert (answer["connection"] or "").lower() == "close"
        assert wire.is_closed() and not wire.buffer
    assert len(gateway.upstream.requests) == asked


@pytest.mark.parametrize("name", HEADS)
def test_an_ambiguous_head_is_refused(gateway, name):
    sent = HEADS[name]
    if name in ("HTTP/2.0", "h2 preface", "HTTP/1.10"):
        with Wire(gateway.port) as wire:
            wire.send(sent)
            answer = wire.answer()
            assert answer.status in (400, 505) and wire.is_closed()
        return
    meets_a_400(gateway, sent)


@pytest.mark.parametrize("name", BODIES)
def test_an_ambiguous_chunked_body_is_refused(gateway, name):
    meets_a_400(gateway, CHUNKED + BODIES[name])


@pytest.mark.parametrize(
    "target",
    [b"/mcp/../mcp/raw", b"/mcp/%2e%2e/mcp/raw", b"/mcp/raw/..", b"/mcp/raw/%2e%2e/x", b"/mcp/raw/..%2fx", b"/mcp/raw%2f..", b"/mcp/raw/%5c..", b"/mcp/raw/..;/x", b"/mcp/raw%00",
     b"/mcp/raw/%c0%ae%c0%ae/x"])
def test_a_path_that_climbs_reaches_nothing(gateway, target):
    asked = len(gateway.upstream.requests)
    with Wire(gateway.port) as wire:
        wire.send(START.replace(b"/mcp/raw", target) + b"Content-Length: 0\r\n\r\n")
        assert wire.answer().status in (400, 404)
    assert len(gateway.upstream.requests) == asked


def test_pipelined_requests_are_answered_in_order(gateway):
    gateway.upstream.answer = lambda seen, peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(seen.body), seen.body)
    try:
        with Wire(gateway.port) as wire:
            wire.send(*(request("POST", "/mcp/raw", agent(), b"number %d" % number) for number in range(20)))
            assert [wire.answer().body for _ in range(20)] == [b"number %d" % number for number in range(20)]
    finally:
        gateway.upstream.answer = Upstream().answer


def test_requests_arrive_whole_however_they_are_cut(gateway):
    sent = request("POST", "/mcp/raw", agent() | {"Transfer-Encoding": "chunked"}) + b"5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: x\r\n\r\n"
    with Wire(gateway.port) as wire:
        for byte in sent:
            wire.send(bytes([byte]))
        assert wire.answer().status == 200
    seen = gateway.upstream.requests[-1]
    assert seen.body == b"hello!" and seen["x-trailer"] is None


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "PROPFIND"])
def test_methods_pass(gateway, method):
    gateway.upstream.answer = lambda seen, peer: peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    try:
        with Wire(gateway.port) as wire:
            wire.send(request(method, "/mcp/raw", agent()))
            assert wire.answer(method).status == 204
        assert gateway.upstream.requests[-1].method == method
    finally:
        gateway.upstream.answer = Upstream().answer


def test_what_goes_upstream_is_the_servers_own(gateway):
    """Host, hop-by-hop fields, what Connection nominates, and the agent's own fields; what MCP needs is kept."""
    hop = {"Connection": "close, X-Hop", "X-Hop": "1", "Keep-Alive": "a", "Proxy-Connection": "a", "Proxy-Authorization": "a", "TE": "gzip", "Upgrade": "h2c", "HTTP2-Settings": "a"}
    gone = {"Cookie": "a=b", "Authorization": "Bearer mine", "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "Via": "1.1 x", "x_api_key": "a", "X_User_Email": "a", "x-claviger-door": "a"}
    kept = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "=?base64?YQ==?=", "Mcp-Param-X": "y",
            "Last-Event-ID": "7", "Mcp-Session-Id": "abc", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Accept-Encoding": "gzip", "X-Mine": "z"}
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw?a=1&b=%20", agent() | hop | gone | kept, b"{}"))
        assert wire.answer().status == 200
    seen = gateway.upstream.requests[-1]
    assert seen.target == "/mcp?a=1&b=%20" and seen["host"] == f"127.0.0.1:{gateway.upstream.port}"
    assert {name: seen[name] for name in kept} == kept
    for name in [*hop, *gone, "x-api-key", "x-user-email"]:
        assert name == "Connection" or not seen.all(name), name
    assert "X-Hop" not in (seen["connection"] or "")


def test_connection_cannot_take_the_credential_away(gateway):
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | {"Connection": "content-length, host, authorization"}, b"{}"))
        answer = wire.answer()
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert gateway.upstream.requests[-1].body == b"{}"


def test_what_comes_back_is_stripped_too(gateway):
    theirs = b"Set-Cookie: a=b\r\nClear-Site-Data: *\r\nAlt-Svc: h3\r\nStrict-Transport-Security: max-age=1\r\nAccess-Control-Allow-Origin: *\r\nKeep-Alive: timeout=5\r\nX-Theirs: 1\r\nMcp-Session-Id: s\r\n"
    gateway.upstream.answer = lambda seen, peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + theirs + b"\r\n")
    try:
        with Wire(gateway.port) as wire:
            wire.send(request("POST", "/mcp/raw", agent(), b"{}"))
            answer = wire.answer()
    finally:
        gateway.upstream.answer = Upstream().answer
    assert answer["x-theirs"] == "1" and answer["mcp-session-id"] == "s" and answer["x-request-id"]
    for name in ("set-cookie", "clear-site-data", "alt-svc", "strict-transport-security", "access-control-allow-origin", "keep-alive"):
        assert answer[name] is None, name
