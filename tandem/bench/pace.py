"""When exchanges start. Pure arithmetic: all times are seconds since the start of the run.

Without a rate, an exchange starts when another one has ended (a closed loop). With a rate, each exchange is due at a
fixed time, whether or not the server keeps up (an open loop). Its latency counts from the time at which it was due,
not from when it started. Otherwise a server that stops for a while would look fast (coordinated omission).
"""

import math
import sys
from dataclasses import dataclass

DEFAULT_CONCURRENCY = 64
MAX_CONCURRENCY = 500 if sys.platform == "win32" else 10_000  # select on Windows is limited to 512 sockets
DEFAULT_SECONDS, MAX_SECONDS = 10.0, 86_400.0
DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S = 10.0, 900.0  # for one visit
MAX_COUNT = 100_000_000
MAX_RATE = 1_000_000.0  # exchanges a second


@dataclass(frozen=True, slots=True)
class Pace:
    """The number of exchanges, and the time of each.

    Attributes:
        concurrency: The maximum number of open exchanges.
        count: The number of exchanges. None means as many as the time allows.
        seconds: No exchange starts later. None means until `count` is reached.
        rate: Exchanges a second. None means as fast as the server answers.
        ramp_s: The time in which the load grows linearly from zero.
    """

    concurrency: int
    count: int | None
    seconds: float | None
    rate: float | None = None
    ramp_s: float = 0.0

    def due_s(self, number: int) -> float:
        """Return when an exchange is due. Numbers start at 0. Without a rate all are due at once."""
        if self.rate is None:
            return 0.0
        in_ramp = self.rate * self.ramp_s / 2
        if number < in_ramp:
            return math.sqrt(2 * self.ramp_s * number / self.rate)
        return self.ramp_s / 2 + number / self.rate

    def max_open(self, elapsed_s: float) -> int:
        """Return how many exchanges may be open at this time."""
        if self.rate is not None or elapsed_s >= self.ramp_s:
            return self.concurrency
        return max(1, int(self.concurrency * elapsed_s / self.ramp_s))

    def is_over(self, started: int, elapsed_s: float) -> bool:
        """Return whether no more exchanges must start."""
        if self.count is not None and started >= self.count:
            return True
        return self.seconds is not None and elapsed_s >= self.seconds

    def due_by(self, elapsed_s: float) -> int:
        """Return how many exchanges are due by this time. It is 0 without a rate, because none is ever late."""
        if self.rate is None:
            return 0
        until_s = elapsed_s if self.seconds is None else min(elapsed_s, self.seconds)
        ramp_part_s = min(until_s, self.ramp_s)
        due = ramp_part_s * ramp_part_s * self.rate / (2 * self.ramp_s) if self.ramp_s else 0.0
        due += (until_s - ramp_part_s) * self.rate
        return math.ceil(due) if self.count is None else min(math.ceil(due), self.count)
