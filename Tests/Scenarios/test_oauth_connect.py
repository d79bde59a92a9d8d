"""A person connects: who gives tokens is found from the server's URL alone, as which client is settled, and only who began may end it."""

import concurrent.futures
import json
import sqlite3
import time
import urllib.parse

import httpx2
import pytest
from browser import Browser
from canaries import canary
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from gateway import ALICE, BOB, command
from processes import eventually
from provider import Client, Provider, told

AS, OPENID, RESOURCE = ("/.well-known/" + name for name in ("oauth-authorization-server", "openid-configuration", "oauth-protected-resource"))


def asked(scene, endpoint="authorize"):
    return scene.provider.requests(endpoint)[-1]


# Who gives tokens.


def test_nothing_is_known_but_the_servers_url(scene):
    scene = scene()
    scene.refused("credential_missing")
    scene.connect()
    assert scene.good()["resource"] == scene.resource.url
    assert scene.resource.bad == {}
    [entry] = scene.grants()
    assert entry["user"] == ALICE and entry["origin"] == scene.resource.origin
    scene.refused("credential_missing", BOB)


@pytest.mark.parametrize("places", ["path", "root", "none"])
def test_the_servers_metadata_lies_in_one_of_three_places(scene, places):
    """Where there is none at all, the server's origin is the issuer, as it was in 2025-03-26."""
    scene = scene()
    resource, judge = scene.resource, scene.resource.judge

    def answer(seen, peer):
        if not seen.target.startswith("/"):
            return judge(seen, peer)
        if seen.target == RESOURCE and places == "root":
            return told_raw(peer, resource.metadata())
        if seen.target.startswith(AS) and places == "none":
            return told_raw(peer, scene.provider.metadata() | {"issuer": resource.origin})
        return judge(seen, peer)

    resource.answer = answer
    # Without a hint in the challenge.
    resource.challenge = lambda error, scopes: "WWW-Authenticate: Bearer\r\n"
    resource.has_metadata = places == "path"
    if places == "none":
        scene.provider.iss = resource.origin
    scene.connect()
    assert scene.good()["resource"] == resource.url


def told_raw(peer, body):
    data = json.dumps(body).encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data), data)


@pytest.mark.parametrize("place", [f"{AS}/tenant", f"{OPENID}/tenant", f"/tenant{OPENID}"])
def test_the_issuers_metadata_lies_in_one_of_three_places(scene, place):
    scene = scene(Provider(path="/tenant"))
    for other in (f"{AS}/tenant", f"{OPENID}/tenant", f"/tenant{OPENID}"):
        if other != place:
            scene.provider.places[other] = told(404)
    scene.connect()
    scene.good()


def test_a_configured_issuer_needs_no_word_of_the_server(scene):
    scene = scene(settings={"issuer": "{provider}"})
    scene.resource.has_metadata = False
    scene.connect()
    scene.good()


def test_everything_may_be_configured(scene):
    provider = Provider()
    provider.clients["ours"] = Client("client_secret_post", canary("client"))
    moved = {"authorization_endpoint": "{provider}/authorize", "token_endpoint": "{provider}/token", "revocation_endpoint": "{provider}/revoke"}
    scene = scene(provider, settings={
        "issuer": "{provider}", **moved, "client_id": "ours", "client_secret": "${env:CLIENT_SECRET}", "authentication": "post",
        "scopes": ["x", "y"], "resource": "urn:example:crm"}, environment={"CLIENT_SECRET": provider.clients["ours"].secret})
    provider.clients["ours"].redirect_uris = [f"{scene.gateway.origin}/connect/callback/crm"]
    for place in (AS, OPENID):
        provider.places[place] = told(500)
    scene.resource.has_metadata = False
    scene.connect()
    assert scene.good()["scopes"] == ["x", "y"]
    assert asked(scene)["resource"] == "urn:example:crm" and asked(scene, "token").method == "client_secret_post"
    assert provider.count("register") == 0


@pytest.mark.parametrize(("fault", "words"), [
    ({"amended": {"issuer": "https://other.example"}}, "another issuer"),
    ({"amended": {"code_challenge_methods_supported": None}}, "PKCE"),
    ({"amended": {"code_challenge_methods_supported": ["plain"]}}, "PKCE"),
    ({"amended": {"token_endpoint": "http://10.0.0.1/token"}}, "loopback"),
    ({"amended": {"authorization_endpoint": "ftp://127.0.0.1/"}}, "authorization_endpoint"),
    ({"places": {AS: told(200, b" " * (300 << 10) + b"{}")}}, "256 KiB"),
    ({"places": {AS: told(302, Location="http://10.0.0.1/")}}, "loopback"),
    ({"places": {AS: told(302, Location="https://169.254.169.254/latest")}}, "public"),
    ({"places": {AS: told(302, Location=AS)}}, "redirects more than"),
    ({"places": {AS: told(200, b"<html>")}}, "metadata"),
    ({"places": {AS: told(404), OPENID: told(404)}}, "not there"),
    ({"registers": None}, "client_id"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_was_found_does_not_do(scene, fault, words):
    """Nobody is sent anywhere, the page does not say what is for the operator, the command does."""
    scene = scene()
    for name, value in fault.items():
        setattr(scene.provider, name, value)
    scene.provider.places.setdefault(OPENID, told(404))
    with scene.connecting() as connecting, Browser() as browser:
        if connecting.url:
            page = browser.follow(connecting.url)
            assert page.status_code >= 400 and "10.0.0.1" not in page.text
        status, said = connecting.result()
        assert status == 1 and words in said
    assert scene.provider.count("authorize") == 0 and not any("10.0.0.1" in each for each in browser.visited)


def test_a_slow_provider_is_waited_for_and_a_hanging_one_is_not(scene):
    scene = scene()
    scene.provider.places[AS] = lambda exchange: (time.sleep(1), exchange.answer(200, scene.provider.metadata()))
    scene.connect()
    scene.good()


def test_check_online_says_what_was_found_and_what_is_missing(scene):
    scene = scene()
    done = check_online(scene)
    assert done.returncode == 0 and scene.provider.issuer in done.stdout + done.stderr
    scene.provider.amended = {"issuer": "https://other.example"}
    done = check_online(scene)
    assert done.returncode != 0 and "another issuer" in done.stdout + done.stderr


def check_online(scene):
    return command("check", "--online", "--config", scene.gateway.config, environment=scene.gateway.environment)


# As which client.


def test_a_client_is_registered_once_and_known_after_a_restart(scene):
    scene = scene()
    scene.connect()
    scene.connect(BOB)
    scene.gateway.process.end()
    scene.gateway.start()
    scene.connect()
    scene.good(BOB)
    assert scene.provider.count("register") == 1


def test_a_registration_answered_200_counts(scene):
    scene = scene()
    scene.provider.registers = 200
    scene.connect()
    scene.good()


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_secret_of_a_registered_client_is_in_the_store_alone(scene, method):
    scene = scene(Provider(life=1))
    scene.provider.registered_method = method
    scene.provider.amended = {"token_endpoint_auth_methods_supported": [method]}
    scene.connect()
    scene.good()
    assert asked(scene, "token").method == method
    secret = next(iter(scene.provider.clients.values())).secret
    for path in (scene.gateway.directory / "state").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    scene.gateway.process.end()
    scene.gateway.start()
    scene.refreshed()


def test_a_provider_that_forgot_the_client_gets_another(scene):
    """A refresh finds out; the grant was the old client's, so its person connects anew, as the new one."""
    scene = scene(Provider(life=1))
    scene.connect()
    scene.provider.forget_clients()
    eventually(lambda: scene.ask()["x-claviger-refusal"] == "credential_rejected", 10, 0.05)
    assert scene.provider.count("register") == 2
    scene.connect()
    scene.good()
    assert scene.provider.count("register") == 2


def test_a_client_forgotten_between_the_redirect_and_the_code(scene):
    scene = scene()
    forget = []

    def once(exchange):
        forget.append(scene.provider.count("register"))
        scene.provider.forget_clients()
        exchange.proceed()

    scene.provider.faults = [once]
    scene.connect()
    scene.good()
    assert scene.provider.count("register") == 2 and forget == [1]


def test_a_client_may_be_named_by_its_document(scene):
    provider = Provider()
    provider.takes_documents = True
    scene = scene(provider)
    scene.connect()
    scene.good()
    identifier = asked(scene)["client_id"]
    assert identifier == f"{scene.gateway.origin}/.well-known/oauth-client/crm.json" and provider.count("register") == 0
    document = httpx2.get(identifier)
    assert document.headers["content-type"].startswith("application/json")
    assert document.json()["client_id"] == identifier and document.json()["redirect_uris"] == [f"{scene.gateway.origin}/connect/callback/crm"]
    assert httpx2.get(identifier.replace("crm", "other")).status_code == 404


def test_private_key_jwt(scene, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").touch(mode=0o600)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    provider = Provider(life=1)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    scene = scene(provider, settings={"client_id": "signs", "authentication": "private_key_jwt", "private_key": f"${{file:{tmp_path}/key.pem}}"})
    provider.clients["signs"] = Client("private_key_jwt", key=public, redirect_uris=[f"{scene.gateway.origin}/connect/callback/crm"])
    scene.connect()
    scene.refreshed(2)
    assert {each.method for each in provider.requests("token")} == {"private_key_jwt"}


# The way there and back.


def test_the_request_is_as_it_should_be(scene):
    scene = scene()
    scene.resource.scopes = ["read", "write"]
    scene.connect()
    there, code = asked(scene), asked(scene, "token")
    assert there["code_challenge_method"] == "S256" and len(there["state"]) >= 22 and there["scope"] == "read write"
    assert there["resource"] == code["resource"] == scene.resource.url and len(code["code_verifier"]) == 43
    assert there["redirect_uri"] == f"{scene.gateway.origin}/connect/callback/crm"


def test_scopes_of_the_configuration_come_first_and_offline_access_where_it_is_offered(scene):
    scene = scene(settings={"scopes": ["only"]})
    scene.resource.scopes = ["read"]
    scene.connect()
    assert asked(scene)["scope"] == "only"
    scene.provider.amended = {"scopes_supported": ["only", "offline_access"]}
    scene.gateway.process.end()
    scene.gateway.start()
    scene.connect()
    assert asked(scene)["scope"].split() == ["only", "offline_access"] and asked(scene)["prompt"] == "consent"


def test_no_resource_where_the_provider_wants_none(scene):
    scene = scene(Provider(life=1), settings={"resource": "none"})
    scene.connect()
    scene.refreshed()
    assert all(each["resource"] is None for each in scene.provider.asked)


def test_a_provider_without_pkce_is_used_where_the_configuration_says_so(scene):
    scene = scene(settings={"require_pkce": False})
    scene.provider.amended = {"code_challenge_methods_supported": None}
    scene.connect()
    assert asked(scene)["code_challenge_method"] == "S256", "it is sent all the same"
    scene.good()


@pytest.mark.parametrize("iss", ["https://evil.example", None], ids=["another", "none"])
def test_an_answer_of_another_issuer_is_no_answer(scene, iss):
    """Nor one that does not say whose it is, of a provider that said it would."""
    scene = scene()
    scene.provider.iss, scene.provider.announces_iss = iss, False
    scene.provider.amended = {"authorization_response_iss_parameter_supported": True}
    with scene.connecting() as connecting, Browser() as browser:
        page = browser.follow(connecting.url)
        status, said = connecting.result()
    assert page.status_code >= 400 and status == 1 and scene.provider.count("token") == 0
    scene.refused("credential_missing")


def test_a_person_who_declines_is_told_so(scene):
    scene = scene()
    scene.provider.denies = "access_denied"
    with scene.connecting() as connecting, Browser() as browser:
        page = browser.follow(connecting.url)
        status, said = connecting.result()
    assert page.status_code >= 400 and status == 1 and "access_denied" in said
    scene.refused("credential_missing")


def back_with(scene, browser, connecting):
    """The person at the provider, who is about to be sent back: the URL of the callback."""
    return browser.follow(connecting.url, until=f"{scene.gateway.origin}/connect/callback/")


def test_only_the_browser_that_began_may_end_it(scene):
    scene = scene()
    with scene.connecting() as connecting, Browser() as browser, Browser() as other:
        back = back_with(scene, browser, connecting)
        assert other.get(back).status_code >= 400, "it has no cookie"
        with scene.connecting(BOB) as others:
            back_with(scene, other, others)
            assert other.get(back).status_code >= 400, "it has one of its own"
        assert browser.get(back).status_code >= 400, "what another showed is spent"
        assert scene.provider.count("token") == 0
    scene.refused("credential_missing")


def test_a_state_is_for_one_use_and_one_server(scene):
    scene = scene()
    with scene.connecting() as connecting, Browser() as browser:
        back = back_with(scene, browser, connecting)
        assert browser.follow(back).status_code == 200
        assert connecting.result()[0] == 0
        count = scene.provider.count("token")
        assert browser.follow(back).status_code >= 400
        assert browser.get(back.replace("/callback/crm", "/callback/other")).status_code >= 400
    with scene.connecting(BOB) as connecting, Browser() as browser:
        back = back_with(scene, browser, connecting)
        assert browser.get(back.replace("/callback/crm", "/callback/other")).status_code >= 400
        forged = urllib.parse.urlsplit(back)
        pairs = dict(urllib.parse.parse_qsl(forged.query)) | {"state": "A" * 43}
        assert browser.get(forged._replace(query=urllib.parse.urlencode(pairs)).geturl()).status_code >= 400
    assert scene.provider.count("token") == count
    scene.refused("credential_missing", BOB)


def test_the_printed_address_is_for_one_use(scene):
    scene = scene()
    with scene.connecting() as connecting, Browser() as browser, Browser() as other:
        browser.follow(connecting.url)
        assert connecting.result()[0] == 0
        assert other.follow(connecting.url).status_code >= 400


def test_nothing_secret_is_in_the_database_or_the_log(scene):
    scene = scene(Provider(life=1))
    scene.provider.registered_method = "client_secret_basic"
    scene.provider.amended = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    scene.connect()
    scene.refreshed(2)
    state = asked(scene)["state"]
    secrets = [*scene.provider.access, *scene.provider.refresh, *(each.secret for each in scene.provider.clients.values()), state]
    secrets += [each["code"] for each in scene.provider.requests("token") if each["code"]]
    secrets += [each["code_verifier"] for each in scene.provider.requests("token") if each["code_verifier"]]
    files = [path for path in scene.gateway.directory.rglob("*") if path.is_file()]
    assert len(files) > 3 and len(secrets) > 6
    for path in files:
        content = path.read_bytes()
        assert not [secret[:12] for secret in secrets if secret.encode() in content], path


def test_what_the_database_knows_of_a_grant(scene):
    scene = scene(Provider(life=1))
    scene.resource.scopes = ["read"]
    scene.connect()
    scene.refreshed()
    with sqlite3.connect(f"file:{scene.gateway.directory}/state/state.db?mode=ro", uri=True) as database:
        dump = "\n".join(database.iterdump())
    assert scene.provider.issuer in dump and "read" in dump


def test_many_connect_at_once(scene):
    scene = scene()
    users = [f"person{number}@acme.com" for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(scene.connect, users))
    assert len(scene.provider.families) == 8 and scene.provider.count("register") == 1
    for user in users:
        scene.good(user)
    assert len(set(list(scene.resource.bearers)[-8:])) == 8
