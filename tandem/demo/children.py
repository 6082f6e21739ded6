"""The demo's child processes: started, heard line by line, and ended whatever happens.

All that they say, on standard output or standard error, comes through one queue in the order in which
it came. Everything has to be over by one deadline. Knows nothing of what the lines mean.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import FrameType

import tandem

LIMIT = 10.0  # seconds for everything together
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
GRACE = 3.0  # seconds that a child has to end by itself when asked to

_HOME = Path(tandem.__file__).resolve().parent.parent  # where the children find this package


class ChildFailedError(Exception):
    """A child failed or hangs. Facts: which one, what happened, and the last that it said."""

    def __init__(self, name: str, what: str, last_words: str) -> None:
        super().__init__(name, what, last_words)
        self.name = name
        self.what = what
        self.last_words = last_words


class Child:
    """One running process."""

    def __init__(self, name: str, arguments: tuple[str, ...], folder: Path, news: "SimpleQueue[News]") -> None:
        site = ["-S"] if sys.flags.no_site else []
        self.name = name
        self.last_words = ""
        self.ended = False  # has `settle` been called?
        self._process = subprocess.Popen(
            [sys.executable, *site, *arguments],
            cwd=folder,  # no file of the user's own can take the place of a module
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._listener = Thread(target=self._listen, args=(news,), daemon=True)
        self._listener.start()

    def trouble(self, what: str) -> ChildFailedError:
        return ChildFailedError(self.name, what, self.last_words)

    def settle(self) -> None:
        """Takes its exit code, now that it has closed its output. Raises ChildFailedError unless it is 0."""
        self.ended = True
        try:
            code = self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            raise self.trouble("has closed its output, but does not end") from None
        if code:
            raise self.trouble(f"ended with exit code {code}")

    def end(self) -> None:
        """Asks it to end; kills it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass  # it had its time
        finally:
            self._process.kill()
            self._process.wait()
            self._listener.join()

    def _listen(self, news: "SimpleQueue[News]") -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.last_words = line.strip() or self.last_words
                news.put((self, line))
        news.put((self, END))


News = tuple[Child, str]  # who said it, and the line
END = ""  # the line of a child that has nothing more to say


class Children:
    """All of them. Ends them when its block ends, the last one first."""

    def __init__(self, folder: Path, limit: float = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._until = time.monotonic() + limit
        self._news: SimpleQueue[News] = SimpleQueue()
        self._ends = ExitStack()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def start(self, name: str, *arguments: str) -> Child:
        """Runs `python ARGUMENTS` in the folder."""
        with _signals_deferred():  # or one that comes in between would leave the child behind
            child = Child(name, arguments, self._folder, self._news)
            self._ends.callback(child.end)
        return child

    def hear(self, awaited: Child) -> News:
        """Who says something next, and what; END if that child has ended well.

        Raises ChildFailedError for one that has failed, and for the one that was `awaited` if time is up.
        """
        try:
            child, line = self._news.get(timeout=max(0.0, self._until - time.monotonic()))
        except Empty:
            raise awaited.trouble(f"was not done within {self._limit:g} s") from None
        if line == END:
            child.settle()
        return child, line


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Call the handlers of signals that arrive in the block after it, since they raise."""
    arrived: list[tuple[int, FrameType | None]] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    handlers = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda *signalled: arrived.append(signalled))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number, frame in arrived:
        handlers[signal.Signals(number)](number, frame)


def _environment() -> dict[str, str]:
    """Ours, and what makes the children find this package and write UTF-8."""
    paths = (str(_HOME), os.environ.get("PYTHONPATH", ""))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONIOENCODING": "utf-8"}
