"""Carries out one order: starts the lab, waits for its end, and returns the record, whatever happens.

A trouble of the lab becomes an event of the record, so that the verdicts are the same when they are computed again.
"""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from tandem.examiner.events import FILE, Event, read_events
from tandem.examiner.order import LabOrder
from tandem.protocol.printable import printable_bytes

START_AND_END_S = 30.0  # for what the lab does before and after the programs run


class LabProcess(Protocol):
    """The process of a lab, as subprocess.Popen."""

    stdin: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends. Return its exit code."""
        ...

    def kill(self) -> None:
        """End it, and all that it has started."""
        ...


StartLab = Callable[[LabOrder, Path], LabProcess]


class Labs:
    """The labs that run. `stop` ends them all, and no other is started."""

    def __init__(self, start: StartLab) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._running: set[LabProcess] = set()
        self._is_stopped = False

    def run(self, order: LabOrder, folder: Path) -> list[Event]:
        """Carry out an order. Return its record, which is in the folder, too."""
        try:
            folder.mkdir(parents=True)
            failure = self._run(order, folder)
        except Exception as error:  # one run must not cost the others
            failure = f"{type(error).__name__}: {error}"
        if failure:
            _note(folder, failure)
        return read_record(folder)

    def stop(self) -> None:
        """Kill every lab. What it has made ends with it."""
        with self._lock:
            self._is_stopped = True
            for lab in self._running:
                lab.kill()

    def _run(self, order: LabOrder, folder: Path) -> str:
        """Run a lab to its end. Return how it failed, or ""."""
        with self._lock:
            if self._is_stopped:
                return "stopped before the run"
            lab = self._start(order, folder)
            self._running.add(lab)
        try:
            code = lab.wait(_limit_s(order))
        except subprocess.TimeoutExpired:
            return "the lab did not end"
        finally:
            with self._lock:
                self._running.remove(lab)
            said = _end(lab)
        if code == 0 or any(event.what == "failure" for event in read_events(folder)):
            return ""
        return f"the lab ended with exit code {code}: {said}"


def _end(lab: LabProcess) -> str:
    """Kill a lab if it still runs. Return the last line that it wrote to standard error."""
    lab.kill()
    lab.wait()
    if lab.stdin:
        lab.stdin.close()
    if not lab.stderr:
        return ""
    with lab.stderr as stream:
        os.set_blocking(stream.fileno(), False)  # what the lab has started may hold the other end
        said = stream.read() or b""
    return printable_bytes(said.strip().rpartition(b"\n")[2])


def read_record(folder: Path) -> list[Event]:
    """Return the record of a run. A record that cannot be read is a failure of the examiner."""
    try:
        return list(read_events(folder))
    except (OSError, ValueError) as error:
        return [Event(0.0, "examiner", "failure", text=f"the record cannot be read: {error}")]


def _limit_s(order: LabOrder) -> float:
    runs = 2 if order.scenario.again else 1
    return runs * order.limits.seconds + order.limits.quiet_s + START_AND_END_S


def _note(folder: Path, failure: str) -> None:
    """Append a failure to the record, on a line of its own also after half a line."""
    try:
        events = list(_whole_events(folder))
        last_s = events[-1].at_s if events else 0.0
        lines = [event.line() for event in [*events, Event(last_s, "examiner", "failure", text=failure)]]
        (folder / FILE).write_text("".join(lines), encoding="ascii")
    except OSError:
        pass  # without a record every verdict is unclear, too


def _whole_events(folder: Path) -> list[Event]:
    """Return the events up to the first line that is not one: a lab that was killed may leave half a line."""
    events: list[Event] = []
    try:
        for event in read_events(folder):
            events.append(event)
    except (OSError, ValueError):
        pass
    return events
