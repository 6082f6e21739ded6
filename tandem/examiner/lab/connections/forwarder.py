"""Forwards connections from an address of a host to another one, as if they were the same.

For programs that look for the other side on their own machine (127.0.0.1), or let only it connect; and, without hosts
of their own, for seeing what client 1 sends to client 2.
"""

import socket
from collections.abc import Callable

from tandem.examiner.lab.connections.endpoints import Address, Inside, Listener, connect
from tandem.examiner.lab.connections.tunnel import NoFaults, NoObserver, Observer, join
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream

Observers = tuple[Observer, Observer]  # of what comes from the side that connects, and of what comes back


def _no_observers(_: Address) -> Observers:
    return NoObserver(), NoObserver()


class Forwarder:
    """Forwards while its listener is open. Open it only while the target listens: the others are refused, too."""

    def __init__(
        self,
        loop: EventLoop,
        inside: Inside,
        address: Address,
        target: Address,
        observers: Callable[[Address], Observers] = _no_observers,
    ) -> None:
        """Set it up. `observers` is called for each connection, with the address that it comes from."""
        self.listener = Listener(loop, inside, address, self._on_accept)
        self._loop = loop
        self._inside = inside
        self._target = target
        self._observers = observers

    def _on_accept(self, accepted: socket.socket, peer: Address) -> None:
        near = Stream(self._loop, accepted)
        forth, back = self._observers(peer)

        def on_connected(connected: socket.socket) -> None:
            join(self._loop, near, Stream(self._loop, connected), (NoFaults(), forth), (NoFaults(), back))

        connect(self._loop, self._inside, self._target, on_connected, lambda error: near.reset())

    def set_open(self, is_open: bool) -> None:
        """Begin to forward, or refuse connections. An address that a program has taken itself is left to it."""
        if not is_open:
            self.listener.close()
        elif not self.listener.is_open:
            try:
                self.listener.open()
            except OSError:
                self.listener.close()
