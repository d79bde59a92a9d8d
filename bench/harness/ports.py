"""Ports of loopback: a free one, and the wait until somebody listens there."""

import socket
import time

from .fault import Fault


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_listener(port, child, log=None, seconds=60):
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if child.poll() is not None:
            raise Fault(f"{child.args[0]} ended with status {child.returncode}: {log.read_text().strip()[-2000:] if log else ''}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise Fault(f"{child.args[0]} does not listen on port {port} after {seconds} seconds: {log.read_text().strip()[-2000:] if log else ''}")
