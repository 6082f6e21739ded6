"""The number of runs that are done, on one line of a terminal that is overwritten each time."""

import sys
import threading

ERASE_LINE = "\r\x1b[K"


class ExamineProgress:
    """Shows the progress on standard error if that is a terminal. At the end of the block the line is erased."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._done = 0
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._lock = threading.Lock()

    def __enter__(self) -> "ExamineProgress":
        self._write(self._text())
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()

    def count(self) -> None:
        """Count one run, from any thread."""
        with self._lock:
            self._done += 1
            self._write(self._text())

    def erase(self) -> None:
        """Erase the line, so that something else can be written in its place."""
        self._write("")

    def _text(self) -> str:
        return f"{self._done} of {self._most} runs"

    def _write(self, text: str) -> None:
        if not self._is_shown:
            return
        try:
            sys.stderr.write(ERASE_LINE + text)
            sys.stderr.flush()
        except OSError:
            self._is_shown = False  # the terminal was closed, and the examination goes on
