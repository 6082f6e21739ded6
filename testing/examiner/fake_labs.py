"""Labs that run nothing: they write a record that a test has chosen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tandem.examiner import facts as f
from tandem.examiner.events import ORDER, Event, write_events
from tandem.examiner.order import LabOrder

WELCOME = b"Socket connection established.\n"
FINISHED = [
    Event(0.5, "client 2", "listening", text="203.0.113.12:5551"),
    Event(1.0, "client 1", "connected", "visit 1", 1),
    Event(1.1, "server", "sent", "visit 1", 1, data=WELCOME + json.dumps({"status": f.WAITING}).encode()),
    Event(1.2, "client 1", "output", data=b"\x1b[31mdone\r\n"),
    Event(2.0, "client 1", "connected", "handover", 2),
    Event(3.0, "client 2", "connected", "visit 2", 3),
    Event(3.1, "server", "sent", "visit 2", 3, data=WELCOME + json.dumps({"status": f.FINISHED}).encode()),
]


class FakeLab:
    """The process of a lab that has ended, or that never ends until it is killed."""

    stdin: IO[bytes] | None = None

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.stderr: IO[bytes] | None = None
        self.is_killed = False

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code."""
        return self.code

    def kill(self) -> None:
        """Note it."""
        self.is_killed = True


class FakeLabs:
    """Starts fake labs. `record` chooses the events of each run; it may raise."""

    def __init__(self, record: Callable[[LabOrder], list[Event]], code: int = 0) -> None:
        self.record = record
        self._code = code
        self.orders: list[LabOrder] = []

    def start(self, order: LabOrder, folder: Path) -> FakeLab:
        """Write the record of a run."""
        self.orders.append(order)
        scenario = {"id": order.scenario.id}
        whole = {"scenario": scenario, "seed": order.seed, "isolated": order.isolated}
        (folder / ORDER).write_text(json.dumps(whole), encoding="utf-8")
        write_events(folder, self.record(order))
        return FakeLab(self._code)
