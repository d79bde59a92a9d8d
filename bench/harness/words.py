"""What was found and what was noisy, in sentences made from the figures alone."""

from .figures import SUBJECT, column, ratio_text, ratios, spread
from .metrics import METRICS

OTHERS = ("before", "nginx", "haproxy", "envoy", "relay", "litellm", "contextforge")
STOLEN = 0.02            # of both cores, by the hypervisor
FEWEST = 3               # rounds of which quartiles say something
WAITED = 0.1             # of the time, for its core: above it a measurement was disturbed
FLOORLESS = {"kib_each", "start_ms", "allocations"}      # of which a relay has next to nothing: a ratio to it says nothing


def compared(workload, other):
    """The spread of Claviger's ratios to `other`, None where there is nothing to compare."""
    if not workload["main"] or other == SUBJECT or (other == "relay" and workload["main"] in FLOORLESS):
        return None
    return spread(ratios(workload["rounds"], SUBJECT, other, workload["main"]))


def joined(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def found(results):
    """One sentence a workload: the worse as plainly as the better."""
    sentences = []
    for workload in results["workloads"]:
        own = spread(column(workload["rounds"], SUBJECT, workload["main"])) if workload["main"] else None
        if own is None:
            continue
        metric = METRICS[workload["main"]]
        sides = {"less": [], "more": [], "same": []}
        for other in OTHERS:
            of = compared(workload, other)
            if of:
                side = "same" if of.count < FEWEST else "less" if of.high < 1 else "more" if of.low > 1 else "same"
                sides[side].append(f"{results['contenders'][other]['label']} ({ratio_text(of.median)})")
        parts = []
        if sides["less"]:
            parts.append("less than " + joined(sides["less"]))
        if sides["same"]:
            parts.append("no clear difference to " + joined(sides["same"]))
        if sides["more"]:
            parts.append("more than " + joined(sides["more"]))
        unit = f" {metric.unit}" if metric.unit else ""
        sentences.append((workload["name"], f"{metric.title} {metric.of(own)}{unit}" + (": " + "; ".join(parts) if parts else "") + "."))
    return sentences


def limits(workload, contenders):
    """Whose figures were bounded by the load or the upstream, not by the proxy."""
    limited = []
    for name in contenders:
        peers, proxy = spread(column(workload["rounds"], name, "peers_busy")), spread(column(workload["rounds"], name, "proxy_busy"))
        if peers and proxy and peers.median > 0.95 and proxy.median < 0.9:
            limited.append((name, peers.median, proxy.median))
    return limited


def disturbed(results):
    """The share of all measurements in which a proxy waited for its core, or was robbed of it; what they say must be read so."""
    seen = [figures["proxy_waited"] > WAITED or figures["stolen"] > STOLEN for workload in results["workloads"] for each in workload["rounds"]
            for figures in each.values() if "proxy_waited" in figures]
    return sum(seen) / len(seen) if seen else 0.0


def caution(results):
    """Said before anything else, where there is reason to; empty where there is none."""
    share = disturbed(results)
    if share < 0.2:
        return ""
    return (f"This machine was busy: in {share:.0%} of the measurements a proxy had to wait for its core, or the hypervisor took it away. "
            "Ratios of CPU suffer a little by that, delays much; for figures to quote, repeat the run on a quiet machine.")


def noisy(results):
    """What to distrust in this run: a sentence a cause, in it the workloads it befell."""
    labels = {key: contender["label"] for key, contender in results["contenders"].items()}
    limited, waiting, stolen, wide, few = [], [], [], [], []
    for workload in results["workloads"]:
        rounds, name = workload["rounds"], workload["name"]
        bounded = [f"{labels[key]}, its core {proxy:.0%} busy, the other {peers:.0%}" for key, peers, proxy in limits(workload, labels)]
        limited += [f"{name} ({'; '.join(bounded)})"] if bounded else []
        waited = [value for key in labels for value in column(rounds, key, "proxy_waited") if value is not None]
        often = sum(value > WAITED for value in waited)
        waiting += [f"{name} {often} of {len(waited)}"] if often else []
        most = max([value for key in labels for value in column(rounds, key, "stolen") if value is not None], default=0)
        stolen += [f"{name} {most:.0%}"] if most > STOLEN else []
        spreads = {key: spread(column(rounds, key, workload["main"])) for key in labels} if workload["main"] else {}
        apart = [f"{labels[key]} {of.relative:.0%}" for key, of in spreads.items() if of and of.relative > 0.15]
        wide += [f"{name} ({', '.join(apart)})"] if apart else []
        few += [f"{name} {len(rounds)}"] if 0 < len(rounds) < 8 and workload["main"] in ("cpu_us", "cpu_event_us") else []
    causes = (
        (limited, "Load and upstream were the limit, so that answers per second and p50 are theirs, while CPU per request is the proxy's"),
        (waiting, "Something else ran on the proxy's core, so that p50, p99 and answers per second are to be trusted little; measurements in which "
                  "it waited more than a tenth of the time"),
        (stolen, "The hypervisor took time of both cores, at most"),
        (wide, "The quartiles lie far apart (here over the median): take the ratios, not the figures"),
        (few, "Rounds are few, a full run has more"))
    sentences = [f"{words}: {joined(befallen)}." for befallen, words in causes if befallen]
    before = results["machine"].get("load_before", 0)
    return ([f"This machine had other things to do: its load average was {before:.1f} before the run began."] if before > 1 else []) + sentences


METHOD = [
    "Every proxy has one worker and is pinned, with all its threads, to core 1; the load generator and the upstream share core 0. All traffic is loopback.",
    "Each contender is checked before it is timed: the answer's bytes are the upstream's own, the upstream saw exactly the right credential and nothing "
    "that identifies the agent, and a wrong key is refused. The relay is exempt: it does no HTTP.",
    "nginx and HAProxy have buffers of 64 KiB for the large bodies, where that helps them, and their defaults elsewhere, where those do.",
    "Rounds are short and interleaved: everybody is measured once a round, and the order is turned round every other round.",
    "CPU per request is the run time of all the proxy's threads (/proc/PID/task/*/schedstat) over requests answered in that measurement; threads "
    "that do not serve requests are in it.",
    "Figures are medians over the rounds, with the lower and upper quartile in brackets. This kind of machine changes its clock between rounds, so "
    "the quoted ratios are taken within each round, and then their median and quartiles.",
    "A difference is only claimed where both quartiles lie on the same side.",
    "Where load and upstream used more than 95 % of their core while the proxy used less than 90 % of its own, the run says that they were the limit.",
]
