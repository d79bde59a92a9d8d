"""What this project promised of its speed, and whether a run shows it kept."""

import dataclasses

from .figures import SUBJECT, column, ratios, spread
from .metrics import METRICS

STATES = {"kept": "kept", "missed": "missed", "open": "not decided"}


@dataclasses.dataclass(frozen=True)
class Goal:
    workload: str
    metric: str
    most: float
    against: str = ""       # a ratio to this contender; empty: the figure itself
    words: str = ""

    def values(self, workload):
        if self.against:
            return ratios(workload["rounds"], SUBJECT, self.against, self.metric)
        return column(workload["rounds"], SUBJECT, self.metric)

    def unit(self):
        return "" if self.against else METRICS[self.metric].unit


GOALS = [
    Goal("post-32", "cpu_us", 0.85, "nginx", "CPU per request over nginx's"),
    Goal("post-32", "cpu_us", 0.85, "haproxy", "CPU per request over HAProxy's"),
    Goal("post-32", "cpu_us", 1.12, "relay", "CPU per request over the relay's"),
    Goal("post-32", "p99_us", 1.0, "nginx", "p99 over nginx's"),
    Goal("post-32-records", "cpu_us", 0.85, "nginx", "CPU per request over nginx's, access records on"),
    Goal("post-32-records", "cpu_us", 0.85, "haproxy", "CPU per request over HAProxy's, access records on"),
    Goal("tls", "cpu_us", 0.85, "nginx", "CPU per request over nginx's, by TLS"),
    Goal("tls", "cpu_us", 0.85, "haproxy", "CPU per request over HAProxy's, by TLS"),
    Goal("events", "added_p50_us", 300, "", "delay added to the median event"),
    Goal("events", "added_p99_us", 2000, "", "delay added to the event at p99"),
    Goal("idle-connections", "kib_each", 8, "", "memory of an idle connection"),
    Goal("idle-streams", "kib_each", 8, "", "memory of an idle stream"),
    Goal("reload", "failed", 0, "", "requests failed in a round's reloads"),
    Goal("overload", "lost_pc", 10, "", "answers in time lost under five times the load"),
    Goal("allocations", "allocations", 4, "", "allocations per request on a hit"),
]


def judged(results):
    """For each goal that this run can speak of: the goal, the spread, and one of `kept`, `missed`, `open`.

    Kept or missed where the quartiles agree; open where the goal lies between them."""
    found = {workload["name"]: workload for workload in results["workloads"]}
    judgements = []
    for goal in GOALS:
        of = spread(goal.values(found[goal.workload])) if goal.workload in found else None
        if of is None:
            continue
        state = "open" if of.count < 3 else "kept" if of.high <= goal.most else "missed" if of.low > goal.most else "open"
        judgements.append((goal, of, state))
    return judgements


def sentence(goal, of, state):
    """Without its workload and its state."""
    unit = f" {goal.unit()}" if goal.unit() else ""
    figure = f"{goal.words} {number(of.median)} ({number(of.low)}–{number(of.high)}){unit}, promised {number(goal.most)} at most"
    return figure + (f": {of.median / goal.most - 1:.0%} too much" if state == "missed" else ": the spread decides nothing" if state == "open" else "")


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".") if value == int(value) else f"{value:.2f}"
