"""People at the pages: a real browser, a mail sink that their codes arrive in, and what every page is held to."""

import email
import email.policy
import http.client
import itertools
import json
import pathlib
import re
import socket

import axe_core_python
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from gateway import ALICE
from processes import ROOT, eventually, free_port
from upstream import Upstream

SHOTS = ROOT / ".build/screenshots"
AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
LIMIT = 30_000
"""Bytes that a page may have, its stylesheet included."""


def api(gateway, method, path, body=None):
    """The administration API over admin.sock: its answer's JSON, or None where it has none."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(gateway.directory / "runtime/admin.sock"))
    connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text
    return json.loads(text) if text else None


class Sink:
    """A mail server that keeps what it is given: `mails` are (envelope, message, whether it came encrypted), the newest last."""

    def __init__(self, *, tls=None, starttls=None, login=None):
        """`tls`: a context, encrypted from the first byte on. `starttls`: a context, demanded. `login`: (user, password), demanded."""
        self.mails, self.logins, self.refusal = [], [], None
        options = {"port": free_port(), "hostname": "127.0.0.1"}
        if login:
            def authenticator(server, session, envelope, mechanism, data):
                self.logins.append((data.login.decode(), data.password.decode()))
                return AuthResult(success=self.logins[-1] == login, handled=False)

            options |= {"authenticator": authenticator, "auth_required": True, "auth_require_tls": bool(starttls)}
        if starttls:
            options |= {"tls_context": starttls, "require_starttls": True}
        if tls:
            options |= {"ssl_context": tls}
        self.port = options["port"]
        self.controller = Controller(self, **options)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope, message, bool(server.transport.get_extra_info("sslcontext"))))
        return "250 OK"

    def code(self, to, after=0):
        """The code of the newest mail to an address, of those behind the first `after`."""
        def found():
            for envelope, message, _ in reversed(self.mails[after:]):
                if envelope.rcpt_tos == [to]:
                    return re.search(r"^ +(\d{4}) (\d{4})\s*$", message.get_content(), re.M).groups()
            return None

        return "".join(eventually(found))

    def settings(self, scheme="smtp", host="127.0.0.1", **more):
        """For the configuration's `portal`."""
        return {"sign_in": {"email_code": {"smtp": f"{scheme}://{host}:{self.port}", "from": "Claviger <connect@acme.com>"} | more}}

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()


class Keyed(Upstream):
    """An MCP server that answers where `takes(seen)` is true, and 401 elsewhere. `broken` makes it answer with that instead."""

    def __init__(self, takes, **options):
        super().__init__(self.say, **options)
        self.takes, self.broken = takes, None

    def say(self, seen, peer):
        if self.broken:
            return peer.send(self.broken)
        if not self.takes(seen):
            return peer.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        asked = json.loads(seen.body) if seen.body else {}
        body = json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": {"resultType": "complete", "content": []}}).encode()
        return peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body), body)


NUMBERS = itertools.count(1)


class Person:
    """Somebody with a browser of his own. Every page he sees is held to what all pages are held to."""

    def __init__(self, chromium, sink, address=ALICE, *, phone=False, dark=False, scripts=False, label=None):
        self.sink, self.address, self.label = sink, address, label
        self.style = f"{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
        size = {"width": 390, "height": 844} if phone else {"width": 1100, "height": 800}
        self.context = chromium.new_context(
            viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=scripts, reduced_motion="reduce",
            # As a proxy before the gateway says it, for gateways that trust this machine: each person comes from elsewhere.
            extra_http_headers={"X-Forwarded-For": "192.0.2.{}".format(next(NUMBERS) % 250)})
        self.page = self.context.new_page()
        self.foreign, self.answers, self.scripts = [], [], scripts
        self.page.on("request", lambda request: None if request.url.startswith("http://127.0.0.1:") else self.foreign.append(request.url))
        self.page.on("response", lambda answer: self.answers.append(answer))

    def open(self, url):
        answer = self.page.goto(url)
        self.look()
        return answer

    def press(self, name, within="main"):
        """Presses a button or follows a link by its words, and looks at what comes."""
        scope = self.page.locator(within)
        target = scope.get_by_role("button", name=name, exact=True).or_(scope.get_by_role("link", name=name, exact=True))
        with self.page.expect_navigation():
            target.first.click()
        self.look()

    def card(self, title):
        return self.page.locator("section.server", has=self.page.get_by_role("heading", name=title, exact=True))

    def state(self, title):
        return self.card(title).locator(".state").inner_text()

    @property
    def headline(self):
        return self.page.locator("h1").inner_text()

    @property
    def status(self):
        return next(answer.status for answer in reversed(self.answers) if answer.request.is_navigation_request() and answer.status != 303)

    def words(self):
        return self.page.locator("main").inner_text()

    def sign_in(self, url=None, address=None):
        """From the page that asks for the address to the one behind it."""
        address = address or self.address
        if url:
            self.open(url)
        before = len(self.sink.mails)
        self.page.get_by_label("Your email address").fill(address)
        self.press("Send me a code")
        self.page.get_by_label("The eight digits").fill(self.sink.code(address, before))
        self.press("Continue")

    def enter(self, title, **fields):
        """Opens a card's form where it is closed, fills it in by its labels, and sends it."""
        if not self.card(title).locator("input[type=text]").count():
            with self.page.expect_navigation():
                self.card(title).get_by_role("link").first.click()
        for label, value in fields.items():
            self.card(title).get_by_label(label.replace("_", " "), exact=True).fill(value)
        self.press("Check and save")

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}-{self.style}.png", full_page=True)

    def look(self):
        """What holds for every page, errors too."""
        assert not self.foreign, self.foreign
        answer = next(each for each in reversed(self.answers) if each.request.is_navigation_request() and each.status != 303)
        headers = answer.headers
        assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        text = self.page.content()
        sizes = [len(text.encode())] + [int(each.headers.get("content-length", 0)) for each in self.answers if each.url.split("?")[0].endswith(".css")][-1:]
        assert sum(sizes) < LIMIT, sizes
        assert "<script" not in text and " style=" not in text and " onclick" not in text
        assert self.page.locator("h1").count() == 1 and self.page.title()

    def violations(self):
        """What axe-core finds against WCAG 2.2 A and AA; for a person with scripts."""
        # The content policy lets no script in but ours: the rules come by the browser's own debugging, which it does not govern.
        self.page.evaluate(AXE)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
        return [f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']]}" for each in found["violations"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()
