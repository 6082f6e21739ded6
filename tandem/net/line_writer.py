"""Whole lines on standard error or in a file: bounded in time, with control characters escaped.

Writes to the descriptor, because a blocked thread would hold the lock of sys.stderr's buffer. Lines that cannot be
written are counted. The count is written as soon as the destination takes it. Knows nothing of what the lines say.
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
REPORT_TIMEOUT = 0.2  # seconds that `report` waits for a reader
ATOMIC_BYTES = getattr(select, "PIPE_BUF", 512)  # a pipe keeps them together when several processes write to it


class Destination(Protocol):
    """Takes the bytes of lines."""

    @property
    def encoding(self) -> str:
        """Return the encoding of the text that is written to it."""

    def write(self, data: bytes, /) -> int:
        """Write as many of the bytes as there is room for. Return how many were written.

        Raises:
            OSError: nothing can be written now.
        """

    def reopen(self) -> bool:
        """Open the file again, which may have been renamed. Return False if there is no file.

        Raises:
            OSError: it cannot be opened. The old file stays open.
        """

    def close(self) -> None:
        """Close the file, if there is one."""


class StandardError:
    """Descriptor 2."""

    def __init__(self, timeout_s: float | None = None) -> None:
        """With a timeout, `write` raises TimeoutError if nothing can be written for so many seconds."""
        self._timeout_s = timeout_s
        self._is_file = _is_file(STANDARD_ERROR)

    @property
    def encoding(self) -> str:
        """Return the encoding of standard error, or ASCII on Windows."""
        if os.name == "nt":
            return "ascii"  # a console there decodes bytes with its own code page
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, data: bytes) -> int:
        """Write as many of the bytes as there is room for, no more than a pipe keeps together. Return how many.

        Raises:
            OSError: nothing can be written now. TimeoutError is one.
        """
        if self._timeout_s is not None and not _has_room(self._timeout_s):
            raise TimeoutError(errno.ETIMEDOUT, "nobody reads standard error")
        if not self._is_file:
            data = data[: data.rfind(b"\n", 0, ATOMIC_BYTES) + 1 or ATOMIC_BYTES]
        try:
            return os.write(STANDARD_ERROR, data)
        except BlockingIOError:  # another program that shares it has made it non-blocking
            _has_room(self._timeout_s)
            return 0

    def reopen(self) -> bool:
        """Return False: there is no file to open again."""
        return False

    def close(self) -> None:
        """Leave it open: it belongs to the process that started this one."""


class LineWriter:
    """Writes whole lines to a destination. Counts the lines that it does not take, and writes the count when it can."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.dropped = 0  # lines, since the count was last written
        self._reason = ""
        self._is_torn = False  # does what was written end in the middle of a line?

    def drop(self, lines: int, reason: str) -> None:
        """Count lines that the caller dropped before writing them."""
        self.dropped += lines
        self._reason = reason

    def write(self, text: str) -> None:
        """Write lines, each with its newline, or count them as dropped. Raise no OSError."""
        lines = self._encode(text)
        data = self._encode(self._dropped_line()) + lines
        written = 0
        try:
            while written < len(data):
                written += self.destination.write(data[written:])
        except OSError as error:
            self._reason = error.strerror or str(error)
        lines_start = len(data) - len(lines)
        if written >= lines_start:
            self.dropped = 0  # the count is out
        self.dropped += data.count(b"\n", max(written, lines_start))
        if written:
            self._is_torn = not data[:written].endswith(b"\n")

    def reopen(self) -> str:
        """Open the log file again. Return the result in words."""
        try:
            if self.destination.reopen():
                return "the log file was opened again"
            return "nothing to open again, there is no --log FILE"
        except OSError as error:
            return f"the log file cannot be opened again, the old one goes on: {error.strerror}"

    def _dropped_line(self) -> str:
        """Return the line with the count of dropped lines, "" for none. It never continues an incomplete line."""
        if not self.dropped:
            return ""
        lines = "1 line was" if self.dropped == 1 else f"{self.dropped} lines were"
        line = timestamped_line(f"{lines} dropped: {self._reason}")
        return f"\n{line}" if self._is_torn else line

    def _encode(self, text: str) -> bytes:
        """Return the text as bytes. A character that the encoding does not have becomes an escape."""
        return text.encode(self.destination.encoding, "backslashreplace")


def report(text: str, program: str = "tandem serve") -> None:
    """Write a line on standard error now, or drop it after REPORT_TIMEOUT. Raise no OSError.

    It needs no thread, so a process that forks can use it.
    """
    LineWriter(StandardError(REPORT_TIMEOUT)).write(f"{program}: {printable(text)}\n")


def timestamped_line(text: str, time_s: float | None = None) -> str:
    """Return the text as a line of the log, after its time in seconds since 1970 (default: now)."""
    time_s = time.time() if time_s is None else time_s
    shown = text if text.isprintable() else printable(text)
    return f"{_format_second(int(time_s))}.{int(time_s % 1 * 1000):03}Z {shown}\n"


@lru_cache(maxsize=1)
def _format_second(time_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_s))


def _has_room(timeout_s: float | None) -> bool:
    """Wait until standard error takes something. Return False after the timeout."""
    if os.name == "nt":
        return True  # select() waits only for sockets there
    return bool(select.select([], [STANDARD_ERROR], [], timeout_s)[1])


def _is_file(descriptor: int) -> bool:
    """Return whether it is a regular file, which keeps all bytes of a write together."""
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False
