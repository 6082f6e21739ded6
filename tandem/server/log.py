"""The log: a line a visit, on standard error or in a file, safe against what a terminal would obey.

Logging never delays the server: a thread of its own formats and writes the lines. Lines that cannot be written (the
disk is full, nobody reads the pipe, the terminal is gone) are dropped and counted. The count is the first line as
soon as the log can be written again.
"""

import errno
import os
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Protocol

from tandem.net.line_writer import Destination, LineWriter, StandardError, timed_line

MAX_WAITING = 10_000  # lines
MAX_AT_ONCE = 1000  # lines that are formatted and written in one go
LINGER = 0.02  # seconds that a line may wait for company: many are written at once
RETRY = 1.0  # seconds between two tries while nothing can be written and nothing new comes
LAST_WORDS = 1.0  # seconds to write what is left at the end

PRIVATE = 0o600  # a log has addresses and team names
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class LogEntry(Protocol):
    """Something that becomes a line only when it is written, in the log's own thread."""

    def log_line(self) -> str: ...


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

        An entry is kept until its line is written, and up to MAX_WAITING of them wait: it should hold only what
        its line needs.
        """
        if len(self._entries) >= MAX_WAITING:
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
            for _ in range(0, len(self._entries), MAX_AT_ONCE):
                self._write_oldest()
            if self._writer.dropped:
                self._writer.write("")  # the count alone
        self._writer.destination.close()

    def _write_oldest(self) -> None:
        entries = [self._entries.popleft() for _ in range(min(len(self._entries), MAX_AT_ONCE))]
        try:
            self._writer.write("".join(timed_line(_words(entry), when) for when, entry in entries))
        except MemoryError:
            self._writer.drop(len(entries), "there was no memory for them")

    def _count_overflow(self) -> None:
        with self._overflow_lock:
            lines, self._overflow = self._overflow, 0
        if lines:
            self._writer.drop(lines, "they came faster than they could be written")


def check_log_file(path: Path) -> None:
    """Raise OSError if this file cannot be a log. A full disk is no reason: it may have room later."""
    try:
        os.close(_open_to_append(path))
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise


def _words(entry: str | LogEntry) -> str:
    """Return the words of an entry. A bug in its formatting must cost no other line."""
    try:
        return entry if isinstance(entry, str) else str(entry.log_line())
    except Exception:
        return f"bug: an entry of the log could not be formatted: {traceback.format_exc()}"


def _open_to_append(path: Path) -> int:
    """Open a file so that several processes can write lines to it. A named pipe that nobody reads raises OSError."""
    descriptor = os.open(path, _APPEND, PRIVATE)
    if os.name != "nt":
        os.set_blocking(descriptor, True)  # O_NONBLOCK was for the opening alone
    return descriptor
