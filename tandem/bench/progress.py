"""What a run is doing, on one line of a terminal that is written over and over."""

import time
from typing import TextIO

from tandem.bench.load import Load
from tandem.bench.summary import milliseconds
from tandem.bench.tally import TIMES

ERASE = "\r\x1b[K"


class Progress:
    """Give it to the load; call `end` when that is over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._finished = 0  # when it was told last
        self._at = time.perf_counter()

    def __call__(self, load: Load) -> None:
        now, tally = time.perf_counter(), load.tally
        rate = (tally.finished - self._finished) / (now - self._at)
        self._finished, self._at = tally.finished, now
        p99 = milliseconds(tally.times[TIMES[0]].percentile(99))
        self._write(
            f"{load.seconds:.0f} s  {load.under_way:,} at a time  {rate:,.0f} a second  p99 {p99} ms  "
            f"{tally.finished:,} finished  {tally.failed:,} failed"
        )

    def end(self) -> None:
        """Leaves the line empty."""
        self._write("")

    def _write(self, words: str) -> None:
        try:
            self._stream.write(ERASE + words[:79])
            self._stream.flush()
        except OSError:
            pass  # the terminal is gone; the load goes on, and its figures may go to a file
