"""A real MCP server on the SDK 2.3.0: 2026-07-28, and sessions for who asks for them. Usage: modern.py PORT"""

import sys

import anyio
from mcp.server.mcpserver import Context, MCPServer
from recorder import Recorder, serve

server = MCPServer("modern")


@server.tool()
async def whoami(ctx: Context) -> str:
    """The credential this call carried, as it came."""
    headers = ctx.headers or {}
    return headers.get("authorization") or headers.get("x-key") or "none"


@server.tool()
async def echo(text: str) -> str:
    return text


@server.tool()
async def count(to: int, pause: float, ctx: Context) -> str:
    for step in range(1, to + 1):
        await anyio.sleep(pause)
        await ctx.report_progress(step, to)
    return f"counted to {to}"


@server.tool()
async def wait(seconds: float, speak: bool, ctx: Context) -> str:
    """Runs silent, or after one progress event, until it ends or is cancelled; the recorder notes a cancellation."""
    try:
        if speak:
            await ctx.report_progress(0, 1)
        await anyio.sleep(seconds)
    except anyio.get_cancelled_exc_class():
        recorder.note_cancelled()
        raise
    return "waited"


recorder = Recorder(server.streamable_http_app())

if __name__ == "__main__":
    serve(recorder, int(sys.argv[1]))
