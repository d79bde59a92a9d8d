"""Load that counts what fails, and what a daemon weighs."""

import http.client
import pathlib
import threading
import time

from gateway import ALICE, agent
from wire import JSON, rpc


class Load:
    """Callers without pause while the block runs, each on a connection that stays, or on one for each call. One that says it closes is opened
    anew, as clients do. `answered` are those that got the server's 200, `failed` all others, `slowest` is in seconds.

    A caller whom a busy machine kept from asking for longer than a gateway that ends waits for idle connections finds his closed, and opens another."""

    IDLE = 0.4

    def __init__(self, port, server="crm", callers=4, kept=True):
        self.port, self.path, self.kept = port, f"/mcp/{server}", kept
        self.answered, self.failed, self.slowest = 0, [], 0.0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(callers)]

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        idle = None     # since when the connection is
        while not self.over.is_set():
            start = time.monotonic()
            try:
                connection.request("POST", self.path, rpc(), agent(ALICE) | JSON)
            except OSError as fault:
                if idle is None or time.monotonic() - idle < self.IDLE or not isinstance(fault, ConnectionError):
                    self.failed.append(repr(fault))
                connection.close()
                idle = None
                continue
            try:
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200 and not answer.getheader("x-claviger-refusal"):
                    self.answered += 1
                else:
                    self.failed.append((answer.status, body))
            except (OSError, http.client.HTTPException) as fault:
                self.failed.append(repr(fault))
                connection.close()
            if not self.kept:
                connection.close()
            idle = time.monotonic() if connection.sock else None
            self.slowest = max(self.slowest, time.monotonic() - start)
        connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def resident(gateway):
    """Resident memory in KiB."""
    text = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def log_lines(gateway, level):
    return [line for line in gateway.log().splitlines() if f" {level} " in line]
