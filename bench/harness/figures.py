"""Medians, quartiles, and ratios within a round: the only arithmetic of the harness."""

import dataclasses

SUBJECT = "claviger"    # whose ratios to the others are quoted


@dataclasses.dataclass(frozen=True)
class Spread:
    low: float      # lower quartile
    median: float
    high: float     # upper quartile
    count: int

    @property
    def relative(self):
        """The distance of the quartiles over the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def ratio_text(value):
    """Two digits behind the point; three where two would say nothing."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def quantile(values, part):
    """Linear between the two nearest; of one value, that value."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values):
    """None of nothing."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return Spread(quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75), len(values))


def column(rounds, contender, metric):
    """The metric of each round, None where the contender did not take part."""
    return [each.get(contender, {}).get(metric) for each in rounds]


def ratios(rounds, contender, other, metric):
    """One ratio a round, both sides of the same round: the clock that drifts between rounds drifts for both."""
    pairs = zip(column(rounds, contender, metric), column(rounds, other, metric))
    return [one / two for one, two in pairs if one is not None and two]
