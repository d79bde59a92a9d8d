"""A scripted MCP server on raw sockets: it records every byte, and its answer is what the scenario says."""

import socket
import threading
import time
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: list
    body: bytes = b""
    length: int = 0
    connection: int = 0
    raw_head: bytes = b""

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        values = self.all(name)
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None


class Peer:
    """The upstream's end of one connection."""

    def __init__(self, socket, number, upstream):
        self.socket, self.number, self.upstream, self.buffer = socket, number, upstream, b""

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def wait_closed(self, seconds=10.0):
        """The monotonic time at which the gateway closed; None if it did not."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return None
        except OSError:
            pass
        return time.monotonic()

    def fill(self):
        more = self.socket.recv(1 << 18)
        self.upstream.received += more[: max(0, (1 << 20) - len(self.upstream.received))]
        self.buffer += more
        return bool(more)

    def read(self):
        """The next request, whole; None when the connection ends before."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        raw, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        seen = Seen(method, target, headers, connection=self.number, raw_head=raw)
        if self.upstream.reads_body:
            self.read_body(seen)
        return seen

    def read_body(self, seen):
        if seen["transfer-encoding"]:
            while True:
                size = int(self.line(), 16)
                self.take(seen, size)
                self.line()
                if size == 0:
                    return
        self.take(seen, int(seen["content-length"] or 0))

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise ConnectionError
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def take(self, seen, count):
        """Counts the body's bytes and keeps the first mebibyte."""
        while count:
            if not self.buffer and not self.fill():
                raise ConnectionError
            part, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(part)
            seen.length += len(part)
            if len(seen.body) < 1 << 20:
                seen.body += part


class Upstream:
    """Listens on a port of its own; `answer(seen, peer)` is called for each request, on the connection's thread."""

    def __init__(self, answer=None, reads_body=True, context=None):
        self.answer = answer or (lambda seen, peer: peer.send(OK))
        self.reads_body, self.context = reads_body, context
        self.requests, self.received, self.connections = [], b"", 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = self.origin + "/mcp"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(accepted, self.connections), daemon=True).start()

    def serve(self, accepted, number):
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                accepted = self.context.wrap_socket(accepted, server_side=True)
            peer = Peer(accepted, number, self)
            while (seen := peer.read()) is not None:
                self.requests.append(seen)
                self.answer(seen, peer)
        except OSError:
            pass
        finally:
            accepted.close()

    def close(self):
        # shutdown wakes the thread in accept(), which close alone would leave listening.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.close()
        except OSError:
            pass
