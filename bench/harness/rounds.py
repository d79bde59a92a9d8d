"""Interleaved rounds: everybody once a round, the order turned round every other round."""

import time


def order(contenders, number):
    return list(contenders) if number % 2 == 0 else list(reversed(contenders))


def run(bench, workload, contenders, progress):
    """The result of a workload: its rounds, raw, and its notes."""
    options = bench.options
    part = [contender for contender in contenders if workload.takes_part(contender)]
    count = workload.rounds_of(options)
    each = (workload.cost(options, contenders) - workload.setup) / max(1, count * len(part))
    rounds, notes, began = [], [], time.monotonic()
    if part:
        progress.say(f"{workload.name}: getting ready")
        workload.prepare(bench, part)
        progress.spent(workload.setup)
        for number in range(count):
            figures = workload.begin_round(bench)
            for contender in order(part, number):
                progress.say(f"{workload.name}: round {number + 1} of {count}, {contender.label}")
                figures[contender.name] = workload.measure(bench, contender)
                progress.spent(each)
            workload.finish_round(figures)
            rounds.append(figures)
    notes += workload.finish(bench)
    return {"name": workload.name, "sentence": workload.sentence, "main": workload.main, "metrics": list(workload.metrics),
            "plots": list(workload.plots), "rounds": rounds, "notes": notes,
            "took_seconds": round(time.monotonic() - began, 1)}
