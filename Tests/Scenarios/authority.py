"""A certificate authority of a scenario, and servers that it vouches for."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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

    def pair(self, *names, expired=False, label=None, days=90):
        """A certificate for the names, or a client's, and its key: two files."""
        certificate, key = self.made(names or ("agent",), expired, days)
        label = label or f"{self.label}-{(names or ('agent',))[0].replace('*', 'any')}"
        files = self.directory / f"{label}.crt", self.directory / f"{label}.key"
        for file, content in zip(files, (certificate, key)):
            file.write_bytes(content)
            file.chmod(0o600)
        return files

    def made(self, names, expired=False, days=90):
        """Both as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = (NOW - 3 * DAY, NOW - DAY) if expired else (NOW - DAY, NOW + days * DAY)
        alternatives = [x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in names]
        certificate = (
            x509.CertificateBuilder().subject_name(name(names[0])).issuer_name(self.certificate.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False).sign(self.key, hashes.SHA256()))
        return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def server(self, *names, expired=False, versions=None):
        """A server's context with a certificate for the names."""
        file = self.directory / f"{self.label}-{names[0]}-{expired}.pem"
        file.write_bytes(b"".join(self.made(names, expired)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if versions:
            context.minimum_version = context.maximum_version = versions
            if versions < ssl.TLSVersion.TLSv1_2:
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
        return context
