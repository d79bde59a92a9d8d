"""The official SDK's clients: 2.3.0 in this process, 1.30.0 in a process of its own."""

import json
import subprocess
import urllib.request
from contextlib import asynccontextmanager, contextmanager

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from processes import HERE, PYTHON, SESSION_PYTHON, Process, accepts, free_port


@asynccontextmanager
async def client(url, headers=None, mode="auto", **options):
    """A connected client of the SDK 2.3.0."""
    async with httpx2.AsyncClient(headers=headers or {}, timeout=30) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode, **options) as connected:
            yield connected


def text(result):
    return result.content[0].text


class SessionClient:
    """The SDK 1.30.0 as a child process; `version` is what it negotiated, `refusal` the error that met `initialize`."""

    def __init__(self, url, headers=None):
        command = [SESSION_PYTHON, HERE / "clients/session_client.py", url, json.dumps(headers or {})]
        self._child = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = json.loads(self._child.stdout.readline())
        self.version, self.refusal = first.get("version"), first.get("error")

    def call(self, tool, **arguments):
        self._child.stdin.write(json.dumps({"tool": tool, "arguments": arguments}) + "\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


class FixtureServer:
    """A real MCP server of the fixtures. `url` is its endpoint, `seen()` what reached it."""

    def __init__(self, process, port, path):
        self.process, self.port, self.path = process, port, path
        self.origin = f"http://127.0.0.1:{port}"
        self.url = self.origin + path

    def _record(self):
        with urllib.request.urlopen(self.origin + "/_seen") as answer:
            return json.load(answer)

    def seen(self):
        """Every request so far: method, path, query, headers as [name, value] pairs."""
        return self._record()["requests"]

    def cancelled(self):
        """When calls were cancelled, on the monotonic clock."""
        return self._record()["cancelled"]


@contextmanager
def fixture_server(kind, directory):
    """kind: modern (SDK 2.3.0), session (1.30.0), sse (1.30.0, HTTP+SSE)."""
    port = free_port()
    python, script = (PYTHON, "modern.py") if kind == "modern" else (SESSION_PYTHON, "session.py")
    command = [python, HERE / "servers" / script, port] + (["sse"] if kind == "sse" else [])
    with Process(command, directory / f"{kind}-{port}.log", cwd=HERE / "servers") as process:
        process.ready(lambda: accepts(port))
        yield FixtureServer(process, port, "/sse" if kind == "sse" else "/mcp")
