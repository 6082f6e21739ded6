"""The progress of a run, on one line of a terminal that is overwritten each time."""

import time
from typing import TextIO

from tandem.bench.load import Load
from tandem.bench.summary import milliseconds
from tandem.bench.tally import TIMES

ERASE_LINE = "\r\x1b[K"


class Progress:
    """A callback for Load.run. Call `end` when the load is over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._finished = 0  # at the last call
        self._last_call_s = time.perf_counter()

    def __call__(self, load: Load) -> None:
        """Show the counters of the load."""
        now, tally = time.perf_counter(), load.tally
        rate = (tally.finished - self._finished) / (now - self._last_call_s)
        self._finished, self._last_call_s = tally.finished, now
        p99 = milliseconds(tally.times[TIMES[0]].percentile(99))
        self._write(
            f"{load.seconds:.0f} s  {load.open_visits:,} at a time  {rate:,.0f} a second  p99 {p99} ms  "
            f"{tally.finished:,} finished  {tally.failed:,} failed"
        )

    def end(self) -> None:
        """Erase the line."""
        self._write("")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(ERASE_LINE + text[:79])
            self._stream.flush()
        except OSError:
            pass  # the terminal was closed; the load goes on, and its figures may go to a file
