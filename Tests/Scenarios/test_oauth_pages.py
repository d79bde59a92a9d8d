"""OAuth from a person's page and back to it, in a real browser; and every way in which the one who comes back is not the one who left."""

import urllib.parse

import httpx2
import pytest
from gateway import agent, world
from people import Person, Sink, api
from processes import eventually
from protected import Protected
from provider import Provider
from wire import JSON, ask, rpc


@pytest.fixture(scope="module")
def scene(daemons):
    with Sink() as sink, Provider() as provider, Protected(provider, scopes=["read"]) as one, Protected(provider, scopes=["read"]) as other:
        servers = {name: {"url": peer.url, "auth": "oauth", "title": title, "description": "Repositories and issues"}
                   for name, peer, title in (("hub", one, "Hub"), ("desk", other, "Desk"), ("vault", other, "Vault"))}
        config = world(servers, instances={"vault": {"level": "project"}}, portal=sink.settings(), gateway={"trusted_proxies": ["127.0.0.1"]})
        config["projects"]["acme"] |= {"title": "Acme", "connect": {"domains": ["acme.com"]}}
        with daemons(config) as gateway:
            gateway.sink, gateway.provider, gateway.home = sink, provider, f"{gateway.origin}/connect/acme"
            yield gateway


@pytest.fixture
def person(chromium, scene):
    people = []

    def new(address, **how):
        people.append(Person(chromium, scene.sink, address, **how))
        return people[-1]

    yield new
    scene.provider.denies = None
    for each in people:
        each.context.close()


def call(scene, server, user):
    return ask(scene.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc("tools/call", id=1, name="x"))


def connect(who, title, again=False):
    """Presses Connect and follows to the provider, which agrees at once, and back."""
    who.card(title).get_by_role("button", name=f"Connect{' again' if again else ''} {title}", exact=True).click()
    who.page.wait_for_url(lambda url: "/_oauth" not in url and "/authorize" not in url)
    who.page.wait_for_load_state()
    who.look()


@pytest.mark.parametrize("how", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone"])
def test_connect_agree_and_come_back(scene, person, how):
    user = f"ann-{len(how)}@acme.com"
    ann = person(user, **how)
    url = call(scene, "hub", user).json()["error"]["data"]["elicitations"][0]["url"]
    ann.sign_in(url)
    assert ann.card("Hub").get_by_role("button").inner_text().startswith("Connect")
    ann.shot("oauth-before")
    connect(ann, "Hub")
    assert "Hub is connected." in ann.words() and ann.state("Hub") == "Connected" and ann.card("Desk").locator(".state").count() == 0
    ann.shot("oauth-connected")
    assert call(scene, "hub", user).status == 200
    ann.press("Disconnect Hub")
    ann.press("Disconnect")
    assert "Hub is disconnected." in ann.words()
    assert "elicitations" in call(scene, "hub", user).json()["error"]["data"]


def test_the_page_on_the_way_names_where_it_leads(scene, person):
    bea = person("bea@acme.com")
    bea.page.route("**/authorize*", lambda route: route.abort())
    bea.sign_in(scene.home)
    with bea.page.expect_navigation():
        bea.card("Hub").get_by_role("button").click()
    bea.look()
    assert bea.headline == "On to Hub" and scene.provider.issuer in bea.page.get_by_role("link", name="Continue to Hub").get_attribute("href")
    bea.shot("oauth-leaving")


def test_who_declines_is_told_and_may_go_back(scene, person):
    carl = person("carl@acme.com")
    carl.sign_in(scene.home)
    scene.provider.denies = "access_denied"
    connect(carl, "Hub")
    assert "declined" in carl.words() and carl.status == 400
    carl.shot("oauth-declined")
    scene.provider.denies = None
    carl.press("Back to the page")
    connect(carl, "Hub")
    assert carl.state("Hub") == "Connected"


def test_a_connection_that_the_provider_ends_is_to_be_made_again(scene, person):
    dora = person("dora@acme.com")
    dora.sign_in(scene.home)
    connect(dora, "Hub")
    assert call(scene, "hub", "dora@acme.com").status == 200
    for family in list(scene.provider.families):
        scene.provider.revoke(family, "the scenario says so")
    scene.provider.revoke_access()
    eventually(lambda: "elicitations" in str(call(scene, "hub", "dora@acme.com").body), 10)
    dora.open(scene.home)
    assert dora.state("Hub") == "Reconnect" and "no longer lets us in" in dora.words()
    dora.shot("oauth-reconnect")
    connect(dora, "Hub", again=True)
    assert dora.state("Hub") == "Connected" and call(scene, "hub", "dora@acme.com").status == 200


def test_a_project_link_ends_with_its_connection(scene, person):
    made = api(scene, "POST", "projects/acme/links", {"type": "project", "servers": ["vault"], "email": "olga@other.org"})
    olga = person("olga@other.org")
    olga.sign_in(made["url"])
    connect(olga, "Vault")
    assert olga.headline == "All done, thank you"
    assert api(scene, "GET", f"links/{made['id']}")["state"] == "spent" and call(scene, "vault", "anybody@acme.com").status == 200


def answer(scene, who, title="Hub"):
    """Leaves for the provider and stops there: the URL by which the browser would come back."""
    who.page.route("**/authorize*", lambda route: route.abort())
    with who.page.expect_navigation():
        who.card(title).get_by_role("button").first.click()
    url = who.page.get_by_role("link", name=f"Continue to {title}").get_attribute("href")
    # Else the page would go there by itself, in a moment.
    who.page.goto("about:blank")
    who.page.unroute("**/authorize*")
    back = httpx2.get(url, follow_redirects=False)
    assert back.status_code in (302, 303), back.text
    return back.headers["location"]


@pytest.mark.parametrize("swap", ["another person", "another server", "another issuer", "twice", "signed out", "signed in as another", "a state of nowhere"])
def test_only_the_one_who_left_comes_back(scene, person, swap):
    user = f"eve-{swap.replace(' ', '-')}@acme.com"
    eve = person(user)
    eve.sign_in(scene.home)
    back = answer(scene, eve)
    goes = eve
    if swap == "another person":
        goes = person("mallory@acme.com")
        goes.sign_in(scene.home)
        answer(scene, goes)
    elif swap == "another server":
        back = back.replace("/callback/hub", "/callback/desk")
    elif swap == "another issuer":
        back += "&iss=https%3A%2F%2Fevil.example" if "iss=" not in back else ""
        back = back.replace(urllib.parse.quote(scene.provider.issuer, safe=""), "https%3A%2F%2Fevil.example")
    elif swap == "twice":
        eve.open(back)
        assert eve.state("Hub") == "Connected"
        eve.press("Disconnect Hub")
        eve.press("Disconnect")
    elif swap == "signed out":
        eve.open(scene.home)
        eve.press("Not you?", within="header")
    elif swap == "signed in as another":
        eve.open(scene.home)
        eve.press("Not you?", within="header")
        eve.sign_in(address=f"other-{user}")
    elif swap == "a state of nowhere":
        back = back.split("state=")[0] + "state=" + "a" * 43
    goes.open(back)
    assert goes.status in (400, 410) and "connected" not in goes.headline.replace("not connected", "")
    goes.shot(f"oauth-{swap.replace(' ', '-')}")
    for each in (user, "mallory@acme.com", f"other-{user}"):
        assert "elicitations" in call(scene, "hub", each).json()["error"]["data"], each


@pytest.mark.parametrize("change", ["deleted", "edited"])
def test_a_link_that_ends_while_its_person_is_away(scene, person, change):
    made = api(scene, "POST", "projects/acme/links", {"type": "user", "servers": ["hub"], "domains": ["acme.com"]})
    fay = person(f"fay-{change}@acme.com")
    fay.sign_in(made["url"])
    back = answer(scene, fay)
    api(scene, "DELETE" if change == "deleted" else "PATCH", f"links/{made['id']}", None if change == "deleted" else {"domains": ["other.org"]})
    fay.open(back)
    assert fay.status == 410 and "Hub is not connected" in fay.headline
    fay.shot(f"oauth-link-{change}")
    assert "elicitations" in call(scene, "hub", fay.address).json()["error"]["data"]
