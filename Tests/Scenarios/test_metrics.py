"""What the gateway counts, as Prometheus's own parser reads it, and whether the counts are true; the two answers for load balancers."""

import contextlib
import time
import urllib.error
import urllib.request

import pytest
from gateway import ALICE, agent, header, world
from canaries import canary
from processes import eventually
from prometheus_client.parser import text_string_to_metric_families
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc


def fetch(gateway, path):
    """Status and body of the administration's answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.admin}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def scrape(gateway):
    """Every sample by its name and labels, and the families."""
    text = fetch(gateway, "/metrics")[1]
    families = list(text_string_to_metric_families(text))
    samples = {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}
    return samples, {family.name: family for family in families}


def value(gateway, name, **labels):
    return scrape(gateway)[0].get((name, frozenset(labels.items())), 0)


@pytest.fixture
def gateway(start, upstream):
    gateway = start(world({"crm": header(upstream.url), "raw": {"url": upstream.url, "auth": "none"}}))
    gateway.deposit("crm", ALICE, token=canary("metrics"))
    return gateway


def call(gateway, server="crm", headers=None):
    return ask(gateway.port, "POST", f"/mcp/{server}", (headers or agent()) | JSON, rpc())


def test_the_text_is_what_prometheus_reads(gateway):
    assert call(gateway).status == 200
    text = fetch(gateway, "/metrics")[1]
    families = list(text_string_to_metric_families(text))
    assert len(families) > 25 and len({family.name for family in families}) == len(families)
    for family in families:
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        assert family.name.startswith(("claviger_", "process_")), family
        for sample in family.samples:
            assert sample.value >= 0 and ALICE not in str(sample), sample
            if family.type == "counter":
                assert sample.name.endswith("_total"), sample
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(samples) == len(set(line.rsplit(" ", 1)[0] for line in samples)), "a sample came twice"


def test_exchanges_are_counted_by_server_status_and_refusal(gateway):
    for _ in range(3):
        assert call(gateway).status == 200
    assert call(gateway, "raw").status == 200
    assert call(gateway, "nope").status == 404
    assert call(gateway, headers=agent(key=type("Key", (), {"text": "ck_nobody.x"})())).status == 401

    def counted():
        samples, _ = scrape(gateway)
        got = {key: number for key, number in samples.items() if key[0] == "claviger_requests_total"}
        return len(got) >= 4 and got
    got = eventually(counted)

    def of(project, server, status, refusal):
        return got.get(("claviger_requests_total", frozenset(dict(project=project, server=server, status=status, refusal=refusal).items())), 0)
    assert of("acme", "crm", "2xx", "") == 3 and of("acme", "raw", "2xx", "") == 1
    assert of("", "", "4xx", "unauthenticated") == 1 and of("", "", "4xx", "unknown_server") == 1


def test_what_is_no_agents_is_counted_apart(gateway):
    assert gateway.command("reload").returncode == 0
    assert ask(gateway.port, "GET", "/connect/nowhere").status == 404
    counted = dict(door="public", status="4xx")
    eventually(lambda: value(gateway, "claviger_portal_requests_total", **counted) == 1)
    assert value(gateway, "claviger_portal_requests_total", door="admin", status="2xx") >= 2
    assert value(gateway, "claviger_portal_requests_total", door="socket", status="2xx") >= 2
    assert not [key for key in scrape(gateway)[0] if key[0].startswith(("claviger_requests_total", "claviger_exchange_seconds", "claviger_received_bytes"))]
    assert value(gateway, "claviger_exchanges_active") == 0


def test_the_servers_time_and_the_gateways_own_are_apart(start):
    with Upstream(lambda seen, peer: (time.sleep(0.3), peer.send(OK))) as slow:
        gateway = start(world({"crm": {"url": slow.url, "auth": "none"}}))
        assert call(gateway).status == 200
        labels = dict(project="acme", server="crm")
        eventually(lambda: value(gateway, "claviger_upstream_seconds_count", **labels) == 1)
        assert 0.3 <= value(gateway, "claviger_upstream_seconds_sum", **labels) < 1
        assert value(gateway, "claviger_own_seconds_sum", **labels) < 0.2
        assert value(gateway, "claviger_own_seconds_count", **labels) == 1
        assert value(gateway, "claviger_exchange_seconds_sum", **labels) >= 0.3


def test_a_server_that_does_not_answer_is_counted_with_the_time_that_it_was_waited_for(start):
    with Upstream(lambda seen, peer: peer.wait_closed(5)) as slow:
        gateway = start(world({"crm": {"url": slow.url, "auth": "none", "timeouts": {"response": "500ms"}}}))
        assert call(gateway).status == 504
        labels = dict(project="acme", server="crm")
        eventually(lambda: value(gateway, "claviger_upstream_seconds_count", **labels) == 1)
        assert 0.5 <= value(gateway, "claviger_upstream_seconds_sum", **labels) < 1.5
        assert value(gateway, "claviger_own_seconds_sum", **labels) < 0.2
        # A server that was not asked has no time.
        slow.close()
        eventually(lambda: call(gateway).status == 502)
        assert value(gateway, "claviger_upstream_seconds_count", **labels) == 1


def test_what_a_server_took_before_a_request_was_sent_again_is_not_the_gateways_own(start):
    asked = []

    def answer(seen, peer):
        asked.append(seen.connection)
        if asked.count(seen.connection) == 2:
            time.sleep(0.6)
            peer.close()
        else:
            peer.send(OK)

    with Upstream(answer) as failing:
        gateway = start(world({"crm": {"url": failing.url, "auth": "none"}}, gateway={"workers": 1}))
        for _ in range(2):
            assert ask(gateway.port, "GET", "/mcp/crm", agent()).status == 200
        assert asked == [1, 1, 2]
        labels = dict(project="acme", server="crm")
        eventually(lambda: value(gateway, "claviger_exchange_seconds_count", **labels) == 2)
        assert value(gateway, "claviger_exchange_seconds_sum", **labels) >= 0.6
        assert value(gateway, "claviger_own_seconds_sum", **labels) < 0.4
        assert value(gateway, "claviger_upstream_seconds_sum", **labels) < 0.4


def test_a_request_sent_again_with_another_credential_that_is_never_answered_took_as_long_as_it_did(gateway, upstream):
    """The first answer's time is not the second's: it lies before it was asked."""
    def answer(seen, peer):
        if len(upstream.requests) == 1:
            # Another way than the gateway's: what it has cached is no longer what the store has.
            gateway.deposit("crm", ALICE, token=canary("metrics-newer"))
            peer.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        else:
            peer.close()

    upstream.answer = answer
    assert call(gateway).status == 502 and len(upstream.requests) == 2
    labels = dict(project="acme", server="crm")
    eventually(lambda: value(gateway, "claviger_upstream_seconds_count", **labels) == 1)
    assert value(gateway, "claviger_upstream_seconds_sum", **labels) < 5


def test_streams_connections_and_the_configuration_are_told_as_they_are(start):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    def answer(seen, peer):
        if seen.method == "GET":
            peer.send(head)
            peer.wait_closed(20)
        else:
            peer.send(OK)

    with Upstream(answer) as upstream:
        config = world({"crm": {"url": upstream.url, "auth": "none"}}, gateway={"workers": 1})
        gateway = start(config)
        base = value(gateway, "claviger_upstream_connections_open")
        idle = value(gateway, "claviger_upstream_connections_idle")
        opened = value(gateway, "claviger_upstream_connections_total", result="opened")
        with contextlib.ExitStack() as held:
            streams = [held.enter_context(Wire(gateway.port)) for _ in range(3)]
            for wire in streams:
                wire.send(request("GET", "/mcp/crm", agent()))
                assert wire.head().status == 200
            assert call(gateway).status == 200
            assert value(gateway, "claviger_streams_active") == 3
            assert value(gateway, "claviger_exchanges_active") >= 3
            # One more was kept for the next.
            assert value(gateway, "claviger_upstream_connections_open") - base == 4
            assert value(gateway, "claviger_upstream_connections_idle") - idle == 1
            assert call(gateway).status == 200
            assert value(gateway, "claviger_upstream_connections_total", result="reused") >= 1
            assert upstream.connections == 4
            streams.pop().close()
            eventually(lambda: value(gateway, "claviger_streams_active") == 2)
            eventually(lambda: value(gateway, "claviger_upstream_connections_open") - base == 3)
        eventually(lambda: value(gateway, "claviger_streams_active") == 0)
        assert value(gateway, "claviger_upstream_connections_total", result="opened") - opened >= 4
        assert value(gateway, "claviger_snapshot_generation") == 1
        config["log"] = {"level": "debug"}
        gateway.write(config)
        assert gateway.command("reload").returncode == 0
        assert value(gateway, "claviger_snapshot_generation") == 2 and value(gateway, "claviger_last_reload_done") == 1
        (gateway.config / "gateway.yaml").write_text("nonsense: true")
        assert gateway.command("reload").returncode == 78
        assert value(gateway, "claviger_snapshot_generation") == 2 and value(gateway, "claviger_last_reload_done") == 0


def test_the_process_tells_of_itself(gateway):
    samples, families = scrape(gateway)

    def figure(name):
        return samples[name, frozenset()]
    assert 0 < figure("process_cpu_seconds_total") < 60
    assert abs(figure("process_resident_memory_bytes") - gateway.process.resident()) < 16 << 20
    assert figure("process_virtual_memory_bytes") > figure("process_resident_memory_bytes")
    assert abs(figure("process_start_time_seconds") - time.time()) < 60
    assert figure("process_max_fds") >= figure("process_open_fds") > 5
    before = figure("process_open_fds")
    with contextlib.ExitStack() as held:
        for _ in range(20):
            held.enter_context(Wire(gateway.port))
        assert eventually(lambda: value(gateway, "process_open_fds") >= before + 20)
        assert value(gateway, "claviger_downstream_connections_open") >= 20


def test_health_and_readiness_are_the_administrations_to_ask(gateway):
    for path in ("/healthz", "/readyz"):
        status, body = fetch(gateway, path)
        assert status == 200 and body, path
        assert ask(gateway.admin, "HEAD", path).status == 200
        assert ask(gateway.port, "GET", path).status == 404
    assert ask(gateway.port, "GET", "/metrics").status == 404
