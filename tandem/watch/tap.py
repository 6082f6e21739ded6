"""The tap: accepts connections, and gives each of them a connection to the server, all in one event loop."""

import socket
from collections.abc import Callable

from tandem.net.descriptors import max_connections
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream
from tandem.protocol.address import plain_ip
from tandem.protocol.errors import TandemError
from tandem.watch.tapped_connection import Show, TappedConnection, Target
from tandem.watch.watch_capture import WatchCapture

MAX_TAPPED = 200  # connections at a time; more wait until one of them has ended
ACCEPT_BACKOFF_S = 0.1  # after an error of accept: this process may not open more files
WAKEUP_S = 0.5  # Windows lets Ctrl-C interrupt no longer wait


class TapError(TandemError):
    """The tap cannot work."""


def resolve(host: str, port: int) -> list[Target]:
    """Return the addresses of a server, in the order in which to try them.

    Raises:
        TapError: the name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TapError(f"{host} does not resolve: {reason}", "check its spelling, or use the IP address") from None
    return [(family, address) for family, _, _, _, address in found]


class Tap:
    """Serves a listener, which the caller has opened and closes. Call `close` at the end."""

    def __init__(
        self,
        listener: socket.socket,
        targets: list[Target],
        framing: str,
        show: Show,
        capture: WatchCapture | None = None,
    ) -> None:
        self._loop = EventLoop()
        self._loop.every(WAKEUP_S, lambda: None)
        self._listener = listener
        self._targets = targets
        self._framing = framing
        self._show = show
        self._capture = capture
        self._open: list[TappedConnection] = []
        self._count = 0
        self._max_open = max_connections(2 * MAX_TAPPED) // 2
        self._accept_on()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Pass everything on until `until()`, which is asked at least every WAKEUP_S.

        Raises:
            TapError: the address of the server leads back to this tap.
        """
        self._loop.run(until)

    def close(self) -> str:
        """Reset what is open. Return in words what that cuts off, "" if nothing is open."""
        cut, self._open = self._open, []
        for connection in cut:
            connection.abort()
        lost = sum(connection.lost for connection in cut)
        self._loop.watch(self._listener, None)
        self._loop.close()
        if not cut:
            return ""
        connections = "1 open connection was" if len(cut) == 1 else f"{len(cut)} open connections were"
        return f"{connections} reset; lost are {lost} bytes that were read, and what the system still held"

    def _accept(self) -> None:
        try:
            accepted, address = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # it has gone again
        except OSError:
            self._loop.watch(self._listener, None)
            self._loop.after(ACCEPT_BACKOFF_S, self._accept_on)
            return
        if not address:  # macOS has none for a connection that was reset
            accepted.close()
            return
        client = (plain_ip(address[0]), address[1])
        if any(connection.is_other_end_of(accepted) for connection in self._open):
            accepted.close()
            raise TapError("--to leads back to this tap", "the address of the server")
        try:
            near = Stream(self._loop, accepted)
        except OSError:  # macOS: it was reset
            accepted.close()
            return
        self._count += 1
        connection = TappedConnection(
            self._loop, self._count, near, client, self._framing, self._show, self._capture, self._on_closed
        )
        self._open.append(connection)
        self._accept_on()
        connection.connect(self._targets)

    def _on_closed(self, connection: TappedConnection) -> None:
        self._open.remove(connection)
        self._accept_on()

    def _accept_on(self) -> None:
        """Accept while there is room. The system holds more connections ready, up to its backlog."""
        has_room = len(self._open) < self._max_open
        self._loop.watch(self._listener, self._accept if has_room else None)
