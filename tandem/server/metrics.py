"""Metrics of one server process: counters that it adds to, and a MetricsSample of them every few seconds.

The loop's thread counts visits and replies, the committer's thread counts commits. Neither waits for the other.
"""

import time
from collections import deque
from collections.abc import Sequence

from tandem.records.visits import MetricsSample

PERIOD_S = 5.0  # of a sample, at least
MAX_DURATIONS = 10_000  # durations that are remembered of one period: the latest


class Metrics:
    """Add to `visits`, `replies_s` and `commits_s`. Call `take_sample` when `is_due`."""

    def __init__(self, server: str) -> None:
        """Count from now on. `server` is its name in the samples."""
        self._server = server
        self.visits = 0  # answered
        self.replies_s: deque[float] = deque(
            maxlen=MAX_DURATIONS
        )  # from the start of the commit of a right message 2 to its reply: seconds
        self.commits_s: deque[float] = deque(maxlen=MAX_DURATIONS)
        self._period_start = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Return whether the period has lasted PERIOD_S."""
        return time.monotonic() >= self._period_start + PERIOD_S

    def take_sample(self, connections: int, waiting: int) -> MetricsSample:
        """Return the sample of the period that ends now, and begin the next one.

        `connections` are open, and `waiting` records are not committed yet.
        """
        now = time.monotonic()
        replies_s = _take_sorted(self.replies_s)
        commits_s = _take_sorted(self.commits_s)
        visits, period_s = self.visits, now - self._period_start
        self.visits, self._period_start = 0, now
        return MetricsSample(
            ended_us=int(time.time() * 1e6),
            server=self._server,
            period_us=_microseconds(period_s),
            visits=visits,
            connections=connections,
            reply_p50_us=_percentile_us(replies_s, 50),
            reply_p99_us=_percentile_us(replies_s, 99),
            commits=len(commits_s),
            commit_p50_us=_percentile_us(commits_s, 50),
            commit_p99_us=_percentile_us(commits_s, 99),
            waiting=waiting,
        )


def _take_sorted(durations_s: deque[float]) -> list[float]:
    return sorted(durations_s.popleft() for _ in range(len(durations_s)))


def _percentile_us(sorted_s: Sequence[float], percent: int) -> int:
    """Return the percentile in microseconds, by the nearest rank; 0 if there are no durations."""
    return _microseconds(sorted_s[(len(sorted_s) * percent - 1) // 100]) if sorted_s else 0


def _microseconds(seconds: float) -> int:
    return int(seconds * 1e6)
