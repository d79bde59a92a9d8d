"""https:// upstream: the certificate is checked before anything of HTTP is sent."""

import ssl

import pytest
from authority import Authority
from gateway import ALICE, agent, world
from processes import eventually
from upstream import OK, Upstream
from wire import JSON, ask, request, rpc


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """Upstreams under TLS by name, and the authority that signed the good ones."""
    directory = tmp_path_factory.mktemp("certificates")
    ours, theirs = Authority(directory, "ours"), Authority(directory, "theirs")
    made = {
        "good": Upstream(context=ours.server("localhost", "127.0.0.1")),
        "twelve": Upstream(context=ours.server("localhost", versions=ssl.TLSVersion.TLSv1_2)),
        "foreign": Upstream(context=theirs.server("localhost")),
        "misnamed": Upstream(context=ours.server("elsewhere.example")),
        "expired": Upstream(context=ours.server("localhost", expired=True)),
        "old": Upstream(context=ours.server("localhost", versions=ssl.TLSVersion.TLSv1_1)),
        "plain": Upstream(),
    }
    yield ours, made
    for upstream in made.values():
        upstream.close()


def config(peers, **sections):
    ours, made = peers
    servers = {name: {"url": f"https://localhost:{peer.port}/mcp", "auth": "none", "tls": {"ca": str(ours.file)}} for name, peer in made.items()}
    servers["address"] = {"url": f"https://127.0.0.1:{made['good'].port}/mcp", "auth": "none", "tls": {"ca": str(ours.file)}}
    servers["renamed"] = {"url": f"https://127.0.0.1:{made['misnamed'].port}/mcp", "auth": "none",
                          "tls": {"ca": str(ours.file), "server_name": "elsewhere.example"}}
    servers["system"] = {"url": f"https://localhost:{made['good'].port}/mcp", "auth": "none"}
    return world(servers, **sections)


@pytest.fixture(scope="module")
def gateway(daemons, peers):
    with daemons(config(peers)) as running:
        yield running


@pytest.fixture(scope="module")
def quiet(daemons, peers):
    """Without access records."""
    with daemons(config(peers, log={"access": False})) as running:
        yield running


@pytest.mark.parametrize("server", ["good", "twelve", "address", "renamed"])
def test_a_good_certificate_is_taken(gateway, peers, server):
    for _ in range(3):
        assert ask(gateway.port, "POST", f"/mcp/{server}", agent() | JSON, rpc()).status == 200


@pytest.mark.parametrize("server", ["foreign", "misnamed", "expired", "old", "plain", "system"])
def test_any_other_is_refused_and_nothing_of_http_is_sent(gateway, peers, server):
    peer = peers[1].get(server) or peers[1]["good"]
    before = len(peer.received)
    answer = ask(gateway.port, "POST", f"/mcp/{server}", agent() | JSON, rpc())
    # A plain server waits for the end of what it takes for a head: there the time to connect decides.
    expected = (504, "upstream_timeout") if server == "plain" else (502, "upstream_unreachable")
    assert (answer.status, answer["x-claviger-refusal"]) == expected
    assert b"HTTP/1.1" not in peer.received[before:] and b"whoami" not in peer.received[before:]


@pytest.mark.parametrize("server, why, remedy", [
    ("foreign", "the certificate is of an unknown authority (/CN=theirs)", "name its file in the server's `tls.ca`"),
    ("system", "the certificate is of an unknown authority (/CN=ours)", "name its file in the server's `tls.ca`"),
    ("misnamed", "the certificate is for other names (elsewhere.example), not for localhost", "name in `tls.server_name` what the certificate is for"),
    ("expired", "the certificate expired on 20", "whoever runs the server has to renew it"),
])
@pytest.mark.parametrize("records", ["gateway", "quiet"])
def test_the_log_says_which_certificate_was_refused_and_why(request, peers, server, why, remedy, records):
    """With access records and without; not whose call it was."""
    gateway = request.getfixturevalue(records)
    peer = peers[1].get(server) or peers[1]["good"]
    before = len(gateway.log())
    assert ask(gateway.port, "POST", f"/mcp/{server}", agent() | JSON, rpc()).status == 502
    start = f"servers.{server}: its certificate was refused, so nothing was sent to https://localhost:{peer.port}: {why}"

    def said():
        return [line for line in gateway.log()[before:].splitlines() if start in line]

    eventually(said)
    assert len(said()) == 1 and remedy in said()[0] and ALICE not in said()[0]


def test_an_authority_of_the_systems_that_was_taken_away_is_trusted_no_more(start, peers, tmp_path):
    """What is in force without `tls.ca` is read again by a reload, and when its file changes."""
    ours, made = peers
    trusted = tmp_path / "system.pem"
    trusted.write_bytes(ours.file.read_bytes())
    peer = made["good"]
    former, peer.answer = peer.answer, lambda seen, peer: peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    try:
        gateway = start(world({"system": {"url": f"https://localhost:{peer.port}/mcp", "auth": "none"}}),
                        environment={"SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": str(tmp_path)})

        def status():
            return ask(gateway.port, "POST", "/mcp/system", agent() | JSON, rpc()).status

        assert status() == 200
        trusted.write_bytes(b"")
        assert gateway.command("reload").returncode == 0
        assert status() == 502
        trusted.write_bytes(ours.file.read_bytes())
        eventually(lambda: status() == 200, seconds=20, every=0.5)
        assert "the certificates of servers that use the system's authorities changed: the new ones are in force" in gateway.log()
    finally:
        peer.answer = former


def test_a_session_with_a_server_is_resumed(start, peers):
    """A connection after the first needs no certificate: the server sees an earlier session."""
    ours = peers[0]
    resumed = []

    def answer(seen, peer):
        resumed.append(peer.socket.session_reused)
        peer.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Upstream(answer, context=ours.server("localhost", versions=version)) as peer:
            gateway = start(world({"crm": {"url": f"https://localhost:{peer.port}/mcp", "auth": "none", "tls": {"ca": str(ours.file)}}}, gateway={"workers": 1}))
            resumed.clear()
            for _ in range(3):
                assert ask(gateway.port, "POST", "/mcp/crm", agent() | JSON, rpc()).status == 200
            assert peer.connections == 3 and resumed == [False, True, True]


def test_a_hundred_mebibytes_come_through_tls(gateway, peers):
    upstream = peers[1]["good"]
    size, block = 100 << 20, bytes(range(256)) * 4096

    def answer(seen, peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(100):
            peer.send(block)

    upstream.answer = answer
    try:
        from wire import Wire

        with Wire(gateway.port, timeout=60) as wire:
            wire.send(request("GET", "/mcp/good", agent()))
            assert wire.head().status == 200
            for _ in range(100):
                assert wire.exactly(len(block)) == block
    finally:
        upstream.answer = Upstream().answer


def test_plaintext_to_another_host_is_refused_by_check(start):
    """http:// to anything but loopback needs `plaintext: true`; the daemon does not start without."""
    gateway = start(world({"raw": {"url": "http://10.0.0.1/mcp", "auth": "none"}}), ready=False)
    gateway.process._child.wait(10)
    assert gateway.process._child.returncode == 78 and "plaintext" in gateway.log()
