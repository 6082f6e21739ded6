"""One connection through the tap: from a client, on to the server, until both sides have ended or one has reset.

Bytes, the end of each side and resets go through in their order. A side that does not read holds up the other one,
because no more is read than the queue takes. Bytes go on before they are shown.
"""

import errno
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream
from tandem.protocol.address import plain_ip, show_address
from tandem.watch.conversation import Conversation
from tandem.watch.tcp_flow import TcpFlow
from tandem.watch.watch_capture import WatchCapture
from tandem.watch.watch_events import CLIENT, SERVER, EventKind, WatchEvent
from tandem.watch.watch_lines import event_words

Show = Callable[[int, int, WatchEvent], None]  # time in ns since 1970 (UTC), number of the connection, event
Target = tuple[socket.AddressFamily, Any]  # the address is that of getaddrinfo

_WSAEWOULDBLOCK = 10035  # Windows: the connection is being made
_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, _WSAEWOULDBLOCK)


class TappedConnection:
    """Passes everything on after `connect`. Calls `on_closed` once, when both sockets are closed."""

    def __init__(
        self,
        loop: EventLoop,
        number: int,
        near: Stream,
        client: tuple[str, int],
        framing: str,
        show: Show,
        capture: WatchCapture | None,
        on_closed: Callable[["TappedConnection"], None],
    ) -> None:
        self._loop = loop
        self._number = number
        self._client = client
        self._show = show
        self._capture = capture
        self._on_closed = on_closed
        self._conversation = Conversation(client[0], framing)
        self._near = near
        self._far: Stream | None = None
        self._connecting: socket.socket | None = None
        self._outgoing: socket.socket | None = None  # to the server, for its addresses
        self._flow: TcpFlow | None = None
        self._passed = {CLIENT: 0, SERVER: 0}  # bytes that came from each side
        self._notes: deque[tuple[int, list[WatchEvent], list[bytes]]] = deque()
        self._is_closed = False

    @property
    def lost(self) -> int:
        """Count of the bytes that came from one side and could not be sent to the other."""
        return self._near.lost + (self._far.lost if self._far else 0)

    def is_other_end_of(self, accepted: socket.socket) -> bool:
        """Return whether an accepted connection is the one from here to the server: then the tap leads to itself."""
        if self._outgoing is None:
            return False
        try:
            here = _address(self._outgoing.getsockname()), _address(self._outgoing.getpeername())
            return here == (_address(accepted.getpeername()), _address(accepted.getsockname()))
        except OSError:  # one of the two is not connected
            return False

    def connect(self, targets: list[Target]) -> None:
        """Connect to the first of the addresses that accepts. The client is not read before that."""
        (family, address), *others = targets
        try:
            self._outgoing = self._connecting = connecting = socket.socket(family, socket.SOCK_STREAM)
            connecting.setblocking(False)
            failed = connecting.connect_ex(address)
        except OSError as error:  # this process may not open more files
            self._on_unreachable(error, targets[0], others)
            return
        if failed not in _IN_PROGRESS:
            self._on_unreachable(_error(failed), targets[0], others)
            return
        self._loop.watch(connecting, None, lambda: self._on_writable(connecting, targets[0], others))

    def abort(self) -> None:
        """Reset both sides."""
        self._is_closed = True
        self._near.reset()
        if self._far is not None:
            self._far.reset()
        elif self._connecting is not None:
            self._loop.watch(self._connecting, None)
            self._connecting.close()

    # Events of the two streams

    def pass_on(self, sender: str, data: bytes, target: Stream) -> None:
        """Send bytes on, and show them."""
        self._passed[sender] += len(data)
        self._note(self._conversation.receive(sender, data), self._flow.data(sender, data) if self._flow else [])
        target.send(data)  # may find out that the target has reset the connection, which is shown after the bytes
        self._tell()
        silence_s = self._conversation.silence_s
        if sender == CLIENT and silence_s is not None:
            came = self._passed[CLIENT]
            self._loop.after(silence_s, lambda: self._on_silence(came))

    def end(self, sender: str) -> None:
        """Show the end of a side."""
        self._note_and_tell(self._conversation.end(sender), self._flow.end(sender) if self._flow else [])

    def reset(self, sender: str) -> None:
        """Show the reset by a side. It ends the connection."""
        self._note_and_tell(self._conversation.reset(sender), self._flow.reset(sender) if self._flow else [])
        for stream in (self._near, self._far):
            if stream is not None:
                stream.reset()
        self._close()

    def close_if_done(self) -> None:
        """Close both sides if everything and both ends have been passed on."""
        if self._far is not None and self._near.is_done and self._far.is_done:
            self._close()

    # The connection to the server

    def _on_writable(self, connecting: socket.socket, target: Target, others: list[Target]) -> None:
        self._loop.watch(connecting, None)
        try:
            failed = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise _error(failed)
            far = Stream(self._loop, connecting)
        except OSError as error:
            self._on_unreachable(error, target, others)
            return
        server = _address(target[1])
        self._connecting = None
        self._far = far
        self._flow = TcpFlow(self._client, server)
        text = f"{show_address(*self._client)} -> {show_address(*server)}"
        self._note_and_tell([WatchEvent(EventKind.CONNECTED, text=text)], self._flow.handshake())
        self._near.start(TapDirection(self, CLIENT, self._near, far))
        far.start(TapDirection(self, SERVER, far, self._near))

    def _on_unreachable(self, error: OSError, target: Target, others: list[Target]) -> None:
        if self._connecting is not None:
            self._connecting.close()
            self._connecting = None
        if others:
            self.connect(others)
            return
        server = _address(target[1])
        text = f"{show_address(*server)}: {error.strerror}; {show_address(*self._client)} is reset"
        self._note_and_tell([WatchEvent(EventKind.UNREACHABLE, text=text)], TcpFlow(self._client, server).refused())
        self._near.reset()
        self._is_closed = True
        self._on_closed(self)

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for stream in (self._near, self._far):
            if stream is not None:
                stream.close()
        client, server = self._passed.values()
        lost = f"; {self.lost:,} of them could not be passed on" if self.lost else ""
        text = f"{client:,} bytes from the client, {server:,} bytes from the server{lost}"
        self._note_and_tell([WatchEvent(EventKind.CLOSED, text=text)], [])
        self._on_closed(self)

    def _on_silence(self, came: int) -> None:
        if came == self._passed[CLIENT] and not self._is_closed:
            self._note_and_tell(self._conversation.fall_silent(), [])

    def _note_and_tell(self, events: list[WatchEvent], frames: list[bytes]) -> None:
        self._note(events, frames)
        self._tell()

    def _note(self, events: list[WatchEvent], frames: list[bytes]) -> None:
        """Keep what happened now, and the frames in which a capture shows it, until `_tell`."""
        self._notes.append((time.time_ns(), events, frames))

    def _tell(self) -> None:
        """Write what was noted to the capture, and show it."""
        while self._notes:
            time_ns, events, frames = self._notes.popleft()
            if self._capture is not None and frames:
                self._capture.add(time_ns, frames, [event_words(event) for event in events if event.arrows])
            for event in events:
                self._show(time_ns, self._number, event)


class TapDirection:
    """The bytes that one side sends. It is the handler of the stream that it reads from."""

    def __init__(self, connection: TappedConnection, sender: str, source: Stream, target: Stream) -> None:
        self._connection = connection
        self._sender = sender
        self._source = source
        self._target = target
        self._has_ended = False
        target.on_drained = self._on_drained

    def on_data(self, data: bytes) -> None:
        """Pass bytes on. Read no more while too many are queued."""
        self._connection.pass_on(self._sender, data, self._target)
        if self._target.is_full:
            self._source.read_on(False)

    def on_end(self) -> None:
        """Pass the end on."""
        self._has_ended = True
        self._connection.end(self._sender)
        self._target.end()
        self._connection.close_if_done()

    def on_reset(self) -> None:
        """Pass the reset on."""
        self._connection.reset(self._sender)

    def _on_drained(self) -> None:
        if not self._has_ended:
            self._source.read_on(True)
        self._connection.close_if_done()


def _address(address: Any) -> tuple[str, int]:
    """Return IP address and port of an address of the socket layer."""
    return plain_ip(address[0]), address[1]


def _error(number: int) -> OSError:
    """Return the error of a connection. Windows has words of its own for those of sockets."""
    words = getattr(socket, "errorTab", {}).get(number)
    return OSError(number, words or os.strerror(number))
