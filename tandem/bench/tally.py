"""What a run has seen so far: how many exchanges, how long they took, and how those failed that did."""

from collections import Counter

from tandem.bench.histogram import Histogram

MAX_DIFFERENT = 20  # failures that are told apart; a hostile server could make up a new one each time
MAX_LENGTH = 200  # characters of what came that are kept
OTHERS = "(others)"

# How an exchange can fail, and what that means.
KINDS = {
    "refused": "nobody listens there",
    "unreachable": "no connection came about",
    "no port left": "this machine has used up its ports: fewer connections, or wait a minute",
    "reset": "the connection broke",
    "timeout": "no whole answer in time",
    "closed early": "the connection was closed before the reply",
    "wrong status": "the reply has another status than this visit must have",
    "bad reply": "the reply is not what the protocol promises",
}

TIMES = ("exchange", "visit 1", "visit 2")  # what is timed; each in microseconds


class Tally:
    """Counts. Give it every exchange when it is over."""

    def __init__(self) -> None:
        self.finished = 0
        self.times = {name: Histogram() for name in TIMES}
        self.failures: Counter[tuple[str, str, str]] = Counter()  # by kind, visit and what came

    @property
    def failed(self) -> int:
        return self.failures.total()

    def visit_took(self, visit: int, microseconds: int) -> None:
        self.times[TIMES[1 + visit]].add(microseconds)

    def exchange_took(self, microseconds: int) -> None:
        self.finished += 1
        self.times[TIMES[0]].add(microseconds)

    def exchange_failed(self, kind: str, visit: str, came: str) -> None:
        failure = kind, visit, came[:MAX_LENGTH]
        if failure not in self.failures and len(self.failures) >= MAX_DIFFERENT:
            failure = kind, visit, OTHERS
        self.failures[failure] += 1
