"""Sockets and deadlines: accept, greet, read, answer, drain, close. Knows no JSON.

One thread, and nothing blocks. The handler gets bytes and returns an action; the loop carries it out. Each connection
is in exactly one state (states.py). The work of one turn is bounded: what needs a closer look waits in a queue, and
each turn takes from it for a limited time. So no crowd holds up a message that needs only a quick look.

An exchange is two connections, and system calls are most of what it costs. Therefore a connection is its low-level
socket, without a second object. The poller reports one event for each, so that most sockets are closed without a call
to the poller. An answered connection is not watched, but looked at 10 ms later, when most clients have closed.
"""

import os
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from tandem.net.poller import ONCE, READ, Wakeup, new_poller
from tandem.protocol.address import plain_ip
from tandem.server.actions import Action, CommitThenReply, End, Handler, Progress, Proxied, Reply, StopRequests
from tandem.server.committer import Committer
from tandem.server.fair_queue import FairQueue
from tandem.server.log import Log
from tandem.server.states import (
    ANSWERED,
    CLOSED,
    COMMITTING,
    DRAINING,
    FIRST_BYTE,
    IN_DOUBT,
    LAST_CHANCE,
    LIMITS,
    MESSAGE,
    QUEUED,
    SILENCED,
    STATES,
    TRANSITIONS,
    UNANSWERED,
    WATCHED,
    State,
    UnlawfulMoveError,
)

RECV_SIZE = 16_384  # bytes taken at a time: more than a whole message
BACKLOG = 4096  # connections that the system holds ready for us
ACCEPT_BATCH = 100  # connections accepted in one turn
EXPIRY_BATCH = 1000  # connections of one state whose limit is found to have passed in one turn
MAX_CLOSER_LOOKS = 0.01  # seconds of one turn for messages that need a closer look
MIN_CLOSER_LOOKS = 0.001  # the same while more connections wait to be accepted, or a reply waits for its commit
COMMIT_SHARE = (
    0.003  # seconds of each such turn that the loop leaves to the recorder's thread: Python runs one at a time
)
CHECK_INTERVAL = 0.02  # seconds between two looks at the limits: an answer may be so late
TICK = 1.0  # seconds between two calls of the handler's on_tick
LOG_INTERVAL = 1.0  # minimum seconds between two log lines about evicted connections
ACCEPT_BACKOFF = 0.1  # seconds without accepting when the system has no more sockets to give

NOWAIT = getattr(socket, "MSG_DONTWAIT", 0)  # saves the call that makes a socket non-blocking
LAST = NOWAIT | getattr(socket, "MSG_MORE", 0)  # lets the end of the stream travel in the reply's segment

_share = lru_cache(maxsize=4096)(plain_ip)  # one text for all connections from an address


class Connection(socket.SocketType):
    """A connection: its low-level socket, and what the loop knows of it."""

    __slots__ = ("address", "port", "opened", "state", "since", "progress", "commit")

    address: str
    port: int
    opened: float  # time.monotonic()
    state: State
    since: float  # when the state began, time.monotonic()
    progress: Progress  # the handler's, for its next call
    commit: CommitThenReply  # set while COMMITTING


class _CloserLook(NamedTuple):
    """Work that waits for its turn: a connection, and what happened to it."""

    connection: Connection
    data: bytes  # what came; b"" is the end of the stream
    silent_in: State | None  # the state whose limit has passed; None: something came


class Loop:
    """Runs the connections of some listening sockets until it is told to stop."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        handler: Handler,
        recorder: "Committer[Connection]",
        stop_requests: StopRequests,
        wakeup: Wakeup,
        log: Log,
        max_connections: int,
    ) -> None:
        """Take over `listeners` and `wakeup`: `run` closes them. `recorder` must wake `wakeup` after each commit."""
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._handler = handler
        self._recorder = recorder
        self._stop_requests = stop_requests
        self._wakeup = wakeup
        self._log = log
        self._max_connections = max_connections
        self._poller = new_poller()
        # The connections of each state by descriptor, the one that has been in it for longest first.
        self._in: dict[State, dict[int, Connection]] = {state: {} for state in STATES}
        self._open = 0  # connections
        self._closer_looks: FairQueue[_CloserLook] = FairQueue()
        self._now = time.monotonic()  # of this turn
        self._check_at = self._now
        self._tick_at = self._now + TICK
        self._evicted = 0  # since the last log line about it
        self._log_evicted_at = 0.0
        self._accept_again_at = 0.0  # 0: accepting
        self._stop_by: float | None = None  # set once we stop: when the last connection is closed
        for fd in (*self._listeners, self._wakeup.fileno()):
            self._poller.register(fd, READ)

    def run(self) -> None:
        """Serve until stopped and done. Then, or after any exception, close everything."""
        try:
            while self._stop_by is None or (self._open and time.monotonic() < self._stop_by):
                self._turn()
        finally:
            self._close_all()

    def _close_all(self) -> None:
        for connections in self._in.values():
            for connection in list(connections.values()):
                self._close(connection)
        self._stop_listening()
        self._poller.close()
        self._wakeup.close()

    def _turn(self) -> None:
        """Wait until something happens, and deal with it."""
        ready = self._poller.poll(self._timeout())
        self._now = time.monotonic()
        greeted = self._in[FIRST_BYTE]
        more_to_accept = False
        for fd, _ in ready:
            connection = greeted.get(fd)
            if connection is not None:
                try:
                    self._read_first(connection)
                except Exception as bug:
                    self._close_after_bug(connection, bug)
            elif fd in self._listeners:
                more_to_accept = self._accept(self._listeners[fd])
            elif fd == self._wakeup.fileno():
                self._wakeup.drain()
                self._finish_commits()
                self._stop_if_asked()
            else:
                self._read_more(fd)
        if self._in[ANSWERED]:
            self._look_after_answered()
        if self._in[QUEUED]:
            hurry = more_to_accept or self._in[COMMITTING]
            self._look_closer(MIN_CLOSER_LOOKS if hurry else MAX_CLOSER_LOOKS)
        if self._now >= self._check_at:
            self._check_at = self._now + CHECK_INTERVAL
            self._check_limits()
        if self._now >= self._tick_at:
            self._tick_at = self._now + TICK
            self._tick()

    def _timeout(self) -> float:
        """Return how long to wait for events, in seconds."""
        if self._in[QUEUED]:
            return COMMIT_SHARE if self._in[COMMITTING] else 0.0
        if self._open == len(self._in[FIRST_BYTE]) and not self._accept_again_at and self._stop_by is None:
            return max(0.0, self._tick_at - self._now)  # after 15 minutes of silence a second does not matter
        return CHECK_INTERVAL

    def _close_after_bug(self, connection: Connection, bug: Exception) -> None:
        """Log the bug. It costs this connection only."""
        if isinstance(bug, MemoryError):
            raise bug  # the server cannot go on: serve.py says so
        self._log.write(f"{connection.address} bug: {''.join(traceback.format_exception(bug))}")
        self._close(connection)

    # Accepting

    def _accept(self, listener: socket.socket) -> bool:
        """Accept and greet at most ACCEPT_BATCH connections. Return whether there may be more."""
        accept, family = _acceptor(listener), listener.family
        for _ in range(ACCEPT_BATCH):
            try:
                fd, address = accept()
            except BlockingIOError:
                return False
            except ConnectionError:
                continue  # it was reset before we came to it
            except OSError as error:
                self._log.write(f"cannot accept: {error.strerror}; trying again in {ACCEPT_BACKOFF:g} s")
                self._pause_accepting()
                return False
            if not address:  # macOS, for a connection that was reset before we came to it
                os.close(fd)
                continue
            connection = Connection(family, socket.SOCK_STREAM, 0, fd)
            connection.address = _share(address[0])
            connection.port = address[1]
            try:
                self._greet(connection)
            except Exception as bug:
                self._close_after_bug(connection, bug)
        return True

    def _greet(self, connection: Connection) -> None:
        """Send the welcome, and wait for the first byte."""
        if not NOWAIT:
            connection.setblocking(False)
        connection.opened = connection.since = self._now
        connection.state = FIRST_BYTE
        connection.progress = None
        fd = connection.fileno()
        self._in[FIRST_BYTE][fd] = connection
        self._open += 1
        self._poller.register(fd, READ | ONCE)
        try:
            connection.send(self._handler.welcome, NOWAIT)
        except OSError:
            self._lose(connection)
        if self._open > self._max_connections:
            self._evict_one()

    def _evict_one(self) -> None:
        """Close the connection that has been in its state for longest, but none that waits for its commit."""
        oldest = [
            next(iter(self._in[state].values())) for state in STATES if state is not COMMITTING and self._in[state]
        ]
        if oldest:
            self._lose(min(oldest, key=lambda connection: (connection.since, connection.opened)))
            self._evicted += 1
        if self._now >= self._log_evicted_at:
            self._log.write(
                f"{self._max_connections} connections are open: {self._evicted} closed, those silent for longest"
            )
            self._evicted = 0
            self._log_evicted_at = self._now + LOG_INTERVAL

    def _pause_accepting(self) -> None:
        self._accept_again_at = self._now + ACCEPT_BACKOFF
        for fd in self._listeners:
            self._poller.modify(fd, 0)

    # Reading

    def _read_first(self, connection: Connection) -> None:
        """Read the first bytes. A quick look is mostly enough for them."""
        try:
            data = connection.recv(RECV_SIZE, NOWAIT)
        except OSError as error:
            self._nothing_received(connection, error)
            return
        action = self._handler.received_first(connection, connection.progress, data)
        if action is None:
            self._queue(connection, data)
        else:
            self._carry_out(connection, action)

    def _read_more(self, fd: int) -> None:
        """Read from a connection that is not new, unless it was closed in this turn."""
        for state in (MESSAGE, IN_DOUBT, DRAINING, SILENCED, LAST_CHANCE):
            connection = self._in[state].get(fd)
            if connection is None:
                continue
            try:
                if state is DRAINING or state is SILENCED:
                    self._drain(connection)
                elif state is LAST_CHANCE:
                    self._read_first(connection)
                else:
                    self._read_rest(connection)
            except Exception as bug:
                self._close_after_bug(connection, bug)
            return

    def _read_rest(self, connection: Connection) -> None:
        """Read after a part of a message has come."""
        try:
            data = connection.recv(RECV_SIZE, NOWAIT)
        except OSError as error:
            self._nothing_received(connection, error)
        else:
            self._queue(connection, data)

    def _nothing_received(self, connection: Connection, error: OSError) -> None:
        """Go on waiting if there was nothing to read after all. Else the connection broke."""
        if isinstance(error, BlockingIOError):
            self._poller.modify(connection.fileno(), READ | ONCE)
        else:
            self._lose(connection)

    # A closer look: everything that a quick look does not decide

    def _queue(self, connection: Connection, data: bytes, silent_in: State | None = None) -> None:
        """Let the connection wait for its turn; addresses take turns."""
        self._move(connection, QUEUED)
        self._closer_looks.put(_source(connection), _CloserLook(connection, data, silent_in))

    def _look_closer(self, seconds: float) -> None:
        """Work on the queue for so many seconds, or one message longer."""
        until = time.monotonic() + seconds
        while self._in[QUEUED]:
            look = self._closer_looks.take()
            if look.connection.state is QUEUED:  # else it was evicted meanwhile
                try:
                    self._decide(look.connection, look)
                except Exception as bug:
                    self._close_after_bug(look.connection, bug)
            if time.monotonic() >= until:
                return

    def _decide(self, connection: Connection, look: _CloserLook) -> None:
        if look.silent_in is None:
            action = self._handler.received(connection, connection.progress, look.data)
        else:
            action = self._handler.expired(connection, connection.progress, look.silent_in)
        self._carry_out(connection, action)

    # What the handler wants

    def _carry_out(self, connection: Connection, action: Action) -> None:
        """Record, and move the connection on."""
        if isinstance(action, CommitThenReply):
            self._move(connection, COMMITTING)
            connection.commit = action
            self._recorder.commit(action.record, connection)
            return
        if action.record is not None:
            self._recorder.record(action.record)
        if isinstance(action, Reply):
            self._reply(connection, action.data)
        elif isinstance(action, End):
            self._end(connection)
        else:
            self._wait(connection, action.state, action.progress)

    def _wait(self, connection: Connection, state: State, progress: Progress) -> None:
        if state is FIRST_BYTE and self._stop_by is not None:
            state = LAST_CHANCE
        self._move(connection, state)
        connection.progress = progress
        self._poller.modify(connection.fileno(), READ | ONCE)

    def _finish_commits(self) -> None:
        """Answer those whose commit is over."""
        for connection, stored in self._recorder.take_outcomes():
            if connection.state is COMMITTING:  # else it was answered when its limit passed
                try:
                    self._answer_commit(connection, stored)
                except Exception as bug:
                    self._close_after_bug(connection, bug)

    def _answer_commit(self, connection: Connection, stored: bool) -> None:
        reply = self._handler.committed(connection.commit, stored, self._now - connection.since)
        del connection.commit
        self._reply(connection, reply)

    def _reply(self, connection: Connection, data: bytes) -> None:
        """Send the reply in one send, and the end of our side with it."""
        try:
            sent = connection.send(data, LAST)
        except OSError:
            sent = 0
        if sent == len(data):
            self._end(connection)
        else:
            self._close(connection)  # a reply fits into any socket's buffer: this client does not read

    def _end(self, connection: Connection) -> None:
        """Close our side, and let the client close its own."""
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        connection.progress = None
        self._move(connection, ANSWERED)

    # After the reply

    def _look_after_answered(self) -> None:
        """Close what was answered 10 ms ago and has ended by now, and watch the rest."""
        for connection in self._overdue(ANSWERED):
            try:
                self._drain(connection)
            except Exception as bug:
                self._close_after_bug(connection, bug)

    def _drain(self, connection: Connection) -> None:
        """Discard what came. Close if the client has closed, else wait for that."""
        try:
            ended = not connection.recv(RECV_SIZE, NOWAIT)
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        if ended:
            self._close(connection)
            return
        if connection.state is ANSWERED:
            self._move(connection, DRAINING)
        self._poller.modify(connection.fileno(), READ | ONCE)

    # Time

    def _check_limits(self) -> None:
        """Deal with connections that have been in their state for too long, EXPIRY_BATCH of each state at most."""
        if self._accept_again_at and self._now >= self._accept_again_at:
            self._accept_again_at = 0.0
            for fd in self._listeners:
                self._poller.modify(fd, READ)
        for state in LIMITS:
            if self._in[state] and state is not ANSWERED:
                for connection in self._overdue(state):
                    try:
                        self._expire(connection)
                    except Exception as bug:
                        self._close_after_bug(connection, bug)

    def _overdue(self, state: State) -> list[Connection]:
        """Return the connections whose limit in `state` has passed, EXPIRY_BATCH at most."""
        began_before = self._now - LIMITS[state]
        overdue = []
        for connection in islice(self._in[state].values(), EXPIRY_BATCH):
            if connection.since > began_before:
                break
            overdue.append(connection)
        return overdue

    def _expire(self, connection: Connection) -> None:
        state = connection.state
        if state is COMMITTING:
            self._answer_commit(connection, stored=False)
        elif state in (FIRST_BYTE, IN_DOUBT, MESSAGE, LAST_CHANCE):
            self._expire_silent(connection)
        else:
            self._close(connection)

    def _expire_silent(self, connection: Connection) -> None:
        """Deal with a client that was silent, unless bytes are there: this process may have been held, or be late."""
        state = connection.state
        try:
            data = connection.recv(RECV_SIZE, NOWAIT)
        except BlockingIOError:
            if state is LAST_CHANCE:
                self._close(connection)
            else:
                self._queue(connection, b"", silent_in=state)
        except OSError:
            self._lose(connection)
        else:
            self._queue(connection, data)

    def _tick(self) -> None:
        """Do what is due once a second."""
        self._stop_if_asked()
        for record in self._handler.on_tick(self._open, self._recorder.waiting):
            self._recorder.record(record)

    # Ends

    def _move(self, connection: Connection, state: State) -> None:
        """Put the connection into the next state. Raises UnlawfulMoveError."""
        before = connection.state
        if state not in TRANSITIONS[before]:
            raise UnlawfulMoveError(before, state)
        fd = connection.fileno()
        del self._in[before][fd]
        self._in[state][fd] = connection
        connection.state = state
        connection.since = self._now

    def _lose(self, connection: Connection) -> None:
        """Close a connection that broke, or that has to make room. A visit without an answer is recorded."""
        if connection.state in UNANSWERED:
            record = self._handler.lost(connection, connection.progress)
            if record is not None:
                self._recorder.record(record)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close a connection, whatever its state. Closing it twice does no harm."""
        if connection.state is CLOSED:
            return
        del self._in[connection.state][connection.fileno()]
        if connection.state in WATCHED:
            self._poller.unregister(connection.fileno())
        connection.close()
        connection.state = CLOSED
        connection.progress = None
        self._open -= 1

    def _stop_if_asked(self) -> None:
        within = self._stop_requests.take()
        if within is not None:
            self._stop(within)

    def _stop(self, within: float) -> None:
        """Accept no more, finish what is in hand, and give up on the rest after `within` seconds.

        Connections in the listen backlog are still accepted; like all that said nothing yet, they get 0.5 s to send a
        message.
        """
        self._now = time.monotonic()
        self._stop_by = self._now + within
        for listener in self._listeners.values():
            for _ in range(BACKLOG // ACCEPT_BATCH):  # a whole backlog; more may be coming without end
                if not self._accept(listener):
                    break
        self._stop_listening()
        for connection in list(self._in[FIRST_BYTE].values()):
            self._move(connection, LAST_CHANCE)

    def _stop_listening(self) -> None:
        for fd, listener in self._listeners.items():
            self._poller.unregister(fd)
            listener.close()
        self._listeners.clear()
        self._accept_again_at = 0.0


Acceptor = Callable[[], tuple[int, Any]]  # accepts one connection: its descriptor and its address


def _acceptor(listener: socket.socket) -> Acceptor:
    """Return what accepts connections.

    `_accept` is private to the standard library. It makes no socket object, which would only be thrown away here.
    """
    return getattr(listener, "_accept", _public_acceptor(listener))


def _public_acceptor(listener: socket.socket) -> Acceptor:
    """Return the same, made from public functions only."""

    def accept() -> tuple[int, Any]:
        accepted, address = listener.accept()
        return accepted.detach(), address

    return accept


def _source(connection: Connection) -> str:
    """Return the address whose turn the connection has to wait for."""
    progress = connection.progress
    return progress.peer.address if isinstance(progress, Proxied) and progress.peer else connection.address
