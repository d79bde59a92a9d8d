"""https:// upstream: the certificate is checked before anything of HTTP is sent."""

import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gateway import agent, world
from upstream import Upstream
from wire import JSON, ask, request, rpc

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority of a scenario."""

    def __init__(self, directory, label):
        self.directory, self.label = directory, label
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            x509.CertificateBuilder().subject_name(name(label)).issuer_name(name(label)).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(NOW - DAY).not_valid_after(NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
            .sign(self.key, hashes.SHA256()))
        self.file = directory / f"{label}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names, expired=False, versions=None):
        """A server's context with a certificate for the names."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = (NOW - 3 * DAY, NOW - DAY) if expired else (NOW - DAY, NOW + DAY)
        alternatives = [x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in names]
        certificate = (
            x509.CertificateBuilder().subject_name(name(names[0])).issuer_name(self.certificate.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False).sign(self.key, hashes.SHA256()))
        file = self.directory / f"{self.label}-{names[0]}-{expired}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if versions:
            context.minimum_version = context.maximum_version = versions
            if versions < ssl.TLSVersion.TLSv1_2:
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context


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


@pytest.fixture(scope="module")
def gateway(daemons, peers):
    ours, made = peers
    servers = {name: {"url": f"https://localhost:{peer.port}/mcp", "auth": "none", "tls": {"ca": str(ours.file)}} for name, peer in made.items()}
    servers["address"] = {"url": f"https://127.0.0.1:{made['good'].port}/mcp", "auth": "none", "tls": {"ca": str(ours.file)}}
    servers["renamed"] = {"url": f"https://127.0.0.1:{made['misnamed'].port}/mcp", "auth": "none",
                          "tls": {"ca": str(ours.file), "server_name": "elsewhere.example"}}
    servers["system"] = {"url": f"https://localhost:{made['good'].port}/mcp", "auth": "none"}
    with daemons(world(servers)) as running:
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
