"""The table of the terminal: one block a workload, medians with their quartiles, ratios of Claviger to each."""

from .figures import column, ratio_text, spread
from .metrics import METRICS
from .words import compared


def rows(workload, contenders):
    """A heading and a row for each contender that took part, as text."""
    metrics = [METRICS[name] for name in workload["metrics"]]
    heading = ["", *(f"{metric.title}{', ' + metric.unit if metric.unit not in ('', '/s') else ''}" for metric in metrics), "Claviger / it"]
    result = [heading]
    for name, contender in contenders.items():
        cells = [metric.of(spread(column(workload["rounds"], name, key))) for key, metric in zip(workload["metrics"], metrics)]
        if all(cell == "–" for cell in cells):
            continue
        result.append([contender["label"], *cells, compared_text(workload, name)])
    return result


def compared_text(workload, name):
    of = compared(workload, name)
    return f"{ratio_text(of.median)} ({ratio_text(of.low)}–{ratio_text(of.high)})" if of else ""


def aligned(table):
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in table]


def text(results):
    lines = []
    for workload in results["workloads"]:
        lines += ["", f"{workload['name']}: {workload['sentence']}" + (f"; {len(workload['rounds'])} rounds" if workload["rounds"] else "")]
        if workload["rounds"]:
            lines += ["  " + line for line in aligned(rows(workload, results["contenders"]))]
        lines += [f"  {note}" for note in workload["notes"]]
    return "\n".join(lines)
