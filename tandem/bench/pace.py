"""When to begin exchanges: pure. Times in seconds since the run began.

Without a rate, as many as may be under way are, and each begins when another has ended. With a rate, each has a
time at which it is due, whether or not the server keeps up; so what waits for its turn is late, and its latency
counts from when it was due (else a server that stands still would be measured by few exchanges only).
"""

import math
import sys
from dataclasses import dataclass

CONCURRENCY, MAX_CONCURRENCY = 64, 500 if sys.platform == "win32" else 10_000  # Windows' select takes 512 sockets
SECONDS, MAX_SECONDS = 10.0, 86_400.0
TIMEOUT, MAX_TIMEOUT = 10.0, 900.0  # seconds for a visit
MAX_COUNT = 100_000_000
MAX_RATE = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What is asked for. The ramp is the time in which the load grows from nothing, in a straight line."""

    concurrency: int  # exchanges under way at a time, at the most
    count: int | None  # exchanges in all; None: as many as the time allows
    seconds: float | None  # begin none later than this; None: until the count is reached
    rate: float | None = None  # exchanges a second
    ramp: float = 0.0

    def due(self, number: int) -> float:
        """When the exchange of this number is due, counted from 0. Without a rate: as soon as there is room."""
        if self.rate is None:
            return 0.0
        within_ramp = self.rate * self.ramp / 2
        if number < within_ramp:
            return math.sqrt(2 * self.ramp * number / self.rate)
        return self.ramp / 2 + number / self.rate

    def room(self, now: float) -> int:
        """How many may be under way now."""
        if self.rate is not None or now >= self.ramp:
            return self.concurrency
        return max(1, int(self.concurrency * now / self.ramp))

    def is_over(self, begun: int, now: float) -> bool:
        """Whether no more are to begin."""
        return (self.count is not None and begun >= self.count) or (self.seconds is not None and now >= self.seconds)

    def due_by(self, now: float) -> int:
        """How many exchanges are due by this time. Without a rate none ever waits: 0."""
        if self.rate is None:
            return 0
        until = now if self.seconds is None else min(now, self.seconds)
        within_ramp = min(until, self.ramp)
        due = within_ramp * within_ramp * self.rate / (2 * self.ramp) if self.ramp else 0.0
        due += (until - within_ramp) * self.rate
        return math.ceil(due) if self.count is None else min(math.ceil(due), self.count)
