"""The whole of a run, top to bottom."""

import json
import shlex
import shutil
import signal
import sys
import tempfile

from . import contenders, machine, rounds, table, workloads
from .bench import Bench
from .fault import Fault
from .options import parse
from .progress import Progress


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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
    chosen = [contenders.ALL[name](options) for name in options.contenders]
    results = {"date": machine.date(), "command": shlex.join(["bench/run", *sys.argv[1:]]), "commit": machine.commit(),
               "machine": machine.describe(), "options": {"rounds": options.rounds, "seconds": options.seconds, "quick": options.quick},
               "contenders": {}, "workloads": []}
    home = tempfile.mkdtemp(prefix="claviger-bench-")
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
    write(options, results)
    return 0


def write(options, results):
    print(table.text(results))
    options.results.mkdir(parents=True, exist_ok=True)
    stem = results["date"].replace(":", "").removesuffix("Z")
    file = options.results / f"{stem}.json"
    file.write_text(json.dumps(results, indent=1))
    print(f"\nresults: {file}")
