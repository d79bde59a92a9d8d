"""An MCP server of fastmcp that demands OAuth, and is its own provider: registration, PKCE, rotation. Usage: fastmcp_oauth.py PORT LIFE"""

import sys

from fastmcp import FastMCP
from fastmcp.server.auth.providers import in_memory
from fastmcp.server.dependencies import get_access_token
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from recorder import Recorder, serve

port, in_memory.DEFAULT_ACCESS_TOKEN_EXPIRY_SECONDS = int(sys.argv[1]), int(sys.argv[2])
provider = in_memory.InMemoryOAuthProvider(
    base_url=f"http://127.0.0.1:{port}", client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=["tools"]),
    revocation_options=RevocationOptions(enabled=True), required_scopes=["tools"])
server = FastMCP("oauth", auth=provider)


@server.tool
async def whoami() -> str:
    """The bearer that this call came with."""
    return get_access_token().token


@server.tool
async def add(a: int, b: int) -> int:
    return a + b


if __name__ == "__main__":
    serve(Recorder(server.http_app(), mount=None), port)
