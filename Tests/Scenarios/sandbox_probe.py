"""Run within the unit's hardening (Box.in_sandbox): tries what a gateway never needs, and says as JSON what came of it: an error's name, or what is seen."""

import ctypes
import errno
import json
import mmap
import os
import pathlib
import socket
import time

CLONE_NEWUSER, ADDR_NO_RANDOMIZE = 0x10000000, 0x0040000
libc = ctypes.CDLL(None, use_errno=True)
own = pathlib.Path(os.environ["STATE_DIRECTORY"], "probe")


def refused(action):
    """Why the system does not do it; None where it does."""
    try:
        action()
    except OSError as fault:
        return errno.errorcode[fault.errno]
    return None


def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def listen(port):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


own.touch()
print(json.dumps({
    "memory written and run": refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)),
    "netlink": refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "packets": refused(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "a port of root's": refused(lambda: listen(443)),
    "a namespace": refused(lambda: call("unshare", CLONE_NEWUSER)),
    "a personality": refused(lambda: call("personality", ADDR_NO_RANDOMIZE)),
    "real time": refused(lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))),
    "the machine's name": refused(lambda: socket.sethostname("other")),
    "the clock": refused(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time())),
    "its configuration": refused(lambda: pathlib.Path(os.environ["CONFIGURATION_DIRECTORY"], "probe.yaml").touch()),
    "a file elsewhere": refused(lambda: pathlib.Path("/etc/probe").touch()),
    "a program that is somebody else": refused(lambda: own.chmod(0o4755)),
    "root's home": refused(lambda: os.listdir("/root")),
    "mode of a new file": oct(own.stat().st_mode & 0o777),
    "others' files in /tmp": os.listdir("/tmp"),
    "other processes": [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()],
    "the kernel in /proc": [name for name in ("sys", "kmsg", "kcore", "meminfo") if os.path.exists(f"/proc/{name}")],
    "devices": [name for name in ("mem", "kmsg", "console", "sda", "vda", "fuse", "net") if os.path.exists(f"/dev/{name}")],
}))
own.unlink()
