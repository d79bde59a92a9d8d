"""What a service manager hears of the daemon, at a socket of the scenario's own: every message, in its order."""

import os
import re
import socket
import threading
import time

import pytest
from gateway import header, world
from processes import eventually


class Listener:
    """NOTIFY_SOCKET (sd_notify(3)): each datagram as its lines, with the time at which it came."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                message = self.socket.recv(1 << 16)
            except OSError:
                return
            if not message:
                return
            self.heard.append((time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, dict(line.split("=", 1) for line in message.decode().splitlines())))

    def stages(self):
        """Those messages that say more than a sign of life or a line, by what they say first."""
        return [next(iter(message)) for _, message in self.heard if not {"WATCHDOG", "STATUS"} & {next(iter(message))}]

    def signs(self):
        return [at for at, message in self.heard if message == {"WATCHDOG": "1"}]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def manager(tmp_path):
    listener = Listener(tmp_path / "notify")
    yield listener
    listener.close()


def test_the_service_manager_hears_everything_in_order(start, upstream, manager, tmp_path):
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    gateway = start(world({"crm": header(upstream.url)}), environment=environment)
    eventually(lambda: manager.stages() == ["READY"])
    ready = next(message for _, message in manager.heard if "READY" in message)
    assert ready["READY"] == "1" and ready["STATUS"].startswith("serving, snapshot 1 (")

    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert gateway.command("reload").returncode == 0
    eventually(lambda: manager.stages() == ["READY", "RELOADING", "READY"])
    (began, reloading), (_, done) = [each for each in manager.heard if {"RELOADING", "READY"} & set(each[1])][1:]
    # systemd takes a READY=1 for the end of this reload only where it is later than this time.
    assert reloading.keys() == {"RELOADING", "MONOTONIC_USEC"} and before <= int(reloading["MONOTONIC_USEC"]) <= began
    assert done["STATUS"].startswith("serving, snapshot 2 (") and re.search(r"; last reload \S+ ok$", done["STATUS"])

    file = gateway.config / "gateway.yaml"
    good = file.read_text()
    file.write_text("servers: [")
    assert gateway.command("reload").returncode == 78
    eventually(lambda: manager.stages() == ["READY", *["RELOADING", "READY"] * 2])
    refused = [message for _, message in manager.heard if "READY" in message][-1]
    assert refused["STATUS"].startswith("serving, snapshot 2 (") and "refused, nothing changed: " in refused["STATUS"]
    file.write_text(good)

    # A sign of life at least twice within the time that the manager waits.
    count = len(manager.signs())
    eventually(lambda: len(manager.signs()) >= count + 6, seconds=10)
    signs = manager.signs()[count:]
    assert max(later - sooner for sooner, later in zip(signs, signs[1:])) < 500_000

    gateway.process.end()
    eventually(lambda: manager.stages()[-1] == "STOPPING")
    stopping = next(message for _, message in manager.heard if "STOPPING" in message)
    assert stopping["STOPPING"] == "1" and stopping["STATUS"].startswith("draining") and int(stopping["EXTEND_TIMEOUT_USEC"]) >= 10_000_000
    assert manager.stages().count("STOPPING") == 1


def test_without_a_watchdog_no_sign_of_life_is_given(start, upstream, manager, tmp_path):
    """WATCHDOG_PID names another process: it is that one's."""
    start(world({"crm": header(upstream.url)}), environment={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())})
    eventually(lambda: "READY" in manager.stages())
    time.sleep(1)
    assert not manager.signs()
