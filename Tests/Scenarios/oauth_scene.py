"""A gateway, a server that demands OAuth, its provider, and people who connect."""

import json
import re
import subprocess
import urllib.request

from browser import Browser
from gateway import ALICE, agent, world
from processes import binary, eventually
from protected import Protected
from provider import Provider
from wire import JSON, ask, rpc


def oauth(url, **settings):
    """A server definition whose tokens come by OAuth."""
    return {"url": url, "auth": "oauth"} | ({"oauth": settings} if settings else {})


class Connecting:
    """`claviger credential connect` under way: `url` is what it printed."""

    def __init__(self, gateway, server, user=None, project="acme"):
        who = ["--user", user] if user else []
        command = [binary("claviger"), "credential", "connect", "--project", project, "--server", server, *who]
        command += ["--runtime", gateway.directory / "runtime"]
        self.child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=gateway.environment)
        self.said, self.url = "", None
        while self.url is None and (line := self.child.stdout.readline()):
            self.said += line
            found = re.search(r"https?://\S+", line)
            self.url = found and found[0]

    def result(self, seconds=15):
        """Exit status, and all that it said."""
        try:
            out, error = self.child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.communicate()
            raise
        self.said += out
        return self.child.returncode, self.said + error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.communicate()


def connect(gateway, server="crm", user=ALICE, **fill):
    """A person connects, and the command says so. Gives the last page."""
    with Connecting(gateway, server, user) as connecting, Browser(**fill) as browser:
        assert connecting.url, connecting.result()
        page = browser.follow(connecting.url)
        status, said = connecting.result()
        assert (page.status_code, status) == (200, 0), f"{status}: {said}\n{page.status_code} at {page.url}: {page.text}"
        return page


def metrics(gateway):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.admin}/metrics", timeout=5) as answer:
        return dict(re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", answer.read().decode(), re.MULTILINE))


class Scene:
    """`server` is one whose tokens come from `provider`, as crm; `settings` are its `oauth` section, with {provider} for the issuer."""

    def __init__(self, start, provider=None, settings=None, resource=None, sections=None, instance=None, tls=None, **options):
        self.provider = provider or Provider()
        self.resource = resource or Protected(self.provider)
        written = json.loads(json.dumps(settings or {}).replace("{provider}", self.provider.issuer))
        sections = {"gateway": {"workers": 2}} | (sections or {})
        server = oauth(self.resource.url, **written) | ({"tls": tls} if tls else {})
        config = world({"crm": server}, instances={"crm": instance or {}}, **sections)
        self.gateway = start(config, **options)
        self.start = start

    def connect(self, user=ALICE, **fill):
        return connect(self.gateway, "crm", user, **fill)

    def connecting(self, user=ALICE):
        return Connecting(self.gateway, "crm", user)

    def ask(self, user=ALICE, body=None):
        return ask(self.gateway.port, "POST", "/mcp/crm", agent(user) | JSON, body or rpc())

    def good(self, user=ALICE):
        """Asserts that a call goes through, and gives what the server says of its token."""
        answer = self.ask(user)
        assert answer.status == 200 and answer["x-claviger-refusal"] is None, (answer, self.gateway.log()[-3000:])
        return answer.json()

    def refused(self, code, user=ALICE):
        """Asserts that a call is refused, and gives the words."""
        answer = self.ask(user)
        assert answer["x-claviger-refusal"] == code, (answer, self.gateway.log()[-3000:])
        return json.dumps(answer.json())

    @property
    def refreshes(self):
        return self.provider.count(grant_type="refresh_token")

    @property
    def family(self):
        return self.provider.families[-1]

    def refreshed(self, count=1, seconds=10, user=ALICE):
        """Asks until so many more refreshes were had."""
        wanted = self.family.rotations + count
        eventually(lambda: self.good(user) and self.family.rotations >= wanted, seconds, 0.05)

    def grants(self):
        done = self.gateway.command("credential", "list", "--project", "acme", "--json")
        assert done.returncode == 0, done.stderr
        return [each for each in json.loads(done.stdout)["credentials"] if each["server"] == "crm"]

    def end(self):
        self.resource.__exit__(None, None, None)
        self.provider.__exit__(None, None, None)
