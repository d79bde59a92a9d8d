"""HTTP by hand: a client on a raw socket, and what it reads."""

import json
import pathlib
import socket
import ssl
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes = b""
    raw: bytes = b""
    complete: bool = True

    def __getitem__(self, name):
        """A header's value; None where it is absent. More than one is an error."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)


def request(method, target, headers=None, body=None, version="HTTP/1.1"):
    """A request as bytes. `headers` is a dict or pairs; Host and, with a body, Content-Length are added where absent."""
    pairs = list((headers or {}).items()) if isinstance(headers or {}, dict) else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", "gateway"))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    head = f"{method} {target} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
    return head.encode("latin-1") + (body or b"")


# How to speak TLS on the ports where it is spoken.
ENCRYPTED: dict[int, ssl.SSLContext] = {}


def trusting(authority: pathlib.Path, **options):
    """A client's context that trusts one authority, with attributes set as given."""
    context = ssl.create_default_context(cafile=authority)
    for name, value in options.items():
        setattr(context, name, value)
    return context


class Wire:
    """A connection to a port of this machine; by TLS where that is known to be spoken there, or with `context`."""

    def __init__(self, port, timeout=15.0, receive_buffer=None, context=None, name="localhost"):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        context = context or ENCRYPTED.get(port)
        if context:
            # What is cut off without a good-bye is no end.
            self.socket = context.wrap_socket(self.socket, server_hostname=name, suppress_ragged_eofs=False)

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def fill(self):
        """Reads some more; False at the end, a reset included."""
        try:
            more = self.socket.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLEOFError):
            more = b""
        self.buffer += more
        return bool(more)

    def until(self, mark):
        """The bytes up to and with `mark`; what there is if the connection ends first."""
        while mark not in self.buffer:
            if not self.fill():
                break
        at = self.buffer.find(mark)
        end = len(self.buffer) if at < 0 else at + len(mark)
        taken, self.buffer = self.buffer[:end], self.buffer[end:]
        return taken

    def exactly(self, count):
        while len(self.buffer) < count and self.fill():
            pass
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def head(self):
        """The next head as an Answer without body."""
        raw = self.until(b"\r\n\r\n")
        assert raw.endswith(b"\r\n\r\n"), f"no whole head: {raw[:200]!r}"
        first, *lines = raw[:-4].decode("latin-1").split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        return Answer(int(first.split(" ")[1]), headers, raw=raw)

    def answer(self, method="POST"):
        """The next whole answer; `complete` says whether its framing was kept to the end."""
        answer = self.head()
        while answer.status in (100, 102, 103):
            answer = self.head()
        if method == "HEAD" or answer.status in (204, 304):
            return answer
        if answer["content-length"] is not None:
            length = int(answer["content-length"])
            answer.body = self.exactly(length)
            answer.complete = len(answer.body) == length
        elif (answer["transfer-encoding"] or "").lower() == "chunked":
            answer.complete = False
            while True:
                line = self.until(b"\r\n")
                if not line.endswith(b"\r\n"):
                    break
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    answer.complete = self.until(b"\r\n") == b"\r\n"
                    break
                answer.body += self.exactly(size)
                if self.exactly(2) != b"\r\n":
                    break
        else:
            while self.fill():
                pass
            answer.body, self.buffer = self.buffer, b""
        return answer

    def is_closed(self, within=5.0):
        """Whether the peer closes the connection in that time without sending more."""
        end = time.monotonic() + within
        self.socket.settimeout(0.05)
        while time.monotonic() < end:
            try:
                return self.socket.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask(port, method, target, headers=None, body=None):
    """One request on a connection of its own."""
    with Wire(port) as wire:
        wire.send(request(method, target, headers, body))
        return wire.answer(method)


def rpc(method="tools/call", id=1, **params):
    """A JSON-RPC request's body."""
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()


JSON = {"Content-Type": "application/json"}
