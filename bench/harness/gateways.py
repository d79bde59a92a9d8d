"""MCP gateways of others, for whole calls: each speaks MCP itself and keeps its own list of tools."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import secrets
import subprocess
import time
import uuid

from .contenders import ROOT, Contender
from .fault import Fault

SECRET = "Aa1!" + secrets.token_urlsafe(36)
ADMIN = "admin@example.com"


class Gateway(Contender):
    relays = records = counted = injects = False
    package = environment = ""

    def program(self):
        found = ROOT / ".build" / self.environment / "bin" / self.command
        if not found.exists():
            raise Fault(f"{self.label} is not installed: run `make bench ARGS=--gateways`, or leave out --gateways")
        return found

    def version(self):
        done = subprocess.run([self.program().parent / "pip", "show", self.package], capture_output=True, text=True)
        return re.search(r"^Version: (\S+)", done.stdout, re.M)[1]


class LiteLLM(Gateway):
    name, label, package, environment, command = "litellm", "LiteLLM", "litellm", "venv-litellm", "litellm"
    less = "one credential for everybody, in its configuration; speaks MCP itself and opens a session upstream for each call"
    path, headers = "/mcp/", {"x-litellm-api-key": f"Bearer sk-{SECRET[4:]}"}

    def write(self, work, home, port):
        file = self.fill("litellm.yaml", home, upstream=work.upstream, key=f"sk-{SECRET[4:]}", credential=work.credential(0))
        return [self.program(), "--config", file, "--host", "127.0.0.1", "--port", port, "--num_workers", 1]


class ContextForge(Gateway):
    name, label, package, environment, command = "contextforge", "ContextForge", "mcp-contextforge-gateway", "venv-contextforge", "mcpgateway"
    less = "one credential for everybody, registered with the server; speaks MCP itself and opens a session upstream for each call"
    path = "/mcp"

    def __init__(self, options):
        super().__init__(options)
        self.headers = {"authorization": "Bearer " + token()}

    def write(self, work, home, port):
        self.port = port
        self.variables = {
            "DATABASE_URL": f"sqlite:///{home}/mcp.db", "JWT_SECRET_KEY": SECRET, "AUTH_ENCRYPTION_SECRET": SECRET, "BASIC_AUTH_PASSWORD": SECRET,
            "PLATFORM_ADMIN_EMAIL": ADMIN, "PLATFORM_ADMIN_PASSWORD": SECRET, "MCPGATEWAY_UI_ENABLED": "false", "CACHE_TYPE": "memory",
            "LOG_LEVEL": "ERROR", "SSRF_ALLOW_LOCALHOST": "true", "SSRF_ALLOW_PRIVATE_NETWORKS": "true"}
        return [self.program(), "--host", "127.0.0.1", "--port", port, "--workers", 1]

    def supply(self, work, home):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        wanted = {"name": "bench", "url": f"http://127.0.0.1:{work.upstream}/mcp/bench", "transport": "STREAMABLEHTTP", "visibility": "public",
                  "auth_type": "bearer", "auth_token": work.credential(0)}
        connection.request("POST", "/gateways", json.dumps(wanted), {"content-type": "application/json", **self.headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise Fault(f"ContextForge did not take the server: {answer.status} {body[:300]}")


def token():
    """The administrator's, for an hour (HS256)."""
    now = int(time.time())
    claims = {"sub": ADMIN, "iss": "mcpgateway", "aud": "mcpgateway-api", "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4()), "teams": None,
              "is_admin": True, "user": {"email": ADMIN, "full_name": "bench", "is_admin": True, "auth_provider": "local"}}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    mac = hmac.new(SECRET.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


ALL = {kind.name: kind for kind in (LiteLLM, ContextForge)}
