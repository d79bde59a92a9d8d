"""Stands between the gateway and a service it asks, passes requests on, and does to them what the scenario says."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections import Counter


class FaultRelay:
    """An HTTP relay on a port of its own. `fault` is None, or one of the methods of `Faults`; it counts what came, by operation."""

    def __init__(self, port, context=None):
        self.target, self.context, self.fault = port, context, None
        self.calls, self.log = Counter(), []
        self.lock = threading.Lock()
        self.connections = set()
        self.open_listener(0)

    @property
    def endpoint(self):
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    @property
    def count(self):
        with self.lock:
            return sum(self.calls.values())

    def close_connections(self):
        """Those that are open now: a fault that needs a new connection to show is seen at once."""
        with self.lock:
            connections, self.connections = self.connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def leave(self):
        """Nobody listens any more."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.close_connections()

    def come_back(self):
        self.open_listener(self.port)

    def open_listener(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ssl.SSLError, ConnectionError):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.add(connection)
            stream = connection.makefile("rb")
            while (message := read_message(stream)) is not None:
                operation = field(message[0], b"x-amz-target").decode().split(".")[-1] or "other"
                with self.lock:
                    self.calls[operation] += 1
                    self.log.append((time.monotonic(), operation, message[1]))
                fault = self.fault
                if fault is None:
                    connection.sendall(self.forward(message))
                elif fault(self, connection, message) is not KEEP:
                    break
        connection.close()
        with self.lock:
            self.connections.discard(connection)

    def forward(self, message):
        """The service's whole answer, as bytes. The Host of the request stays: it is signed."""
        head, body = message
        with socket.create_connection(("127.0.0.1", self.target)) as upstream:
            upstream.sendall(without(head, b"connection") + b"Connection: close\r\n\r\n" + body)
            answer = b"".join(iter(lambda: upstream.recv(1 << 16), b""))
        first, rest = answer.split(b"\r\n\r\n", 1)
        return without(first + b"\r\n\r\n", b"connection") + b"\r\n" + rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.leave()


KEEP = object()


class Faults:
    """What may happen to a request. Each is called with relay, connection and message; only KEEP leaves the connection open."""

    @staticmethod
    def throttling(relay, connection, message):
        return answer(connection, 400, {"__type": "ThrottlingException", "message": "Rate exceeded"})

    @staticmethod
    def too_many_with_retry_after(relay, connection, message):
        return answer(connection, 429, b"<html>slow down</html>", "Retry-After: 1\r\n")

    @staticmethod
    def internal_errors(relay, connection, message):
        return answer(connection, 500, {"__type": "InternalServerError", "message": "An error occurred on the server side."})

    @staticmethod
    def bare_503(relay, connection, message):
        return answer(connection, 503, b"")

    @staticmethod
    def html_502(relay, connection, message):
        return answer(connection, 502, b"<html><h1>Bad Gateway</h1></html>")

    @staticmethod
    def hang(relay, connection, message):
        """Until the gateway gives up."""
        connection.settimeout(60)
        connection.recv(1)

    @staticmethod
    def slow_drip(relay, connection, message):
        """A byte every fifth of a second: the whole would take minutes."""
        for byte in relay.forward(message):
            connection.sendall(bytes([byte]))
            time.sleep(0.2)

    @staticmethod
    def reset(relay, connection, message):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    @staticmethod
    def close_unanswered(relay, connection, message):
        return None

    @staticmethod
    def half_answer(relay, connection, message):
        whole = relay.forward(message)
        connection.sendall(whole[: len(whole) - 20])

    @staticmethod
    def no_json(relay, connection, message):
        return answer(connection, 200, b"{\"Parameters\": [{\"Name\": \"/clav")

    @staticmethod
    def other_json(relay, connection, message):
        return answer(connection, 200, {"Parameters": {"Name": 7}, "InvalidParameters": None})

    @staticmethod
    def expired_credentials(relay, connection, message):
        return answer(connection, 400, {"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"})

    @staticmethod
    def empty_batch(relay, connection, message):
        """Neither found nor said to be missing: nothing is known of what was asked."""
        return answer(connection, 200, {"Parameters": [], "InvalidParameters": []})

    @staticmethod
    def noise(relay, connection, message):
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def partial_batches(names):
    """The service leaves out `names` from whatever it answers, neither found nor missing."""
    def fault(relay, connection, message):
        head, body = relay.forward(message).split(b"\r\n\r\n", 1)
        found = json.loads(body)
        for part in ("Parameters", "InvalidParameters"):
            if part in found:
                found[part] = [each for each in found[part] if (each["Name"] if isinstance(each, dict) else each) not in names]
        return answer(connection, 200, found)
    return fault


def answer(connection, status, body, more=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/x-amz-json-1.1" if body[:1] == b"{" else "text/html"
    connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return KEEP


def read_message(stream):
    """Head, with its empty line, and body; None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    return head, stream.read(int(field(head, b"content-length") or 0))


def field(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def without(head, name):
    """The head's lines but those of `name`, open for more."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    return b"".join(line + b"\r\n" for line in lines if line.partition(b":")[0].lower() != name)
