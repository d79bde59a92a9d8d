"""What a fixture server saw: an ASGI wrapper that records every request, and answers GET /_seen with the record."""

import json
import time

import uvicorn


class Recorder:
    """Wraps an MCP app. A path such as /KEY/mcp reaches the app as /mcp, for servers whose credential is in the path; none does without `mount`."""

    def __init__(self, app, mount="/mcp"):
        self.app = app
        self.mount = mount
        self.requests = []
        self.cancelled = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["path"] == "/_seen":
            return await self.tell(send)
        self.requests.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode("latin-1"),
                "query": scope["query_string"].decode("latin-1"),
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            }
        )
        if self.mount and scope["path"].endswith(self.mount):
            scope = dict(scope, path=self.mount, raw_path=self.mount.encode())
        await self.app(scope, receive, send)

    async def tell(self, send):
        body = json.dumps({"requests": self.requests, "cancelled": self.cancelled}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    def note_cancelled(self):
        self.cancelled.append(time.monotonic())


def serve(app, port):
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1, timeout_keep_alive=75)
