"""TLS toward agents: which certificate, which clients, what a handshake may cost others, and certificates changed while it runs."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest
from authority import Authority
from gateway import agent, command, world
from processes import eventually, free_port
from sdk import client, text
from upstream import OK, Upstream
from wire import JSON, Wire, ask, request, rpc, trusting


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """The gateway's, and two of agents: the one it trusts and another."""
    directory = tmp_path_factory.mktemp("agents")
    return [Authority(directory, name) for name in ("gateway", "agents", "strangers")]


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as made:
        yield made


def listener(*pairs, **more):
    return {"certificates": [{"certificate": str(certificate), "private_key": str(key)} for certificate, key in pairs]} | more


@pytest.fixture
def serve(start, upstream, authorities):
    """Starts a gateway whose listener has the pairs of files and whatever else."""

    def begin(*pairs, servers=None, timeouts=None, **more):
        port = free_port()
        pairs = pairs or (authorities[0].pair("localhost", "127.0.0.1"),)
        gateway = {"listen": [{"address": f"127.0.0.1:{port}", "tls": listener(*pairs, **more)}], "workers": 2}
        if timeouts:
            gateway["timeouts"] = timeouts
        running = start(world(servers or {"raw": {"url": upstream.url, "auth": "none"}}, gateway=gateway))
        running.port, running.origin = port, f"https://127.0.0.1:{port}"
        running.trusting = trusting(authorities[0].file)
        return running

    return begin


def call(gateway, context=None, name="localhost", timeout=15.0):
    """One call on a connection of its own; its answer, and the connection's TLS."""
    with Wire(gateway.port, context=context or gateway.trusting, name=name, timeout=timeout) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        return wire.answer(), wire.socket.version()


def metric(gateway, result):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.admin}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return next(int(line.split()[-1]) for line in lines if line.startswith(f'claviger_tls_handshakes_total{{result="{result}"}}'))


# What is spoken


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(serve, authorities, version):
    gateway = serve()
    context = trusting(authorities[0].file, minimum_version=version, maximum_version=version)
    answer, spoken = call(gateway, context)
    assert answer.status == 200 and spoken == version.name.replace("_", ".")


def test_older_ones_are_refused_and_it_is_said(serve, authorities):
    gateway = serve()
    context = trusting(authorities[0].file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        call(gateway, context)
    eventually(lambda: "TLS with an agent failed: the client offers no TLS version from 1.2 on (127.0.0.1)" in gateway.log())
    assert metric(gateway, "no_common_ground") == 1


def test_what_openssls_own_client_sees(serve, authorities):
    """The suite, the group, the protocol and the whole chain, by `openssl s_client`; renegotiation is refused."""
    gateway = serve()
    common = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", authorities[0].file, "-verify_return_error", "-servername", "localhost"]
    seen = subprocess.run([*common, "-alpn", "h2,http/1.1"], input="", text=True, capture_output=True, timeout=20).stdout
    assert "Verify return code: 0 (ok)" in seen and "ALPN protocol: http/1.1" in seen and "X25519" in seen and "TLSv1.3" in seen
    refused = subprocess.run([*common, "-alpn", "h2"], input="", text=True, capture_output=True, timeout=20)
    assert "no application protocol" in refused.stderr
    again = subprocess.run([*common, "-tls1_2"], input="R\nQ\n", text=True, capture_output=True, timeout=20)
    assert "no renegotiation" in again.stderr
    assert call(gateway)[0].status == 200


def test_plain_http_is_told_so(serve):
    gateway = serve()
    with Wire(gateway.port) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        answer = wire.answer()
        assert (answer.status, answer["x-claviger-refusal"], answer["connection"]) == (400, "bad_request", "close")
        assert wire.is_closed()
    with Wire(gateway.port) as wire:
        wire.send(b"SSH-2.0-OpenSSH_9.6\r\n")
        assert wire.is_closed() or not wire.fill()
    eventually(lambda: metric(gateway, "not_tls") == 2)


def test_a_session_is_resumed_on_any_worker(serve, authorities):
    gateway = serve()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = trusting(authorities[0].file, minimum_version=version, maximum_version=version)
        session = None
        for turn in range(6):
            with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
                with context.wrap_socket(raw, server_hostname="localhost", session=session) as wire:
                    wire.sendall(request("POST", "/mcp/raw", agent() | JSON, rpc()))
                    assert wire.recv(1 << 16).startswith(b"HTTP/1.1 200")
                    assert wire.session_reused == (turn > 0)
                    session = wire.session
    assert metric(gateway, "resumed") == 10


# Certificates and clients


def test_the_certificate_is_chosen_by_name(serve, authorities):
    ours = authorities[0]
    gateway = serve(ours.pair("first.test"), ours.pair("*.wild.test"), ours.pair("exact.wild.test", "second.test"))
    context = trusting(ours.file, check_hostname=False)

    def shown(name):
        with socket.create_connection(("127.0.0.1", gateway.port)) as raw, context.wrap_socket(raw, server_hostname=name) as wire:
            return [value for _, value in wire.getpeercert()["subjectAltName"]]

    assert shown(None) == shown("elsewhere.test") == shown("a.b.wild.test") == ["first.test"]
    assert shown("a.wild.test") == ["*.wild.test"]
    assert shown("EXACT.wild.test") == shown("second.test") == ["exact.wild.test", "second.test"]


def with_certificate(authorities, pair, **options):
    context = trusting(authorities[0].file, **options)
    context.load_cert_chain(*pair)
    return context


def is_refused(gateway, context=None):
    """Whether nothing of HTTP is answered. In TLS 1.3 the client is done before its certificate is read."""
    try:
        call(gateway, context)
    except (ssl.SSLError, ConnectionError, AssertionError):
        return True
    return False


def test_agents_show_certificates_where_they_must(serve, authorities, upstream):
    gateway = serve(client_ca=str(authorities[1].file))
    ours, strangers, expired = authorities[1].pair("one"), authorities[2].pair("two"), authorities[1].pair("old", expired=True)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        options = {"minimum_version": version, "maximum_version": version}
        assert call(gateway, with_certificate(authorities, ours, **options))[0].status == 200
        before = len(upstream.requests)
        assert is_refused(gateway, trusting(authorities[0].file, **options))
        assert is_refused(gateway, with_certificate(authorities, strangers, **options))
        assert is_refused(gateway, with_certificate(authorities, expired, **options))
        assert len(upstream.requests) == before
    for why in ("the client showed no certificate", "is of an unknown authority (/CN=strangers)", "the certificate expired on"):
        eventually(lambda: why in gateway.log())
    assert metric(gateway, "certificate") == 6


def test_agents_may_show_certificates_where_they_can(serve, authorities):
    gateway = serve(client_ca=str(authorities[1].file), client_certificates="optional")
    assert call(gateway)[0].status == 200
    assert call(gateway, with_certificate(authorities, authorities[1].pair("one")))[0].status == 200
    assert is_refused(gateway, with_certificate(authorities, authorities[2].pair("two")))


# The whole of it


@pytest.mark.anyio
async def test_the_sdks_client_calls_by_https(serve, modern, authorities, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities[0].file))
    gateway = serve(servers={"modern": {"url": modern.url, "auth": "none"}})
    async with client(gateway.url("modern").replace("127.0.0.1", "localhost"), agent()) as session:
        assert text(await session.call_tool("echo", {"text": "over TLS"})) == "over TLS"


def test_an_answer_is_one_record_and_one_segment(serve):
    """Head and body leave together: the client's first read has both."""
    gateway = serve()
    with Wire(gateway.port, context=gateway.trusting) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        assert wire.socket.recv(1 << 16).endswith(b"\r\n\r\n{}")


def test_the_portal_knows_that_it_is_https(serve):
    gateway = serve()
    answer = ask_by(gateway, "GET", "/connect/acme")
    assert answer["strict-transport-security"]


def ask_by(gateway, method, target):
    with Wire(gateway.port, context=gateway.trusting) as wire:
        wire.send(request(method, target))
        return wire.answer(method)


def test_a_good_bye_ends_the_connection(serve):
    gateway = serve()
    with Wire(gateway.port, context=gateway.trusting) as wire:
        wire.send(request("POST", "/mcp/raw", agent() | JSON | {"Connection": "close"}, rpc()))
        assert wire.answer().status == 200
        # The gateway's own good-bye comes before the end: otherwise this would be an error.
        assert wire.socket.recv(1) == b""


# What it costs others


def test_a_slow_handshake_is_ended_in_time(serve):
    gateway = serve(timeouts={"head": "1s"})
    began = time.monotonic()
    with Wire(gateway.port) as silent, Wire(gateway.port) as dripping:
        for byte in b"\x16\x03\x01\x02\x00\x01\x00":
            with contextlib.suppress(OSError):
                dripping.send(bytes([byte]))
            time.sleep(0.3)
        assert silent.is_closed() and dripping.is_closed()
    assert time.monotonic() - began < 4
    assert metric(gateway, "late") == 2


def test_a_flood_of_handshakes_starves_nobody(serve):
    """Two thousand connections that never go on: whoever has a connection is served as before, and newcomers come in."""
    gateway = serve()
    with contextlib.ExitStack() as stack, Wire(gateway.port, context=gateway.trusting) as open_before:
        for _ in range(2000):
            flooding = stack.enter_context(socket.socket())
            flooding.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                flooding.connect(("127.0.0.1", gateway.port))
        waited = []
        for _ in range(21):
            began = time.monotonic()
            open_before.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert open_before.answer().status == 200
            waited.append(time.monotonic() - began)
        assert sorted(waited)[10] < 0.1
        assert call(gateway, timeout=10)[0].status == 200
        assert metric(gateway, "crowded_out") > 0


# Files that change


def exchange(files, others):
    """Puts the others' content in place, the certificate first, as tools that renew do: each by a rename."""
    for file, other in zip(files, others):
        fresh = file.with_suffix(".new")
        shutil.copy(other, fresh)
        fresh.chmod(0o600)
        os.replace(fresh, file)


def serial(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw, gateway.trusting.wrap_socket(raw, server_hostname="localhost") as wire:
        return wire.getpeercert()["serialNumber"]


def test_certificates_are_exchanged_under_load_without_a_failure(serve, authorities):
    ours = authorities[0]
    files = ours.pair("localhost", label="served")
    gateway = serve(files)
    first, failures, over = serial(gateway), [], threading.Event()

    def load(keep):
        while not over.is_set():
            try:
                with Wire(gateway.port, context=gateway.trusting) as wire:
                    for _ in range(1000 if keep else 1):
                        wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
                        assert wire.answer().status == 200
                        if over.is_set():
                            break
            except Exception as failure:
                failures.append(failure)

    threads = [threading.Thread(target=load, args=(keep,)) for keep in (True, False)]
    for thread in threads:
        thread.start()
    try:
        with Wire(gateway.port, context=gateway.trusting) as kept:
            exchange(files, ours.pair("localhost", label="renewed"))
            eventually(lambda: serial(gateway) != first, seconds=20, every=0.3)
            kept.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert kept.answer().status == 200
        renewed = serial(gateway)
        # Half a renewal: the certificate is another's than the key. What is in force stays, and it is said.
        exchange(files[:1], ours.pair("localhost", label="half")[:1])
        eventually(lambda: "does not belong to the first certificate" in gateway.log(), seconds=20, every=0.3)
        assert serial(gateway) == renewed
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert gateway.log().count("does not belong to the first certificate") == 1
    assert "the new ones are in force" in gateway.log()


# What `check` says


def checked(tmp_path, tls, **sections):
    config = tmp_path / "conf.d"
    config.mkdir(exist_ok=True)
    gateway = {"listen": [{"address": "127.0.0.1:8443", "tls": tls}], "public_url": "https://localhost:8443"}
    (config / "gateway.yaml").write_text(json.dumps({"gateway": gateway} | sections, indent=1))
    done = command("check", "--config", config)
    return done.returncode, done.stdout + done.stderr


def test_check_names_what_is_wrong_with_the_files(tmp_path, authorities):
    ours = authorities[0]
    certificate, key = ours.pair("localhost", label="good")
    assert checked(tmp_path, listener((certificate, key)))[0] == 0
    code, said = checked(tmp_path, listener((certificate, ours.pair("localhost", label="other")[1])))
    assert code == 78 and "gateway.yaml:10:23: " in said and "does not belong to the first certificate in" in said
    for pair, words in {(certificate, "/nowhere.key"): "the private key /nowhere.key does not exist", ("/nowhere.crt", key): "the certificate /nowhere.crt does not exist",
                        (key, key): "no certificate can be read from", (certificate, certificate): "no private key can be read from"}.items():
        code, said = checked(tmp_path, listener(pair))
        assert code == 78 and "gateway.yaml:" in said and words in said, said
    key.chmod(0o604)
    code, said = checked(tmp_path, listener(ours.pair("localhost", expired=True, label="expired"), (certificate, key)))
    assert code == 0 and "expired on" in said and f"everyone may read the private key {key}; take that away: chmod o-r {key}" in said
    code, said = checked(tmp_path, listener((certificate, key), client_ca=str(key)))
    assert code == 78 and f"`client_ca`: the authorities in {key} cannot be used" in said
    assert "`client_certificates` needs `client_ca`" in checked(tmp_path, listener((certificate, key), client_certificates="optional"))[1]
    assert "`tls` needs `certificates`" in checked(tmp_path, {})[1]


def test_a_server_that_asks_for_a_certificate_gets_the_configured_one(start, authorities):
    ours = authorities[0]
    context = ours.server("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authorities[1].file)
    certificate, key = authorities[1].pair("claviger")
    with Upstream(context=context) as asking:
        url = f"https://localhost:{asking.port}/mcp"
        shown = {"ca": str(ours.file), "client_certificate": str(certificate), "client_key": str(key)}
        gateway = start(world({"known": {"url": url, "auth": "none", "tls": shown}, "unknown": {"url": url, "auth": "none", "tls": {"ca": str(ours.file)}}}))
        for _ in range(3):
            assert ask(gateway.port, "POST", "/mcp/known", agent() | JSON, rpc()).status == 200
        before = len(asking.requests)
        answer = ask(gateway.port, "POST", "/mcp/unknown", agent() | JSON, rpc())
        assert (answer.status, answer["x-claviger-refusal"]) == (502, "upstream_unreachable")
        assert len(asking.requests) == before


def test_a_reload_changes_what_a_listener_encrypts_with(serve, authorities):
    """Client certificates wanted, then not; encrypted, then not: connections that are open stay as they are."""
    gateway = serve()
    file = gateway.config / "gateway.yaml"
    config = json.loads(file.read_text())
    ours = authorities[1].pair("one")

    def reload(**tls):
        listen = config["gateway"]["listen"][0]
        listen["tls"] = {"certificates": listen["tls"]["certificates"]} | tls
        file.write_text(json.dumps(config, indent=1))
        done = gateway.command("reload")
        assert done.returncode == 0, done.stderr

    with Wire(gateway.port, context=gateway.trusting) as kept:
        for _ in range(2):
            kept.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert kept.answer().status == 200
            reload(client_ca=str(authorities[1].file))
            assert is_refused(gateway) and call(gateway, with_certificate(authorities, ours))[0].status == 200
        config["gateway"]["listen"][0]["tls"]["certificates"][0]["private_key"] = str(ours[1])
        file.write_text(json.dumps(config, indent=1))
        refused = gateway.command("reload")
        assert refused.returncode == 78 and "does not belong to the first certificate" in refused.stdout + refused.stderr
        assert call(gateway, with_certificate(authorities, ours))[0].status == 200
        kept.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
        assert kept.answer().status == 200


def test_a_reload_says_whose_certificates_and_authorities_are_others(start, upstream, authorities, tmp_path):
    """The files' names stay: what stands in them is what a listener, and a server, is given."""
    ours, theirs = authorities[0], authorities[1]
    served, shown = ours.pair("localhost", label="before"), theirs.pair("claviger", label="shown")
    trusted = tmp_path / "clients.pem"
    shutil.copy(theirs.file, trusted)
    port = free_port()
    servers = {
        "raw": {"url": upstream.url, "auth": "none"},
        "far": {"url": "https://localhost:1/mcp", "auth": "none", "tls": {"client_certificate": str(shown[0]), "client_key": str(shown[1])}},
    }
    tls = listener(served, client_ca=str(trusted), client_certificates="optional")
    gateway = start(world(servers, gateway={"listen": [{"address": f"127.0.0.1:{port}", "tls": tls}]}))
    gateway.port, gateway.trusting = port, trusting(ours.file)

    def said():
        done = gateway.command("reload")
        assert done.returncode == 0, done.stderr
        return [line.strip() for line in done.stdout.splitlines()[1:]]

    assert said() == []
    before = serial(gateway)
    exchange(served, ours.pair("localhost", label="after"))
    assert said() == [f"listener 127.0.0.1:{port} changed"]
    assert serial(gateway) != before
    eventually(lambda: f"reloaded: listener 127.0.0.1:{port} changed" in gateway.log())
    shutil.copy(authorities[2].file, trusted)
    assert said() == [f"listener 127.0.0.1:{port} changed"]
    assert call(gateway, with_certificate(authorities, authorities[2].pair("one")))[0].status == 200
    exchange(shown, theirs.pair("claviger", label="shown next"))
    assert said() == ["server far changed: tls"]
    assert said() == []


def test_the_end_of_a_certificate_is_seen_coming(start, upstream, authorities, tmp_path):
    """In the metric, the status, and what check says; and no more once the files are renewed."""
    ours = authorities[0]
    long, short = ours.pair("localhost", label="long"), ours.pair("short.test", label="short", days=5)
    shown = ours.pair("claviger", label="for a server", days=20)
    port = free_port()
    servers = {
        "raw": {"url": upstream.url, "auth": "none"},
        "far": {"url": "https://localhost:1/mcp", "auth": "none", "tls": {"client_certificate": str(shown[0]), "client_key": str(shown[1])}},
    }
    gateway = start(world(servers, gateway={"listen": [{"address": f"127.0.0.1:{port}", "tls": listener(long, short)}]}))

    def days(listener="", server=""):
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.admin}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        labels = f'claviger_certificate_expiry_timestamp_seconds{{listener="{listener}",server="{server}"}} '
        return round((next(int(line.split()[-1]) for line in lines if line.startswith(labels)) - time.time()) / 86_400)

    assert days(listener=f"127.0.0.1:{port}") == 5 and days(server="far") == 20
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * 86_400))[:8]
    status = gateway.command("status").stdout
    assert f"certificate  127.0.0.1:{port} until {end}" in status and "certificate  for server far until " in status
    warning = f"the certificate {short[0]} expires on {end}"
    checked = command("check", "--config", gateway.config, environment=gateway.environment)
    assert checked.returncode == 0 and warning in checked.stdout and checked.stdout.count("expires on") == 1
    assert warning in gateway.log()
    exchange(short, ours.pair("short.test", label="renewed short"))
    eventually(lambda: days(listener=f"127.0.0.1:{port}") == 90, seconds=20, every=0.3)
    assert "expires on" not in command("check", "--config", gateway.config, environment=gateway.environment).stdout


def test_an_idle_connection_is_small(serve):
    """Measured: 8 KiB of the gateway's own in a debug build, 14 of OpenSSL's; no buffer of a record's 16 stays with it."""
    gateway = serve()

    def opened(stack, count):
        for _ in range(count):
            wire = stack.enter_context(Wire(gateway.port, context=gateway.trusting))
            wire.send(request("POST", "/mcp/raw", agent() | JSON, rpc()))
            assert wire.answer().status == 200

    with contextlib.ExitStack() as stack:
        opened(stack, 50)
        before = gateway.process.resident()
        opened(stack, 300)
        assert (gateway.process.resident() - before) / 300 < 32 << 10
