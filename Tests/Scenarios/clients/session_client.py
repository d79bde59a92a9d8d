"""The SDK's client 1.30.0, driven from outside. Usage: session_client.py URL HEADERS-JSON; calls as JSON lines on standard
input, {"tool", "arguments"}; for each a JSON line on standard output, {"text", "progress": [seconds since the call]} or {"error"}."""

import json
import sys
import time

import anyio
import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError


async def call(session, request):
    progress = []
    began = time.monotonic()

    async def note(value, total, message):
        progress.append(time.monotonic() - began)

    try:
        result = await session.call_tool(request["tool"], request.get("arguments", {}), progress_callback=note)
    except McpError as error:
        return {"error": {"code": error.error.code, "message": error.error.message, "data": error.error.data}}
    return {"text": result.content[0].text, "progress": progress}


async def main(url, headers):
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        async with streamable_http_client(url, http_client=http) as (read, write, _):
            async with ClientSession(read, write) as session:
                try:
                    answer = await session.initialize()
                except McpError as error:
                    print(json.dumps({"error": {"code": error.error.code, "message": error.error.message, "data": error.error.data}}))
                    return
                print(json.dumps({"version": answer.protocolVersion}), flush=True)
                for line in sys.stdin:
                    print(json.dumps(await call(session, json.loads(line))), flush=True)


anyio.run(main, sys.argv[1], json.loads(sys.argv[2]))
