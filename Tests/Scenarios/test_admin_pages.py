"""Administrators at their pages, in a real browser: what they see, and everything they can change."""

import datetime
import re
import sqlite3

import pytest
from canaries import canary
from gateway import Key, agent, header, world
from people import Keyed, Person, Sink, api
from processes import eventually
from wire import JSON, ask, rpc

LEAD, OTHER = "lead@acme.com", "boss@acme.com"


@pytest.fixture(scope="module")
def sink():
    with Sink() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(daemons, sink):
    keyed = Keyed(lambda seen: "cnry-good" in seen.raw_head.decode("latin-1"))
    servers = {
        "github": header(keyed.url, title="GitHub"), "linear": header(keyed.url, title="Linear"), "billing": header(keyed.url, title="Billing"),
        "resting": header(keyed.url, title="Resting"), "open": {"url": keyed.url, "auth": "none", "title": "Docs"},
    }
    config = world(servers, instances={"billing": {"level": "project"}, "resting": {"status": "paused"}}, portal=sink.settings() | {"admins": [LEAD]}, gateway={"trusted_proxies": ["127.0.0.1"]})
    config["projects"]["acme"] |= {"title": "Acme", "connect": {"domains": ["acme.com"]}, "admins": [OTHER]}
    config["projects"]["acme"]["navigators"]["agent"]["keys"].append(Key("expired1", expires="2025-01-01T00:00:00Z", note="the old one").line)
    config["projects"]["beta"] = {"servers": {"github": {}}}
    with daemons(config) as running:
        for user, server in (("alice@acme.com", "github"), ("bob@acme.com", "github"), ("bob@acme.com", "linear")):
            running.deposit(server, user, token=canary("good-admin"))
        running.home = f"http://127.0.0.1:{running.admin}/admin"
        yield running


@pytest.fixture
def admin(chromium, sink, gateway):
    """Somebody who has signed in to the administration by a one-time link."""
    people = []

    def new(address=LEAD, **how):
        person = Person(chromium, sink, address, **how)
        people.append(person)
        person.open(api(gateway, "POST", "sign-ins", {"email": address})["url"])
        person.press("Sign in")
        return person

    yield new
    for each in people:
        each.context.close()


def test_an_administrator_signs_in_by_a_code(gateway, chromium, sink):
    with Person(chromium, sink, LEAD) as lead:
        lead.sign_in(gateway.home)
        assert lead.headline == "Projects" and "Acme" in lead.words() and "beta" in lead.words()
        lead.shot("admin-projects")
        assert {each["name"] for each in lead.context.cookies()} == {"__Host-claviger-admin"}


def test_who_administers_nothing_gets_no_code(gateway, chromium, sink):
    with Person(chromium, sink, "alice@acme.com") as alice:
        alice.open(gateway.home)
        before = len(sink.mails)
        alice.page.get_by_label("Your email address").fill("alice@acme.com")
        alice.press("Send me a code")
        assert alice.headline == "Check your mail" and len(sink.mails) == before


def test_a_one_time_link_works_once_and_only_by_its_button(gateway, chromium, sink):
    url = api(gateway, "POST", "sign-ins", {"email": LEAD})["url"]
    with Person(chromium, sink, LEAD) as one, Person(chromium, sink, LEAD) as other:
        for each in (one, other, one):
            each.open(url)
        one.shot("admin-enter")
        one.press("Sign in")
        assert one.headline == "Projects"
        other.press("Sign in")
        assert other.status == 410 and "does not work any more" in other.headline


def test_a_projects_administrator_sees_that_project(gateway, admin):
    boss = admin(OTHER)
    assert "Acme" in boss.words() and "beta" not in boss.words()
    boss.open(f"{gateway.home}/beta/users")
    assert boss.status == 404


def test_the_public_listener_has_no_administration(gateway):
    assert ask(gateway.port, "GET", "/admin").status == 404


def test_users_are_seen_at_a_glance_revoked_and_deleted(gateway, admin):
    assert ask(gateway.port, "POST", "/mcp/github", agent("alice@acme.com") | JSON, rpc("tools/call", id=1, name="x")).status == 200
    lead = admin()
    lead.open(f"{gateway.home}/acme/users")
    rows = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in lead.page.locator("tbody tr").all()}
    assert rows["alice@acme.com"][:2] == ["Connected", "Not yet"] and rows["bob@acme.com"][:2] == ["Connected", "Connected"]
    lead.shot("admin-users")
    lead.page.get_by_role("link", name="bob@acme.com").click()
    lead.look()
    lead.shot("admin-user")
    lead.press("Revoke Linear")
    assert "at once and for good" in lead.words()
    lead.shot("admin-revoke")
    lead.press("Revoke")
    assert "It is revoked" in lead.words()
    refused = ask(gateway.port, "POST", "/mcp/linear", agent("bob@acme.com") | JSON, rpc("tools/call", id=1, name="x"))
    assert "elicitations" in refused.json()["error"]["data"]
    lead.press("Delete user")
    lead.press("Delete")
    assert "The user is deleted" in lead.words() and "bob@acme.com" not in lead.words()
    refused = ask(gateway.port, "POST", "/mcp/github", agent("bob@acme.com") | JSON, rpc("tools/call", id=1, name="x"))
    assert "elicitations" in refused.json()["error"]["data"]


def test_thousands_of_users_are_paged_and_found_without_scripts(start, sink, chromium):
    with Keyed(lambda seen: True) as keyed:
        config = world({"github": header(keyed.url, title="GitHub")}, portal=sink.settings() | {"admins": [LEAD]})
        gateway = start(config)
        gateway.process.end()
        with sqlite3.connect(gateway.directory / "state/state.db") as database:
            database.executemany("INSERT INTO user (project, email, first_seen, last_seen) VALUES ('acme', ?, unixepoch(), unixepoch())",
                                 [(f"person{10000 + number}@acme.com",) for number in range(3000)])
        database.close()
        gateway.start()
        home = f"http://127.0.0.1:{gateway.admin}/admin"
        for phone in (False, True):
            with Person(chromium, sink, LEAD, phone=phone) as lead:
                lead.open(api(gateway, "POST", "sign-ins", {"email": LEAD})["url"])
                lead.press("Sign in")
                lead.open(f"{home}/acme/users")
                assert "3,000 people" in lead.words() and lead.page.locator("tbody tr").count() > 10
                first = lead.page.locator("tbody th").first.inner_text()
                lead.shot("admin-users-many")
                lead.press("Next page")
                assert lead.page.locator("tbody th").first.inner_text() > first
                lead.press("First page")
                assert lead.page.locator("tbody th").first.inner_text() == first
                box = lead.page.get_by_label("Find by the beginning of an address")
                box.fill("Person1294")
                with lead.page.expect_navigation():
                    box.press("Enter")
                lead.look()
                assert "10 addresses begin so." in lead.words() and lead.page.locator("tbody tr").count() == 10
                lead.shot("admin-users-found")
                lead.press("Show all")
                assert lead.page.locator("tbody th").first.inner_text() == first


def test_a_link_is_looked_at_made_edited_renewed_and_deleted(gateway, admin, chromium, sink):
    lead = admin()
    lead.open(f"{gateway.home}/acme/links")
    assert f"{gateway.origin}/connect/acme" in lead.words()
    lead.press("New link")
    lead.page.get_by_label("GitHub").check()
    lead.shot("admin-link-new")
    lead.press("Look at it")
    assert lead.headline == "Make this link?" and "Everybody with an address at @acme.com" in lead.words() and "GitHub" in lead.words()
    lead.shot("admin-link-review")
    lead.press("Make the link")
    first = lead.page.locator("code.copy").inner_text()
    assert re.fullmatch(rf"{gateway.origin}/connect/cl_[\w-]{{43}}", first)
    lead.shot("admin-link-made")
    with Person(chromium, sink, "carla@acme.com") as carla:
        carla.sign_in(first)
        carla.enter("GitHub", Token=canary("good-carla"))
        lead.press("I have copied it")
        assert "carla@acme.com" in lead.words() and "cl_" not in lead.page.content()
        lead.shot("admin-link")
        lead.press("Edit")
        lead.page.get_by_label("Domain").fill("acme..com")
        lead.press("Save")
        assert lead.status == 422 and "Name the domain" in lead.words()
        lead.page.get_by_label("Domain").fill("acme.org, @acme.net")
        lead.press("Save")
        assert "The link is changed." in lead.words() and lead.headline == "@acme.org, @acme.net"
        lead.press("Renew")
        lead.press("Renew")
        second = lead.page.locator("code.copy").inner_text()
        assert second != first
        assert ask(gateway.port, "GET", first.removeprefix(gateway.origin)).status == 404
    lead.press("I have copied it")
    lead.press("Delete")
    assert "stays connected" in lead.words()
    lead.press("Delete")
    assert "The link is deleted" in lead.words()
    assert ask(gateway.port, "GET", second.removeprefix(gateway.origin))["location"].startswith("/connect/link_")
    assert ask(gateway.port, "POST", "/mcp/github", agent("carla@acme.com") | JSON, rpc("tools/call", id=1, name="x")).status == 200


@pytest.mark.parametrize("fill, words", [
    ({}, "Choose one server at least"), ({"github": True, "Domain": ""}, "Name the domain"), ({"billing": True}, "billing is of project level"),
    ({"github": True, "project": True, "Email address": "x"}, "Name the one email address"), ({"github": True, "Last day": "2020-01-01"}, "not over"),
])
def test_a_link_that_cannot_be_is_told(gateway, admin, fill, words):
    lead = admin()
    lead.open(f"{gateway.home}/acme/links/new")
    for name, value in fill.items():
        if name == "project":
            lead.page.locator("input[value=project]").check()
        elif value is True:
            lead.page.locator(f"input[value={name}]").check()
        else:
            field = lead.page.get_by_label(name, exact=True)
            field.evaluate("each => { each.removeAttribute('min'); each.removeAttribute('required') }")
            field.fill(value)
    lead.press("Look at it")
    assert lead.status == 422 and words in lead.words()
    for name, value in fill.items():
        if value is True and name != "project":
            assert lead.page.locator(f"input[value={name}]").is_checked()


def test_servers_navigators_and_audit(gateway, admin):
    lead = admin()
    lead.open(f"{gateway.home}/acme/servers")
    words = lead.words()
    assert "One for all" in words and "Paused" in words and "None needed" in words
    lead.shot("admin-servers")
    lead.open(f"{gateway.home}/acme/navigators")
    assert "Expired" in lead.words() and "the old one" in lead.words() and "sha256" not in lead.page.content()
    lead.shot("admin-navigators")
    assert ask(gateway.port, "POST", "/mcp/github", agent("alice@acme.com") | JSON, rpc("tools/call", id=1, name="x")).status == 200

    def used():
        lead.open(f"{gateway.home}/acme/navigators")
        rows = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in lead.page.locator("tbody tr").all()}
        return [cells[-1] for cells in rows.values()] if "just now" in str(rows) or "min ago" in str(rows) else None

    # The workers hand over every five seconds, and it is written every ten.
    assert sorted(eventually(used, 30))[0] == "Not yet"
    keys = api(gateway, "GET", "projects/acme/navigators")["navigators"][0]["keys"]
    assert len([key for key in keys if key.get("last_used")]) == 1 and "sha256" not in str(keys)
    lead.open(f"{gateway.home}/acme/audit")
    assert "alice@acme.com" in lead.words()
    lead.shot("admin-audit")
    lead.page.get_by_label("For whom").fill("bob@acme.com")
    lead.page.get_by_label("What").select_option("deposit")
    lead.press("Filter")
    who = set(lead.page.locator("tbody td:nth-child(4)").all_inner_texts())
    assert who == {"bob@acme.com"} and set(lead.page.locator("tbody td:nth-child(3)").all_inner_texts()) == {"Connected"}
    lead.page.get_by_label("For whom").fill("nobody")
    lead.press("Filter")
    assert "not an email address" in lead.words()


def test_a_form_of_elsewhere_changes_nothing(gateway, admin):
    lead = admin()
    lead.open(f"{gateway.home}/acme/users/alice%40acme.com/delete")
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in lead.context.cookies())
    path = "/admin/acme/users/alice%40acme.com/delete"
    form = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    assert ask(gateway.admin, "POST", path, form, b"csrf=x").status == 403
    assert ask(gateway.admin, "POST", path, form | {"Sec-Fetch-Site": "cross-site"}, b"csrf=x").status == 403
    lead.open(f"{gateway.home}/acme/users")
    assert "alice@acme.com" in lead.words()


@pytest.mark.parametrize("how", [{}, {"dark": True}, {"phone": True}], ids=["light", "dark", "phone"])
def test_the_pages_hold_to_the_rules_of_accessibility(gateway, admin, how):
    lead = admin(scripts=True, **how)
    found = {"projects": lead.violations()}
    for page in ("users", "links", "links/new", "servers", "navigators", "audit", "users/alice%40acme.com", "users/alice%40acme.com/delete"):
        lead.open(f"{gateway.home}/acme/{page}")
        found[page] = lead.violations()
        lead.shot(f"axe-{page.split('/')[0]}" if "/" not in page else "axe-page")
    assert not {page: each for page, each in found.items() if each}
