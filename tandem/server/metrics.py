"""How the ground is doing: counts while it runs, and every few seconds makes a MetricsSample of it.

The loop's thread counts visits and replies, the recorder's thread commits; neither waits for the other.
"""

import time
from collections import deque
from collections.abc import Sequence

from tandem.records.visits import MetricsSample

PERIOD = 5.0  # seconds
MAX_TIMES = 10_000  # times that are remembered in a period: the latest


class Metrics:
    """Of one ground: `name` says which."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.visits = 0  # since the last MetricsSample
        self._replies: deque[float] = deque(maxlen=MAX_TIMES)  # seconds each
        self._commits: deque[float] = deque(maxlen=MAX_TIMES)
        self._began = time.monotonic()

    def replied(self, took: float) -> None:
        """A right message 2 has its reply, so many seconds after its last byte."""
        self._replies.append(took)

    def committed(self, took: float) -> None:
        """A commit is over, in so many seconds."""
        self._commits.append(took)

    def take(self, connections: int, waiting: int) -> MetricsSample | None:
        """The period's MetricsSample, once it is over; the next one begins."""
        now = time.monotonic()
        period = now - self._began
        if period < PERIOD:
            return None
        replies = _drained(self._replies)
        commits = _drained(self._commits)
        visits, self.visits, self._began = self.visits, 0, now
        return MetricsSample(
            ended_us=int(time.time() * 1e6),
            server=self._name,
            period_us=_microseconds(period),
            visits=visits,
            connections=connections,
            reply_p50_us=_percentile(replies, 50),
            reply_p99_us=_percentile(replies, 99),
            commits=len(commits),
            commit_p50_us=_percentile(commits, 50),
            commit_p99_us=_percentile(commits, 99),
            waiting=waiting,
        )


def _drained(times: deque[float]) -> list[float]:
    return sorted(times.popleft() for _ in range(len(times)))


def _percentile(times: Sequence[float], percent: int) -> int:
    """In microseconds, by the nearest rank; 0 if there are none."""
    return _microseconds(times[(len(times) * percent - 1) // 100]) if times else 0


def _microseconds(seconds: float) -> int:
    return int(seconds * 1e6)
