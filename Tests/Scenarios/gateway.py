"""The built daemon under test: a configuration, its directories, its commands, and what it says."""

import hashlib
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from authority import Authority
from canaries import canary
from processes import Process, binary, free_port
from wire import ENCRYPTED, trusting

ALICE, BOB = "alice@acme.com", "bob@acme.com"
TRAPS = [-how for how in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV)]


class Key:
    """An API key: its text for the agent, its line for the configuration."""

    def __init__(self, id, **extra):
        self.secret = canary(f"key-{id}")
        self.text = f"ck_{id}.{self.secret}"
        self.line = {"id": id, "sha256": hashlib.sha256(self.secret.encode()).hexdigest()} | extra


KEY = Key("agent1")


def agent(user=ALICE, key=KEY, **more):
    """The headers an agent sends."""
    return {"x-api-key": key.text, "x-user-email": user} | {name.replace("_", "-"): value for name, value in more.items()}


def world(servers, *, instances=None, navigator=None, **sections):
    """A configuration: the servers, all in project acme, whose navigator may speak for acme.com. Sections are added as they are."""
    navigators = {"agent": {"keys": [KEY.line], "users": {"domains": ["acme.com"]}} | (navigator or {})}
    project = {"servers": {name: (instances or {}).get(name, {}) for name in servers}, "navigators": navigators}
    return {"servers": servers, "projects": {"acme": project}} | sections


def header(url, **more):
    """A server definition that takes a bearer token."""
    return {"url": url, "auth": "header", "headers": {"Authorization": "Bearer {token}"}} | more


class Gateway:
    """A running daemon. `with` ends it; what it wrote stays for the search for secrets."""

    def __init__(self, directory, config, environment=None, ready=True, inside=(), encrypted=False):
        """`inside`: a command that the daemon's own is given to, as arguments. `encrypted`: its listener speaks TLS, and `Wire` knows."""
        self.directory, self.inside = directory, inside
        self.port, self.admin = free_port(), free_port()
        gateway = config.setdefault("gateway", {})
        gateway.setdefault("listen", [{"address": f"127.0.0.1:{self.port}"}])
        if encrypted:
            self.encrypt(gateway["listen"][0])
        config.setdefault("admin", {"address": f"127.0.0.1:{self.admin}"})
        self.origin = f"{'https' if encrypted else 'http'}://127.0.0.1:{self.port}"
        self.config = directory / "conf.d"
        self.config.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ, **(environment or {}))
        self.write(config)
        self.start(ready)

    def encrypt(self, listener):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(self.directory, "gateway")
        certificate, key = self.authority.pair("localhost", "127.0.0.1")
        listener["tls"] = {"certificates": [{"certificate": str(certificate), "private_key": str(key)}]} | listener.get("tls", {})
        ENCRYPTED[self.port] = trusting(self.authority.file)

    def write(self, config):
        (self.config / "gateway.yaml").write_text(json.dumps(config, indent=1))

    def start(self, ready=True):
        places = ["--config", self.config, "--state", self.directory / "state", "--runtime", self.directory / "runtime"]
        self.process = Process([*self.inside, binary("claviger"), "serve", *places], self.directory / "log", self.environment)
        if ready:
            self.process.ready(self.is_ready)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def url(self, server):
        return f"{self.origin}/mcp/{server}"

    def command(self, *arguments, input=None):
        """Runs `claviger` against this daemon's runtime directory."""
        return command(*arguments, "--runtime", self.directory / "runtime", input=input, environment=self.environment)

    def deposit(self, server, user=None, project="acme", **fields):
        """`claviger credential set`; asserts that it was taken."""
        who = ["--user", user] if user else []
        text = "".join(f"{name}={value}\n" for name, value in fields.items())
        done = self.command("credential", "set", "--project", project, "--server", server, *who, input=text)
        assert done.returncode == 0, done.stderr
        return done

    def withdraw(self, server, user=None, project="acme"):
        who = ["--user", user] if user else []
        done = self.command("credential", "delete", "--project", project, "--server", server, *who)
        assert done.returncode == 0, done.stderr

    def log(self):
        return self.process.output()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        was_running = self.process.is_running
        status = self.process.end()
        # One that the scenario ended ended as the scenario wanted, but no process ends by a trap unnoticed.
        trap = status in TRAPS or re.search(r"Fatal error|Crash|crashed", self.log())
        assert not trap and (status in (0, -15) or not was_running), f"ended with {status}:\n{self.log()[-4000:]}"


def command(*arguments, input=None, environment=None):
    """Runs `claviger` once, to its end."""
    return subprocess.run([str(binary("claviger")), *map(str, arguments)], input=input or "", text=True, capture_output=True,
                          timeout=60, env=environment)
