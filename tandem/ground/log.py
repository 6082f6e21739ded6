"""The log: a line a visit, on standard error or in a file, safe against what a terminal would obey.

Logging never delays the server: a thread of its own formats and writes the lines. Lines that cannot be written (the
disk is full, nobody reads the pipe, the terminal is gone) are dropped and counted. The count is the first line as
soon as the log can be written again.
"""

import errno
import os
import select
import stat
import sys
import threading
import time
import traceback
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from tandem.exchange.printable import printable

STANDARD_ERROR = 2  # its descriptor; sys.stderr has a buffer, whose lock a thread that is stuck would keep
MOST_WAITING = 10_000  # lines
MOST_AT_ONCE = 1000  # lines that are formatted and written in one go
LINGER = 0.02  # seconds that a line may wait for company: many are written at once
RETRY = 1.0  # seconds between two tries while nothing can be written and nothing new comes
LAST_WORDS = 1.0  # seconds to write what is left at the end
SAY_WITHIN = 0.2  # seconds that `say` waits for a reader

WHOLE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe keeps together when several workers write to it
PRIVATE = 0o600  # a log has addresses and team names
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class LogEntry(Protocol):
    """Something that becomes a line only when it is written, in the log's own thread."""

    def log_line(self) -> str: ...


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


class LogFile:
    """A log file, opened when it is first written to. Until it can be opened, each write tries again."""

    encoding = "utf-8"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def write(self, data: bytes) -> int:
        if self._descriptor is None:
            self._descriptor = _open_to_append(self._path)
        return os.write(self._descriptor, data)

    def reopen(self) -> bool:
        """Go on in a file of this name, as after logrotate has renamed the old one. On OSError the old one goes on."""
        opened = _open_to_append(self._path)
        self.close()
        self._descriptor = opened
        return True

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


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


class Log:
    """Write lines with `write`, and call `stop` at the end."""

    def __init__(self, destination: Destination | None = None) -> None:
        """The destination is standard error if none is given."""
        self._writer = LineWriter(destination or StandardError())
        self._entries: deque[tuple[float, str | LogEntry]] = deque()  # when, what
        self._overflow = 0  # entries that found no room
        self._overflow_lock = threading.Lock()
        self._something = threading.Event()
        self._reopening = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str | LogEntry) -> None:
        """Log one line, with the time in front. Control characters in it become escapes.

        An entry is kept until its line is written, and up to MOST_WAITING of them wait: it should hold only what
        its line needs.
        """
        if len(self._entries) >= MOST_WAITING:
            with self._overflow_lock:
                self._overflow += 1
            return
        self._entries.append((time.time(), line))
        if not self._something.is_set():
            self._something.set()

    def reopen(self) -> None:
        """Open the log file again soon. Not for a signal handler: it takes a lock, as `write` does."""
        self._reopening = True
        self._something.set()

    def stop(self) -> None:
        """Write what is left, if that can be done within LAST_WORDS."""
        self._stopping = True
        self._something.set()
        self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        while not self._stopping or self._entries:
            self._something.wait(RETRY if self._writer.dropped else None)
            if not self._stopping:
                time.sleep(LINGER)
            self._something.clear()
            if self._reopening:
                self._reopening = False
                self._writer.write(timed_line(f"SIGHUP: {self._writer.reopen()}"))
            self._count_overflow()
            for _ in range(0, len(self._entries), MOST_AT_ONCE):
                self._write_oldest()
            if self._writer.dropped:
                self._writer.write("")  # the count alone
        self._writer.destination.close()

    def _write_oldest(self) -> None:
        entries = [self._entries.popleft() for _ in range(min(len(self._entries), MOST_AT_ONCE))]
        try:
            self._writer.write("".join(timed_line(_words(entry), when) for when, entry in entries))
        except MemoryError:
            self._writer.drop(len(entries), "there was no memory for them")

    def _count_overflow(self) -> None:
        with self._overflow_lock:
            lines, self._overflow = self._overflow, 0
        if lines:
            self._writer.drop(lines, "they came faster than they could be written")


def say(words: str, program: str = "tandem serve") -> None:
    """Write a line on standard error at once, if it takes one within SAY_WITHIN. No OSError reaches the caller.

    It needs no thread, so a process that forks can use it.
    """
    LineWriter(StandardError(SAY_WITHIN)).write(f"{program}: {printable(words)}\n")


def check_log_file(path: Path) -> None:
    """Raise OSError if this file cannot be a log. A full disk is no reason: it may have room later."""
    try:
        os.close(_open_to_append(path))
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise


def timed_line(words: str, when: float | None = None) -> str:
    """Return the words as a line of the log, with the time (`time.time()`) in front."""
    when = time.time() if when is None else when
    return f"{_second(int(when))}.{int(when % 1 * 1000):03}Z {printable(words)}\n"


def _words(entry: str | LogEntry) -> str:
    """Return the words of an entry. A bug in its formatting must cost no other line."""
    try:
        return entry if isinstance(entry, str) else str(entry.log_line())
    except Exception:
        return f"bug: an entry of the log could not be formatted: {traceback.format_exc()}"


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


def _open_to_append(path: Path) -> int:
    """Open a file so that several processes can write lines to it. A named pipe that nobody reads raises OSError."""
    descriptor = os.open(path, _APPEND, PRIVATE)
    if os.name != "nt":
        os.set_blocking(descriptor, True)  # O_NONBLOCK was for the opening alone
    return descriptor
