"""Sees the handover in the frames of the network: client 1's connections to client 2, and what was sent on them.

The programs talk to each other directly.
"""

from dataclasses import dataclass, field

from tandem.examiner.lab.program import Client
from tandem.examiner.lab.reassembly import Reassembler
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.lab.segments import ACK, FIN, RST, SYN, Segment
from tandem.protocol.address import show_address

Address = tuple[str, int]


@dataclass
class _Side:
    """One direction of a connection: as it was sent, and as it arrived."""

    who: Client
    sent: Reassembler
    delivered: Reassembler
    end_recorded: bool = False


@dataclass
class _Connection:
    number: int
    syn: int  # client 1's first sequence number
    sides: dict[Address, _Side] = field(default_factory=dict)  # by the address of the sender; empty until accepted


class HandoverWatch:
    """Feed it with every segment: when it was sent (`on_sent`), and if it arrives (`on_delivered`)."""

    def __init__(self, recorder: Recorder, client1_ip: str, client2: set[Address]) -> None:
        self._recorder = recorder
        self._client1_ip = client1_ip
        self._client2 = client2
        self._connections: dict[Address, _Connection] = {}  # by client 1's address and port
        self._count = 0

    def on_sent(self, segment: Segment) -> None:
        """Take a segment as it leaves its host."""
        connection = self._connection(segment)
        if connection is None:
            return
        if segment.flags & RST:
            self._end(connection, segment)
        elif segment.flags & SYN and segment.flags & ACK and not connection.sides:
            self._accept(connection, segment)
        elif side := connection.sides.get(segment.source):
            self._take_sent(connection, side, segment)

    def on_delivered(self, segment: Segment) -> None:
        """Take a segment that arrives at the other host."""
        connection = self._connection(segment)
        side = connection.sides.get(segment.source) if connection else None
        if connection is None or side is None or segment.flags & SYN:
            return
        if data := side.delivered.feed(segment.sequence, segment.data):
            self._recorder.add(side.who, "delivered", link="handover", connection=connection.number, data=data)

    def _connection(self, segment: Segment) -> _Connection | None:
        """Return the connection of a segment, a new one for a new SYN; None if it is none of client 1 to client 2."""
        if segment.target in self._client2 and segment.source[0] == self._client1_ip:
            if segment.flags & SYN:
                self._begin(segment)
            return self._connections.get(segment.source)
        return self._connections.get(segment.target) if segment.source in self._client2 else None

    def _begin(self, segment: Segment) -> None:
        known = self._connections.get(segment.source)
        if known is None or known.syn != segment.sequence:  # else it is sent again
            self._connections[segment.source] = _Connection(0, segment.sequence)

    def _accept(self, connection: _Connection, segment: Segment) -> None:
        self._count += 1
        connection.number = self._count
        client1, client2 = segment.target, segment.source
        first, second = connection.syn, segment.sequence
        connection.sides = {
            client1: _Side("client 1", Reassembler(first), Reassembler(first)),
            client2: _Side("client 2", Reassembler(second), Reassembler(second)),
        }
        text = f"{show_address(*client1)} -> {show_address(*client2)}"
        self._recorder.add("client 1", "connected", link="handover", connection=connection.number, text=text)

    def _take_sent(self, connection: _Connection, side: _Side, segment: Segment) -> None:
        if segment.flags & SYN:
            return
        if data := side.sent.feed(segment.sequence, segment.data, bool(segment.flags & FIN)):
            self._recorder.add(side.who, "sent", link="handover", connection=connection.number, data=data)
        if side.sent.ended and not side.end_recorded:
            side.end_recorded = True
            self._recorder.add(side.who, "end of stream", link="handover", connection=connection.number)

    def _end(self, connection: _Connection, segment: Segment) -> None:
        """Take a RST: of a connection that was refused, or reset."""
        from_client2 = segment.source in self._client2
        client1 = segment.target if from_client2 else segment.source
        del self._connections[client1]
        if side := connection.sides.get(segment.source):
            self._recorder.add(side.who, "reset", link="handover", connection=connection.number)
        elif from_client2:
            text = f"{show_address(*client1)} -> {show_address(*segment.source)}"
            self._recorder.add("client 1", "refused", link="handover", text=text)
