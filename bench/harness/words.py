"""What was found and what was noisy, in sentences made from the figures alone."""

from .figures import column, ratio_text, ratios, spread
from .metrics import METRICS

SUBJECT = "claviger"
OTHERS = ("nginx", "haproxy", "envoy", "relay", "litellm", "contextforge")
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
                side = "less" if of.high < 1 else "more" if of.low > 1 else "same"
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
    """The share of all measurements in which a proxy waited for its core; what they say must be read so."""
    waited = [figures["proxy_waited"] for workload in results["workloads"] for each in workload["rounds"]
              for figures in each.values() if "proxy_waited" in figures]
    return sum(value > WAITED for value in waited) / len(waited) if waited else 0.0


def caution(results):
    """Said before anything else, where there is reason to; empty where there is none."""
    share = disturbed(results)
    if share < 0.2:
        return ""
    return (f"This machine was busy: in {share:.0%} of the measurements a proxy had to wait for its core. "
            "Ratios of CPU suffer a little by that, delays much; for figures to quote, repeat the run on a quiet machine.")


def noisy(results):
    """What to distrust in this run."""
    sentences = []
    if results["machine"].get("load_before", 0) > 1:
        sentences.append(f"This machine had other things to do: its load average was {results['machine']['load_before']:.1f} before the run began.")
    for workload in results["workloads"]:
        rounds, name = workload["rounds"], workload["name"]
        labels = {key: contender["label"] for key, contender in results["contenders"].items()}
        bounded = limits(workload, labels)
        if bounded:
            who = joined([f"{labels[key]} (its core {proxy:.0%} busy, the other {peers:.0%})" for key, peers, proxy in bounded])
            sentences.append(f"{name}: load and upstream were the limit for {who}: answers per second and p50 there are the load's, "
                             "CPU per request is the proxy's.")
        waited = [value for key in labels for value in column(rounds, key, "proxy_waited") if value is not None]
        often = sum(value > WAITED for value in waited)
        if often:
            sentences.append(f"{name}: in {often} of {len(waited)} measurements a proxy waited more than a tenth of the time for its core, "
                             "because something else ran there: trust p50, p99 and answers per second of these little.")
        stolen = [value for key in labels for value in column(rounds, key, "stolen") if value is not None]
        if any(value > 0.02 for value in stolen):
            sentences.append(f"{name}: the hypervisor took up to {max(stolen):.0%} of both cores away.")
        wide = [(labels[key], of) for key in labels
                if workload["main"] and (of := spread(column(rounds, key, workload["main"]))) and of.relative > 0.15]
        if wide:
            who = joined([f"{label} ({of.relative:.0%})" for label, of in wide])
            sentences.append(f"{name}: the quartiles lie far apart for {who}: take the ratios, not the figures.")
    few = [f"{workload['name']} {len(workload['rounds'])}" for workload in results["workloads"]
           if 0 < len(workload["rounds"]) < 8 and workload["main"] in ("cpu_us", "cpu_event_us")]
    if few:
        sentences.append(f"Few rounds: {joined(few)}; a full run has more.")
    return sentences


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
