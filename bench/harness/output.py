"""What a run leaves: tables and sentences on the terminal, the results, the report, and if asked the README's table."""

import json

from . import goals, readme, report, table, words
from .contenders import ROOT


def write(options, results):
    """The files first: a terminal that goes away takes nothing with it."""
    options.results.mkdir(parents=True, exist_ok=True)
    stem = options.results / results["date"].replace(":", "").removesuffix("Z")
    stem.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")
    stem.with_suffix(".html").write_text(report.page(results))
    print(table.text(results))
    if words.caution(results):
        print(f"\n{words.caution(results)}")
    promised = [f"{goals.STATES[state]}: {goal.workload}: {goals.sentence(goal, of, state)}" for goal, of, state in goals.judged(results)]
    found = [f"{name}: {sentence}" for name, sentence in words.found(results)]
    for title, sentences in (("Promised", promised), ("Found", found), ("Noisy", words.noisy(results))):
        if sentences:
            print("\n".join([f"\n{title}", *(f"  {sentence}" for sentence in sentences)]))
    print(f"\n{stem.with_suffix('.json')}\n{stem.with_suffix('.html')}")
    if options.update_readme:
        file = ROOT / "README.md"
        file.write_text(readme.placed(file.read_text(), results))
        print(f"{file}: the table is new")
