"""Tokens without a person, tokens for tokens, and what is given back."""

import concurrent.futures
import threading
import urllib.parse
import urllib.request

import pytest
from canaries import canary
from gateway import ALICE, BOB, agent, world
from oauth_scene import connect, oauth
from processes import eventually, free_port
from protected import Protected
from provider import EXCHANGE, Client, Provider, slow, told
from real_providers import idpy
from upstream import Upstream
from wire import JSON, ask, rpc


def client_credentials(provider, method):
    provider.clients["robot"] = Client(method, canary("robot"))
    return {"grant": "client_credentials", "issuer": "{provider}", "client_id": "robot", "client_secret": "${env:CLIENT_SECRET}",
            "scopes": ["robot"]}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_client_credentials(scene, method):
    provider = Provider(life=1)
    provider.amended = {"token_endpoint_auth_methods_supported": [method]}
    settings = client_credentials(provider, method)
    scene = scene(provider, settings=settings, instance={"level": "project"}, environment={"CLIENT_SECRET": provider.clients["robot"].secret})
    assert scene.good()["scopes"] == ["robot"]
    scene.good(BOB)
    assert provider.count(grant_type="client_credentials") == 1
    eventually(lambda: scene.good() and provider.count(grant_type="client_credentials") >= 3, 10, 0.05)
    assert {each.method for each in provider.requests("token")} == {method} and scene.resource.bad == {}


def test_client_credentials_that_are_wrong_are_no_ones_fault_but_the_operators(scene):
    provider = Provider()
    settings = client_credentials(provider, "client_secret_basic")
    scene = scene(provider, settings=settings, instance={"level": "project"}, environment={"CLIENT_SECRET": "wrong"})
    assert scene.ask().status == 503
    eventually(lambda: "invalid_client" in scene.gateway.log())


def exchanging(provider):
    provider.clients["us"] = Client("client_secret_basic", canary("us"))
    return {"grant": "token_exchange", "issuer": provider.issuer, "client_id": "us", "client_secret": "${env:CLIENT_SECRET}",
            "token_exchange": {"parameters": {"audience": "crm", "requested_issuer": "github"}}}


def known(provider):
    return {"CLIENT_SECRET": provider.clients["us"].secret}


def call(gateway, server="crm", user=ALICE):
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc())


def test_a_token_for_a_token(start):
    """One connection serves all servers that name the issuer."""
    provider = Provider(life=2)
    settings = exchanging(provider)
    crm, wiki = Protected(provider), Protected(provider)
    gateway = start(world({"crm": oauth(crm.url, **settings), "wiki": oauth(wiki.url, **settings)}), environment=known(provider))
    provider.clients["us"].redirect_uris = [f"{gateway.origin}/connect/callback/{name}" for name in ("crm", "wiki")]
    missing = call(gateway)
    assert missing["x-claviger-refusal"] == "credential_missing"
    connect(gateway, "crm")
    for name in ("crm", "wiki"):
        assert call(gateway, name).status == 200
    exchanges = provider.requests(grant_type=EXCHANGE)
    assert len(exchanges) == 2 and exchanges[0]["audience"] == "crm" and exchanges[0]["requested_issuer"] == "github"
    assert len(provider.families) == 1 and provider.count("authorize") == 1
    assert crm.bearers[-1] not in {family.current for family in provider.families}
    eventually(lambda: call(gateway).status == 200 and provider.count(grant_type=EXCHANGE) >= 5, 10, 0.05)
    assert crm.bad == {} and provider.older_shown == 0 and provider.families_revoked == 0
    assert call(gateway, user=BOB)["x-claviger-refusal"] == "credential_missing"


def test_who_is_revoked_has_no_grant_left_though_the_server_it_was_connected_at_is_gone(start):
    """What is deleted is not kept in memory, used for the other servers and written again."""
    provider = Provider(life=2)
    settings = exchanging(provider)
    crm, wiki = Protected(provider), Protected(provider)
    servers = {"crm": oauth(crm.url, **settings), "wiki": oauth(wiki.url, **settings)}
    gateway = start(world(servers), environment=known(provider))
    provider.clients["us"].redirect_uris = [f"{gateway.origin}/connect/callback/{name}" for name in ("crm", "wiki")]
    connect(gateway, "wiki")
    gateway.process.end()
    listening = {"gateway": {"listen": [{"address": f"127.0.0.1:{gateway.port}"}]}, "admin": {"address": f"127.0.0.1:{gateway.admin}"}}
    gateway.write(world({"crm": servers["crm"]}) | listening)
    gateway.start()
    assert call(gateway).status == 200
    done = gateway.command("user", "revoke", ALICE, "--project", "acme", "--servers", "wiki")
    assert done.returncode == 0, done.stderr
    assert call(gateway)["x-claviger-refusal"] == "credential_missing"
    assert provider.families[0].revoked
    assert call(gateway)["x-claviger-refusal"] == "credential_missing"


def test_a_subject_that_is_over_is_over_for_all(start):
    provider = Provider(life=2)
    settings = exchanging(provider)
    crm = Protected(provider)
    gateway = start(world({"crm": oauth(crm.url, **settings)}), environment=known(provider))
    provider.clients["us"].redirect_uris = [f"{gateway.origin}/connect/callback/crm"]
    connect(gateway, "crm")
    assert call(gateway).status == 200
    provider.revoke(provider.families[0], "by the person")
    refusal = eventually(lambda: call(gateway)["x-claviger-refusal"], 10, 0.05)
    assert refusal in ("credential_rejected", "credential_missing")


def test_idpyoidc_exchanges_for_the_gateway(start, real_directory):
    """It gives a new refresh token each time, and still takes the old one; what it exchanges ends with the subject."""
    port = free_port()
    back = f"http://127.0.0.1:{port}/connect/callback/crm"
    with idpy(real_directory, 4, back) as provider:
        def judge(seen, peer):
            token = (seen["authorization"] or "").removeprefix("Bearer ")
            with urllib.request.urlopen(f"{provider.origin}/look?token={urllib.parse.quote(token)}") as answer:
                body = answer.read()
            head = b"200 OK" if b'"active":true' in body.replace(b" ", b"") else b"401 Unauthorized\r\nWWW-Authenticate: Bearer"
            peer.send(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (head, len(body)), body)

        with Upstream(judge) as upstream:
            settings = {"grant": "token_exchange", "issuer": provider.issuer, "client_id": "rp", "client_secret": "${env:CLIENT_SECRET}",
                        "scopes": ["openid", "offline_access"], "token_exchange": {"parameters": {"audience": upstream.origin}}}
            gateway = start(world({"crm": oauth(upstream.url, **settings)}, gateway={"listen": [{"address": f"127.0.0.1:{port}"}]}),
                            environment={"CLIENT_SECRET": provider.secret})
            gateway.port, gateway.origin = port, f"http://127.0.0.1:{port}"
            connect(gateway, "crm")
            seen = set()

            def three():
                answer = ask(port, "POST", "/mcp/crm", agent() | JSON, rpc())
                assert answer.status == 200 and answer["x-claviger-refusal"] is None, (answer, gateway.log()[-3000:])
                assert answer.json()["user"] == "diana"
                seen.add(upstream.requests[-1]["authorization"])
                return len(seen) >= 3
            eventually(three, 15, 0.1)


# What is given back.


def test_a_deletion_is_in_force_before_the_provider_has_answered(scene):
    scene = scene()
    scene.connect()
    scene.good()
    asked, answers, revocation = threading.Event(), threading.Event(), scene.provider.revocation

    def revoke(form):
        asked.set()
        answers.wait(4)
        return revocation(form)

    scene.provider.revocation = revoke
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(scene.gateway.withdraw, "crm", ALICE)
        assert asked.wait(10)
        scene.refused("credential_missing")
        answers.set()
        done.result()
    assert scene.family.revoked


def test_a_connection_that_is_deleted_is_revoked(scene):
    scene = scene()
    scene.connect()
    scene.good()
    family = scene.family
    scene.gateway.withdraw("crm", ALICE)
    scene.refused("credential_missing")
    assert family.revoked == "asked for" and scene.grants() == []
    [asked] = scene.provider.requests("revoke")
    assert asked["token"] == family.current and asked["token_type_hint"] == "refresh_token"


@pytest.mark.parametrize("fault", [told(500), lambda exchange: exchange.drop(), slow(20)], ids=["500", "unanswered", "slow"])
def test_it_is_deleted_also_where_the_provider_is_not_there(scene, fault):
    scene = scene()
    scene.connect()
    scene.good()
    scene.provider.places["/revoke"] = fault
    scene.gateway.withdraw("crm", ALICE)
    scene.refused("credential_missing")
    scene.gateway.process.end()
    scene.gateway.start()
    scene.refused("credential_missing")


def test_no_revocation_where_the_configuration_says_so(scene):
    scene = scene(settings={"revocation_endpoint": "none"})
    scene.connect()
    scene.gateway.withdraw("crm", ALICE)
    scene.refused("credential_missing")
    assert scene.provider.count("revoke") == 0


def test_a_deposit_by_hand_is_refused(scene):
    scene = scene()
    done = scene.gateway.command("credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input="access_token=x\n")
    assert done.returncode == 1 and "credential connect" in done.stderr
