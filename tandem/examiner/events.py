"""The record of one run: what happened, in order, with times. Everything else is computed from it.

`events.jsonl` has one event a line. Texts and bytes of programs are kept whole, up to the limit of their output.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Who = Literal["client 1", "client 2", "server", "examiner"]
What = Literal[
    "started",  # a program; text: its command line
    "output",  # bytes that a program wrote to its terminal
    "answered",  # a prompt; text: the pattern
    "listening",  # text: HOST:PORT in the kernel's table
    "ended",  # a program by itself; number: its exit code, or minus its signal
    "stopped",  # a program by the examiner; text: why: done, time, memory, output, processes
    "connected",  # link; text: FROM -> TO
    "refused",  # link; a connection was tried and refused
    "sent",  # link and bytes that a program or the server sent, as they were sent
    "delivered",  # link and bytes that arrived on the other side, after the faults
    "end of stream",  # link; who ended its sending side
    "reset",  # link; who reset the connection
    "disturbed",  # a fault took effect; link; text: which fault
    "approached",  # the examiner connected to client 2
    "started again",  # the run that counts begins
    "overloaded",  # the examiner came late; text: by how much. Its machine had too much to do
    "failure",  # the examiner itself failed; text: how. Every verdict is unclear
]
Link = Literal["", "visit 1", "visit 2", "handover", "approach"]

FILE = "events.jsonl"
CAPTURE = "capture.pcapng"
ORDER = "order.json"


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    at_s: float  # since the start of the run
    who: Who
    what: What
    link: Link = ""
    connection: int = 0  # numbered from 1 in the order of their connections; 0: none
    text: str = ""
    number: int = 0
    data: bytes = b""

    def line(self) -> str:
        """Return the event as one line of JSON, without what is empty."""
        fields: dict[str, object] = {"at_s": round(self.at_s, 6), "who": self.who, "what": self.what}
        fields |= {name: value for name in ("link", "connection", "text", "number") if (value := getattr(self, name))}
        if self.data:
            fields["data"] = base64.b64encode(self.data).decode()
        return json.dumps(fields, ensure_ascii=True) + "\n"


def write_events(folder: Path, events: Iterable[Event]) -> None:
    """Write the record of a run into a folder."""
    with (folder / FILE).open("w", encoding="ascii") as file:
        file.writelines(event.line() for event in events)


def read_events(folder: Path) -> Iterator[Event]:
    """Read the record of a run.

    Raises:
        OSError: it cannot be read.
        ValueError: a line is not an event.
    """
    with (folder / FILE).open(encoding="ascii") as file:
        for line in file:
            fields = json.loads(line)
            try:
                yield Event(**{**fields, "data": base64.b64decode(fields.get("data", ""))})
            except TypeError as error:
                raise ValueError(f"not an event: {line[:100]}") from error
