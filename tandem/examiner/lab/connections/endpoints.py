"""Opens sockets on a host: listeners, and connections that do not block. Knows nothing of what they are for."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

from tandem.net.event_loop import EventLoop

Inside = Callable[[], AbstractContextManager[None]]  # being on a host within a block
Address = tuple[str, int]
BACKLOG = 128
ACCEPT_BATCH = 16  # connections in one turn of the loop


class Listener:
    """Listens while it is open. Each connection is given to `on_accept`, with the address that it comes from."""

    def __init__(
        self, loop: EventLoop, inside: Inside, address: Address, on_accept: Callable[[socket.socket, Address], None]
    ) -> None:
        self.address = address
        self.is_open = False
        self._loop = loop
        self._inside = inside
        self._on_accept = on_accept
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises:
            OSError: the address cannot be bound.
        """
        with self._inside():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(self.address)
        self._socket.listen(BACKLOG)
        self.address = self._socket.getsockname()
        self._loop.watch(self._socket, self._accept)
        self.is_open = True

    def close(self) -> None:
        """Listen no more: connections are refused. Those that were accepted stay."""
        if self._socket is not None:
            self._loop.watch(self._socket, None)
            self._socket.close()
            self._socket = None
            self.is_open = False

    def _accept(self) -> None:
        for _ in range(ACCEPT_BATCH):
            if self._socket is None:
                return  # closed by what came of the last one
            try:
                accepted, peer = self._socket.accept()
            except OSError:
                return
            self._on_accept(accepted, peer)


def connect(
    loop: EventLoop,
    inside: Inside,
    address: Address,
    on_connected: Callable[[socket.socket], None],
    on_failed: Callable[[OSError], None],
) -> None:
    """Connect from a host, and call one of the two when it is known how it went."""
    with inside():
        connecting = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connecting.setblocking(False)
    failed = connecting.connect_ex(address)

    def on_writable() -> None:
        loop.watch(connecting, None)
        number = 0 if failed == errno.EINPROGRESS else failed
        number = number or connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == 0:
            on_connected(connecting)
        else:
            connecting.close()
            on_failed(OSError(number, os.strerror(number)))

    if failed in (0, errno.EINPROGRESS):
        loop.watch(connecting, None, on_writable)
    else:
        loop.after(0, on_writable)
