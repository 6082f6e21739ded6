"""Whole lines on standard error or in a file, bounded in time, safe against what a terminal would obey.

Writes to the descriptor: sys.stderr has a buffer, whose lock a thread that is stuck would keep. Lines that cannot be
written are counted, and the count is written as soon as that is possible.
"""

import errno
import os
import select
import stat
import sys
import time
from functools import lru_cache
from typing import Protocol

from tandem.protocol.printable import printable

STANDARD_ERROR = 2  # the descriptor
SAY_WITHIN = 0.2  # seconds that `say` waits for a reader
WHOLE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe keeps together when several workers write to it


class Destination(Protocol):
    """A place for lines."""

    @property
    def encoding(self) -> str: ...

    def write(self, data: bytes, /) -> int:
        """Write as much of it as there is room for. Return how many bytes that were. Raise OSError."""

    def reopen(self) -> bool:
        """Open the file again, which may have been renamed. Return whether there is one. Raise OSError."""

    def close(self) -> None: ...


class StandardError:
    """Descriptor 2. With `within`, `write` raises TimeoutError if nothing can be written for so many seconds."""

    def __init__(self, within: float | None = None) -> None:
        self._within = within
        self._is_file = _is_file(STANDARD_ERROR)

    @property
    def encoding(self) -> str:
        if os.name == "nt":
            return "ascii"  # a console there would read bytes in a code page of its own
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, data: bytes) -> int:
        if self._within is not None and not _has_room(self._within):
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads standard error")
        if not self._is_file:
            data = data[: data.rfind(b"\n", 0, WHOLE) + 1 or WHOLE]
        try:
            return os.write(STANDARD_ERROR, data)
        except BlockingIOError:  # another program that shares it has made it non-blocking
            _has_room(self._within)
            return 0

    def reopen(self) -> bool:
        return False

    def close(self) -> None:
        """Leave it open: it is not ours."""


class LineWriter:
    """Writes whole lines to a destination. Counts those that it does not take, and writes the count when it can."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.dropped = 0  # lines, since the count was last written
        self._reason = ""
        self._is_torn = False  # does what was written end in the middle of a line?

    def drop(self, lines: int, reason: str) -> None:
        """Count lines that were not even tried."""
        self.dropped += lines
        self._reason = reason

    def write(self, text: str) -> None:
        """Write lines, each with its newline, or count them as dropped. No OSError reaches the caller."""
        lines = self._encoded(text)
        data = self._encoded(self._count()) + lines
        written = 0
        try:
            while written < len(data):
                written += self.destination.write(data[written:])
        except OSError as error:
            self._reason = error.strerror or str(error)
        lines_begin = len(data) - len(lines)
        if written >= lines_begin:
            self.dropped = 0  # the count is out
        self.dropped += data.count(b"\n", max(written, lines_begin))
        if written:
            self._is_torn = not data[:written].endswith(b"\n")

    def reopen(self) -> str:
        """Open the log file again. Return what became of it, in words."""
        try:
            if self.destination.reopen():
                return "the log file was opened again"
            return "nothing to open again, there is no --log FILE"
        except OSError as error:
            return f"the log file cannot be opened again, the old one goes on: {error.strerror}"

    def _count(self) -> str:
        """Return the line with the count, if something was dropped. It does not go on in a line that is torn."""
        if not self.dropped:
            return ""
        lines = "1 line was" if self.dropped == 1 else f"{self.dropped} lines were"
        line = timed_line(f"{lines} dropped: {self._reason}")
        return f"\n{line}" if self._is_torn else line

    def _encoded(self, text: str) -> bytes:
        """Return the text as bytes. What cannot be shown there becomes an escape."""
        return text.encode(self.destination.encoding, "backslashreplace")


def say(words: str, program: str = "tandem serve") -> None:
    """Write a line on standard error at once, if it takes one within SAY_WITHIN. No OSError reaches the caller.

    It needs no thread, so a process that forks can use it.
    """
    LineWriter(StandardError(SAY_WITHIN)).write(f"{program}: {printable(words)}\n")


def timed_line(words: str, when: float | None = None) -> str:
    """Return the words as a line of the log, with the time (`time.time()`) in front."""
    when = time.time() if when is None else when
    return f"{_second(int(when))}.{int(when % 1 * 1000):03}Z {printable(words)}\n"


@lru_cache(maxsize=1)
def _second(when: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when))


def _has_room(seconds: float | None) -> bool:
    """Wait until standard error takes something. Return False if it does not within the time."""
    if os.name == "nt":
        return True  # only sockets can be waited for there
    return bool(select.select([], [STANDARD_ERROR], [], seconds)[1])


def _is_file(descriptor: int) -> bool:
    """Return whether it is an ordinary file, which keeps all bytes of a write together."""
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False
