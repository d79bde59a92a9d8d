"""Children pinned to a core, what they used of it, and their sure end."""

import ctypes
import os
import pathlib
import re
import signal
import subprocess

PROXY_CORE, PEER_CORE = 1, 0
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)
children = []


def start(command, core, **options):
    """A child on `core`; it ends with this process, however this one ends."""
    def pin():
        os.sched_setaffinity(0, {core})
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen([str(word) for word in command], preexec_fn=pin, start_new_session=True, **quiet | options)
    children.append(child)
    return child


def end(child, how=signal.SIGTERM):
    if child not in children:
        return
    if child.poll() is None:
        child.send_signal(how)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            pipe.close()
    children.remove(child)


def end_all():
    for child in reversed(list(children)):
        end(child)


def family(pid):
    """The process and all below it."""
    found = [pid]
    for member in found:
        for task in pathlib.Path(f"/proc/{member}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def scheduled(pid):
    """Of each thread of the family: nanoseconds it has run, and has waited for a core while it could have run."""
    threads = {}
    for member in family(pid):
        for task in pathlib.Path(f"/proc/{member}/task").glob("*/schedstat"):
            try:
                words = task.read_text().split()
            except OSError:
                continue  # a thread that has just ended
            threads[task.parent.name] = (int(words[0]), int(words[1]))
    return threads


def spent(before, after):
    """Nanoseconds between two looks: run by all threads, run by the busiest, waited by all."""
    ran = [now[0] - before.get(thread, (0, 0))[0] for thread, now in after.items()]
    waited = [now[1] - before.get(thread, (0, 0))[1] for thread, now in after.items()]
    return sum(ran), max(ran, default=0), sum(waited)


def resident(pid):
    """Resident KiB of the family; what several of its processes share is counted in part (proportional set size)."""
    return sum(int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{member}/smaps_rollup").read_text(), re.M)[1])
               for member in family(pid))


def stolen():
    """Jiffies the hypervisor has taken from both cores."""
    lines = pathlib.Path("/proc/stat").read_text().splitlines()
    wanted = {f"cpu{core}" for core in (PROXY_CORE, PEER_CORE)}
    return sum(int(line.split()[8]) for line in lines if line.split()[0] in wanted)
