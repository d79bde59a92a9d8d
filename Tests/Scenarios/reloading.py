"""Load that counts what fails, and what a daemon weighs."""

import http.client
import pathlib
import threading

from gateway import ALICE, agent
from wire import JSON, rpc


class Load:
    """Callers one after the other on connections that stay, while the block runs. A connection that says it closes is opened anew, as clients do."""

    def __init__(self, gateway, callers=4):
        self.gateway, self.done, self.failed = gateway, 0, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(callers)]

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=20)
        while not self.over.is_set():
            try:
                connection.request("POST", "/mcp/crm", rpc(), agent(ALICE) | JSON)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    self.failed.append((answer.status, body))
            except (OSError, http.client.HTTPException) as fault:
                self.failed.append(repr(fault))
                connection.close()
            self.done += 1
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
