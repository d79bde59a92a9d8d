"""The command line."""

import argparse
import pathlib

from . import contenders, gateways, workloads
from .contenders import ROOT
from .fault import Fault

DESCRIPTION = """\
Claviger beside nginx, HAProxy, Envoy and a plain TCP relay on the same work, on this machine, over loopback.

Everybody has one worker, alone on core 1; load and upstream share core 0. Rounds are short and interleaved. Figures are
medians with quartiles; ratios are taken within a round. Needs root, two cores, and what `make bench` installs and builds.
"""


def names(known):
    def parse(text):
        chosen = [name for name in text.split(",") if name]
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is unknown; there are: {', '.join(known)}")
        return chosen
    return parse


def parser():
    listed = "\n".join(f"  {name:18}{workload.sentence}" for name, workload in workloads.ALL.items())
    made = argparse.ArgumentParser(prog="bench/run", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
                                   epilog=f"workloads:\n{listed}")
    made.add_argument("--quick", action="store_true", help="few and short rounds, fewer workloads: under three minutes")
    made.add_argument("--only", metavar="WORKLOADS", type=names(workloads.ALL), help="these workloads, separated by commas")
    made.add_argument("--contenders", metavar="NAMES", type=names(contenders.ALL), help=f"these of {', '.join(contenders.ALL)}")
    made.add_argument("--rounds", type=int, help="rounds of a timed workload (30; quick: 5)")
    made.add_argument("--seconds", type=float, help="of one measurement (0.6; quick: 0.4)")
    made.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/claviger", help="the claviger to measure")
    made.add_argument("--against", metavar="BINARY", type=pathlib.Path, help="another claviger, measured in the same rounds: what a change did")
    made.add_argument("--access-records", action="store_true", help="in a quick run too: post-32 with access records on for all")
    made.add_argument("--gateways", action="store_true", help="whole MCP calls too, with LiteLLM and ContextForge beside the others")
    made.add_argument("--update-readme", action="store_true", help="put the small table into README.md, between <!-- bench --> and <!-- /bench -->")
    made.add_argument("--results", type=pathlib.Path, default=ROOT / "bench/results", help="where results and report are written")
    return made


def parse(arguments=None):
    options = parser().parse_args(arguments)
    options.rounds = options.rounds or (5 if options.quick else 30)
    options.seconds = options.seconds or (0.4 if options.quick else 0.6)
    if options.rounds < 3 or not 0.1 <= options.seconds <= 60:
        raise Fault("--rounds is 3 at least, --seconds between 0.1 and 60")
    options.contenders = options.contenders or [name for name in contenders.ALL if name != "before"]
    if options.against and "before" not in options.contenders:
        options.contenders.insert(1, "before")
    if "before" in options.contenders and not options.against:
        raise Fault("the contender before needs its binary: name it with --against")
    if options.gateways:
        options.contenders += gateways.ALL
    options.only = options.only or [name for name, workload in workloads.ALL.items()
                                    if (workload.in_quick or not options.quick and name != "mcp-calls" and not workload.only_named
                                        or workload.access and options.access_records or name == "mcp-calls" and options.gateways)]
    return options
