"""One program of the submission: starts it on a terminal, keeps its output, answers its prompts, watches its limits.

On a terminal a program writes every line at once, as its user would see it.
"""

import os
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tandem.examiner.lab.programs.process_table import ProcessUse, use_of
from tandem.examiner.lab.programs.prompts import Prompts
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.order import Limits, ProgramOrder
from tandem.net.event_loop import EventLoop

Client = Literal["client 1", "client 2"]
StopReason = Literal["done", "time", "memory", "output", "processes"]

READ_SIZE = 65_536
LINES, COLUMNS = 24, 80  # of the terminal
SIGNALLED = 128  # the sandbox adds it to the number of the signal that ended a program
SANDBOX_FAILED = b"bwrap: "  # how its output begins if the program was not started


@dataclass(frozen=True)
class Launch:
    """The command line of a program in its place, with folder and environment."""

    command: tuple[str, ...]
    folder: Path | None = None  # None: the command takes care of it
    environment: dict[str, str] | None = None


class Program:
    """A program of the submission. It is started once; `stop` ends it, if it does not end by itself before."""

    def __init__(self, who: Client, order: ProgramOrder, limits: Limits, loop: EventLoop, recorder: Recorder) -> None:
        self.who: Client = who
        self.started_s: float | None = None
        self.ended_s: float | None = None  # when it ended, by itself or not
        self._order = order
        self._limits = limits
        self._loop = loop
        self._recorder = recorder
        self._prompts = Prompts(order.prompts)
        self._process: subprocess.Popen[bytes] | None = None
        self._terminal = self._exit = -1  # descriptors
        self._output_bytes = 0

    @property
    def pid(self) -> int:
        """The process that it runs in; 0 before its start."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self.ended_s is None

    def start(self, launch: Launch) -> None:
        """Start it on the host whose network namespace this thread is in.

        Raises:
            OSError: it cannot be started.
        """
        self._terminal, other_end = os.openpty()
        try:
            _make_plain(other_end)
            self._process = subprocess.Popen(
                launch.command,
                stdin=other_end,
                stdout=other_end,
                stderr=other_end,
                cwd=launch.folder,
                env=launch.environment,
                start_new_session=True,
            )
        finally:
            os.close(other_end)
        os.set_blocking(self._terminal, False)
        self._exit = os.pidfd_open(self._process.pid)
        self.started_s = self._loop.now_s()
        self._recorder.add(self.who, "started", text=" ".join(self._order.words))
        self._loop.watch(self._terminal, self._on_output)
        self._loop.watch(self._exit, self._on_exit)

    def check_limits(self, processes: list[ProcessUse]) -> None:
        """Stop the program if it uses more than it may. `processes` are all that there are."""
        if not self.is_running:
            return
        use = use_of(self.pid, processes)
        if use.memory_bytes > self._limits.memory_mib << 20:
            self.stop("memory")
        elif use.processes >= self._limits.processes:
            self.stop("processes")
        elif use.cpu_s > self._limits.cpu_seconds:
            self.stop("time")

    def stop(self, reason: StopReason) -> None:
        """End the program, if it runs. Its processes are gone when `end_orphans` was called after this."""
        if self._process is None or not self.is_running:
            return
        self._process.kill()
        self._process.wait()
        self._finish()
        self._recorder.add(self.who, "stopped", text=reason)

    def _on_exit(self) -> None:
        assert self._process is not None
        code = self._process.wait()
        self._finish()
        self._recorder.add(self.who, "ended", number=SIGNALLED - code if code > SIGNALLED else code)

    def _finish(self) -> None:
        """Take what the program has written, and close its terminal."""
        self.ended_s = self._loop.now_s()
        while self._output_left > 0 and self._read():
            pass
        for fd in (self._terminal, self._exit):
            self._loop.watch(fd, None)
            os.close(fd)

    @property
    def _output_left(self) -> int:
        return (self._limits.output_kib << 10) - self._output_bytes

    def _on_output(self) -> None:
        self._read()
        if self._output_left <= 0:
            self.stop("output")

    def _read(self) -> bool:
        """Read once. Return whether there may be more."""
        try:
            data = os.read(self._terminal, READ_SIZE)
        except BlockingIOError:
            return False
        except OSError:  # no process has the other end open
            data = b""
        if data:
            self._take(data)
        else:
            self._loop.watch(self._terminal, None)
        return bool(data)

    def _take(self, data: bytes) -> None:
        if self._output_bytes == 0 and data.startswith(SANDBOX_FAILED):
            self._recorder.add("examiner", "failure", text=data.decode(errors="backslashreplace").strip())
        data = data[: self._output_left]
        self._output_bytes += len(data)
        self._recorder.add(self.who, "output", data=data)
        for pattern, line in self._prompts.feed(data):
            self._recorder.add(self.who, "answered", text=pattern)
            self._type(line)

    def _type(self, line: str) -> None:
        try:
            os.write(self._terminal, line.encode() + b"\n")
        except OSError:
            pass  # it does not read, or has just ended


def _make_plain(terminal: int) -> None:
    """Switch off the echo of what is typed, and the change of newlines to CR LF. Set the usual size."""
    settings = termios.tcgetattr(terminal)
    settings[1] &= ~termios.OPOST
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    termios.tcsetwinsize(terminal, (LINES, COLUMNS))
