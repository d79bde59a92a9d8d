"""What every contender has to do: one key, its users, the credential of each."""

import base64
import dataclasses
import hashlib
import pathlib
import secrets

SECRET = secrets.token_urlsafe(32)
KEY = "ck_bench1." + SECRET


@dataclasses.dataclass(frozen=True)
class Work:
    upstream: int           # the port
    users: int = 32
    access: bool = False    # access records on
    large: bool = False     # bodies are large: whoever has to be told gets larger buffers
    connections: int = 9900
    ttl: str = "1h"         # how long Claviger uses a credential without asking its store again
    certificate: pathlib.Path | None = None    # agents come by TLS: certificate and key, in this one PEM file
    store: int = 0          # the port of a stand-in for Parameter Store; 0 = Claviger's own sealed files, and deposits

    key = KEY
    key_sha256 = hashlib.sha256(SECRET.encode()).hexdigest()

    def email(self, number):
        return f"user{number:05}@acme.com"

    def credential(self, number):
        return hashlib.sha256(f"{SECRET}{number}".encode()).hexdigest()[:40]

    def reference(self, number):
        """Where Claviger looks for the credential in Parameter Store."""
        digest = base64.b32encode(hashlib.sha256(self.email(number).encode()).digest()).decode().rstrip("=").lower()
        return f"/claviger/acme/users/{digest}/bench"

    def pairs(self):
        return [(self.email(number), self.credential(number)) for number in range(self.users)]
