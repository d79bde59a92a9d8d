"""The user by signed token: whom the gateway takes at his word, and that nobody upstream ever sees the token."""

import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gateway import ALICE, BOB, KEY, Key, command, header, world
from processes import eventually
from token_issuer import TokenIssuer, part, remembered
from upstream import Upstream
from wire import JSON, Wire, ask, request, rpc

PLAIN = Key("plain1")


@pytest.fixture
def issuer():
    issuer = TokenIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def upstream():
    with Upstream() as peer:
        yield peer


def configuration(upstream, issuer, rule=None, **users):
    token = {"issuer": issuer.url, "audience": "claviger"} | (rule or {})
    config = world({"crm": header(upstream.url)}, navigator={"users": {"token": token} | users}, gateway={"workers": 2})
    config["projects"]["acme"]["navigators"]["other"] = {"keys": [PLAIN.line], "users": {"domains": ["acme.com"]}}
    return config


@pytest.fixture
def gateway(start, upstream, issuer):
    gateway = start(configuration(upstream, issuer))
    gateway.deposit("crm", ALICE, token="alice-credential")
    gateway.deposit("crm", BOB, token="bob-credential")
    return gateway


def call(gateway, *tokens, key=KEY, **more):
    headers = [("x-api-key", key.text), *JSON.items(), *((name.replace("_", "-"), value) for name, value in more.items())]
    return ask(gateway.port, "POST", "/mcp/crm", headers + [("x-user-token", token) for token in tokens], rpc())


def refused(answer, status, code):
    assert (answer.status, answer["x-claviger-refusal"]) == (status, code), answer.body
    return answer


def test_a_token_names_the_user_and_is_verified_once(gateway, issuer, upstream):
    alice, bob = issuer.token(ALICE), issuer.token("Bob@ACME.com")
    for _ in range(3):
        assert call(gateway, alice).status == 200
        assert upstream.requests[-1]["authorization"] == "Bearer alice-credential"
        assert call(gateway, bob).status == 200
        assert upstream.requests[-1]["authorization"] == "Bearer bob-credential"
    assert issuer.asked == 1


def test_an_address_whose_rate_is_used_up_has_no_token_verified(start, upstream, issuer):
    config = configuration(upstream, issuer)
    config["gateway"]["limits"] = {"per_address": "2/m"}
    gateway = start(config)
    for _ in range(2):
        refused(call(gateway, key=KEY), 401, "unauthenticated")
    refused(call(gateway, issuer.token()), 429, "rate_limited")
    assert issuer.asked == 0


def test_the_token_never_goes_upstream(gateway, issuer, upstream):
    token = issuer.token()
    spellings = [("X-USER-TOKEN", token), ("x_user_token", token), ("X-User_Token", token), ("x_user-token", token)]
    answer = ask(gateway.port, "POST", "/mcp/crm", [("x-api-key", KEY.text), *JSON.items(), *spellings], rpc())
    assert answer.status == 200
    assert ask(gateway.port, "POST", "/mcp/crm", [("x-api-key", KEY.text), ("Connection", "x-user-token"), *JSON.items(), ("x-user-token", token)],
               rpc()).status == 200
    # Of a key that goes by the address the token is of no interest, and no more the server's.
    assert call(gateway, token, key=PLAIN, x_user_email=ALICE).status == 200
    assert len(upstream.requests) == 3
    for piece in (token, token.split(".")[1], token.split(".")[2], "user-token", "user_token"):
        assert piece.lower().encode() not in upstream.received.lower()


def wrong_tokens(issuer):
    good = issuer.token()
    first, payload, signature = good.split(".")
    stranger = ec.generate_private_key(ec.SECP256R1())
    public = issuer.keys["first"].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    hmac_signed = f"{part({'alg': 'HS256', 'kid': 'first'})}.{payload}"
    now = int(time.time())
    return {
        "expired": issuer.token(exp=now - 120),
        "without an end": issuer.token(exp=None),
        "not good yet": issuer.token(nbf=now + 600),
        "of the future": issuer.token(iat=now + 600),
        "another issuer's": issuer.token(iss="https://evil.example"),
        "the issuer's with a slash": issuer.token(iss=issuer.url + "/"),
        "for another audience": issuer.token(aud="other"),
        "for nobody": issuer.token(aud=None),
        "not verified": issuer.token(email_verified=False),
        "unsigned": remembered(jwt.encode(issuer.claims(ALICE), None, "none")),
        "unsigned with our kid": f"{part({'alg': 'none', 'kid': 'first'})}.{payload}.",
        "signed with the public key": f"{hmac_signed}.{part(hmac.new(public, hmac_signed.encode(), hashlib.sha256).digest())}",
        "signed by a stranger": issuer.token(key=stranger),
        "with the stranger's key in it": issuer.token(key=stranger, headers={"jwk": json.loads(jwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))}),
        "of an unknown key": remembered(jwt.encode(issuer.claims(ALICE), stranger, "ES256", headers={"kid": "other"})),
        "tampered": f"{first}.{part(json.dumps(issuer.claims(BOB)).encode())}.{signature}",
        "cut": good[:-3],
        "with more behind it": good + ".e30",
        "no token": "nonsense",
    }


def test_what_proves_nothing_is_refused_alike(gateway, issuer, upstream):
    call(gateway, issuer.token())
    bodies = set()
    for name, token in wrong_tokens(issuer).items():
        answer = ask(gateway.port, "POST", "/mcp/crm", {"x-api-key": KEY.text, "x-user-token": token}, b"")
        assert (answer.status, answer["x-claviger-refusal"]) == (401, "unauthenticated"), name
        bodies.add(answer.body)
    for tokens in ([], [issuer.token(), issuer.token()]):
        refused(call(gateway, *tokens), 401, "unauthenticated")
    refused(call(gateway, x_user_email=ALICE), 401, "unauthenticated")
    assert len(bodies) == 1 and len(upstream.requests) == 1
    # The log is written by a thread of its own.
    for words in ("has expired", "iss is not", "aud does not", "signature is wrong", "does not publish", "is not signed with a private key", "is missing or doubled"):
        assert eventually(lambda: words in gateway.log()), words


def test_refusals_are_json_rpc_and_name_the_right_side(gateway, issuer):
    answer = refused(call(gateway, issuer.token(exp=1)), 401, "unauthenticated").json()
    assert answer["error"]["data"]["refusal"] == "unauthenticated" and answer["id"] == 1
    for address in (None, [ALICE], "no address", f"{ALICE}, {BOB}"):
        refused(call(gateway, issuer.token(address)), 400, "bad_email")


def test_an_address_beside_the_token_agrees_or_is_refused(gateway, issuer):
    token = issuer.token()
    assert call(gateway, token, x_user_email="Alice@acme.com").status == 200
    refused(call(gateway, token, x_user_email=BOB), 403, "user_not_allowed")
    refused(call(gateway, token, x_user_email="none"), 400, "bad_email")


def test_domains_beside_the_token_narrow_it(start, upstream, issuer):
    gateway = start(configuration(upstream, issuer, domains=["acme.com"]))
    gateway.deposit("crm", ALICE, token="alice-credential")
    assert call(gateway, issuer.token()).status == 200
    refused(call(gateway, issuer.token("eve@evil.example")), 403, "user_not_allowed")


def test_keys_are_rotated_and_asked_for_seldom(gateway, issuer):
    assert call(gateway, issuer.token()).status == 200
    issuer.add("second")
    assert call(gateway, issuer.token(kid="second")).status == 200
    assert issuer.asked == 2
    stranger = ec.generate_private_key(ec.SECP256R1())
    for number in range(20):
        forged = remembered(jwt.encode(issuer.claims(ALICE), stranger, "ES256", headers={"kid": f"k{number}"}))
        refused(call(gateway, forged), 401, "unauthenticated")
    assert issuer.asked == 2


def test_without_keys_nobody_is_let_in_and_with_old_ones_everybody_is(start, upstream, issuer):
    issuer.down = True
    gateway = start(configuration(upstream, issuer))
    gateway.deposit("crm", ALICE, token="alice-credential")
    answer = refused(call(gateway, issuer.token()), 503, "store_unavailable")
    assert int(answer["retry-after"]) == 5
    assert eventually(lambda: "the keys of" in gateway.log() and "answered 503" in gateway.log())
    issuer.down = False
    end = time.monotonic() + 20
    while call(gateway, issuer.token()).status != 200:
        assert time.monotonic() < end
        time.sleep(0.5)
    issuer.down = True
    assert call(gateway, issuer.token()).status == 200
    # Its key may be one that could not be had; the next time it is.
    stranger = ec.generate_private_key(ec.SECP256R1())
    refused(call(gateway, remembered(jwt.encode(issuer.claims(ALICE), stranger, "ES256", headers={"kid": "new"}))), 503, "store_unavailable")


def test_keys_out_of_a_file_and_an_address_under_another_claim(start, upstream, issuer, runs):
    file = runs / f"keys-{issuer.server.server_port}.json"
    file.write_text(json.dumps(issuer.key_set()))
    gateway = start(configuration(upstream, issuer, rule={"jwks": str(file), "claim": "upn"}))
    gateway.deposit("crm", ALICE, token="alice-credential")
    assert call(gateway, issuer.token("somebody@else.example", upn=ALICE)).status == 200
    refused(call(gateway, issuer.token()), 400, "bad_email")
    assert issuer.asked == 0


def test_many_at_once_ask_for_the_keys_once(gateway, issuer):
    token = issuer.token()
    wires = [Wire(gateway.port) for _ in range(50)]
    for wire in wires:
        wire.send(request("POST", "/mcp/crm", {"x-api-key": KEY.text, "x-user-token": token} | JSON, rpc()))
    assert {wire.answer().status for wire in wires} == {200}
    assert issuer.asked == 1
    for wire in wires:
        wire.close()


def test_check_says_who_signs_and_what_is_missing(tmp_path, upstream, issuer):
    """`check --online`: it asks for documents alone."""
    place = "projects.acme.navigators.agent.users.token"

    def check(rule=None):
        (tmp_path / "one.yaml").write_text(json.dumps(configuration(upstream, issuer, rule)))
        return command("check", "--online", "--config", tmp_path)

    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (f"{place}: issuer: {issuer.url}, for claviger, address in email", f"{place}: keys: 1, for ES256"):
        assert line in done.stdout.splitlines(), done.stdout
    done = check({"issuer": issuer.url + "/"})
    assert done.returncode == 1 and f"nobody can be known as it is by {place}" in done.stderr
    assert f"{place}: missing: its keys: nothing usable is at the issuer: " in done.stdout
    done = check({"jwks": issuer.url + "/nothing"})
    assert done.returncode == 1 and f"{place}: missing: its keys: {issuer.url}/nothing is not there" in done.stdout
    issuer.down = True
    assert "it cannot be asked now" in check().stdout
    done = command("check", "--config", tmp_path)
    assert done.returncode == 0 and "every address" not in done.stdout, "who is vouched for by an issuer is not everybody"


def test_a_reload_brings_tokens_and_takes_them_away(start, upstream, issuer):
    plain = world({"crm": header(upstream.url)}, gateway={"workers": 2})
    gateway = start(plain)
    gateway.deposit("crm", ALICE, token="alice-credential")
    token = issuer.token()

    def reload(config):
        config["gateway"]["listen"] = plain["gateway"]["listen"]
        gateway.write(config | {"admin": plain["admin"]})
        done = gateway.command("reload")
        assert done.returncode == 0, done.stderr

    for _ in range(2):
        assert call(gateway, x_user_email=ALICE).status == 200
        reload(configuration(upstream, issuer))
        assert call(gateway, token).status == 200
        refused(call(gateway, x_user_email=ALICE), 401, "unauthenticated")
        reload(configuration(upstream, issuer, rule={"audience": "other"}))
        refused(call(gateway, token), 401, "unauthenticated")
        reload(plain)
        refused(call(gateway, token), 400, "bad_email")
