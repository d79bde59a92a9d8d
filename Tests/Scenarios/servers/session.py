"""A real MCP server on the SDK 1.30.0: sessions only; with `sse`, the old HTTP+SSE. Usage: session.py PORT [sse]"""

import sys

import anyio
from mcp.server.fastmcp import Context, FastMCP
from recorder import Recorder, serve

server = FastMCP("session")


def headers(ctx: Context):
    return ctx.request_context.request.headers


@server.tool()
async def whoami(ctx: Context) -> str:
    """The credential this call carried, as it came."""
    return headers(ctx).get("authorization") or headers(ctx).get("x-key") or "none"


@server.tool()
async def echo(text: str) -> str:
    return text


@server.tool()
async def count(to: int, pause: float, ctx: Context) -> str:
    for step in range(1, to + 1):
        await anyio.sleep(pause)
        await ctx.report_progress(step, to)
    return f"counted to {to}"


if __name__ == "__main__":
    sse = sys.argv[2:] == ["sse"]
    serve(Recorder(server.sse_app(), "/sse") if sse else Recorder(server.streamable_http_app()), int(sys.argv[1]))
