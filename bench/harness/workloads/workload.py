"""What a workload is: a name, a sentence, who takes part, and one measurement of one contender."""

from ..work import Work


class Workload:
    name = sentence = ""
    main = "cpu_us"             # the metric the ratios are of
    metrics = ()                # what is shown, the main one first
    plots = ()                  # what is drawn beside the main one
    rounds = 1.0                # share of --rounds
    seconds = 1.0               # share of --seconds
    overhead = 0.15             # seconds one measurement takes beside its measuring
    setup = 1.0                 # seconds before the first round
    users, access, large, encrypted = 32, False, False, False
    fewest = 3                  # rounds, however few are asked for: of fewer, quartiles say nothing
    in_quick = True
    only_named = False          # too long for a full run: only with --only

    def __init__(self, name=None, sentence=None, **settings):
        self.name, self.sentence = name or self.name, sentence or self.sentence
        for key, value in settings.items():
            setattr(self, key, value)

    def takes_part(self, contender):
        return contender.relays and (contender.records or not self.access) and (contender.encrypts or not self.encrypted)

    def rounds_of(self, options):
        return max(self.fewest, round(options.rounds * self.rounds))

    def cost(self, options, contenders):
        """Seconds it will take, roughly."""
        each = options.seconds * self.seconds + self.overhead
        return self.setup + self.rounds_of(options) * sum(self.takes_part(contender) for contender in contenders) * each

    def work(self, bench, upstream=None):
        return Work(upstream=upstream or bench.upstream_port, users=self.users, access=self.access, large=self.large, connections=bench.most_connections,
                    certificate=bench.certificate if self.encrypted else None)

    def prepare(self, bench, contenders):
        """Before the first round."""

    def begin_round(self, bench):
        """Figures of the round itself, under the name of a contender that is none."""
        return {}

    def measure(self, bench, contender):
        """The metrics of one measurement."""
        raise NotImplementedError

    def finish_round(self, figures):
        """May derive metrics from those of the round."""

    def finish(self, bench):
        """After the last round; gives notes for the report."""
        return []
