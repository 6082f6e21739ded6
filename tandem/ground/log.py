"""A line a visit on standard error, safe against what a terminal would obey. Never holds up who writes it.

A thread of its own does the writing: where nobody reads standard error, lines are dropped and counted,
and the ground goes on.
"""

import sys
import threading
import time
from collections import deque
from functools import lru_cache
from typing import Protocol, TextIO

from tandem.exchange.printable import printable

MOST_WAITING = 10_000  # lines
LINGER = 0.02  # seconds that a line may wait for company: many are written at once
LAST_WORDS = 1.0  # seconds to write what is left at the end


class LogEntry(Protocol):
    """What can be logged besides text. It becomes text in the log's own thread."""

    def log_line(self) -> str: ...


class Log:
    """Write lines with `write`, and call `stop` at the end."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._lines: deque[tuple[float, str | LogEntry]] = deque()  # when, what
        self._dropped = 0
        self._something = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, words: str | LogEntry) -> None:
        """One line, with the time in front. Control characters in it become escapes."""
        if len(self._lines) >= MOST_WAITING:
            self._dropped += 1
            return
        self._lines.append((time.time(), words))
        if not self._something.is_set():
            self._something.set()

    def stop(self) -> None:
        """Writes what is left, if that can be had within a second."""
        self._stopping = True
        self._something.set()
        self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        while not self._stopping or self._lines:
            self._something.wait()
            if not self._stopping:
                time.sleep(LINGER)
            self._something.clear()
            lines = [_line(*self._lines.popleft()) for _ in range(len(self._lines))]
            if self._dropped:
                lines.append(f"({self._dropped} lines were dropped: nobody read them)\n")
                self._dropped = 0
            try:
                self._stream.write("".join(lines))
                self._stream.flush()
            except (OSError, ValueError):
                return  # standard error is gone; there is nobody to tell


def _line(at: float, entry: str | LogEntry) -> str:
    words = entry if isinstance(entry, str) else entry.log_line()
    return f"{_second(int(at))}.{int(at % 1 * 1000):03}Z {printable(words)}\n"


@lru_cache(maxsize=1)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
