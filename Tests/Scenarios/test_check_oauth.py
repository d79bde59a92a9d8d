"""`claviger check --online` for servers that use OAuth: what is found of real ones, and what is missing. It asks for no token."""

import json

import pytest
from canaries import canary
from gateway import command, header, world
from processes import refusing_port
from protected import Protected
from provider import Provider, told


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def resource(provider):
    with Protected(provider, scopes=["read", "write"]) as running:
        yield running


def check(tmp_path, servers, **sections):
    levels = {name: {"level": "project"} for name, server in servers.items() if server.get("oauth", {}).get("grant") == "client_credentials"}
    config = world(servers, instances=levels, portal={"public_url": "http://127.0.0.1:8080"}, **sections)
    (tmp_path / "one.yaml").write_text(json.dumps(config, indent=1))
    return command("check", "--online", "--config", tmp_path)


def said(done, name="crm"):
    return [line.removeprefix(f"servers.{name}: ") for line in done.stdout.splitlines() if line.startswith(f"servers.{name}: ")]


def test_everything_that_is_discovered_is_said(tmp_path, provider, resource):
    done = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth"}, "plain": header(resource.url)})
    assert done.returncode == 0, done.stdout + done.stderr
    lines = said(done)
    assert lines[0] == f"challenge: Bearer, metadata at {resource.place}, scopes read write"
    for line in (f"issuer: {provider.issuer}, as the server names it", f"authorization endpoint: {provider.issuer}/authorize", "PKCE: S256",
                 f"token endpoint: {provider.issuer}/token", f"revocation endpoint: {provider.issuer}/revoke",
                 f"client: is registered at {provider.issuer}/register when the first person connects",
                 "redirect URI: http://127.0.0.1:8080/connect/callback/crm", "scopes: read write, as the server names them", f"resource: {resource.url}"):
        assert line in lines, done.stdout
    assert said(done, "plain") == [] and not any(line.startswith("missing") for line in lines)
    assert [each.endpoint for each in provider.asked if not each.endpoint.startswith(".well-known")] == [], "nobody is registered or asked for a token"


def test_what_is_missing_has_its_remedy_and_an_exit_code(tmp_path, provider, resource):
    provider.registers, provider.amended = None, {"code_challenge_methods_supported": None}
    done = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth"}})
    assert done.returncode == 1 and "tokens cannot be had as it is for crm: 1 of 1 server" in done.stderr
    missing = [line for line in said(done) if line.startswith("missing: ")]
    assert len(missing) == 2 and "oauth.require_pkce: false" in missing[0] and "oauth.client_id" in missing[1]
    assert "http://127.0.0.1:8080/connect/callback/crm" in missing[1]
    secret = canary("check-client")
    file = tmp_path / "secret"
    file.write_text(secret)
    file.chmod(0o600)
    mended = {"client_id": "me", "client_secret": f"${{file:{file}}}", "issuer": provider.issuer, "require_pkce": False}
    good = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth", "oauth": mended}})
    assert good.returncode == 0, good.stdout + good.stderr
    assert "client: `me`, with its secret" in said(good) and secret not in good.stdout + good.stderr


def test_each_server_is_told_for_itself(tmp_path, provider, resource):
    machine = {"grant": "client_credentials", "token_endpoint": f"{provider.issuer}/token", "client_id": "me", "client_secret": "x"}
    gone = f"http://127.0.0.1:{refusing_port()}/mcp"
    other = {"issuer": f"{provider.issuer}/other"}
    servers = {"crm": {"url": resource.url, "auth": "oauth"}, "machine": {"url": resource.url, "auth": "oauth", "oauth": machine},
               "gone": {"url": gone, "auth": "oauth"}, "other": {"url": resource.url, "auth": "oauth", "oauth": other}}
    done = check(tmp_path, servers)
    assert done.returncode == 1 and "for gone, other: 2 of 4 servers" in done.stderr
    assert "issuer: not named; no document is read, the endpoints are configured" in said(done, "machine")
    assert said(done, "gone")[0].startswith("challenge: the server cannot be asked: ") and said(done, "gone")[-1].startswith("missing: ")
    assert any(line.startswith("not usable: ") and "/other" in line for line in said(done, "other"))
    assert not any(line.startswith("missing: ") for line in said(done) + said(done, "machine"))


def test_an_issuer_that_says_it_is_another_is_not_believed(tmp_path, provider, resource):
    provider.amended = {"issuer": "https://login.example.com"}
    done = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth"}})
    assert done.returncode == 1 and any("names another issuer than" in line for line in said(done)), done.stdout


def test_metadata_may_not_lead_into_a_private_network(tmp_path, provider, resource):
    resource.amended = {"authorization_servers": ["https://10.1.2.3"]}
    done = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth"}})
    assert done.returncode == 1 and any("10.1.2.3, which is no public address" in line for line in said(done)), done.stdout
    provider.places["/.well-known/oauth-authorization-server"] = told(503)
    resource.amended = {}
    down = check(tmp_path, {"crm": {"url": resource.url, "auth": "oauth"}})
    assert down.returncode == 1 and any("answered 503; it cannot be asked now" in line for line in said(down)), down.stdout
