"""The whole of a run, top to bottom."""

import json
import os
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile

from . import contenders, goals, machine, readme, report, rounds, table, words, workloads
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
    chosen = [contenders.ALL[name](options) for name in options.contenders]
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
    write(options, results)
    return 0


def place():
    """In memory where there is room, so that nobody's log or store waits for a disk; else where temporary files go."""
    shared = pathlib.Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 << 30 and not os.statvfs(shared).f_flag & os.ST_NOEXEC else None


def write(options, results):
    """The table on the terminal, in words what was found, the files."""
    print(table.text(results))
    if words.caution(results):
        print(f"\n{words.caution(results)}")
    for title, sentences in (("Promised", [f"{goals.STATES[state]}: {goal.workload}: {goals.sentence(goal, of, state)}" for goal, of, state in goals.judged(results)]),
                             ("Found", [f"{name}: {sentence}" for name, sentence in words.found(results)]),
                             ("Noisy", words.noisy(results))):
        if sentences:
            print(f"\n{title}")
            print("\n".join(f"  {sentence}" for sentence in sentences))
    options.results.mkdir(parents=True, exist_ok=True)
    stem = options.results / results["date"].replace(":", "").removesuffix("Z")
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
    stem.with_suffix(".html").write_text(report.page(results))
    print(f"\n{stem.with_suffix('.json')}\n{stem.with_suffix('.html')}")
    if options.update_readme:
        file = contenders.ROOT / "README.md"
        file.write_text(readme.placed(file.read_text(), results))
        print(f"{file}: the table is new")
