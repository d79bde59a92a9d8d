"""Processes of a scenario: started with a log file, awaited by what they answer, always ended by their pid."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
PYTHON = ROOT / ".build/venv/bin/python"
SESSION_PYTHON = ROOT / ".build/venv-session/bin/python"


def binary(name):
    """The built executable: from CLAVIGER_BIN_PATH, else the debug build, else the release build."""
    places = [os.environ.get("CLAVIGER_BIN_PATH"), ROOT / ".build/debug", ROOT / ".build/release"]
    for place in filter(None, places):
        path = pathlib.Path(place) / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is not built: make build")


# Below those that the system gives to outgoing connections, each once.
PORTS = iter(random.sample(range(20_000, 32_000), 12_000))


def free_port():
    """One for a server that is to be started: nobody listens at it, and no outgoing connection may take it meanwhile."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is left")


HELD = []


def refusing_port():
    """One where every connection is refused: it is bound until the process ends, so that nobody else listens at it."""
    held = socket.socket()
    held.bind(("127.0.0.1", free_port()))
    HELD.append(held)
    return held.getsockname()[1]


def free_run(count):
    """The first of `count` ports in a row that nobody listens on."""
    while True:
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            base = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                for offset in range(1, count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", base + offset))
                return base


def eventually(claim, seconds=5.0, every=0.01):
    """Waits until `claim()` is true and gives its value; an assertion error when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = claim()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Process:
    """A child whose output goes to a file. `with` ends it."""

    def __init__(self, arguments, log, env=None, cwd=None):
        self.log = pathlib.Path(log)
        self._file = self.log.open("ab")
        self._child = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL, stdout=self._file, stderr=subprocess.STDOUT, env=env, cwd=cwd)

    @property
    def pid(self):
        return self._child.pid

    @property
    def is_running(self):
        return self._child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def ready(self, claim, seconds=20.0):
        def settled():
            assert self.is_running, f"ended with {self._child.returncode}:\n{self.output()}"
            return claim()

        try:
            eventually(settled, seconds)
        except BaseException:
            self.end()
            raise
        return self

    def end(self, how=signal.SIGTERM, seconds=8.0):
        """Sends `how`, waits, and kills what is still there. Gives the exit status."""
        if self.is_running:
            self._child.send_signal(how)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._file.close()
        return self._child.returncode

    def resident(self):
        """Resident memory in bytes; 0 when it has ended."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024 if "VmRSS:" in status else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
