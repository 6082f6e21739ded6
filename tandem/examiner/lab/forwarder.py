"""Forwards connections from an address of a host to another one, as if they were the same. Nothing is recorded.

For programs that look for the other side on their own machine (127.0.0.1), or let only it connect.
"""

import socket

from tandem.examiner.lab.endpoints import Address, Inside, Listener, connect
from tandem.examiner.lab.loop import Loop
from tandem.examiner.lab.stream import Stream
from tandem.examiner.lab.tunnel import NoFaults, NoObserver, join


class Forwarder:
    """Forwards while its listener is open. Open it only while the target listens: the others are refused, too."""

    def __init__(self, loop: Loop, inside: Inside, address: Address, target: Address) -> None:
        self.listener = Listener(loop, inside, address, self._on_accept)
        self._loop = loop
        self._inside = inside
        self._target = target

    def _on_accept(self, accepted: socket.socket, peer: Address) -> None:
        near = Stream(self._loop, accepted)

        def on_connected(connected: socket.socket) -> None:
            join(
                self._loop, near, Stream(self._loop, connected), (NoFaults(), NoObserver()), (NoFaults(), NoObserver())
            )

        connect(self._loop, self._inside, self._target, on_connected, lambda error: near.reset())
