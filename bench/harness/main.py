"""The whole of a run, top to bottom."""

import os
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile

from . import contenders, gateways, machine, output, readme, rounds, workloads
from .bench import Bench
from .fault import Fault
from .options import parse
from .progress import Progress


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell's background job has it ignored
    try:
        return run(parse())
    except Fault as fault:
        print(f"\nbench: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbench: interrupted; everything that was started has been ended", file=sys.stderr)
        return 130


def run(options):
    machine.require()
    if options.update_readme:
        readme.require_place((contenders.ROOT / "README.md").read_text())
    chosen = [(contenders.ALL | gateways.ALL)[name](options) for name in options.contenders]
    results = {"date": machine.date(), "command": shlex.join(["bench/run", *sys.argv[1:]]), "commit": machine.commit(),
               "machine": machine.describe(), "options": {"rounds": options.rounds, "seconds": options.seconds, "quick": options.quick},
               "contenders": {}, "workloads": []}
    home = tempfile.mkdtemp(prefix="claviger-bench-", dir=place())
    bench = None
    try:
        bench = Bench(options, home)
        results["contenders"] = {each.name: {"label": each.label, "version": each.version(), "less": each.less} for each in chosen}
        planned = [workloads.ALL[name] for name in options.only]
        progress = Progress(sum(workload.cost(options, chosen) for workload in planned))
        for workload in planned:
            results["workloads"].append(rounds.run(bench, workload, chosen, progress))
        progress.clear()
        results["checks"] = bench.checks
    finally:
        if bench:
            bench.close()
        shutil.rmtree(home, ignore_errors=True)
    output.write(options, results)
    return 0


def place():
    """In memory where there is room, so that nobody's log or store waits for a disk; else where temporary files go."""
    shared = pathlib.Path("/dev/shm")
    if not os.access(shared, os.W_OK) or os.statvfs(shared).f_flag & os.ST_NOEXEC:
        return None
    return shared if shutil.disk_usage(shared).free > 2 << 30 else None
