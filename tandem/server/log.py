"""The log: one line a visit, on standard error or in a file, with control characters escaped.

Logging never delays the server: a thread formats and writes the lines. Lines that cannot be written (the disk is full,
nobody reads the pipe, the terminal is gone) are dropped and counted. The count is the first line once the log can be
written again. Knows nothing of what is logged.
"""

import errno
import os
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Protocol

from tandem.net.line_writer import Destination, LineWriter, StandardError, timestamped_line

MAX_WAITING = 10_000  # entries
MAX_BATCH = 1000  # entries that are formatted and written at once
BATCH_DELAY = 0.02  # seconds from the first entry to the write: others join it
RETRY_DELAY = 1.0  # seconds between two attempts while nothing can be written and no entry comes
FLUSH_TIMEOUT = 1.0  # seconds to write what is left at the end

PRIVATE_MODE = 0o600  # a log has addresses and team names
_APPEND_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
_DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class LogEntry(Protocol):
    """An entry that the log's thread formats."""

    def log_line(self) -> str:
        """Return the text of the line, without its time."""


class LogFile:
    """A log file. The first write opens it, and each write tries again until it is open. Implements Destination."""

    encoding = "utf-8"

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._descriptor: int | None = None

    def write(self, data: bytes) -> int:
        """Append as many of the bytes as there is room for. Return how many.

        Raises:
            OSError: the file cannot be opened or written.
        """
        if self._descriptor is None:
            self._descriptor = _open_to_append(self._path)
        return os.write(self._descriptor, data)

    def reopen(self) -> bool:
        """Open a file of this name, as after logrotate has renamed the old one. Return True.

        Raises:
            OSError: it cannot be opened. The old file stays in use.
        """
        opened = _open_to_append(self._path)
        self.close()
        self._descriptor = opened
        return True

    def close(self) -> None:
        """Close the file if it is open."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Log:
    """Takes entries with `write`, and writes them in its thread. Call `stop` at the end."""

    def __init__(self, destination: Destination | None = None) -> None:
        """Start the thread. The default destination is standard error."""
        self._writer = LineWriter(destination or StandardError())
        self._entries: deque[tuple[float, str | LogEntry]] = deque()  # time.time(), and the text or what gives it
        self._overflow = 0  # entries that were dropped because MAX_WAITING wait
        self._overflow_lock = threading.Lock()
        self._wakeup = threading.Event()
        self._reopening = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str | LogEntry) -> None:
        """Log one line. Its time comes first, and control characters in it become escapes.

        Up to MAX_WAITING entries wait in memory. So an entry should hold only what its line needs.
        """
        if len(self._entries) >= MAX_WAITING:
            with self._overflow_lock:
                self._overflow += 1
            return
        self._entries.append((time.time(), line))
        if not self._wakeup.is_set():
            self._wakeup.set()

    def reopen(self) -> None:
        """Open the log file again soon. Do not call it in a signal handler: it takes a lock, as `write` does."""
        self._reopening = True
        self._wakeup.set()

    def stop(self) -> None:
        """Write what is left, within FLUSH_TIMEOUT, and end the thread."""
        self._stopping = True
        self._wakeup.set()
        self._thread.join(FLUSH_TIMEOUT)

    def _run(self) -> None:
        while not self._stopping or self._entries:
            self._wakeup.wait(RETRY_DELAY if self._writer.dropped else None)
            if not self._stopping:
                time.sleep(BATCH_DELAY)
            self._wakeup.clear()
            if self._reopening:
                self._reopening = False
                self._writer.write(timestamped_line(f"SIGHUP: {self._writer.reopen()}"))
            self._count_overflow()
            for _ in range(0, len(self._entries), MAX_BATCH):
                self._write_oldest()
            if self._writer.dropped:
                self._writer.write("")  # the count alone
        self._writer.destination.close()

    def _write_oldest(self) -> None:
        entries = [self._entries.popleft() for _ in range(min(len(self._entries), MAX_BATCH))]
        try:
            self._writer.write("".join(timestamped_line(_format(entry), when) for when, entry in entries))
        except MemoryError:
            self._writer.drop(len(entries), "there was not enough memory for them")

    def _count_overflow(self) -> None:
        with self._overflow_lock:
            lines, self._overflow = self._overflow, 0
        if lines:
            self._writer.drop(lines, "they came faster than they could be written")


def check_log_file(path: Path) -> None:
    """Check that this file can be a log. A full disk is no error: it may have room later.

    Raises:
        OSError: it cannot be opened for appending.
    """
    try:
        os.close(_open_to_append(path))
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise


def _format(entry: str | LogEntry) -> str:
    """Return the text of an entry. A bug in its formatting costs no other line."""
    try:
        return entry if isinstance(entry, str) else str(entry.log_line())
    except Exception:
        return f"bug: an entry of the log could not be formatted: {traceback.format_exc()}"


def _open_to_append(path: Path) -> int:
    """Open a file so that several processes can append lines to it. Raise OSError for a named pipe without a reader."""
    descriptor = os.open(path, _APPEND_FLAGS, PRIVATE_MODE)
    if os.name != "nt":
        os.set_blocking(descriptor, True)  # O_NONBLOCK is only for opening
    return descriptor
