"""Signals: SIGTERM and Ctrl-C stop the server, SIGHUP opens its log file again. None of them ends in a traceback.

What a signal does depends on the phase of the process:

- while it starts (tandem/net/process_signals.py): SIGTERM and Ctrl-C end it at once, with exit code 0.
- while it serves (`Signals`): the loop gets a stop request, and finishes what is in hand.
- while it ends (tandem/net/process_signals.py): further signals do nothing, even after Python has removed its handlers.
"""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from tandem.net.process_signals import HANGUP, STOP_SIGNALS, ignore_signals


class ReopenableLog(Protocol):
    """The log, as far as a signal needs it."""

    def reopen(self) -> None:
        """Open the log file again."""


class Signals:
    """Stop requests for a loop. Use it as a context manager. Call `take` after each wake-up if `pending` is set.

    SIGTERM and Ctrl-C let the loop finish what is in hand. Ctrl-C after either of them stops it at once. A second
    SIGTERM does nothing: a worker gets one from its supervisor, and may get another from the system.

    A signal handler runs between any two instructions of the main thread, which may hold a lock. So the handlers here
    take no lock: they count, and wake the loop.
    """

    def __init__(self, wake: Callable[[], None], descriptor: int, log: ReopenableLog, stop_timeout_s: float) -> None:
        """Handle no signal yet.

        `wake` wakes the loop, and so does a byte written to `descriptor`, because a signal may come just before the
        loop waits. The loop gets `stop_timeout_s` seconds to finish what is in hand.
        """
        self.pending = False  # a signal has come since the last call of `take`
        self._wake = wake
        self._descriptor = descriptor
        self._log = log
        self._stop_timeout_s = stop_timeout_s
        self._requests = self._requests_taken = 0  # to stop
        self._hangups = self._hangups_taken = 0

    def __enter__(self) -> "Signals":
        """Handle the signals from now on."""
        signal.set_wakeup_fd(self._descriptor, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, self._request_stop)
        if HANGUP:
            signal.signal(HANGUP, self._hang_up)
        return self

    def __exit__(self, *error: object) -> None:
        """Ignore the signals from now on."""
        signal.set_wakeup_fd(-1)
        ignore_signals()

    def take(self) -> float | None:
        """Return the seconds in which to stop, once for each request, else None. Open the log again after SIGHUP.

        Call it in the main thread.
        """
        self.pending = False
        if self._hangups > self._hangups_taken:
            self._hangups_taken = self._hangups
            self._log.reopen()
        if self._requests == self._requests_taken:
            return None
        self._requests_taken = self._requests
        # The loop will close its sockets, and a file opened after that may get the number of this descriptor. So from
        # here on only the handler wakes the loop.
        signal.set_wakeup_fd(-1)
        return self._stop_timeout_s if self._requests == 1 else 0.0

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT or not self._requests:
            self._requests += 1
        self.pending = True
        self._wake()

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._hangups += 1
        self.pending = True
        self._wake()
