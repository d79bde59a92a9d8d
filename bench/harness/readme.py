"""The small table of the README, between its two marker comments."""

from .fault import Fault
from .figures import column, spread
from .metrics import METRICS

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def table(results):
    """A row a workload, a column a contender, medians with quartiles of what the workload is about."""
    contenders = results["contenders"]
    lines = ["| | " + " | ".join(contender["label"] for contender in contenders.values()) + " |", "|---|" + "---:|" * len(contenders)]
    for workload in results["workloads"]:
        if not workload["rounds"]:
            continue
        keys = ["added_p50_us"] if workload["name"] == "events" else [workload["main"]]
        for key in keys:
            metric = METRICS[key]
            spreads = [spread(column(workload["rounds"], name, key)) for name in contenders]
            cells = [metric.of(of).replace(" (", "<br><sub>").replace(")", "</sub>") if of else "–" for of in spreads]
            unit = f", {metric.unit}" if metric.unit else ""
            lines.append(f"| `{workload['name']}`: {metric.title}{unit} | " + " | ".join(cells) + " |")
    machine = results["machine"]
    lines += ["", f"Medians of interleaved rounds, quartiles below; {results['date'][:10]}, {machine['processor']}, {machine['cores']} cores, Linux "
              f"{machine['kernel']}, commit `{results['commit']}`: `{results['command']}`. What each line is, and how it is measured: "
              "[`bench/README.md`](bench/README.md)."]
    return "\n".join(lines)


def require_place(text):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Fault(f"README.md has no place for the table: put the lines {BEGIN} and {END} where it shall stand, once each")


def placed(text, results):
    """The README with the table in its place."""
    require_place(text)
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}"
