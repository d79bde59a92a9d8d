"""Who is measured: each contender writes its configuration from a template a user of it would nod at, and is started."""

import os
import pathlib
import re
import shutil
import subprocess

from . import ports
from .deposit import deposit
from .fault import Fault

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "bench/contenders"


class Contender:
    name = label = less = ""
    injects = True      # puts in the credential
    records = True      # can write access records
    counted = True      # its allocations can be counted
    encrypts = True     # can speak TLS with agents
    relays = True       # takes part in everything, not only in whole MCP calls
    variables = {}      # of its environment

    def __init__(self, options):
        self.options = options

    def program(self):
        found = shutil.which(self.name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not found:
            raise Fault(f"{self.name} is not installed: run `make bench` (it installs what is missing), or leave it out with --contenders")
        return found

    def version(self):
        done = subprocess.run([self.program(), *self.version_words], capture_output=True, text=True)
        return re.search(self.version_pattern, done.stdout + done.stderr)[1]

    def fill(self, template, home, **values):
        text = (TEMPLATES / template).read_text()
        for name, value in {"home": home, **values}.items():
            text = text.replace("{{" + name + "}}", str(value))
        home.joinpath(template).write_text(text)
        return home / template

    def write(self, work, home, port):
        """Writes the configuration and gives the command."""
        raise NotImplementedError

    def supply(self, work, home):
        """What is done once the contender answers, before it is measured."""


class Claviger(Contender):
    name, label = "claviger", "Claviger"
    version_words, version_pattern = ["version"], r"(\S+)\s*$"

    def program(self):
        if not self.options.binary.exists():
            raise Fault(f"{self.options.binary} is not there: run `make release`, or name another with --binary")
        return self.options.binary

    def write(self, work, home, port):
        (home / "conf.d").mkdir()
        file = self.fill("claviger.yaml", home, port=port, admin=ports.free(), upstream=work.upstream, connections=work.connections,
                         tls=self.tls(work), access=str(work.access).lower(), key_sha256=work.key_sha256, ttl=work.ttl, secrets=self.secrets(work))
        file.rename(home / "conf.d/claviger.yaml")
        return [self.program(), "serve", "--config", home / "conf.d", "--state", home / "state", "--runtime", home / "runtime"]

    def tls(self, work):
        if not work.certificate:
            return "# tls: none"
        return f"tls: {{ certificates: [ {{ certificate: {work.certificate}, private_key: {work.certificate} }} ] }}"

    def secrets(self, work):
        if not work.store:
            return "# secrets: sealed files, the default"
        return f"secrets: {{ parameter_store: {{ region: eu-west-1, prefix: /claviger, endpoint: \"http://127.0.0.1:{work.store}\" }} }}"

    def supply(self, work, home):
        if not work.store:
            deposit(home / "runtime/admin.sock", work)


class Before(Claviger):
    """Another build of the same, to see what a change did."""

    name, label = "before", "Claviger before"

    def program(self):
        if not self.options.against.exists():
            raise Fault(f"{self.options.against}, named with --against, is not there")
        return self.options.against


class Nginx(Contender):
    name, label = "nginx", "nginx"
    version_words, version_pattern = ["-v"], r"nginx/(\S+)"

    def write(self, work, home, port):
        pairs = "".join(f'"{work.key}:{email}" "Bearer {credential}";\n' for email, credential in work.pairs())
        (home / "credentials.map").write_text(pairs)
        log = f"{home}/access.log exchange buffer=64k flush=1s" if work.access else "off"
        tls = f"ssl_certificate {work.certificate}; ssl_certificate_key {work.certificate}; ssl_protocols TLSv1.2 TLSv1.3;"
        file = self.fill("nginx.conf", home, port=port, ssl=" ssl" if work.certificate else "", tls=tls if work.certificate else "# TLS: none",
                          upstream=work.upstream, connections=work.connections + 1000, access_log=log,
                         buffers="proxy_buffer_size 64k; proxy_buffers 8 64k;" if work.large else "# buffers: the default")
        return [self.program(), "-c", file, "-p", home]


class HAProxy(Contender):
    name, label = "haproxy", "HAProxy"
    version_words, version_pattern = ["-v"], r"version (\S+)"

    def write(self, work, home, port):
        pairs = "".join(f"{work.key}:{email} Bearer {credential}\n" for email, credential in work.pairs())
        (home / "credentials.map").write_text(pairs)
        file = self.fill("haproxy.cfg", home, port=port, ssl=f" ssl crt {work.certificate} alpn http/1.1" if work.certificate else "",
                          upstream=work.upstream, connections=work.connections,
                         buffers="tune.bufsize 65536" if work.large else "# buffers: the default",
                         log="log global\n    option httplog" if work.access else "")
        return [self.program(), "-db", "-f", file]


class Envoy(Contender):
    name, label = "envoy", "Envoy"
    version_words, version_pattern = ["--version"], r"version: \w+/([\d.]+)"
    less = "routes fixed in its configuration carry the credentials: no deposit, no change without new routes"
    encrypts = False    # left out, as it costs twice the others before it encrypts
    counted = False     # its allocator is linked in

    def program(self):
        wheels = sorted(ROOT.glob(".build/venv-bench/lib/python3*/site-packages/envoy/_bin/envoy"))
        return wheels[0] if wheels else super().program()

    def write(self, work, home, port):
        route = (TEMPLATES / "envoy-route.yaml").read_text().split("\n", 1)[1].rstrip("\n")
        routes = "\n".join(route.replace("{{email}}", email).replace("{{credential}}", credential) for email, credential in work.pairs())
        log = "[]"
        if work.access:
            log = ('[ { name: file, typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, '
                   f'path: "{home}/access.log" }} }} ]')
        file = self.fill("envoy.yaml", home, port=port, admin=ports.free(), upstream=work.upstream, access_log=log, key=work.key, routes=routes)
        return [self.program(), "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]


class Relay(Contender):
    name, label = "relay", "TCP relay"
    less = "copies bytes between two connections: no HTTP, no credential, no key; the floor"
    injects = records = encrypts = False

    def program(self):
        return self.options.built / "relay"

    def version(self):
        return "bench/peer/relay.c"

    def write(self, work, home, port):
        return [self.program(), port, work.upstream]


ALL = {kind.name: kind for kind in (Claviger, Before, Nginx, HAProxy, Envoy, Relay)}
