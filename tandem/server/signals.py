"""Signals: SIGTERM and Ctrl-C stop the server, SIGHUP opens its log file again. None of them ever ends in a traceback.

A process of the server goes through three times, and in each of them a signal means something else:

- while it starts (tandem/net/process_signals.py): SIGTERM and Ctrl-C end it at once, with exit code 0;
- while it serves (`Signals`): the loop is told, and finishes what is in hand;
- while it ends (tandem/net/process_signals.py): one more changes nothing, also not at Python's very end.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from tandem.net.process_signals import HANGUP, STOPPING, ignore_signals


class Reopened(Protocol):
    """What is asked of the log."""

    def reopen(self) -> None: ...


class Signals:
    """Requests to stop, for a loop. Use it as a context manager, and call `take` whenever the loop was woken.

    SIGTERM and Ctrl-C let the loop finish what is in hand; Ctrl-C after either ends it at once. SIGTERM again changes
    nothing: a worker gets it from its supervisor, and may get it from the system, too.

    A handler runs between any two instructions of the main thread, which may just hold a lock of the log's or of the
    loop's. So it takes none: it counts, and wakes the loop.
    """

    def __init__(self, wake: Callable[[], None], descriptor: int, log: Reopened, stop_within: float) -> None:
        """`wake` wakes the loop, and so does a byte written to the descriptor: a signal may come just before it waits.

        `stop_within` is how many seconds the loop has to finish what is in hand.
        """
        self._wake = wake
        self._descriptor = descriptor
        self._log = log
        self._stop_within = stop_within
        self._asked = self._taken = 0  # times: to stop
        self._hangups = self._reopened = 0  # times: to open the log file again

    def __enter__(self) -> "Signals":
        signal.set_wakeup_fd(self._descriptor, warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, self._ask)
        if HANGUP:
            signal.signal(HANGUP, self._hang_up)
        return self

    def __exit__(self, *error: object) -> None:
        signal.set_wakeup_fd(-1)
        ignore_signals()

    def take(self) -> float | None:
        """Return the seconds in which to stop, once for each request, else None. Open the log again if that was asked.

        Call it in the main thread.
        """
        if self._hangups > self._reopened:
            self._reopened = self._hangups
            self._log.reopen()
        if self._asked == self._taken:
            return None
        self._taken = self._asked
        # The loop will close its sockets, and what is opened after that may get the number of this descriptor: from
        # here on the handler alone wakes the loop.
        signal.set_wakeup_fd(-1)
        return self._stop_within if self._asked == 1 else 0.0

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT or not self._asked:
            self._asked += 1
        self._wake()

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._hangups += 1
        self._wake()
