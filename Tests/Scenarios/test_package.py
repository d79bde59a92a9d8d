"""The Debian package on a machine without Swift, with a real systemd: installed, used, upgraded under load, removed, purged.

One life of one machine: the scenarios follow on one another.
"""

import contextlib
import http.client
import json
import re
import subprocess

import pytest
from authority import Authority
from box import settled
from gateway import ALICE, KEY, agent
from processes import ROOT
from reloading import Load
from shell import written_commands
from wire import JSON

PORT = 8080
UNITS = ("claviger.socket", "claviger.service")
CHAPTER = (ROOT / "Sources/claviger/Documentation.docc/Operating.md").read_text()
CERTIFICATES = re.search(r"(?ms)^## Certificates$.*?(?=^## )", CHAPTER)[0]


@pytest.fixture(scope="module")
def packages(package, tmp_path_factory):
    """The package, and its successor: the same with a higher version."""
    directory = tmp_path_factory.mktemp("packages")
    subprocess.run(["dpkg-deb", "--raw-extract", package, directory / "next"], check=True)
    control = directory / "next/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99.0", control.read_text()))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", directory / "next", directory / "next.deb"], check=True, capture_output=True)
    return {"first.deb": package, "next.deb": directory / "next.deb"}


def every_file(box):
    """All paths of a machine's own, but the journal and the caches."""
    places = "/bin /boot /etc /home /lib /opt /sbin /srv /usr /var"
    return set(box.run("sh", "-c", f"find {places} -xdev \\( -path /var/log/journal -o -path /var/cache \\) -prune -o -print").stdout.splitlines())


@pytest.fixture(scope="module")
def box(packages, empty_box):
    """Nothing is installed yet; both packages lie in /root."""
    for name, package in packages.items():
        empty_box.path(f"/root/{name}").write_bytes(package.read_bytes())
    empty_box.before = every_file(empty_box)
    return empty_box


@pytest.fixture(scope="module")
def server(raw):
    return raw


def apt(box, *arguments):
    return box.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", *arguments)


def call():
    """A call through the gateway, on a connection of its own: the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", "/mcp/crm", b'{"jsonrpc":"2.0","id":1,"method":"ping"}', agent() | JSON)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_it_installs_and_runs(box):
    apt(box, "install", "/root/first.deb")
    for unit in UNITS:
        assert box.show("ActiveState", unit) == "active" and box.show("UnitFileState", unit) == "enabled", box.journal()
    assert box.run("dpkg", "--verify", "claviger").stdout == ""
    status = box.run("claviger", "status").stdout
    assert "127.0.0.1:8080" in status and "127.0.0.1:9901" in status
    with box.network():
        assert call()[0] == 401


def test_a_call_goes_through_once_it_is_configured(box, server):
    project = {"servers": {"crm": {}}, "navigators": {"agent": {"keys": [KEY.line], "users": {"domains": ["acme.com"]}}}}
    servers = {"crm": {"url": server.url, "auth": "header", "headers": {"Authorization": "Bearer {token}"}}}
    box.write("/etc/claviger/conf.d/20-acme.yaml", json.dumps({"servers": servers, "projects": {"acme": project}}))
    box.run("claviger", "check")
    box.systemctl("reload", "claviger")
    with box.network():
        status, body = call()
        assert status == 200 and b"/connect/acme/crm" in body
        box.run("claviger", "credential", "set", "--project", "acme", "--server", "crm", "--user", ALICE, input="token=first-token\n")
        assert call() == (200, b"{}")
    assert server.requests[-1]["authorization"] == "Bearer first-token"


def test_a_configuration_that_is_wrong_is_refused_and_the_old_one_goes_on(box, server):
    box.write("/etc/claviger/conf.d/30-new.yaml", "gatewey: {}\n")
    assert box.systemctl("reload", "claviger", check=False).returncode != 0
    box.run("rm", "/etc/claviger/conf.d/30-new.yaml")
    with box.network():
        assert call() == (200, b"{}")


def test_what_the_chapter_has_for_systemd_works(box, server):
    lines = written_commands(CHAPTER.replace(CERTIFICATES, ""), "systemctl", "journalctl", "systemd-analyze", "install", "openssl")
    assert len(lines) >= 6
    for line in lines:
        box.run("sh", "-c", line)
    assert re.fullmatch(r"[0-9a-f]{64}\s", box.path("/etc/credstore/claviger.master.key").read_text())
    with box.network():
        assert call() == (200, b"{}")


def test_what_the_chapter_has_for_certificates_works(box, server, tmp_path):
    authority = Authority(tmp_path, "gateway")
    names = {"fullchain.pem": 0, "privkey.pem": 1}
    pair = authority.pair("gateway.example.com")
    for name, which in names.items():
        box.write(f"/root/tls/{name}", pair[which].read_text(), 0o600)
    for name, file in zip(("agent.pem", "agent.key"), authority.pair("agent")):
        box.write(f"/root/tls/{name}", file.read_text(), 0o600)
    box.write("/etc/claviger/agents.pem", authority.file.read_text())
    box.run("sh", "-c", "echo 127.0.0.1 gateway.example.com >> /etc/hosts")

    *putting, trying = written_commands(CERTIFICATES, "install", "openssl")
    assert len(putting) == 3
    for line in putting:
        box.run("sh", "-c", f"cd /root/tls && {line}")
    usual = box.path("/etc/claviger/conf.d/10-gateway.yaml").read_text()
    encrypted = {
        "address": "127.0.0.1:8443",
        "tls": {
            "certificates": [{"certificate": "/etc/claviger/tls/cert.pem", "private_key": "/etc/claviger/tls/key.pem"}],
            "client_ca": "/etc/claviger/agents.pem"}}
    own = {"listen": [{"address": "systemd:claviger"}, encrypted], "public_url": "https://gateway.example.com:8443"}
    box.configure({"gateway": own, "admin": {"address": "127.0.0.1:9901"}})
    assert "certificate" not in box.run("claviger", "check").stdout
    box.systemctl("reload", "claviger")
    said = box.run("sh", "-c", f"cd /root/tls && {trying}").stdout
    assert "gateway.example.com" in said and "TLSv1.3" in said, said
    box.write("/etc/claviger/conf.d/10-gateway.yaml", usual)
    box.systemctl("reload", "claviger")


def test_the_way_back_to_a_copy_is_as_the_chapter_has_it(box, server):
    chapter = (ROOT / "Sources/State/Documentation.docc/TheDatabase.md").read_text()
    lines = written_commands(chapter, "claviger", "systemctl", "install", "rm")
    assert [line.split()[0] for line in lines] == ["claviger", "systemctl", "install", "rm", "systemctl"]
    for line in lines:
        box.run("sh", "-c", line)
    with box.network():
        assert call() == (200, b"{}")


def test_an_upgrade_refuses_no_connection_and_breaks_off_no_call(box, server):
    before = box.show("MainPID")
    with box.network(), Load(PORT, kept=False) as load:
        settled(lambda: load.answered > 20)
        box.run("dpkg", "--install", "/root/next.deb")
        settled(lambda: box.show("ActiveState") == "active" and box.show("MainPID") not in (before, "0"))
        now = load.answered
        settled(lambda: load.answered > now + 20)
    assert load.failed == []
    assert "99.0" in box.run("dpkg-query", "--show", "claviger").stdout


def test_an_upgrade_that_does_not_take_the_configuration_leaves_the_running_gateway_alone(box, server):
    before = box.show("MainPID")
    box.write("/etc/claviger/conf.d/30-new.yaml", "gatewey: {}\n")
    done = box.run("dpkg", "--install", "/root/next.deb")
    assert "30-new.yaml:1:1" in done.stderr and "systemctl restart claviger" in done.stderr
    with box.network():
        assert box.show("MainPID") == before and call() == (200, b"{}")
    box.run("rm", "/etc/claviger/conf.d/30-new.yaml")


def test_an_upgrade_asks_whether_the_daemon_may_read_its_configuration_not_root(box, server):
    before = box.show("MainPID")
    box.write("/etc/claviger/conf.d/30-own.yaml", "log: { level: debug }\n", 0o600)
    assert box.run("claviger", "check").returncode == 0
    done = box.run("dpkg", "--install", "/root/next.deb")
    assert "30-own.yaml:1:1: cannot be read" in done.stderr and "systemctl restart claviger" in done.stderr
    with box.network():
        assert box.show("MainPID") == before and call() == (200, b"{}")
    box.run("rm", "/etc/claviger/conf.d/30-own.yaml")


def test_an_upgrade_knows_what_the_unit_has_in_its_environment_and_as_credentials(box, server):
    box.write("/etc/user", "off", 0o600)
    box.override("claviger.service", "[Service]\nEnvironment=LEVEL=debug\nLoadCredential=user:/etc/user\n")
    box.write("/etc/claviger/conf.d/30-own.yaml", "log: { level: '${env:LEVEL}', user: '${credential:user}' }\n")
    box.systemctl("restart", "claviger")
    before = box.show("MainPID")
    assert box.run("dpkg", "--install", "/root/next.deb").stderr == ""
    with box.network():
        assert box.show("MainPID") not in (before, "0") and call() == (200, b"{}")
    assert box.systemctl("list-units", "--all", "--no-legend", "claviger-*").stdout == ""
    box.revert("claviger.service")
    box.run("rm", "/etc/claviger/conf.d/30-own.yaml", "/etc/user")
    box.systemctl("restart", "claviger")


def test_a_daemon_that_does_not_come_up_again_is_told_of(box, server):
    """What no check can see."""
    box.override("claviger.service", "[Service]\nExecStart=\nExecStart=/bin/false\n")
    done = box.run("dpkg", "--install", "/root/next.deb")
    assert "claviger.service does not run" in done.stderr, done.stderr
    box.revert("claviger.service")
    box.systemctl("restart", "claviger")


def test_what_the_operator_disabled_stays_so(box):
    box.systemctl("disable", "--now", *UNITS)
    box.run("dpkg", "--install", "/root/next.deb")
    for unit in UNITS:
        assert box.show("ActiveState", unit) == "inactive" and box.show("UnitFileState", unit) == "disabled"
    box.systemctl("enable", "--now", *UNITS)


def test_a_removal_keeps_configuration_and_state_and_a_new_installation_finds_them(box, server):
    apt(box, "remove", "claviger")
    with box.network(), pytest.raises(ConnectionRefusedError):
        call()
    for gone in ("/usr/bin/claviger", "/usr/lib/systemd/system/claviger.socket", "/usr/share/doc/claviger"):
        assert not box.path(gone).exists()
    for kept in ("/etc/claviger/conf.d/20-acme.yaml", "/var/lib/claviger/state.db", "/var/lib/claviger/master.key"):
        assert box.path(kept).exists()
    apt(box, "install", "/root/next.deb")
    with box.network():
        assert call() == (200, b"{}")


def test_a_purge_leaves_nothing_of_ours(box):
    apt(box, "purge", "claviger")
    left = every_file(box) - box.before
    # The chapter says so: what the operator made elsewhere is his.
    assert {path for path in left if path.startswith("/etc/credstore")} == {"/etc/credstore", "/etc/credstore/claviger.master.key"}
    left -= {"/etc/credstore/claviger.master.key"}
    # The account stays, as in Debian. What dpkg, apt and systemd note for themselves bears no name of ours.
    assert not [path for path in left if "claviger" in path or path.startswith(("/usr/", "/lib/"))], left
    assert box.systemctl("list-units", "--all", "--no-legend", "claviger*").stdout.strip() == ""
