"""What the OAuth providers of the scenarios do, shown with a plain client: what goes wrong later is then not theirs."""

import json
import time

import httpx2
import jwt
import pytest
from browser import Browser
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from oauth_client import OAuthClient
from processes import eventually
from protected import Protected
from provider import ASSERTION, EXCHANGE, Client, Faults, Provider, slow, told
from real_providers import canaille, django, fastmcp, idpy
from sdk import client as mcp_client
from sdk import text
from upstream import Upstream
from wire import JSON, ask, rpc

ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def connected(provider, scope, method="none", wrong_first=True, **more):
    """A client, and what the token endpoint gave it. A wrong verifier gives nothing, whether it comes before the right one or behind it."""
    client = OAuthClient(provider.metadata())
    client.register(method, scope=scope, **more)
    answers = {}
    for verifier in ("w" * 43, None) if wrong_first else (None, "w" * 43):
        with Browser(**getattr(provider, "fill", {})) as browser:
            answers[verifier] = client.exchange(client.authorize(browser, scope), verifier)
    wrong, right = answers["w" * 43], answers[None]
    assert right.status_code == 200 and wrong.status_code in (400, 401), (right.text, wrong.text)
    return client, right.json()


def active(client, token):
    return client.ask("introspection_endpoint", token=token).json()["active"]


def test_django_oauth_toolkit(real_directory):
    with django(real_directory, 1) as provider:
        client, first = connected(provider, "read", "client_secret_basic")
        assert first["expires_in"] == 1 and first["token_type"] == "Bearer"
        second = client.refresh(first["refresh_token"]).json()
        third = client.refresh(second["refresh_token"]).json()
        assert len({each["refresh_token"] for each in (first, second, third)}) == 3
        assert client.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
        assert client.refresh(third["refresh_token"]).json()["error"] == "invalid_grant", "reuse revokes the family"
        _, again = connected(provider, "read", "client_secret_basic")
        assert again["refresh_token"]
        assert client.ask("revocation_endpoint", token=again["refresh_token"]).status_code in (200, 401)


@pytest.mark.anyio
async def test_fastmcp_demands_oauth_of_an_mcp_client(real_directory):
    with fastmcp(real_directory, 2) as provider:
        refused = ask(provider.port, "POST", "/mcp", JSON, rpc())
        assert refused.status == 401 and f"{provider.origin}/.well-known/oauth-protected-resource/mcp" in refused["www-authenticate"]
        assert provider.metadata()["issuer"] == provider.issuer == provider.origin + "/"
        client, first = connected(provider, "tools", "client_secret_post")
        assert first["expires_in"] == 2
        bearer = {"Authorization": f"Bearer {first['access_token']}"}
        async with mcp_client(provider.origin + "/mcp", bearer) as session:
            assert text(await session.call_tool("whoami")) == first["access_token"]
        second = client.refresh(first["refresh_token"]).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert ask(provider.port, "POST", "/mcp", JSON | bearer, rpc()).status == 401, "a refresh ends the token before"
        spent = client.refresh(first["refresh_token"])
        assert (spent.status_code, spent.json()["error"]) == (401, "invalid_grant")
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        eventually(lambda: ask(provider.port, "POST", "/mcp", JSON | bearer, rpc()).status == 401)
        assert client.refresh(second["refresh_token"]).status_code == 401, "who shows it an ended token loses the grant"


def test_canaille(real_directory):
    with canaille(real_directory, 1) as provider:
        # Asked with a wrong verifier first, it now and then refuses the right one that comes next.
        client, first = connected(provider, "openid profile", wrong_first=False, client_uri="http://127.0.0.1:9")
        assert first["expires_in"] == 1 and first["id_token"]
        second = client.refresh(first["refresh_token"]).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"


def test_idpyoidc_exchanges(real_directory):
    back = "http://127.0.0.1:9/callback"
    with idpy(real_directory, 2, back) as provider, Browser() as browser:
        client = OAuthClient(provider.metadata(), "rp", provider.secret, back, "client_secret_basic")
        code = client.authorize(browser, "openid offline_access", prompt="consent")
        assert client.exchange(code, "w" * 43).status_code == 400
        first = client.exchange(client.authorize(browser, "openid offline_access", prompt="consent")).json()
        assert "refresh_token" in first, first
        given = client.ask(grant_type=EXCHANGE, subject_token=first["access_token"], subject_token_type=ACCESS, audience="https://crm.example.com").json()
        assert given.get("issued_token_type") == ACCESS and given["access_token"] != first["access_token"], given
        look = client.http.get(provider.origin + "/look", params={"token": given["access_token"]}).json()
        assert look["active"] and look["user"] == "diana"
        for _ in range(2):
            assert client.refresh(first["refresh_token"]).status_code == 200, "it still takes the old one"


# Ours.


@pytest.fixture
def provider():
    with Provider(life=1) as running:
        yield running


def shown(resource, token=None):
    return ask(resource.port, "POST", "/mcp", JSON | ({"Authorization": f"Bearer {token}"} if token else {}), rpc())


def test_ours_rotates_and_revokes_a_family_at_reuse(provider):
    client, first = connected(provider, "a b")
    second = client.refresh(first["refresh_token"]).json()
    assert (provider.older_shown, provider.families_revoked) == (0, 0)
    assert client.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert client.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert (provider.older_shown, provider.families_revoked) == (1, 1)
    assert provider.look(second["access_token"]) == "revoked"


def test_ours_judges_bearers(provider):
    client, first = connected(provider, "a b")
    with Protected(provider, scopes=["a"], needs=["a"]) as resource:
        assert "resource_metadata=" in shown(resource)["www-authenticate"]
        assert ask(resource.port, "GET", "/.well-known/oauth-protected-resource/mcp").json()["authorization_servers"] == [provider.issuer]
        assert shown(resource, first["access_token"]).json()["scopes"] == ["a", "b"]
        resource.needs = ["c"]
        no = shown(resource, first["access_token"])
        assert no.status == 403 and 'error="insufficient_scope", scope="c"' in no["www-authenticate"]
        eventually(lambda: shown(resource, first["access_token"]).status == 401)
        assert shown(resource, "mine").status == 401
        assert resource.bad == {"expired": 1, "unknown": 1} and resource.judged["none"] == 1
        assert client.ask("revocation_endpoint", token=first["refresh_token"]).status_code == 200
        assert not active(client, first["access_token"])


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_ours_wants_the_proof_that_was_registered(provider, method):
    provider.registered_method = method
    client = OAuthClient(provider.metadata())
    client.register(method)
    assert client.ask(grant_type="client_credentials").status_code == 200 and provider.requests()[-1].method == method
    client.secret, client.method = ("wrong", method) if method != "none" else ("any", "client_secret_basic")
    assert client.ask(grant_type="client_credentials").json()["error"] == "invalid_client"


def test_ours_fails_as_it_is_told(provider):
    client, first = connected(provider, "a")
    token = first["refresh_token"]
    for fault, status, error in ((Faults.internal_error, 500, None), (Faults.too_many, 429, "slow_down"), (Faults.empty_400, 400, None),
                                 (Faults.invalid_grant_as_401, 401, "invalid_grant"), (slow(0.3, Faults.unavailable), 503, "temporarily_unavailable")):
        provider.faults = [fault]
        answer = client.refresh(token)
        assert answer.status_code == status and (error is None or answer.json()["error"] == error)
    for fault in (Faults.unanswered, Faults.lost):
        provider.faults = [fault]
        with pytest.raises(Exception, match="(?i)disconnect|closed|reset"):
            client.refresh(token)
    assert provider.families_revoked == 0
    assert client.refresh(token).json()["error"] == "invalid_grant" and provider.families_revoked == 1, "its answer was lost"


def test_ours_exchanges_tokens(provider):
    client, first = connected(provider, "a")
    given = client.ask(grant_type=EXCHANGE, subject_token=first["access_token"], subject_token_type=ACCESS, scope="crm").json()
    assert provider.look(given["access_token"]).scopes == ["crm"]
    eventually(lambda: client.ask(grant_type=EXCHANGE, subject_token=first["access_token"], subject_token_type=ACCESS).status_code == 400)


def test_ours_takes_a_client_by_its_document(provider):
    client = OAuthClient(provider.metadata())

    def tell(seen, peer):
        body = json.dumps({"client_id": client.identifier, "redirect_uris": [client.redirect_uri], "token_endpoint_auth_method": "none"}).encode()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    with Upstream(tell) as there, Browser() as browser:
        client.identifier = there.origin + "/client.json"
        assert browser.get(provider.issuer + f"/authorize?client_id={client.identifier}").status_code == 401
        provider.takes_documents = True
        assert client.exchange(client.authorize(browser, "a")).status_code == 200


def test_ours_checks_an_assertion(provider):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    provider.clients["signs"] = Client("private_key_jwt", key=public)
    good = {"iss": "signs", "sub": "signs", "aud": provider.issuer, "exp": int(time.time()) + 60, "jti": "1"}
    for claims, status in ((good, 200), (good, 401), (good | {"jti": "2", "aud": "https://other"}, 401), (good | {"jti": "3", "exp": 1}, 401)):
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": jwt.encode(claims, key, "ES256")}
        assert httpx2.post(provider.issuer + "/token", data=form).status_code == status


def test_ours_tells_what_it_should_not(provider):
    for change, wrong in (({"issuer": "https://other.example"}, "issuer"), ({"code_challenge_methods_supported": None}, "code_challenge_methods_supported")):
        right, provider.amended = provider.metadata(), change
        assert provider.metadata().get(wrong) != right[wrong]
        provider.amended = {}
    place = "/.well-known/oauth-authorization-server"
    provider.places[place] = told(302, Location="http://10.0.0.1/")
    assert httpx2.get(provider.issuer + place).headers["location"] == "http://10.0.0.1/"
    provider.places[place] = told(200, b" " * (300 << 10) + b"{}")
    assert len(httpx2.get(provider.issuer + place).content) > 300 << 10
