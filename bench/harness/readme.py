"""The small table of the README, between its two marker comments."""

from .fault import Fault
from .figures import SUBJECT, column, ratio_text, spread
from .metrics import METRICS
from .words import caution, compared

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def table(results):
    """A row a workload: what it costs Claviger, and the ratio of that to each other's in the same round."""
    others = {name: contender["label"] for name, contender in results["contenders"].items() if name != SUBJECT}
    lines = ["| | Claviger | " + " | ".join("÷ " + label for label in others.values()) + " |", "|---|" + "---:|" * (len(others) + 1)]
    for workload in results["workloads"]:
        of = spread(column(workload["rounds"], SUBJECT, workload["main"])) if workload["main"] else None
        if of is None:
            continue
        metric = METRICS[workload["main"]]
        ratios = [cell(ratio.median, ratio.low, ratio.high, ratio_text) if (ratio := compared(workload, name)) else "–" for name in others]
        unit = f", {metric.unit}" if metric.unit else ""
        own = cell(of.median, of.low, of.high, metric.text)
        lines.append(f"| `{workload['name']}`: {metric.title}{unit} | {own} | " + " | ".join(ratios) + " |")
    machine = results["machine"]
    lines += ["", f"Medians of interleaved rounds, quartiles below, ratios within a round: under 1, Claviger takes less. {results['date'][:10]}, "
              f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, commit `{results['commit']}`: `{results['command']}`. "
              "What each line is, how it is measured, and the delays: [`bench/README.md`](bench/README.md)."]
    return "\n".join(lines + ([f"{caution(results)}"] if caution(results) else []))


def cell(median, low, high, text):
    return f"{text(median)}<br><sub>{text(low)}–{text(high)}</sub>"


def require_place(text):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Fault(f"README.md has no place for the table: put the lines {BEGIN} and {END} where it shall stand, once each")


def placed(text, results):
    """The README with the table in its place."""
    require_place(text)
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}"
