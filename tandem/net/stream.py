"""One end of a TCP connection in the event loop: reads, writes what the system takes, and knows how it ended."""

import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from tandem.net.event_loop import EventLoop

RECV_SIZE = 65_536
MAX_QUEUED = 262_144  # bytes not yet taken by the system, above which the sender of them is not read any more
RESET_ON_CLOSE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, no time


class StreamHandler(Protocol):
    """The receiver of the events of a stream."""

    def on_data(self, data: bytes, /) -> None:
        """Take bytes that came."""

    def on_end(self) -> None:
        """Take notice that the other side ended its sending side."""

    def on_reset(self) -> None:
        """Take notice that the connection is gone, and the stream closed."""


class Stream:
    """A connected socket. Call `start` once there is a handler."""

    def __init__(self, loop: EventLoop, connected: socket.socket) -> None:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = loop
        self._socket = connected
        self._handler: StreamHandler | None = None
        self._queue = bytearray()
        self._is_reading = False
        self._is_ending = False  # the end of the stream follows the queue
        self._has_ended = False  # the other side ended its sending side
        self._is_broken = False  # nothing can be sent any more; what came before that is still to be read
        self.is_closed = False
        self.lost = 0  # bytes that were to be sent, and that the system never took
        self.on_drained: Callable[[], None] = lambda: None  # the queue is short again

    @property
    def is_full(self) -> bool:
        """Whether more is queued than should be."""
        return len(self._queue) > MAX_QUEUED

    @property
    def is_done(self) -> bool:
        """Whether all that was sent, and the end, went to the system, or the stream is closed."""
        return self.is_closed or (self._is_ending and not self._queue)

    def start(self, handler: StreamHandler) -> None:
        """Begin to read."""
        self._handler = handler
        self.read_on(True)

    def read_on(self, wanted: bool) -> None:
        """Go on with reading, or pause."""
        self._is_reading = wanted
        self._watch()

    def send(self, data: bytes) -> None:
        """Send bytes, in a segment of their own if the system takes them at once."""
        if self.is_closed or self._is_ending or self._is_broken:
            self.lost += len(data)
            return
        self._queue += data
        self._write()

    def end(self) -> None:
        """End the sending side after what is queued."""
        if not self.is_closed and not self._is_ending:
            self._is_ending = True
            if not self._is_broken:
                self._write()

    def reset(self) -> None:
        """Close with a reset: what is queued is lost."""
        if not self.is_closed:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.close()

    def close(self) -> None:
        """Close. What the system has not taken yet is lost."""
        if not self.is_closed:
            self.is_closed = True
            self._drop_queue()
            self._loop.watch(self._socket, None)
            self._socket.close()

    def _read(self) -> None:
        assert self._handler is not None
        try:
            data = self._socket.recv(RECV_SIZE)
        except BlockingIOError:
            return
        except OSError:
            self._lose()
            return
        if data:
            self._handler.on_data(data)
        elif self._is_broken:
            self._lose()
        else:
            self._has_ended = True
            self.read_on(False)
            self._handler.on_end()

    def _write(self) -> None:
        try:
            while self._queue:
                sent = self._socket.send(self._queue)
                del self._queue[:sent]
            if self._is_ending:
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self._break()
            return
        self._watch()
        if not self.is_full:
            self.on_drained()

    def _break(self) -> None:
        """Drop what is queued. What came before the reset is read first: a reply may be among it."""
        self._drop_queue()
        self._is_broken = True
        if self._has_ended:
            self._lose()
        else:
            self.read_on(True)

    def _drop_queue(self) -> None:
        self.lost += len(self._queue)
        self._queue.clear()

    def _lose(self) -> None:
        self.close()
        if self._handler is not None:
            self._handler.on_reset()

    def _watch(self) -> None:
        if not self.is_closed:
            self._loop.watch(
                self._socket, self._read if self._is_reading else None, self._write if self._queue else None
            )
