"""The demo's child processes: start them, read their output line by line, and end them in any case.

Standard output and standard error of all processes come through one queue, in the order in which the lines came.
All of it must be done by one deadline. Does not know what the lines mean.
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

TIME_LIMIT_S = 10.0  # for the whole demo
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
STOP_TIMEOUT_S = 3.0  # for a process to end after it was asked to; then it is killed

_PROJECT = Path(tandem.__file__).resolve().parent.parent  # where the processes find this package


class ChildFailedError(Exception):
    """A process failed or hangs.

    Attributes:
        name: Which one.
        what: What happened to it.
        last_line: The last line that it printed, or "".
    """

    def __init__(self, name: str, what: str, last_line: str) -> None:
        super().__init__(name, what, last_line)
        self.name = name
        self.what = what
        self.last_line = last_line


class Child:
    """One running process. `last_line` is the last line that it printed."""

    def __init__(self, name: str, arguments: tuple[str, ...], folder: Path, output: "SimpleQueue[OutputLine]") -> None:
        site = ["-S"] if sys.flags.no_site else []
        self.name = name
        self.last_line = ""
        self.has_ended = False  # True once its exit code was checked
        self._process = subprocess.Popen(
            [sys.executable, *site, *arguments],
            cwd=folder,  # so that no file of the user is imported in place of a module
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
        )
        self._reader = Thread(target=self._read_output, args=(output,), daemon=True)
        self._reader.start()

    def error(self, what: str) -> ChildFailedError:
        """Return the error that says what happened to this process."""
        return ChildFailedError(self.name, what, self.last_line)

    def check_exit_code(self) -> None:
        """Wait for the end of the process. Call it after the process has closed its output.

        Raises:
            ChildFailedError: The exit code is not 0, or the process does not end.
        """
        self.has_ended = True
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise self.error("has closed its output but does not end") from None
        if code:
            raise self.error(f"ended with exit code {code}")

    def end(self) -> None:
        """Ask the process to end, and kill it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass  # it is killed below
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()

    def _read_output(self, output: "SimpleQueue[OutputLine]") -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.last_line = line.strip() or self.last_line
                output.put((self, line))
        output.put((self, END_OF_OUTPUT))


OutputLine = tuple[Child, str]  # the process, and a line that it printed
END_OF_OUTPUT = ""  # the line that stands for the end of a process's output


class Children:
    """All processes. Ends them when the block ends, the last one first."""

    def __init__(self, folder: Path, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._folder = folder
        self._time_limit_s = time_limit_s
        self._deadline = time.monotonic() + time_limit_s
        self._output: SimpleQueue[OutputLine] = SimpleQueue()
        self._exit_stack = ExitStack()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *error: object) -> None:
        self._exit_stack.close()

    def start(self, name: str, *arguments: str) -> Child:
        """Run `python ARGUMENTS` in the folder."""
        with _signals_deferred():  # or a signal between these two lines would leave the process running
            child = Child(name, arguments, self._folder, self._output)
            self._exit_stack.callback(child.end)
        return child

    def read_line(self, awaited: Child) -> OutputLine:
        """Wait for the next line of any process.

        Args:
            awaited: The process that must print something next. It is named if the time is up.

        Returns:
            The process and its line, or END_OF_OUTPUT if the process has ended with exit code 0.

        Raises:
            ChildFailedError: A process has failed, or the time is up.
        """
        try:
            child, line = self._output.get(timeout=max(0.0, self._deadline - time.monotonic()))
        except Empty:
            raise awaited.error(f"was not done within {self._time_limit_s:g} s") from None
        if line == END_OF_OUTPUT:
            child.check_exit_code()
        return child, line


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Call the handlers of signals that arrive in this block after it, because they raise."""
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
    """Return our environment, so that the processes find this package and write UTF-8."""
    paths = (str(_PROJECT), os.environ.get("PYTHONPATH", ""))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONIOENCODING": "utf-8"}
