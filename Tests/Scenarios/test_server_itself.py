"""A server that demands a certificate, under another name than it is reached by: what the gateway asks it by itself goes through as calls do."""

import json
import ssl

import pytest
from authority import Authority
from canaries import canary
from gateway import ALICE, command, header, world
from oauth_scene import Scene
from people import Keyed, Person, Sink
from protected import Protected
from provider import Provider

# What is discovered under TLS may be on this machine only where that is allowed.
NEAR = {"outbound": {"allow": ["127.0.0.0/8"]}}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    directory = tmp_path_factory.mktemp("both")
    return Authority(directory, "servers"), Authority(directory, "gateways")


@pytest.fixture(scope="module")
def demanding(authorities):
    """The server's context, and the `tls` that a server definition needs for it."""
    servers, gateways = authorities
    context = servers.server("crm.internal")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(gateways.file)
    certificate, key = gateways.pair("claviger")
    return context, {"ca": str(servers.file), "server_name": "crm.internal", "client_certificate": str(certificate), "client_key": str(key)}


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def resource(provider, demanding):
    with Protected(provider, context=demanding[0]) as running:
        running.origin = f"https://127.0.0.1:{running.port}"
        running.url = running.origin + "/mcp"
        # The provider is one of this machine and speaks plain HTTP: a server under TLS cannot name it, the configuration can.
        running.amended = {"authorization_servers": ["https://login.example"], "scopes_supported": ["read", "write"]}
        yield running


def said(done):
    return [line.removeprefix("servers.crm: ") for line in done.stdout.splitlines() if line.startswith("servers.crm: ")]


def test_check_asks_it_as_calls_do(tmp_path, provider, resource, demanding):
    _, tls = demanding
    for left_out, works in ((), True), (("client_certificate", "client_key"), False), (("server_name",), False), (("ca",), False):
        server = {"url": resource.url, "auth": "oauth", "oauth": {"issuer": provider.issuer}, "tls": {name: value for name, value in tls.items() if name not in left_out}}
        config = world({"crm": server}, portal={"public_url": "http://127.0.0.1:8080"}, gateway=NEAR)
        (tmp_path / "one.yaml").write_text(json.dumps(config))
        before = len(resource.requests)
        done = command("check", "--online", "--config", tmp_path)
        lines = said(done)
        if works:
            assert done.returncode == 0, done.stdout + done.stderr
            assert lines[0] == f"challenge: Bearer, metadata at {resource.place}"
            # Its metadata lies at its own origin, too.
            assert "scopes: read write, as the server names them" in lines and f"resource: {resource.url}" in lines
            assert {seen["host"] for seen in resource.requests} == {f"127.0.0.1:{resource.port}"}
        else:
            assert lines[0].startswith("challenge: the server cannot be asked: ") and len(resource.requests) == before, done.stdout
            assert not any("as the server names them" in line for line in lines)


def test_a_person_connects_and_his_agent_calls(start, provider, resource, demanding):
    scene = Scene(start, provider, {"issuer": "{provider}"}, resource, {"gateway": dict(NEAR)}, tls=demanding[1])
    scene.connect()
    assert scene.good()["resource"] == resource.url and scene.good()["scopes"] == ["read", "write"]
    assert resource.bad == {}


def test_a_key_is_tried_there(start, chromium, demanding):
    context, tls = demanding
    with Sink() as sink, Keyed(lambda seen: "cnry-good" in (seen["authorization"] or ""), context=context) as crm:
        servers = {
            "crm": header(f"https://127.0.0.1:{crm.port}/mcp", title="CRM", tls=tls),
            "other": header(f"https://127.0.0.1:{crm.port}/mcp", title="Other", tls={name: tls[name] for name in ("ca", "server_name")}),
        }
        config = world(servers, portal=sink.settings())
        config["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
        gateway = start(config)
        with Person(chromium, sink, ALICE) as alice:
            alice.sign_in(f"{gateway.origin}/connect/acme")
            alice.enter("CRM", Token=canary("wrong"))
            assert alice.state("CRM") == "Not saved" and crm.requests
            alice.enter("CRM", Token=canary("good-shown"))
            assert alice.state("CRM") == "Connected"
            before = len(crm.requests)
            alice.enter("Other", Token=canary("good-other"))
            assert "Keep it unchecked" in alice.card("Other").inner_text() and len(crm.requests) == before
