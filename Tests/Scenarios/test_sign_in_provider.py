"""Signing in at the company's identity provider, in a real browser, at a provider that others wrote."""

import json
import urllib.parse

import pytest
from gateway import ALICE, command, header, world
from oauth_client import OAuthClient
from people import Person, Sink, api
from processes import eventually, free_port, refusing_port
from real_providers import canaille
from wire import ask

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def provider(real_directory):
    with canaille(real_directory, 600) as running:
        yield running


@pytest.fixture(scope="module")
def sink():
    with Sink() as running:
        yield running


def configuration(provider, upstream_url, port, portal=None, method="client_secret_basic"):
    """With a client of its own at the provider, which knows where people come back to."""
    client = OAuthClient(provider.metadata(), redirect_uri=f"http://127.0.0.1:{port}/connect/_sign-in/callback")
    client.register(method, scope="openid email")
    oidc = {"issuer": provider.issuer, "client_id": client.identifier} | ({"client_secret": client.secret} if method != "none" else {})
    portal = {"public_url": f"http://127.0.0.1:{port}", "admins": [ALICE]} | (portal or {})
    portal["sign_in"] = portal.get("sign_in", {}) | {"oidc": oidc}
    config = world({"crm": header(upstream_url, title="CRM", probe=False)}, portal=portal,
                   gateway={"listen": [{"address": f"127.0.0.1:{port}"}], "trusted_proxies": ["127.0.0.1"]})
    config["projects"]["acme"] |= {"title": "Acme", "connect": {"domains": ["acme.com"]}}
    return config


@pytest.fixture(scope="module")
def gateway(daemons, provider, sink):
    port = free_port()
    with daemons(configuration(provider, "http://127.0.0.1:9/mcp", port, sink.settings())) as running:
        running.port, running.origin = port, f"http://127.0.0.1:{port}"
        yield running


@pytest.fixture
def person(chromium, sink):
    people = []

    def new(**how):
        people.append(Person(chromium, sink, **how))
        return people[-1]

    yield new
    for each in people:
        each.context.close()


def leave(person):
    """Presses the button and waits until the provider's page is there."""
    person.press("Sign in with your company’s account")
    assert person.headline == "On to your company’s sign-in"
    person.shot("to-provider")
    person.page.wait_for_url("**/login**")


def there(person, name):
    """Signs in at the provider's own pages, and agrees where it asks."""
    page = person.page
    page.locator("input[name=login]").fill(name)
    with page.expect_navigation():
        page.locator("form button[type=submit], form input[type=submit]").first.click()
    page.locator("input[type=password]").fill(PASSWORD)
    with page.expect_navigation():
        page.locator("form button[type=submit], form input[type=submit]").first.click()
    consent = page.locator("[name=answer][value=accept]")
    if consent.count():
        with page.expect_navigation():
            consent.first.click()


def audit(gateway):
    return api(gateway, "GET", "audit?action=sign_in")["rows"]


@pytest.mark.parametrize("how", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone-dark"])
def test_somebody_signs_in_and_comes_out_where_he_began(gateway, person, how):
    alice = person(**how)
    alice.open(f"{gateway.origin}/connect/acme/crm")
    assert alice.page.get_by_label("Your email address").count() == 1, "the code is offered beside it"
    alice.shot("address-both")
    before = len(audit(gateway))
    leave(alice)
    there(alice, "alice")
    assert alice.page.url.startswith(f"{gateway.origin}/connect/acme/crm"), alice.page.url
    alice.look()
    assert alice.card("CRM").count() == 1 and ALICE in alice.page.content()
    rows = audit(gateway)
    assert len(rows) == before + 1 and rows[0]["user"] == ALICE and rows[0]["detail"] == "at the identity provider"
    # Neither code, state nor secret is left where others see it.
    assert "code=" not in alice.page.url and "state=" not in alice.page.url
    secret = json.loads((gateway.config / "gateway.yaml").read_text())["portal"]["sign_in"]["oidc"]["client_secret"]
    assert secret not in gateway.log() and "code=" not in gateway.log()


def test_a_sent_link_is_used_and_held_to_its_address(gateway, person):
    made = api(gateway, "POST", "projects/acme/links", {"type": "user", "servers": ["crm"], "domains": ["acme.com"]})
    bob = person()
    bob.open(made["url"])
    leave(bob)
    there(bob, "bob")
    assert "/connect/link_" in bob.page.url and "bob@acme.com" in bob.page.content()
    assert audit(gateway)[0]["link"] == made["id"]

    other = api(gateway, "POST", "projects/acme/links", {"type": "user", "servers": ["crm"], "domains": ["else.example"]})
    alice = person()
    alice.open(other["url"])
    leave(alice)
    there(alice, "alice")
    alice.look()
    assert alice.headline == f"This is not for {ALICE}" and "@else.example" in alice.words()
    alice.shot("provider-not-for")
    assert not [each for each in alice.context.cookies(gateway.origin) if each["name"] == "__Host-claviger"]


def test_a_link_that_ends_meanwhile_lets_nobody_in(gateway, person):
    made = api(gateway, "POST", "projects/acme/links", {"type": "user", "servers": ["crm"], "domains": ["acme.com"]})
    alice = person()
    alice.open(made["url"])
    leave(alice)
    api(gateway, "DELETE", f"links/{made['id']}")
    there(alice, "alice")
    assert "was taken back" in alice.headline
    assert not [each for each in alice.context.cookies(gateway.origin) if each["name"] == "__Host-claviger"]


def test_an_address_that_is_not_verified_does_not_count(gateway, person):
    carol = person()
    carol.open(f"{gateway.origin}/connect/acme")
    leave(carol)
    there(carol, "carol")
    carol.look()
    assert carol.headline == "Your address is not confirmed"
    carol.shot("provider-unverified")
    carol.press("Back to the page")
    assert carol.page.get_by_role("button", name="Sign in with your company’s account").count() == 1
    assert eventually(lambda: "email_verified" in gateway.log())


def test_somebody_who_says_no_is_told_so(gateway, person):
    alice = person()
    alice.open(f"{gateway.origin}/connect/acme")
    leave(alice)
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(next(
        each.url for each in alice.answers if "/oauth/authorize" in each.url)).query)["state"][0]
    answer = {"error": "access_denied", "state": state, "iss": gateway_issuer(gateway)}
    alice.open(f"{gateway.origin}/connect/_sign-in/callback?{urllib.parse.urlencode(answer)}")
    assert alice.headline == "You are not signed in" and "declined" in alice.words()
    alice.open(f"{gateway.origin}/connect/_sign-in/callback?{urllib.parse.urlencode(answer)}")
    assert alice.headline == "This sign-in cannot be finished"


def gateway_issuer(gateway):
    return json.loads((gateway.config / "gateway.yaml").read_text())["portal"]["sign_in"]["oidc"]["issuer"]


def test_an_answer_in_another_browser_or_in_another_name_signs_in_nobody(gateway, person):
    alice, eve = person(), person()
    alice.open(f"{gateway.origin}/connect/acme")
    leave(alice)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(next(each.url for each in alice.answers if "/oauth/authorize" in each.url)).query)
    assert query["code_challenge_method"] == ["S256"] and len(query["nonce"][0]) == len(query["state"][0]) == 43
    back = f"{gateway.origin}/connect/_sign-in/callback?"
    mixed = {"code": "x", "state": query["state"][0], "iss": "https://evil.example"}
    eve.open(f"{gateway.origin}/connect/acme")
    eve.open(back + urllib.parse.urlencode(mixed | {"iss": gateway_issuer(gateway)}))
    assert eve.headline == "This sign-in cannot be finished"
    # Shown by anybody, it is spent.
    alice.open(back + urllib.parse.urlencode(mixed))
    assert alice.headline == "This sign-in cannot be finished"
    alice.open(f"{gateway.origin}/connect/acme")
    leave(alice)
    states = [urllib.parse.parse_qs(urllib.parse.urlsplit(each.url).query)["state"][0] for each in alice.answers if "/oauth/authorize" in each.url]
    alice.open(back + urllib.parse.urlencode(mixed | {"state": states[-1]}))
    assert "another service" in alice.words()


def test_an_administrator_signs_in_at_his_own_door(gateway, person):
    admin = f"http://127.0.0.1:{gateway.admin}"
    alice = person()
    alice.open(f"{admin}/admin")
    leave(alice)
    there(alice, "alice")
    assert alice.page.url == f"{admin}/admin" and alice.headline == "Projects", alice.words()
    bob = person()
    bob.open(f"{admin}/admin")
    leave(bob)
    there(bob, "bob")
    assert bob.headline == "This is not for bob@acme.com"


def test_the_button_works_without_a_mail_server_and_without_a_secret(start, provider, person):
    port = free_port()
    gateway = start(configuration(provider, "http://127.0.0.1:9/mcp", port, method="none"))
    alice = person(scripts=True)
    alice.open(f"http://127.0.0.1:{port}/connect/acme")
    assert alice.page.get_by_label("Your email address").count() == 0
    assert not alice.violations()
    alice.shot("address-provider")
    alice.press("Sign in with your company’s account")
    alice.page.wait_for_url("**/login**")
    there(alice, "alice")
    assert ALICE in alice.page.content()
    assert "SIGN-IN CODE" not in gateway.log()


def test_a_provider_that_is_down_is_said_on_the_page(start, person, sink):
    port, dead = free_port(), refusing_port()
    config = world({"crm": header("http://127.0.0.1:9/mcp")}, gateway={"listen": [{"address": f"127.0.0.1:{port}"}]},
                   portal={"public_url": f"http://127.0.0.1:{port}"} | {"sign_in": sink.settings()["sign_in"] | {
                       "oidc": {"issuer": f"http://127.0.0.1:{dead}", "client_id": "claviger"}}})
    config["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
    gateway = start(config)
    alice = person()
    alice.open(f"http://127.0.0.1:{port}/connect/acme")
    alice.press("Sign in with your company’s account")
    assert alice.status == 503 and "does not answer" in alice.words()
    assert alice.page.get_by_role("button", name="Send me a code").count() == 1
    assert eventually(lambda: "identity provider" in gateway.log())
    assert ask(port, "GET", "/connect/_sign-in/callback?state=x&code=y").status == 400


def test_another_provider_by_reload(start, provider, real_directory, person):
    """Who is on his way to the one that was is told so when he comes back; whoever begins anew goes to the new one."""
    second = real_directory / "second"
    second.mkdir()
    port = free_port()
    with canaille(second, 600) as other:
        first = configuration(provider, "http://127.0.0.1:9/mcp", port)
        gateway = start(first)
        alice, bob = person(), person()
        for each in (alice, bob):
            each.open(f"http://127.0.0.1:{port}/connect/acme")
            leave(each)
            assert each.page.url.startswith(provider.issuer)
        config = json.loads((gateway.config / "gateway.yaml").read_text())
        changed = configuration(other, "http://127.0.0.1:9/mcp", port)
        config["portal"]["sign_in"] = changed["portal"]["sign_in"]
        gateway.write(config)
        done = gateway.command("reload")
        assert done.returncode == 0 and "setting portal.sign_in.oidc.issuer changed" in done.stdout, done.stdout + done.stderr
        there(alice, "alice")
        alice.look()
        assert alice.status == 400 and alice.headline == "This sign-in cannot be finished" and "Open the page again" in alice.words()
        assert not [each for each in alice.context.cookies(gateway.origin) if each["name"] == "__Host-claviger"]
        alice.open(f"http://127.0.0.1:{port}/connect/acme")
        leave(alice)
        assert alice.page.url.startswith(other.issuer)
        there(alice, "alice")
        assert alice.page.url.startswith(f"http://127.0.0.1:{port}/connect/acme") and ALICE in alice.page.content()

        # Back again: what was begun there before is neither forgotten nor another's. Then nobody's: the button is gone.
        gateway.write(config | {"portal": config["portal"] | {"sign_in": first["portal"]["sign_in"]}})
        assert gateway.command("reload").returncode == 0
        there(bob, "bob")
        assert "bob@acme.com" in bob.page.content()
        eve = person()
        eve.open(f"http://127.0.0.1:{port}/connect/acme")
        leave(eve)
        gateway.write(config | {"portal": {name: value for name, value in config["portal"].items() if name != "sign_in"}})
        assert gateway.command("reload").returncode == 0
        there(eve, "alice")
        assert eve.headline == "This sign-in cannot be finished"
        eve.open(f"http://127.0.0.1:{port}/connect/acme")
        assert eve.page.get_by_role("button", name="Sign in with your company’s account").count() == 0


def test_check_says_what_the_provider_offers(gateway, provider, tmp_path):
    done = command("check", "--online", "--config", gateway.config)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.removeprefix("portal.sign_in.oidc: ") for line in done.stdout.splitlines() if line.startswith("portal.sign_in.oidc: ")]
    assert f"issuer: {provider.issuer}, which its answers name" in lines and "PKCE: S256" in lines
    assert f"redirect URI: {gateway.origin}/connect/_sign-in/callback, to be registered there" in lines
    assert any(line.startswith("client: ") and line.endswith("by client_secret_basic") for line in lines)
    assert any(line.startswith("keys: ") and "RS256" in line for line in lines)
    config = json.loads((gateway.config / "gateway.yaml").read_text())
    config["portal"]["sign_in"]["oidc"]["issuer"] += "/"
    (tmp_path / "one.yaml").write_text(json.dumps(config))
    done = command("check", "--online", "--config", tmp_path)
    assert done.returncode == 1 and "final slash counts" in done.stdout
