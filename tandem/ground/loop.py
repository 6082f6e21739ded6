"""Sockets and deadlines: accepts, greets, reads, answers, drains, closes. Knows no JSON.

One thread, nothing blocks. What to make of the bytes is the desk's business: the loop hands them over
and does what the desk returns. Every connection is in exactly one Phase, and each phase has its limit.
"""

import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import IntEnum, auto
from itertools import islice
from typing import Protocol

from tandem.exchange.address import plain_ip
from tandem.ground.poller import READ, new_poller

RECEIVE = 16_384  # bytes taken at a time; more than a whole message
BACKLOG = 4096  # connections that the system holds ready for us
AT_ONCE = 100  # connections accepted in one go
TICK = 1.0  # seconds: so often the desk is called when nothing else happens
TELL = 1.0  # seconds between two words in the log about connections that had to go
REST = 0.1  # seconds without accepting when the system has no more sockets to give
MORE = getattr(socket, "MSG_MORE", 0)  # lets the end of stream ride on the reply, where the system can


class Phase(IntEnum):
    """Where a connection stands."""

    FIRST_BYTE = auto()  # greeted; nothing has come yet
    LEAVING = auto()  # the same, and we are about to stop
    DOUBT = auto()  # what came might be the start of a length
    MESSAGE = auto()  # in the middle of a message
    HELD = auto()  # the reply waits for its record to be on disk
    IGNORED = auto()  # will get no answer (--errors silent)
    DRAIN = auto()  # answered; what still comes is thrown away until the other side closes


LIMITS = {  # seconds; PROTOCOL.md 3.4
    Phase.FIRST_BYTE: 900.0,  # a person may be typing; client 2 may connect early
    Phase.LEAVING: 0.5,  # for a message that is under way
    Phase.DOUBT: 0.2,
    Phase.MESSAGE: 3.0,  # of silence: starts again with every byte
    Phase.HELD: 4.0,  # then it is told as not kept: nobody waits longer for a reply; sent again, it counts once
    Phase.IGNORED: 900.0,
    Phase.DRAIN: 5.0,
}

Next = Phase | bytes  # what the desk wants: to wait in a phase, or to reply with these bytes and end


class Connection:
    """One connection to the ground."""

    __slots__ = ("socket", "address", "port", "opened", "phase", "ended", "mind")

    def __init__(self, sock: socket.socket, address: str, port: int, opened: float) -> None:
        self.socket = sock
        self.address = address
        self.port = port
        self.opened = opened  # time.monotonic()
        self.phase = Phase.FIRST_BYTE
        self.ended = False  # has the other side closed its half?
        self.mind: object = None  # the desk's own: what it wants to remember between two calls


class Answers(Protocol):
    """Who decides what to say. Nothing here may block."""

    welcome: bytes

    def received(self, connection: Connection, data: bytes) -> Next:
        """Bytes came; b"" means the end of the stream."""

    def expired(self, connection: Connection) -> Next:
        """The limit of FIRST_BYTE, DOUBT, MESSAGE or HELD has passed."""

    def lost(self, connection: Connection) -> None:
        """The connection broke before it was answered."""


class Loop:
    """Runs the connections of some listening sockets until `stop`."""

    def __init__(
        self, listeners: Sequence[socket.socket], desk: Answers, most: int, log: Callable[[str], None]
    ) -> None:
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._desk = desk
        self._most = most  # connections at a time
        self._log = log
        self._poller = new_poller()
        self._connections: dict[int, Connection] = {}
        # One queue a phase. All deadlines of a phase are equally far away, so each queue is in order by itself.
        self._queues: dict[Phase, OrderedDict[int, float]] = {phase: OrderedDict() for phase in Phase}
        self._now = time.monotonic()  # of this turn
        self._tick_at = self._now + TICK
        self._pushed_out = 0  # connections closed to make room, since that was told
        self._tell_at = 0.0  # when to tell it again
        self._resting_until = 0.0  # no more accepts before then
        self._stop_by: float | None = None  # set once we stop: when the last connection is cut off
        self._stirred: Callable[[], None] = lambda: None
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        for fd in (*self._listeners, self._bell.fileno()):
            self._poller.register(fd, READ)

    @property
    def rope(self) -> int:
        """A descriptor: a byte written to it wakes the loop. Signals may use it, too."""
        return self._rope.fileno()

    def wake(self) -> None:
        """Makes the loop call what was given to `run`. May be called from any thread."""
        try:
            self._rope.send(b"!")
        except OSError:
            pass  # so many calls are waiting that it will wake anyway; or it has ended

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def run(self, stirred: Callable[[], None]) -> None:
        """Serves until stopped and done. Calls `stirred` in this thread after each `wake`, and every TICK."""
        self._stirred = stirred
        while self._stop_by is None or (self._connections and time.monotonic() < self._stop_by):
            self._turn()
        for connection in list(self._connections.values()):
            self._close(connection)
        self._poller.close()
        self._bell.close()
        self._rope.close()

    def stop(self, within: float) -> None:
        """Accepts nobody any more, finishes what is in hand, gives up on the rest after `within` seconds.

        Who has connected already, even if only the system knows, may still bring a message at once.
        """
        self._stop_by = time.monotonic() + within
        for listener in self._listeners.values():
            for _ in range(BACKLOG // AT_ONCE):  # as many as can have waited; more may be coming without end
                if not self._accept(listener):
                    break
        self._stop_listening()
        for fd in list(self._queues[Phase.FIRST_BYTE]):
            self._wait(self._connections[fd], Phase.LEAVING)

    def reply(self, connection: Connection, data: bytes) -> None:
        """Answers a connection that was HELD. One that is gone by now gets nothing."""
        if connection.phase is Phase.HELD and self._connections.get(connection.socket.fileno()) is connection:
            self._send_reply(connection, data)

    def _turn(self) -> None:
        """Waits for something to happen, and deals with it."""
        ready = self._poller.poll(self._until_next_deadline())
        self._now = time.monotonic()
        for fd, _ in ready:
            connection = self._connections.get(fd)
            if connection is not None:
                self._read(connection)
            elif fd in self._listeners:
                self._accept(self._listeners[fd])
            elif fd == self._bell.fileno():
                self._ring()
        if self._now >= self._tick_at:
            self._tick_at = self._now + TICK
            self._stirred()
        self._expire(self._now)

    def _until_next_deadline(self) -> float:
        first = [next(iter(queue.values())) for queue in self._queues.values() if queue]
        first.append(self._tick_at)
        if self._resting_until:
            first.append(self._resting_until)
        if self._stop_by is not None:
            first.append(self._stop_by)
        return max(0.0, min(first) - time.monotonic())

    def _ring(self) -> None:
        try:
            self._bell.recv(4096)
        except BlockingIOError:
            pass
        self._stirred()

    def _accept(self, listener: socket.socket) -> bool:
        """Lets in and greets who waits, AT_ONCE at the most, so that those already here get their turn.

        Returns whether there may be more.
        """
        for _ in range(AT_ONCE):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionError):
                return False
            except OSError as error:
                self._log(f"cannot accept: {error.strerror}; resting for {REST:g} s")
                self._rest()
                return False
            sock.setblocking(False)
            connection = Connection(sock, plain_ip(address[0]), address[1], self._now)
            fd = sock.fileno()
            self._connections[fd] = connection
            self._poller.register(fd, READ)
            self._wait(connection, Phase.FIRST_BYTE)
            try:
                sock.send(self._desk.welcome)
            except OSError:
                self._lose(connection)
            if len(self._connections) > self._most:
                self._make_room()
        return True

    def _make_room(self) -> None:
        """Closes the connection that has been silent for longest, but none that waits for its record."""
        heads = [
            (deadline - LIMITS[phase], fd)  # since when it is silent
            for phase, queue in self._queues.items()
            if phase is not Phase.HELD
            for fd, deadline in islice(queue.items(), 1)
        ]
        if heads:
            self._lose(self._connections[min(heads)[1]])
            self._pushed_out += 1
        now = time.monotonic()
        if now >= self._tell_at:
            self._log(f"{self._most} connections are open: {self._pushed_out} closed, those silent for longest")
            self._pushed_out = 0
            self._tell_at = now + TELL

    def _rest(self) -> None:
        self._resting_until = time.monotonic() + REST
        for fd in self._listeners:
            self._poller.modify(fd, 0)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._lose(connection)
            return
        phase = connection.phase
        if phase is Phase.DRAIN or phase is Phase.IGNORED:
            if not data:
                self._close(connection)
        elif phase is Phase.HELD:
            if connection.ended:
                self._close(connection)  # it was not read from any more: only a reset can have woken us
            elif not data:
                connection.ended = True
                self._poller.modify(connection.socket.fileno(), 0)  # the end would wake us again and again
        else:
            connection.ended = not data
            self._do(connection, self._desk.received(connection, data))

    def _expire(self, now: float) -> None:
        """Ends what has lasted too long."""
        if self._resting_until and now >= self._resting_until:
            self._resting_until = 0.0
            for fd in self._listeners:
                self._poller.modify(fd, READ)
        for phase, queue in self._queues.items():
            while queue:
                fd, deadline = next(iter(queue.items()))
                if deadline > now:
                    break
                connection = self._connections[fd]
                if phase in (Phase.DRAIN, Phase.IGNORED, Phase.LEAVING):
                    self._close(connection)
                else:
                    self._do(connection, self._desk.expired(connection))

    def _do(self, connection: Connection, wanted: Next) -> None:
        if isinstance(wanted, bytes):
            self._send_reply(connection, wanted)
        else:
            self._wait(connection, wanted)

    def _wait(self, connection: Connection, phase: Phase) -> None:
        """Puts the connection into a phase, with that phase's whole limit before it."""
        fd = connection.socket.fileno()
        self._queues[connection.phase].pop(fd, None)
        connection.phase = phase
        self._queues[phase][fd] = time.monotonic() + LIMITS[phase]

    def _send_reply(self, connection: Connection, data: bytes) -> None:
        """The reply in one send, and the end of our side with it. No bytes: only the end."""
        try:
            if data and connection.socket.send(data, MORE) < len(data):
                self._close(connection)  # a reply fits into any socket's buffer: this one is not being read
                return
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        if connection.ended:
            self._close(connection)
        else:
            self._wait(connection, Phase.DRAIN)

    def _lose(self, connection: Connection) -> None:
        if connection.phase not in (Phase.DRAIN, Phase.IGNORED, Phase.HELD):
            self._desk.lost(connection)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        fd = connection.socket.fileno()
        self._queues[connection.phase].pop(fd, None)
        del self._connections[fd]
        self._poller.unregister(fd)
        connection.socket.close()

    def _stop_listening(self) -> None:
        for fd, listener in self._listeners.items():
            self._poller.unregister(fd)
            listener.close()
        self._listeners.clear()
        self._resting_until = 0.0
