"""Tokens of the gateway itself, for servers of level project: client credentials with every proof of the client, against a provider that checks it."""

import time

import jwt
import pytest
from canaries import canary
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from gateway import ALICE, BOB, agent, world
from processes import eventually
from protected import Protected
from provider import Client, Provider
from wire import JSON, ask, rpc


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def resource(provider):
    with Protected(provider, needs=["tools"]) as running:
        yield running


def call(gateway, user=ALICE):
    return ask(gateway.port, "POST", "/mcp/crm", agent(user) | JSON, rpc())


def kept(directory, text):
    """A file for `${file:…}`."""
    file = directory / f"secret-{len(list(directory.iterdir()))}"
    file.write_text(text)
    file.chmod(0o600)
    return f"${{file:{file}}}"


def pair(kind):
    """A private and a public key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def served(start, resource, **oauth):
    crm = {"url": resource.url, "auth": "oauth", "oauth": {"grant": "client_credentials", "client_id": "gate/1", "scopes": ["tools"]} | oauth}
    return start(world({"crm": crm}, instances={"crm": {"level": "project"}}))


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_one_token_serves_all_users(start, provider, resource, tmp_path, method):
    secret = canary("machine-client") + "+/%: "
    provider.clients["gate/1"] = Client(method, secret)
    gateway = served(start, resource, issuer=provider.issuer, client_secret=kept(tmp_path, secret), authentication=method.removeprefix("client_secret_"))
    answers = [call(gateway, user) for user in (ALICE, BOB, ALICE)]
    assert [answer.status for answer in answers] == [200, 200, 200], answers[0].body
    assert answers[0].json()["scopes"] == ["tools"] and answers[0].json()["resource"] == resource.url
    assert provider.count(grant_type="client_credentials") == 1 and provider.requests()[-1].method == method
    assert len(set(resource.bearers) - {""}) == 1 and resource.bad == {}  # it was asked once without: for its challenge.


@pytest.mark.parametrize(("kind", "audience", "key_id"), [("ES256", "token_endpoint", None), ("ES256", "issuer", "k-1"), ("RS256", "token_endpoint", "k 2")])
def test_a_client_signs_a_fresh_proof_for_each_token(start, provider, resource, tmp_path, kind, audience, key_id):
    private, public = pair(kind)
    provider.life = 1
    provider.clients["gate/1"] = Client("private_key_jwt", key=public)
    assertion = {"audience": audience} | ({"key_id": key_id} if key_id else {})
    gateway = served(start, resource, issuer=provider.issuer, authentication="private_key_jwt", private_key=kept(tmp_path, private), assertion=assertion)
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        answer = call(gateway)
        assert answer.status == 200, answer.body
        time.sleep(0.05)
    shown = [each.form["client_assertion"] for each in provider.requests(grant_type="client_credentials")]
    assert 3 <= len(shown) <= 10 and len(set(shown)) == len(shown) == len(provider.assertions)
    for proof in shown:
        claims = jwt.decode(proof, options={"verify_signature": False})
        header = jwt.get_unverified_header(proof)
        assert header == {"alg": kind, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
        assert claims["iss"] == claims["sub"] == "gate/1" and claims["exp"] - claims["iat"] == 60
        assert claims["aud"] == (provider.issuer if audience == "issuer" else provider.issuer + "/token")
    assert resource.bad == {}


def test_a_refused_client_is_said_and_not_asked_for_at_every_call(start, provider, resource, tmp_path):
    provider.clients["gate/1"] = Client("client_secret_post", canary("machine-other"))
    gateway = served(start, resource, token_endpoint=f"{provider.issuer}/token", client_secret=kept(tmp_path, canary("machine-wrong")), authentication="post")
    answers = [call(gateway) for _ in range(5)]
    assert {(answer.status, answer["x-claviger-refusal"]) for answer in answers} == {(503, "store_unavailable")}, answers[0].body
    assert provider.count() <= 2 and resource.judged["none"] == 0
    assert eventually(lambda: "the token endpoint: invalid_client: wrong secret" in gateway.log())
