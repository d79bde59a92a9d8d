"""An MCP server that demands a token of a provider of ours: RFC 9728 says whose. It judges every bearer, and counts."""

import json
from collections import Counter, deque

from upstream import Upstream


class Protected(Upstream):
    """`judged` counts what became of the requests: good, none, or why the bearer is not; `bearers` has the last thousand that came."""

    def __init__(self, provider, scopes=None, needs=(), **options):
        """`scopes`: what its challenge and metadata name. `needs`: without these in the token it answers 403."""
        super().__init__(self.judge, **options)
        self.provider, self.scopes, self.needs = provider, scopes, list(needs)
        self.requests, self.bearers, self.judged = deque(maxlen=1000), deque(maxlen=1000), Counter()
        self.has_metadata, self.refuses = True, False  # the second: 401 to every token, good or not.
        self.amended = {}

    @property
    def place(self):
        return f"{self.origin}/.well-known/oauth-protected-resource/mcp"

    def metadata(self):
        found = {"resource": self.url, "authorization_servers": [self.provider.issuer], "scopes_supported": self.scopes} | self.amended
        return {name: value for name, value in found.items() if value is not None}

    def judge(self, seen, peer):
        if seen.target.startswith("/.well-known/"):
            known = self.has_metadata and self.origin + seen.target == self.place
            return tell(peer, 200, self.metadata()) if known else tell(peer, 404, {})
        scheme, _, token = (seen["authorization"] or "").partition(" ")
        found = self.provider.look(token) if scheme == "Bearer" else "none"
        self.bearers.append(token)
        if isinstance(found, str) or self.refuses:
            self.judged[found if isinstance(found, str) else "refused"] += 1
            return tell(peer, 401, {}, self.challenge(None if found == "none" else "invalid_token", self.scopes))
        if set(self.needs) - set(found.scopes):
            self.judged["insufficient"] += 1
            return tell(peer, 403, {}, self.challenge("insufficient_scope", self.needs))
        self.judged["good"] += 1
        tell(peer, 200, {"scopes": found.scopes, "resource": found.resource, "length": seen.length})

    def challenge(self, error, scopes):
        parts = [f'error="{error}"'] if error else []
        if scopes:
            parts.append(f'scope="{" ".join(scopes)}"')
        if self.has_metadata:
            parts.append(f'resource_metadata="{self.place}"')
        return "WWW-Authenticate: Bearer " + ", ".join(parts) + "\r\n" if parts else "WWW-Authenticate: Bearer\r\n"

    @property
    def bad(self):
        """Requests with a bearer that is not good, by why."""
        return {why: count for why, count in self.judged.items() if why not in ("good", "none", "insufficient", "refused")}


def tell(peer, status, body, more=""):
    data = json.dumps(body).encode()
    peer.send(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Content-Length: {len(data)}\r\n\r\n".encode(), data)
