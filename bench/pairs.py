"""Two costs, measured in turn, and how far their ratio can be trusted.

Other work on the machine changes its speed from minute to minute. So each round measures both, one right after the
other, and only the ratio within a round is used.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

CONFIDENCE = 0.95
Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Ratio:
    """The second cost by the first."""

    median: float  # of the rounds
    low: float  # the confidence interval of the median; with fewer than 6 rounds it is the least and the greatest ratio
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} ({CONFIDENCE:.0%} interval {self.low:.3f}-{self.high:.3f})"


def measure_pairs(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> Pairs:
    """Both costs, round by round. Every other round measures the second one first."""
    pairs = []
    for number in range(rounds):
        if number % 2 == 0:
            cost = first()
            pairs.append((cost, second()))
        else:
            cost = second()
            pairs.append((first(), cost))
    return pairs


def ratio_of(pairs: Pairs) -> Ratio:
    """The median of the ratios, and its interval from order statistics: no shape of the noise is assumed."""
    ratios = sorted(second / first for first, second in pairs)
    cut = _cut(len(ratios))
    return Ratio(statistics.median(ratios), ratios[cut], ratios[-1 - cut])


def _cut(count: int) -> int:
    """Number of values to leave out at each end of `count`, so that the rest still holds the median with CONFIDENCE.

    Each value lies below the true median with probability 1/2, so the number of those below it is binomial.
    """
    cut = 0
    while 2 * sum(comb(count, below) for below in range(cut + 2)) <= (1 - CONFIDENCE) * 2**count:
        cut += 1
    return cut
