"""Counters of a run: finished exchanges, their times, and failures by kind."""

from collections import Counter

from tandem.bench.histogram import Histogram

MAX_FAILURE_KINDS = 20  # failures that are counted separately; a hostile server could invent a new one each time
MAX_CAME_CHARACTERS = 200  # of what came, in a failure
OTHERS = "(others)"

# The kinds of failures, and what they mean.
KINDS = {
    "refused": "nothing listens there",
    "unreachable": "no connection could be made",
    "no port left": "this machine has used up its ports: fewer connections, or wait a minute",
    "reset": "the connection broke",
    "timeout": "no complete answer in time",
    "closed early": "the connection was closed before the reply",
    "wrong status": "the reply does not have the status that this visit must have",
    "bad reply": "the reply breaks the protocol",
}

TIMES = ("exchange", "visit 1", "visit 2")  # what is timed, in microseconds


class Tally:
    """The counters of a run."""

    def __init__(self) -> None:
        self.finished = 0
        self.times = {name: Histogram() for name in TIMES}
        self.failures: Counter[tuple[str, str, str]] = Counter()  # by kind, visit and what came

    @property
    def failed(self) -> int:
        """The number of failed exchanges."""
        return self.failures.total()

    def visit_finished(self, visit: int, duration_us: int) -> None:
        """Count a visit: 0 is the first one of an exchange, 1 the second."""
        self.times[TIMES[1 + visit]].add(duration_us)

    def exchange_finished(self, duration_us: int) -> None:
        """Count an exchange that has finished."""
        self.finished += 1
        self.times[TIMES[0]].add(duration_us)

    def exchange_failed(self, kind: str, visit: str, came: str) -> None:
        """Count an exchange that has failed.

        Args:
            kind: One of KINDS.
            visit: The visit at which it failed, as in TIMES.
            came: What the server sent, or "".
        """
        failure = kind, visit, came[:MAX_CAME_CHARACTERS]
        if failure not in self.failures and len(self.failures) >= MAX_FAILURE_KINDS:
            failure = kind, visit, OTHERS
        self.failures[failure] += 1
