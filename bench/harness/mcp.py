"""As much of an MCP client as whole calls need: initialize, find the tool, call it."""

import http.client
import json

from .fault import Fault


class Client:
    def __init__(self, port, path, headers, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.path, self.number, self.tool = path, 0, "whoami"
        self.headers = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}

    def post(self, method, params=None, notification=False):
        message = {"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})}
        if not notification:
            self.number += 1
            message["id"] = self.number
        self.connection.request("POST", self.path, json.dumps(message), self.headers)
        answer = self.connection.getresponse()
        body = answer.read().decode()
        if answer.headers.get("mcp-session-id"):
            self.headers["mcp-session-id"] = answer.headers["mcp-session-id"]
        if answer.status >= 300:
            raise Fault(f"{method} was answered {answer.status}: {body[:300]}")
        if notification:
            return None
        if "event-stream" in answer.headers.get("content-type", ""):
            body = [line[5:] for line in body.splitlines() if line.startswith("data:") and line[5:].strip()][-1]
        return json.loads(body)

    def begin(self):
        """Initializes, and takes the tool under the name it has here: gateways put a prefix before it."""
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self.headers["mcp-protocol-version"] = self.post("initialize", hello)["result"]["protocolVersion"]
        self.post("notifications/initialized", notification=True)
        names = [tool["name"] for tool in self.post("tools/list", {})["result"]["tools"]]
        named = [name for name in names if name.endswith("whoami")]
        if not named:
            raise Fault(f"there is no tool whoami among {names}")
        self.tool = named[0]
        return self

    def call(self):
        result = self.post("tools/call", {"name": self.tool, "arguments": {"text": "hello"}}).get("result", {})
        if [part.get("text") for part in result.get("content", [])] != ["you"]:
            raise Fault(f"the call was answered: {result}")

    def refresh(self):
        """A connection that is sure to be open, and a call on it: some servers close what was idle for five seconds."""
        self.connection.close()
        self.call()

    def close(self):
        self.connection.close()
