"""What the figures were taken on, and whether it can be measured on at all."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from .contenders import ROOT
from .fault import Fault


def require():
    cores = os.sched_getaffinity(0)
    if not {0, 1} <= cores:
        raise Fault(f"two cores are needed, 0 and 1: the proxy has one, load and upstream the other; this process may use {sorted(cores)}")
    if os.geteuid() != 0:
        raise Fault("run it as root: it reads the processor time and memory of what it starts, and traces it (sudo bench/run …)")


def describe():
    cpu = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return {"processor": cpu[1] if cpu else platform.machine(), "cores": os.cpu_count(), "memory_gib": round(memory / 1048576, 1),
            "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=10"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def date():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")
