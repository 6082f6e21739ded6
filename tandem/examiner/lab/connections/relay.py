"""The relay in front of the server: records every visit, and applies the faults of the scenario to it.

The programs connect to it at the server's address; it connects to the real server for each connection.
"""

import json
import socket
from collections.abc import Callable

from tandem.examiner.events import Link
from tandem.examiner.lab.connections.endpoints import Address, Inside, Listener, connect
from tandem.examiner.lab.connections.parts import FaultyDirection
from tandem.examiner.lab.connections.recorded_side import RecordedSide
from tandem.examiner.lab.connections.tunnel import join
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.scenario import Direction, Fault
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream
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
        loop: EventLoop,
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
        visit, near = self._visit_of(peer), Stream(self._loop, accepted)
        link: Link = "visit 1" if visit == 1 else "visit 2"
        client = RecordedSide(self._recorder, link, self._count, "client 1" if visit == 1 else "client 2")
        server = _ServerSide(self._recorder, link, self._count, lambda status: self._on_reply(visit, status))
        client.add("connected", text=f"{show_address(*peer)} -> {show_address(*self.listener.address)}")

        def on_connected(connected: socket.socket) -> None:
            forth = self._direction(visit, "to server", client), client
            back = self._direction(visit, "to client", server), server
            join(self._loop, near, Stream(self._loop, connected), forth, back)

        def on_failed(error: OSError) -> None:
            self._recorder.add("examiner", "failure", text=f"the server cannot be reached: {error.strerror}")
            near.reset()

        connect(self._loop, self._inside, self._server, on_connected, on_failed)

    def _direction(self, visit: int, direction: Direction, side: RecordedSide) -> FaultyDirection:
        faults = [fault for fault in self._faults if fault.visit in (0, visit)]

        def on_fault(fault: Fault) -> None:
            side.add("disturbed", who="examiner", text=fault.kind)

        return FaultyDirection(faults, direction, f"{self._seed}/{visit}", on_fault)

    def _on_reply(self, visit: int, status: str) -> None:
        self.replied_s.setdefault(visit, self._loop.now_s())
        if status == FINISHED:
            self.finished_s.setdefault(visit, self._loop.now_s())


class _ServerSide(RecordedSide):
    """The server's side. Also tells the status of the reply once it was delivered."""

    def __init__(self, recorder: Recorder, link: Link, number: int, on_reply: Callable[[str], None]) -> None:
        super().__init__(recorder, link, number, "server")
        self._answer = AnswerReader()
        self._on_reply = on_reply
        self._told = False

    def on_delivered(self, data: bytes) -> None:
        """Record the bytes, and look whether the reply is complete."""
        super().on_delivered(data)
        if not self._told and self._answer.feed(data) is COMPLETE:
            self._told = True
            self._on_reply(_status(self._answer.text))


def _status(reply: bytes) -> str:
    """Return the status in a reply, which a fault may have changed to anything."""
    try:
        fields = json.loads(reply)
        return str(fields["status"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
