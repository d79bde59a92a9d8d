"""People connect their accounts, in a real browser: by the standing link, by links that were sent, and in all the ways that go wrong."""

import concurrent.futures
import datetime
import time
import urllib.parse

import pytest
from authority import Authority
from canaries import canary
from gateway import ALICE, BOB, agent, header, world
from people import Keyed, Person, Sink, api
from processes import eventually, refusing_port
from upstream import Upstream
from wire import JSON, ask, rpc

DEAD = refusing_port()


@pytest.fixture(scope="module")
def sink():
    with Sink() as running:
        yield running


@pytest.fixture(scope="module")
def keyed():
    """Takes bearer tokens that begin as our canaries do, wherever they stand in the request."""
    server = Keyed(lambda seen: "cnry-good" in seen.raw_head.decode("latin-1"))
    yield server
    server.listener.close()


ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><script>document.title = "cnry-script"</script>
<path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm-2 4h4v2H8v5H6z" fill="#1d1b17"/></svg>"""


@pytest.fixture(scope="module")
def gateway(daemons, keyed, sink, tmp_path_factory):
    icon = tmp_path_factory.mktemp("icons") / "github.svg"
    icon.write_text(ICON)
    servers = {
        "github": header(keyed.url, title="GitHub", icon=str(icon), description="Repositories you can see, pull requests",
                         fields={"token": {"label": "Personal access token", "help": "In GitHub: Settings, then Developer settings."}}),
        "linear": header(keyed.url, title="Linear", description="Issues and projects",
                         fields={"token": {"label": "API key", "pattern": "cnry-[a-z0-9-]+"}}),
        "maps": {"url": keyed.origin + "/{key}/mcp", "auth": "path", "title": "Maps"},
        "weather": {"url": keyed.url, "auth": "query", "query": {"key": "{key}", "account": "{account}"}, "title": "Weather"},
        "away": header(f"http://127.0.0.1:{DEAD}/mcp", title="Away"),
        "unasked": header(f"http://127.0.0.1:{DEAD}/mcp", title="Unasked", probe=False),
        "billing": header(keyed.url, title="Billing"),
        "ledger": header(keyed.url, title="Ledger"),
        "resting": header(keyed.url, title="Resting"),
        "open": {"url": keyed.url, "auth": "none", "title": "Open"},
    }
    config = world(servers, instances={"billing": {"level": "project"}, "ledger": {"level": "project"}, "resting": {"status": "paused"}},
                   portal=sink.settings() | {"admins": ["lead@acme.com"]}, gateway={"trusted_proxies": ["127.0.0.1"]})
    config["projects"]["acme"] |= {"title": "Acme", "connect": {"domains": ["acme.com"]}}
    with daemons(config) as running:
        yield running


@pytest.fixture
def person(chromium, sink):
    people = []

    def new(address=ALICE, **how):
        people.append(Person(chromium, sink, address, **how))
        return people[-1]

    yield new
    for each in people:
        each.context.close()


def link(gateway, *servers, email=None):
    """A user link for acme.com, or a project link for an address; gives its id and URL."""
    terms = {"type": "project", "email": email} if email else {"type": "user", "domains": ["acme.com"]}
    made = api(gateway, "POST", "projects/acme/links", {"servers": servers or ["github", "linear"]} | terms)
    return made["id"], made["url"]


def post(gateway, person, path, **fields):
    """A form as the person's browser would send it, without the browser."""
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in person.context.cookies())
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    return ask(gateway.port, "POST", path, headers, urllib.parse.urlencode(fields).encode())


def call(gateway, server, user):
    """What an agent's call for a user is answered."""
    return ask(gateway.port, "POST", f"/mcp/{server}", agent(user) | JSON, rpc("tools/call", id=1, name="x"))


# The way through


@pytest.mark.parametrize("how", [{}, {"phone": True, "dark": True}, {"phone": True, "scripts": True}], ids=["desktop", "phone", "scripts"])
def test_a_refused_call_leads_to_a_page_and_the_next_call_works(gateway, person, how):
    """In-band: no code, no help, no script needed."""
    user = f"anna-{'-'.join(how) or 'plain'}@acme.com"
    refused = call(gateway, "github", user)
    url = refused.json()["error"]["data"]["elicitations"][0]["url"]
    anna = person(user, **how)
    anna.sign_in(url)
    assert anna.headline == "Connect your accounts" and anna.state("GitHub") == "Not yet"
    anna.shot("servers-form")
    anna.enter("GitHub", Personal_access_token="  " + canary("good-hub") + "\n")
    assert "GitHub is connected." in anna.words() and anna.state("GitHub") == "Connected"
    anna.shot("servers-saved")
    answer = call(gateway, "github", user)
    assert answer.status == 200 and "result" in answer.json()


@pytest.mark.parametrize("title, fields", [
    ("GitHub", {"Personal_access_token": "hub"}), ("Linear", {"API_key": "lin"}), ("Maps", {"Key": "map"}), ("Weather", {"Key": "wet", "Account": "acc"}),
])
def test_each_method_is_entered_replaced_and_disconnected(gateway, person, keyed, title, fields):
    server = title.lower()
    first, second = ({label: canary(f"good-{value}") for label, value in fields.items()} for _ in range(2))
    bea = person("bea@acme.com")
    bea.sign_in(f"{gateway.origin}/connect/acme")
    bea.enter(title, **first)
    assert bea.state(title) == "Connected"
    bea.press(f"Replace {title}")
    bea.enter(title, **second)
    assert call(gateway, server, "bea@acme.com").status == 200
    head = keyed.requests[-1].raw_head.decode("latin-1")
    assert all(value in head for value in second.values()) and not any(value in head for value in first.values())
    bea.press(f"Disconnect {title}")
    assert "for good" in bea.words()
    bea.shot("disconnect")
    bea.press("Keep it")
    assert bea.state(title) == "Connected"
    bea.press(f"Disconnect {title}")
    bea.press("Disconnect")
    assert f"{title} is disconnected." in bea.words()
    assert "elicitations" in call(gateway, server, "bea@acme.com").json()["error"]["data"]
    assert not any(value in bea.page.content() for value in [*first.values(), *second.values()])


# Values that are no good


def test_a_wrong_key_is_told_and_not_kept(gateway, person, keyed):
    carl = person("carl@acme.com")
    carl.sign_in(f"{gateway.origin}/connect/acme/github")
    wrong = canary("bad-hub")
    carl.enter("GitHub", Personal_access_token=wrong)
    assert carl.status == 422 and "GitHub does not take this key." in carl.words() and carl.state("GitHub") == "Not saved"
    assert wrong not in carl.page.content()
    carl.shot("servers-refused")
    carl.open(f"{gateway.origin}/connect/acme")
    assert carl.card("GitHub").get_by_role("link", name="Enter token").count() == 1
    assert carl.page.locator("progress").get_attribute("value") == "0"


def test_keys_cannot_be_guessed_here(gateway, person, keyed):
    """Thirty tries an hour, over all servers."""
    nick = person("nick@acme.com")
    nick.sign_in(f"{gateway.origin}/connect/acme/github")
    word = nick.page.locator("main input[name=csrf]").first.get_attribute("value")
    asked = len(keyed.requests)
    answers = [post(gateway, nick, "/connect/acme/github", csrf=word, do="save", field_token=f"guess-{n}").status for n in range(31)]
    assert answers == [422] * 30 + [429] and len(keyed.requests) == asked + 30


def test_a_key_of_another_form_is_told_before_anybody_is_asked(gateway, person, keyed):
    dora = person("dora@acme.com")
    dora.sign_in(f"{gateway.origin}/connect/acme/linear")
    asked = len(keyed.requests)
    dora.enter("Linear", API_key="Not A Key")
    assert dora.status == 422 and "does not look like a key of Linear" in dora.words() and len(keyed.requests) == asked
    assert dora.page.locator("input[aria-invalid]").get_attribute("aria-describedby").startswith("server-linear-token-error")
    dora.open(f"{gateway.origin}/connect/acme/maps")
    dora.enter("Maps", Key="a/b")
    assert "There is a slash in it" in dora.words()
    dora.shot("servers-wrong-form")


def test_a_server_that_does_not_answer_may_be_trusted(gateway, person):
    emil = person("emil@acme.com")
    emil.sign_in(f"{gateway.origin}/connect/acme/away")
    emil.enter("Away", Token=canary("good-away"))
    assert emil.status == 422 and "Away could not be asked." in emil.words()
    emil.shot("servers-unreachable")
    emil.press("Enter it again")
    assert emil.state("Away") == "Not yet"
    emil.enter("Away", Token=canary("good-away"))
    held = {name: emil.page.locator(f"main input[name={name}]").first.get_attribute("value") for name in ("csrf", "kept")}
    emil.press("Keep it unchecked")
    assert emil.state("Away") == "Connected"
    again = post(gateway, emil, "/connect/acme/away", do="keep", **held)
    assert again.status == 422 and b"Please enter it again." in again.body


def test_an_odd_answer_is_told_apart(gateway, person, keyed):
    fred = person("fred@acme.com")
    fred.sign_in(f"{gateway.origin}/connect/acme/github")
    keyed.broken = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    try:
        fred.enter("GitHub", Personal_access_token=canary("good-odd"))
    finally:
        keyed.broken = None
    assert "gave an answer we do not understand" in fred.words()
    fred.press("Keep it unchecked")
    assert fred.state("GitHub") == "Connected"


def test_a_server_that_may_not_be_asked_is_not(gateway, person):
    gina = person("gina@acme.com")
    gina.sign_in(f"{gateway.origin}/connect/acme/unasked")
    gina.card("Unasked").get_by_label("Token", exact=True).fill(canary("good-unasked"))
    gina.press("Save")
    assert gina.state("Unasked") == "Connected"


def test_a_key_the_server_refuses_later_shows(gateway, person, keyed):
    hans = person("hans@acme.com")
    hans.sign_in(f"{gateway.origin}/connect/acme/github")
    hans.enter("GitHub", Personal_access_token=canary("good-hub"))
    takes, keyed.takes = keyed.takes, lambda seen: False
    try:
        assert call(gateway, "github", "hans@acme.com").status == 200
    finally:
        keyed.takes = takes
    eventually(lambda: (hans.open(f"{gateway.origin}/connect/acme"), hans.state("GitHub") == "Key refused")[1])
    assert "no longer takes this key" in hans.words()
    hans.shot("servers-key-refused")


def test_a_servers_icon_comes_from_the_gateway_and_can_do_nothing(gateway, person):
    ines = person("ines@acme.com", dark=True)
    ines.sign_in(f"{gateway.origin}/connect/acme")
    picture = ines.card("GitHub").locator("img.mark")
    # The heading beside it says what it is of.
    assert picture.get_attribute("alt") == "" and picture.evaluate("each => each.naturalWidth") > 0
    assert not ines.card("Linear").locator("img").count()
    ines.shot("servers-icon")
    path = picture.get_attribute("src")
    answer = ask(gateway.port, "GET", path)
    assert answer["content-type"] == "image/svg+xml" and answer["x-content-type-options"] == "nosniff" and answer.body.decode() == ICON
    assert "sandbox" in answer["content-security-policy"] and "default-src 'none'" in answer["content-security-policy"]
    assert ask(gateway.port, "GET", path[:-5] + ("A" if path[-5] != "A" else "B") + ".svg").status == 404
    scripted = person("ines@acme.com", scripts=True)
    scripted.page.goto(gateway.origin + path)
    assert "cnry-script" not in scripted.page.evaluate("() => document.title || ''")


def test_a_key_is_tried_under_the_name_that_the_certificate_has(start, sink, chromium, tmp_path):
    ours = Authority(tmp_path, "ours")

    def say(seen, peer):
        good = "cnry-good" in (seen["authorization"] or "")
        body = b'{"jsonrpc":"2.0","id":1,"result":{}}' if good else b""
        peer.send(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (b"200 OK" if good else b"401 Unauthorized", len(body)), body)

    with Upstream(say, context=ours.server("crm.internal")) as named:
        tls = {"ca": str(ours.file)}
        url = f"https://127.0.0.1:{named.port}/mcp"
        servers = {
            "crm": header(url, title="CRM", tls=tls | {"server_name": "crm.internal"}), "other": header(url, title="Other", tls=tls | {"server_name": "else.internal"}),
        }
        config = world(servers, portal=sink.settings())
        config["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
        gateway = start(config)
        with Person(chromium, sink, ALICE) as alice:
            alice.sign_in(f"{gateway.origin}/connect/acme")
            alice.enter("CRM", Token=canary("wrong"))
            assert alice.state("CRM") == "Not saved"
            alice.enter("CRM", Token=canary("good-named"))
            assert alice.state("CRM") == "Connected"
            before = len(named.requests)
            alice.enter("Other", Token=canary("good-other"))
            assert "Keep it unchecked" in alice.card("Other").inner_text() and len(named.requests) == before
        assert {seen["host"] for seen in named.requests} == {f"127.0.0.1:{named.port}"}
        assert call(gateway, "crm", ALICE).status == 200


def test_what_is_typed_is_masked_until_it_is_shown(gateway, person):
    ina = person("ina@acme.com")
    ina.sign_in(f"{gateway.origin}/connect/acme/github")
    field = ina.card("GitHub").get_by_label("Personal access token")
    masked = lambda: field.evaluate("each => getComputedStyle(each).webkitTextSecurity")  # noqa: E731
    assert masked() == "disc" and field.get_attribute("type") == "text" and field.get_attribute("autocomplete") == "off"
    ina.page.locator("label.toggle").click()
    assert masked() == "none"


def test_what_is_not_offered_is_said(gateway, person):
    jan = person("jan@acme.com")
    jan.sign_in(f"{gateway.origin}/connect/acme/billing")
    assert "an administrator of Acme connects it" in jan.words()
    for server in ("resting", "none"):
        jan.open(f"{gateway.origin}/connect/acme/{server}")
        assert "no such service here now" in jan.words()
    jan.open(f"{gateway.origin}/connect/acme/open")
    assert "needs nothing from you" in jan.words()


# Links that are sent


def test_two_people_use_one_link_each_for_himself(gateway, person):
    id, url = link(gateway)
    one, other = person("kai@acme.com"), person("lea@acme.com", phone=True)
    for each, title in ((one, "GitHub"), (other, "Linear")):
        each.sign_in(url)
        assert "cl_" not in each.page.url and each.page.locator("section.server").count() == 2
    one.enter("GitHub", Personal_access_token=canary("good-kai"))
    other.open(url)
    assert other.page.locator("progress").get_attribute("value") == "0"
    other.enter("Linear", API_key=canary("good-lea"))
    done = {(each["email"], each["server"]) for each in api(gateway, "GET", f"links/{id}")["completions"]}
    assert done == {("kai@acme.com", "github"), ("lea@acme.com", "linear")}


def test_an_address_of_another_domain_learns_nothing_until_it_is_proved(gateway, person, sink):
    _, url = link(gateway)
    stranger, insider = person("max@evil.com"), person("max@acme.com")
    pages = []
    for each in (stranger, insider):
        each.open(url)
        before = len(sink.mails)
        each.page.get_by_label("Your email address").fill(each.address)
        each.press("Send me a code")
        pages.append((each.status, each.words().replace(each.address, "X")))
    assert pages[0] == pages[1]
    sink.code("max@acme.com")
    time.sleep(0.3)
    assert not [mail for mail in sink.mails[before - 1:] if mail[0].rcpt_tos == ["max@evil.com"]]
    stranger.shot("code")


def test_somebody_signed_in_with_an_address_that_the_link_is_not_for(gateway, person):
    _, url = link(gateway, "billing", email="olga@other.org")
    nina = person("nina@acme.com")
    nina.sign_in(f"{gateway.origin}/connect/acme")
    nina.open(url)
    assert nina.status == 403 and "not for nina@acme.com" in nina.headline and "olga" not in nina.page.content()
    nina.shot("not-for-you")
    nina.press("Use another address")
    assert nina.page.get_by_label("Your email address").count() == 1


def test_a_project_link_is_used_once_and_ends_with_its_work(gateway, person):
    id, url = link(gateway, "billing", "ledger", email="olga@other.org")
    olga = person("olga@other.org", phone=True)
    olga.sign_in(url)
    assert olga.headline == "Connect Acme’s services"
    olga.shot("project-link")
    olga.enter("Billing", Token=canary("good-bill"))
    assert call(gateway, "billing", ALICE).status == 200 and "result" in call(gateway, "billing", BOB).json()
    olga.enter("Ledger", Token=canary("good-led"))
    assert olga.headline == "All done, thank you" and "Billing" in olga.words()
    olga.shot("finished")
    second = person("olga@other.org")
    second.open(url)
    assert second.status == 410 and "used already" in second.headline
    second.shot("link-used")


def test_a_project_link_ends_when_its_person_says_so(gateway, person):
    _, url = link(gateway, "billing", "ledger", email="pia@other.org")
    gateway.command("credential", "delete", "--project", "acme", "--server", "ledger")
    pia = person("pia@other.org")
    pia.sign_in(url)
    pia.press("I am done for good")
    assert "of 2 services are connected" in pia.words()
    pia.shot("finish")
    pia.press("Go back")
    assert pia.headline == "Connect Acme’s services"
    pia.press("I am done for good")
    pia.press("Finish")
    assert pia.headline == "All done, thank you"
    pia.open(url)
    assert pia.headline == "All done, thank you"


@pytest.mark.parametrize("change", ["delete", "edit", "expire"])
def test_a_link_that_changes_under_ones_hands(gateway, person, change):
    id, url = link(gateway)
    rosa = person("rosa@acme.com")
    rosa.sign_in(url)
    rosa.card("GitHub").get_by_role("link").first.click()
    rosa.card("GitHub").get_by_label("Personal access token").fill(canary("good-late"))
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"delete": None, "edit": {"domains": ["other.org"]}, "expire": {"expires": soon}}[change]
    api(gateway, "PATCH" if body else "DELETE", f"links/{id}", body)
    if change == "expire":
        eventually(lambda: api(gateway, "GET", f"links/{id}")["state"] == "expired")
    rosa.press("Check and save")
    status, words = {"delete": (410, "taken back"), "edit": (403, "not for rosa@acme.com"), "expire": (410, "has ended")}[change]
    assert rosa.status == status and words in rosa.headline
    rosa.shot(f"link-{change}")
    assert "elicitations" in call(gateway, "github", "rosa@acme.com").json()["error"]["data"]


def test_of_a_hundred_who_finish_at_once_one_does(gateway, person):
    id, url = link(gateway, "billing", email="sue@other.org")
    gateway.command("credential", "delete", "--project", "acme", "--server", "billing")
    sue = person("sue@other.org")
    sue.sign_in(url)
    sue.press("I am done for good")
    word = sue.page.locator("main input[name=csrf]").get_attribute("value")
    path = sue.page.locator("main form").get_attribute("action")
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in sue.context.cookies())
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: ask(gateway.port, "POST", path, headers, f"csrf={word}".encode()).status, range(100)))
    # To its own person each says that it is done; that it was spent is written once.
    assert set(answers) == {200}
    assert api(gateway, "GET", f"links/{id}")["state"] == "spent"
    rows = api(gateway, "GET", "audit?action=link_spent")["rows"]
    assert len([row for row in rows if row["link"] == id]) == 1


# Signing in


def test_five_wrong_codes_and_the_code_is_gone(gateway, person, sink):
    tom = person("tom@acme.com")
    tom.open(f"{gateway.origin}/connect/acme")
    tom.page.get_by_label("Your email address").fill("tom@acme.com")
    tom.press("Send me a code")
    right = sink.code("tom@acme.com")
    for left in (4, 3, 2, 1):
        tom.page.get_by_label("The eight digits").fill(str((int(right) + left) % 10**8).zfill(8))
        tom.press("Continue")
        assert f"{'one try' if left == 1 else f'{left} tries'} left" in tom.words()
    tom.shot("code-wrong")
    tom.page.get_by_label("The eight digits").fill(str((int(right) + 9) % 10**8).zfill(8))
    tom.press("Continue")
    assert "used up" in tom.words()


def test_a_code_is_good_in_its_own_browser_only(gateway, person, sink):
    one, other = person("uwe@acme.com"), person("uwe@acme.com")
    for each in (one, other):
        each.open(f"{gateway.origin}/connect/acme")
    one.page.get_by_label("Your email address").fill("uwe@acme.com")
    one.press("Send me a code")
    first = sink.code("uwe@acme.com")
    before = len(sink.mails)
    other.page.get_by_label("Your email address").fill("uwe@acme.com")
    other.press("Send me a code")
    sink.code("uwe@acme.com", before)
    other.page.get_by_label("The eight digits").fill(first)
    other.press("Continue")
    assert "not the code" in other.words()
    one.page.get_by_label("The eight digits").fill(f"{first[:4]} {first[4:]}")
    one.press("Continue")
    assert one.headline == "Connect your accounts"


def test_an_address_gets_five_codes_an_hour(gateway, person):
    vera = person("vera@acme.com")
    for _ in range(5):
        vera.open(f"{gateway.origin}/connect/acme?address")
        vera.page.get_by_label("Your email address").fill("vera@acme.com")
        vera.press("Send me a code")
        assert vera.headline == "Check your mail"
    vera.open(f"{gateway.origin}/connect/acme?address")
    vera.page.get_by_label("Your email address").fill("Vera@ACME.com")
    vera.press("Send me a code")
    assert vera.status == 429 and "try again in an hour" in vera.words()
    vera.shot("address-limit")


@pytest.mark.parametrize("address", ["vera", "vera@@acme.com", "vera@acme.com.", '"a@acme.com"@evil.com', "vera@ａcme.com", "vera@acme.com,b@evil.com"])
def test_what_is_no_address_is_said(gateway, person, address):
    will = person()
    will.open(f"{gateway.origin}/connect/acme")
    will.page.locator("#email").evaluate("each => each.type = 'text'")
    will.page.locator("#email").fill(address)
    will.press("Send me a code")
    assert will.status == 422 and "not an email address" in will.words()


def test_a_session_is_new_at_sign_in_and_ends_at_sign_out(gateway, person):
    yan = person("yan@acme.com")
    yan.open(f"{gateway.origin}/connect/acme")
    before = {each["name"]: each["value"] for each in yan.context.cookies()}
    yan.sign_in()
    after = {each["name"]: each for each in yan.context.cookies()}
    assert set(before) == {"__Host-claviger-visit"} and set(after) == {"__Host-claviger"}
    session = after["__Host-claviger"]
    assert session["secure"] and session["httpOnly"] and session["sameSite"] == "Lax" and session["path"] == "/"
    yan.press("Not you?", within="header")
    assert yan.page.get_by_label("Your email address").count() == 1
    cookie = {"Cookie": f"__Host-claviger={session['value']}"}
    assert b"Your email address" in ask(gateway.port, "GET", "/connect/acme", cookie).body


def test_a_form_of_elsewhere_is_not_taken(gateway, person):
    zoe = person("zoe@acme.com")
    zoe.sign_in(f"{gateway.origin}/connect/acme/github")
    word = zoe.page.locator("main input[name=csrf]").first.get_attribute("value")
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in zoe.context.cookies())
    form = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    token = canary("good-forged")

    def post(word, **more):
        extra = {name.replace("_", "-"): value for name, value in more.items()}
        return ask(gateway.port, "POST", "/connect/acme/unasked", form | extra, f"csrf={word}&do=save&field_token={token}".encode()).status

    assert post("x") == post("") == 403
    assert post(word, Sec_Fetch_Site="cross-site") == post(word, Sec_Fetch_Site="same-site") == post(word, Origin="https://evil.com") == 403
    other = person("zoe@acme.com")
    other.sign_in(f"{gateway.origin}/connect/acme/github")
    foreign = other.page.locator("main input[name=csrf]").first.get_attribute("value")
    assert foreign != word and post(foreign) == 403
    assert post(word, Sec_Fetch_Site="same-origin") == post(word, Origin=gateway.origin) == 303


# What is always so


@pytest.mark.parametrize("path", ["/connect/", "/connect/acme/github/x/y", "/connect/cl_" + "a" * 43, "/connect/cl_x", "/connect/link_abcdefghjk"])
def test_errors_are_pages_with_the_same_guards(gateway, person, path):
    anyone = person()
    anyone.open(gateway.origin + path)
    assert anyone.status == 404 and anyone.page.locator("h1").inner_text()


def test_a_stranger_does_not_learn_what_exists(gateway):
    first, second = (ask(gateway.port, "GET", f"/connect/{name}/crm") for name in ("zzz", "qqq"))
    assert first.status == second.status == 200
    assert first.body.replace(b"zzz", b"qqq") == second.body


@pytest.mark.parametrize("how", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"])
def test_the_pages_hold_to_the_rules_of_accessibility(gateway, person, keyed, how):
    """axe-core's rules of WCAG 2.2 A and AA, and its best practices."""
    user = f"axel{list(how)}@acme.com".replace("[", "").replace("]", "").replace("'", "")
    axel = person(user, scripts=True, **how)
    found = {}
    axel.open(f"{gateway.origin}/connect/acme/github")
    axel.shot("address")
    found["address"] = axel.violations()
    axel.page.get_by_label("Your email address").fill(user)
    axel.press("Send me a code")
    found["code"] = axel.violations()
    axel.page.get_by_label("The eight digits").fill(axel.sink.code(user))
    axel.press("Continue")
    found["form"] = axel.violations()
    axel.enter("GitHub", Personal_access_token=canary("bad-axe"))
    found["refused"] = axel.violations()
    axel.enter("GitHub", Personal_access_token=canary("good-axe"))
    found["saved"] = axel.violations()
    axel.press("Disconnect GitHub")
    found["disconnect"] = axel.violations()
    axel.open(f"{gateway.origin}/connect/zzz/crm")
    found["closed"] = axel.violations()
    axel.shot("closed")
    assert not {page: each for page, each in found.items() if each}


def into_the_field(person):
    """Waits until the new page has put the cursor where one types: keys that come before are nobody's."""
    person.page.wait_for_function("document.activeElement && document.activeElement.tagName === 'INPUT'")


def test_everything_can_be_done_by_keyboard(gateway, person):
    kim = person("kim@acme.com", scripts=True)
    kim.open(f"{gateway.origin}/connect/acme/github")
    kim.page.keyboard.press("Tab")
    assert kim.page.evaluate("document.activeElement.className") == "skip"
    kim.page.get_by_label("Your email address").focus()
    kim.page.keyboard.type("kim@acme.com")
    with kim.page.expect_navigation():
        kim.page.keyboard.press("Enter")
    into_the_field(kim)
    kim.page.keyboard.type(kim.sink.code("kim@acme.com"))
    with kim.page.expect_navigation():
        kim.page.keyboard.press("Enter")
    into_the_field(kim)
    kim.page.keyboard.type(canary("good-keys"))
    kim.page.keyboard.press("Tab")
    kim.page.keyboard.press("Space")
    assert kim.page.evaluate("document.activeElement.checked") is True
    kim.page.keyboard.press("Tab")
    with kim.page.expect_navigation():
        kim.page.keyboard.press("Enter")
    assert kim.state("GitHub") == "Connected"
    sizes = kim.page.evaluate("[...document.querySelectorAll('main a, main button')].map(e => e.getBoundingClientRect()).map(r => Math.round(r.height))")
    assert min(sizes) >= 44, sizes


def test_the_data_path_goes_on_without_the_portal(start, keyed):
    """The pages have a socket of their own behind the front door: where it is gone, they are, and nothing else."""
    gateway = start(world({"github": header(keyed.url)}))
    gateway.deposit("github", ALICE, token=canary("good-alone"))
    (gateway.directory / "runtime/portal.sock").unlink()
    eventually(lambda: ask(gateway.port, "GET", "/connect/acme/github").status in (502, 503))
    assert call(gateway, "github", ALICE).status == 200
    assert ask(gateway.admin, "GET", "/readyz").status == 200
