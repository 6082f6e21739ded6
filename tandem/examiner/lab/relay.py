"""The relay in front of the server: records every visit, and applies the faults of the scenario to it.

The programs connect to it at the server's address; it connects to the real server for each connection.
"""

import json
import socket
from collections.abc import Callable

from tandem.examiner.events import Link, What, Who
from tandem.examiner.lab.endpoints import Address, Inside, Listener, connect
from tandem.examiner.lab.loop import Loop
from tandem.examiner.lab.parts import FaultyDirection
from tandem.examiner.lab.program import Client
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.lab.stream import Stream
from tandem.examiner.lab.tunnel import join
from tandem.examiner.scenario import Direction, Fault
from tandem.protocol.address import show_address
from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.reader import COMPLETE

FINISHED = "Finished successfully"  # the status of the final reply (PROTOCOL 4.2)

VisitOf = Callable[[Address], int]  # 1 or 2: whose program connects from an address


class Relay:
    """Accepts visits while its listener is open.

    Attributes:
        replied_s: Number of the visit -> when a whole reply was delivered to it.
        finished_s: The same for the final reply. The caller may clear both.
    """

    def __init__(
        self,
        loop: Loop,
        recorder: Recorder,
        inside: Inside,
        address: Address,
        server: Address,
        visit_of: VisitOf,
        faults: tuple[Fault, ...],
        seed: int,
    ) -> None:
        self.listener = Listener(loop, inside, address, self._on_accept)
        self.replied_s: dict[int, float] = {}
        self.finished_s: dict[int, float] = {}
        self._loop = loop
        self._recorder = recorder
        self._inside = inside
        self._server = server
        self._visit_of = visit_of
        self._faults = faults
        self._seed = seed
        self._count = 0

    def _on_accept(self, accepted: socket.socket, peer: Address) -> None:
        self._count += 1
        number, visit = self._count, self._visit_of(peer)
        near = Stream(self._loop, accepted)
        text = f"{show_address(*peer)} -> {show_address(*self.listener.address)}"
        _Side(self._recorder, visit, number, _client(visit)).add("connected", text=text)

        def on_connected(connected: socket.socket) -> None:
            self._join(near, Stream(self._loop, connected), visit, number)

        def on_failed(error: OSError) -> None:
            self._recorder.add("examiner", "failure", text=f"the server cannot be reached: {error.strerror}")
            near.reset()

        connect(self._loop, self._inside, self._server, on_connected, on_failed)

    def _join(self, near: Stream, far: Stream, visit: int, number: int) -> None:
        forth = self._direction("to server", _Side(self._recorder, visit, number, _client(visit)))
        back = self._direction("to client", _ServerSide(self._recorder, visit, number, self._on_reply))
        join(self._loop, near, far, forth, back)

    def _direction(self, direction: Direction, side: "_Side") -> tuple[FaultyDirection, "_Side"]:
        faults = [fault for fault in self._faults if fault.visit in (0, side.visit)]

        def on_fault(fault: Fault) -> None:
            side.add("disturbed", who="examiner", text=fault.kind)

        return FaultyDirection(faults, direction, f"{self._seed}/{side.visit}", on_fault), side

    def _on_reply(self, visit: int, status: str) -> None:
        self.replied_s.setdefault(visit, self._loop.now_s())
        if status == FINISHED:
            self.finished_s.setdefault(visit, self._loop.now_s())


def _client(visit: int) -> Client:
    return "client 1" if visit == 1 else "client 2"


class _Side:
    """Records what one side of a visit does. The observer of its direction."""

    def __init__(self, recorder: Recorder, visit: int, number: int, who: Who) -> None:
        self.visit = visit
        self._recorder = recorder
        self._link: Link = "visit 1" if visit == 1 else "visit 2"
        self._number = number
        self._who: Who = who

    def add(self, what: What, who: Who | None = None, text: str = "", data: bytes = b"") -> None:
        """Record an event of this visit; of this side, if `who` does not say otherwise."""
        self._recorder.add(who or self._who, what, link=self._link, connection=self._number, text=text, data=data)

    def on_sent(self, data: bytes) -> None:
        """Record the bytes as they were sent."""
        self.add("sent", data=data)

    def on_delivered(self, data: bytes) -> None:
        """Record the bytes as they arrive."""
        self.add("delivered", data=data)

    def on_end(self) -> None:
        """Record the end of the stream."""
        self.add("end of stream")

    def on_reset(self) -> None:
        """Record the reset."""
        self.add("reset")


class _ServerSide(_Side):
    """The server's side. Also tells when a whole reply was delivered, and its status."""

    def __init__(self, recorder: Recorder, visit: int, number: int, on_reply: Callable[[int, str], None]) -> None:
        super().__init__(recorder, visit, number, "server")
        self._answer = AnswerReader()
        self._on_reply = on_reply
        self._told = False

    def on_delivered(self, data: bytes) -> None:
        """Record the bytes, and look whether the reply is complete."""
        super().on_delivered(data)
        if not self._told and self._answer.feed(data) is COMPLETE:
            self._told = True
            self._on_reply(self.visit, _status(self._answer.text))


def _status(reply: bytes) -> str:
    """Return the status in a reply, which a fault may have changed to anything."""
    try:
        fields = json.loads(reply)
        return str(fields["status"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
