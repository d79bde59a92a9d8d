"""How large the source files are: a count, so it has no spread."""

from ..contenders import ROOT
from ..figures import quantile
from .workload import Workload


class Lines(Workload):
    name, sentence = "lines", "lines per file of Sources"
    main, metrics, rounds, seconds, overhead, fewest, setup = "", (), 0.0, 0.0, 0.0, 0, 0.0

    def takes_part(self, contender):
        return False

    def rounds_of(self, options):
        return 0

    def finish(self, bench):
        counts = {path: len(path.read_text().splitlines()) for path in ROOT.glob("Sources/**/*.swift")}
        if not counts:
            return []
        largest = max(counts, key=counts.get)
        return [f"{len(counts)} files, {sum(counts.values()):,} lines: median {quantile(counts.values(), 0.5):.0f}, "
                f"nine of ten under {quantile(counts.values(), 0.9):.0f}, the largest {counts[largest]} ({largest.relative_to(ROOT)})."]


WORKLOADS = [Lines()]
