"""The MCP server of the whole calls: the official SDK's, without sessions, with one tool. Usage: server.py PORT"""

import sys

import uvicorn
from mcp.server.fastmcp import FastMCP
from mcp.server.transport_security import TransportSecuritySettings

server = FastMCP("bench", log_level="ERROR", stateless_http=True, json_response=True, streamable_http_path="/mcp/bench",
                 transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False))


@server.tool()
def whoami(text: str = "") -> str:
    return "you"


uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False,
            timeout_keep_alive=3600)
