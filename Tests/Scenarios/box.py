"""A machine of its own (Tests/Box/box): a real systemd as PID 1 on this machine's files without Swift, and the package of the release build for it."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import subprocess
import time
import warnings

from processes import ROOT, eventually

SCRIPT = ROOT / "Tests/Box/box"
CLONE_NEWNET = 0x40000000
PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def packaged(directory):
    """The Debian package of the release build, made in `directory`; CLAVIGER_PACKAGE names one to take instead."""
    if "CLAVIGER_PACKAGE" in os.environ:
        return pathlib.Path(os.environ["CLAVIGER_PACKAGE"])
    # For a machine in memory nothing has to be small.
    plain = {"PLACE": str(directory), "DPKG_DEB_COMPRESSOR_TYPE": "none", "DPKG_DEB_COMPRESSOR_LEVEL": "0"}
    done = subprocess.run([ROOT / ".make/deb"], capture_output=True, text=True, timeout=1800, env=os.environ | plain)
    assert done.returncode == 0, done.stdout + done.stderr
    if "is older than" in done.stderr:
        warnings.warn(done.stderr.strip())
    [made] = directory.glob("claviger_*.deb")
    return made


class Box:
    """`with` ends it. Its processes are seen from here under other numbers; its network is a loopback of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self._do("up")
        self.pid = int(self._do("pid").stdout)

    def _do(self, action, *arguments):
        done = subprocess.run([SCRIPT, action, self.directory, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"box {action}: {done.stdout}{done.stderr}"
        return done

    def run(self, *command, check=True, input=""):
        """Runs a command in the box, as root; asserts that it is content, unless told otherwise."""
        done = subprocess.run([SCRIPT, "exec", self.directory, *map(str, command)], input=input, capture_output=True, text=True, timeout=120)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.journal()[-4000:]}"
        return done

    def copy(self, *sources, to):
        self._do("copy", *map(str, sources), to)

    def install(self, package):
        self.copy(package, to="/root")
        return self.run("dpkg", "--install", f"/root/{package.name}")

    def path(self, path):
        """A file of the box, from here."""
        return pathlib.Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def configure(self, config):
        """The daemon's one file of configuration."""
        self.write("/etc/claviger/conf.d/10-gateway.yaml", json.dumps(config, indent=1))

    def override(self, unit, text):
        """A drop-in of `unit`, as `systemctl edit` makes one."""
        self.write(f"/etc/systemd/system/{unit}.d/override.conf", text)
        self.run("systemctl", "daemon-reload")

    def revert(self, *units):
        """No drop-ins any more."""
        self.run("rm", "-rf", *(f"/etc/systemd/system/{unit}.d" for unit in units))
        self.run("systemctl", "daemon-reload")

    def in_sandbox(self, *command):
        """What a command says that is run as the service is: by its user, within all that its unit grants and takes away."""
        unit = re.sub(r"(?ms)^\[(?!Service\]).*?(?=^\[Service\]|\Z)", "", self.run("systemctl", "cat", "claviger.service").stdout)
        line = " ".join(map(str, command))
        once = f"[Service]\nType=oneshot\nExecStartPre=\nExecStart=\nExecStart={line}\nRestart=no\nRuntimeDirectory=\nStandardOutput=truncate:/root/said\n"
        self.write("/run/systemd/system/sandbox.service", unit + once)
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", "sandbox.service")
        return self.path("/root/said").read_text()

    def systemctl(self, *arguments, check=True):
        return self.run("systemctl", *arguments, check=check)

    def show(self, name, unit="claviger.service"):
        """A property of a unit."""
        return self.systemctl("show", "--value", "-p", name, unit).stdout.strip()

    def entries(self, *matches):
        """The daemon's entries in the journal, the oldest first, as their fields."""
        self.run("journalctl", "--sync")
        return [json.loads(line) for line in self.run("journalctl", "-o", "json", "-u", "claviger", *matches).stdout.splitlines()]

    def journal(self, *matches):
        arguments = matches or ("-u", "claviger", "-u", "claviger.socket")
        return self.run("journalctl", "--no-pager", "-o", "cat", *arguments, check=False).stdout

    def main_pid(self):
        """The daemon's number as this machine counts."""
        inside, space = self.show("MainPID"), os.readlink(f"/proc/{self.pid}/ns/pid")
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                numbers = re.search(r"^NSpid:.*\s(\d+)$", (process / "status").read_text(), re.MULTILINE)
                if numbers and numbers[1] == inside and os.readlink(process / "ns/pid") == space:
                    return int(process.name)
        raise AssertionError(f"nobody has the number {inside} in the box")

    @contextlib.contextmanager
    def network(self):
        """This thread's new sockets, threads and processes are in the box's network."""
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self.pid}/ns/net") as inside:
            enter(inside)
            try:
                yield
            finally:
                enter(own)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._do("down")


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def thread_named(pid, name):
    for comm in pathlib.Path(f"/proc/{pid}/task").glob("*/comm"):
        if comm.read_text().strip() == name:
            return int(comm.parent.name)
    raise AssertionError(f"{pid} has no thread {name}")


class Held:
    """Stops one thread of another process, and it alone (ptrace(2)), for as long as it lives. Its end has to be asked for: until then the other
    process is not over for its parent."""

    def __init__(self, thread):
        self.thread = thread
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if libc.ptrace(request, thread, None, None):
                raise OSError(ctypes.get_errno(), f"ptrace of {thread}")

    def has_ended(self):
        try:
            number, status = os.waitpid(self.thread, os.WNOHANG | WALL)
        except ChildProcessError:
            return True
        return number != 0 and not os.WIFSTOPPED(status)


def settled(claim, seconds=20):
    """`eventually`, for what a service manager does."""
    return eventually(claim, seconds, 0.1)


def measured(action):
    """How many seconds `action` took."""
    start = time.monotonic()
    action()
    return time.monotonic() - start
