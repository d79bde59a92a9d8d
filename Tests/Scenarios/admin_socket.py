"""The administration API over admin.sock, without the cost of a command."""

import contextlib
import http.client
import json
import socket


class AdminSocket:
    """One connection. `ask` gives status and JSON; None where there was no whole answer."""

    def __init__(self, runtime):
        self.path = str(runtime / "admin.sock")
        self.connection = None

    def ask(self, method, path, body=None):
        try:
            self.connection = self.connection or Connection(self.path)
            self.connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body))
            answer = self.connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    def close(self):
        with contextlib.suppress(OSError):
            if self.connection:
                self.connection.close()
        self.connection = None


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
