"""OAuth providers that others wrote, each a process on a port of its own; and who signs in there."""

import json
import urllib.request
from dataclasses import dataclass, field

from canaries import canary
from processes import HERE, ROOT, Process, accepts, free_port

PYTHON = ROOT / ".build/venv-oauth/bin/python"


@dataclass
class RealProvider:
    """`fill`: what a person types and presses there, by the name of the field."""

    port: int
    process: Process
    issuer: str
    fill: dict = field(default_factory=dict)

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def metadata(self):
        for place in ("oauth-authorization-server", "openid-configuration"):
            try:
                with urllib.request.urlopen(f"{self.origin}/.well-known/{place}") as answer:
                    return json.load(answer)
            except urllib.error.HTTPError:
                pass
        raise AssertionError("no metadata")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()


def started(script, directory, *arguments, issuer="{}", **fill):
    port = free_port()
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "HOME": str(directory)}
    process = Process([PYTHON, HERE / "servers" / script, port, *arguments], directory / f"{script}-{port}.log", environment, HERE / "servers")
    process.ready(lambda: accepts(port), 60)
    return RealProvider(port, process, issuer.format(f"http://127.0.0.1:{port}"), fill)


def django(directory, life):
    """django-oauth-toolkit. `life` of its access tokens, in whole seconds."""
    return started("django_oauth.py", directory, directory, life, username="alice", password="password", allow="Authorize")


def fastmcp(directory, life):
    """An MCP server, at /mcp, that is its own provider."""
    return started("fastmcp_oauth.py", directory, life, issuer="{}/")


def canaille(directory, life):
    return started("canaille_oidc.py", directory, life, login="alice", password="correct horse battery", answer="accept")


def idpy(directory, life, *redirect_uris):
    """idpyoidc, which knows one client: rp, with the secret `provider.secret`."""
    secret = canary("idpy-client")
    client = {"client_id": "rp", "client_secret": secret, "redirect_uris": redirect_uris, "response_types_supported": ["code"],
              "allowed_scopes": ["openid", "profile", "offline_access"], "token_endpoint_auth_method": "client_secret_basic"}
    provider = started("idpy_exchange.py", directory, directory, life, json.dumps({"rp": client}))
    provider.secret = secret
    return provider
