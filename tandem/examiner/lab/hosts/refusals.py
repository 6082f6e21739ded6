"""Sees connections that are refused: to the server, and on a program's own machine, where no cable shows them."""

import socket
from collections.abc import Collection

from tandem.examiner.events import Link
from tandem.examiner.lab.connections.endpoints import Address, Inside
from tandem.examiner.lab.hosts.hosts import open_packet_socket
from tandem.examiner.lab.hosts.segments import RST, Segment, parse_segment
from tandem.examiner.lab.programs.program import Client
from tandem.examiner.lab.recorder import Recorder
from tandem.net.event_loop import EventLoop
from tandem.protocol.address import show_address

MAX_FRAME = 65_536
BATCH = 32  # frames in one turn of the loop


class RefusalWatch:
    """Feed it with every segment that is sent."""

    def __init__(
        self, recorder: Recorder, who: Client, own_addresses: Collection[str], links: dict[Address, Link]
    ) -> None:
        """Watch for refused connections of one client, to the addresses in `links`."""
        self._recorder = recorder
        self._who: Client = who
        self._own_addresses = own_addresses
        self._links = links

    def on_sent(self, segment: Segment) -> None:
        """Take a segment. The RST that refuses a connection is the first segment of its sender."""
        link = self._links.get(segment.source)
        if link and segment.flags & RST and segment.sequence == 0 and segment.target[0] in self._own_addresses:
            text = f"{show_address(*segment.target)} -> {show_address(*segment.source)}"
            self._recorder.add(self._who, "refused", link=link, text=text)


def watch_loopback(loop: EventLoop, inside: Inside, watch: RefusalWatch) -> None:
    """Feed a watch with what a host sends to itself."""
    with inside():
        packets = open_packet_socket("lo")

    def read() -> None:
        for _ in range(BATCH):
            try:
                frame, (_, _, kind, *_) = packets.recvfrom(MAX_FRAME)
            except OSError:
                return
            segment = parse_segment(frame)
            if segment and kind != socket.PACKET_OUTGOING:  # every frame is seen as it goes out and as it comes in
                watch.on_sent(segment)

    loop.watch(packets, read)
