"""Traces: what the server is told, what a receiver of OTLP gets, and what becomes of exchanges when it is away."""

import re
import time

import pytest
from canaries import canary
from collector import Collector, attributes
from gateway import ALICE, Key, agent, header, world
from processes import eventually, refusing_port
from test_metrics import value
from upstream import Upstream
from wire import JSON, ask, rpc

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = f"00-{TRACE}-{PARENT}-01"
MADE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])")


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


def gateway_with(start, upstream, **trace):
    gateway = start(world({"crm": header(upstream.url), "raw": {"url": upstream.url, "auth": "none"}}, log={"format": "json"}, **trace))
    gateway.deposit("crm", ALICE, token=canary("traces"))
    return gateway


def call(gateway, server="crm", **headers):
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(**headers) | JSON, rpc())


def told(upstream):
    """What the server was told last: trace, span and flags."""
    return MADE.fullmatch(upstream.requests[-1]["traceparent"]).groups()


def test_without_a_receiver_everything_passes_as_it_came(start, upstream):
    gateway = gateway_with(start, upstream)
    assert call(gateway, traceparent=SENT, tracestate="a=1,b=2").status == 200
    assert (upstream.requests[-1]["traceparent"], upstream.requests[-1]["tracestate"]) == (SENT, "a=1,b=2")
    assert call(gateway, traceparent="not one", tracestate="a=1").status == 200
    assert (upstream.requests[-1]["traceparent"], upstream.requests[-1]["tracestate"]) == ("not one", "a=1")
    assert call(gateway).status == 200
    assert upstream.requests[-1]["traceparent"] is None and upstream.requests[-1]["tracestate"] is None


def test_a_span_for_each_exchange_under_the_clients(start, upstream, collector):
    gateway = gateway_with(start, upstream, trace={"otlp": collector.url})
    answer = call(gateway, traceparent=SENT, tracestate="a=1", mcp_protocol_version="2026-07-28", mcp_method="tools/call", mcp_name="search")
    assert answer.status == 200
    trace, span, flags = told(upstream)
    assert trace == TRACE and span != PARENT and flags == "01" and upstream.requests[-1]["tracestate"] == "a=1"
    got = eventually(collector.spans)[0]
    assert (got.trace_id.hex(), got.span_id.hex(), got.parent_span_id.hex()) == (TRACE, span, PARENT)
    assert got.name == "tools/call search" and got.kind == 2 and got.status.code == 0
    assert got.end_time_unix_nano > got.start_time_unix_nano and abs(got.start_time_unix_nano / 1e9 - time.time()) < 30
    said = attributes(got)
    assert said["http.response.status_code"] == 200 and said["http.request.method"] == "POST" and said["url.path"] == "/mcp/crm"
    assert said["mcp.method.name"] == "tools/call" and said["gen_ai.tool.name"] == "search"
    assert (said["claviger.project"], said["claviger.server"], said["claviger.navigator"], said["claviger.use"]) == ("acme", "crm", "agent", "user")
    assert said["claviger.request_id"] == answer["x-request-id"] and said["claviger.upstream_ms"] > 0
    resource = {attribute.key: attribute.value.string_value for attribute in collector.requests[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "claviger" and resource["service.version"] and resource["service.instance.id"]
    # Counted when the receiver has answered.
    eventually(lambda: value(gateway, "claviger_spans_total", result="exported") == 1)
    assert f'"trace":"{TRACE}"' in gateway.log()


@pytest.mark.parametrize("sent", [None, "00-zz", SENT.upper(), f"00-{'0' * 32}-{PARENT}-01"])
def test_a_trace_begins_where_none_is_or_what_came_is_none(start, upstream, collector, sent):
    gateway = gateway_with(start, upstream, trace={"otlp": collector.url})
    headers = {"traceparent": sent, "tracestate": "a=1"} if sent else {}
    assert call(gateway, **headers).status == 200
    trace, span, flags = told(upstream)
    assert trace != TRACE and flags == "01" and upstream.requests[-1]["tracestate"] is None
    got = eventually(collector.spans)[0]
    assert (got.trace_id.hex(), got.span_id.hex(), got.parent_span_id) == (trace, span, b"")


def test_what_the_client_does_not_keep_is_not_kept(start, upstream, collector):
    gateway = gateway_with(start, upstream, trace={"otlp": collector.url, "sample": 0})
    assert call(gateway, traceparent=SENT[:-1] + "0").status == 200
    assert told(upstream)[0] == TRACE and told(upstream)[2] == "00"
    assert call(gateway).status == 200 and told(upstream)[2] == "00"
    # Who began the trace says whether it is kept.
    assert call(gateway, traceparent=SENT).status == 200 and told(upstream)[2] == "01"
    assert [span.trace_id.hex() for span in eventually(collector.spans)] == [TRACE]


def test_refusals_are_errors_of_their_side_and_strangers_leave_no_span(start, upstream, collector):
    gateway = start(world({"crm": header(upstream.url), "away": {"url": f"http://127.0.0.1:{refusing_port()}/mcp", "auth": "none"}}, trace={"otlp": collector.url}))
    assert ask(gateway.port, "POST", "/mcp/crm", agent(key=Key("stranger"), traceparent=SENT) | JSON, rpc()).status == 401
    assert call(gateway, "nope", traceparent=SENT).status == 404
    assert call(gateway, "away").status == 502
    spans = eventually(lambda: (spans := collector.spans()) if len(collector.spans()) >= 2 else None)
    # Each worker hands over its own.
    spans = sorted(spans, key=lambda span: span.start_time_unix_nano)
    said = [attributes(span) for span in spans]
    assert [one["claviger.refusal"] for one in said] == ["unknown_server", "upstream_unreachable"]
    assert [span.status.code for span in spans] == [0, 2] and spans[0].name == "POST /mcp/{server}"


def test_a_receiver_that_is_away_costs_spans_and_no_exchange(start, upstream):
    gateway = gateway_with(start, upstream, trace={"otlp": f"http://127.0.0.1:{refusing_port()}/v1/traces"})
    began = time.monotonic()
    for _ in range(50):
        assert call(gateway).status == 200
    assert time.monotonic() - began < 5
    assert eventually(lambda: "spans cannot be sent" in gateway.log())
    assert gateway.process.end() == 0
    assert gateway.log().count("spans cannot be sent") == 1


def test_the_last_spans_leave_before_the_end(start, upstream, collector):
    gateway = gateway_with(start, upstream, trace={"otlp": collector.url})
    for _ in range(20):
        assert call(gateway, "raw").status == 200
    assert gateway.process.end() == 0
    assert len(collector.spans()) == 20


def test_no_secret_and_nobody_is_in_a_span(start, collector):
    with Upstream() as upstream:
        token = canary("traces-url")
        gateway = start(world({"keyed": {"url": upstream.origin + "/{key}/mcp", "auth": "path"}}, trace={"otlp": collector.url}))
        gateway.deposit("keyed", ALICE, key=token)
        answer = ask(gateway.port, "POST", "/mcp/keyed?q=" + canary("traces-query"), agent(mcp_session_id=canary("traces-session")) | JSON, rpc())
        assert answer.status == 200
        eventually(collector.spans)
        written = b"".join(collector.bodies)
        assert b"cnry" not in written and b"alice" not in written and b"127.0.0.1" not in written
