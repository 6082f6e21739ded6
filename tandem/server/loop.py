"""The event loop: accept, send the welcome, read, reply, drain, close. Owns the sockets. Knows no JSON.

One thread, and nothing blocks. The handler gets bytes and returns an action, and the loop carries it out. Each
connection is in exactly one state, and each but QUEUED has a time limit (states_and_limits.py). The work of one turn is
bounded: what the fast path does not decide waits in a queue, and each turn takes from it for a limited time. So a burst
of slow messages delays no right message.

System calls are most of the cost of an exchange. Therefore a connection is its low-level socket, without a second
object. The poller forgets a socket after one event. Most need one only, and are closed without a call to the poller.
An answered connection is not watched. It is checked 10 ms later, when most clients have closed.
"""

import os
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from tandem.net.listeners import BACKLOG
from tandem.net.poller import ONCE, READ, new_poller
from tandem.protocol.address import plain_ip
from tandem.server.actions import Action, CommitThenReply, End, Handler, Progress, Proxied, Reply, StopRequests
from tandem.server.committer import Committer
from tandem.server.log import Log
from tandem.server.states_and_limits import (
    ANSWERED,
    CLOSED,
    COMMITTING,
    DRAINING,
    FIRST_BYTE,
    LAST_CHANCE,
    LIMITS,
    MESSAGE,
    NO_MESSAGE,
    QUEUED,
    SILENCED,
    STATES,
    TRANSITIONS,
    UNANSWERED,
    WATCHED,
    IllegalTransitionError,
    State,
)

RECV_BYTES = 16_384  # received at a time: more than a whole message
ACCEPT_BATCH = 100  # connections accepted in one turn
EXPIRY_BATCH = 1000  # connections of one state that are expired in one turn
MAX_SLOW_PATH = 0.01  # seconds of one turn for the slow path
MIN_SLOW_PATH = 0.001  # the same, while more connections wait to be accepted or a reply waits for its commit
COMMIT_SHARE = 0.003  # seconds that such a turn waits for events, so that the committer's thread can run
CHECK_INTERVAL = 0.02  # seconds between two checks of the limits: an answer may be late by this
MAX_IDLE_WAIT = 1.0  # seconds that one turn waits for events
TICK = 1.0  # seconds between two calls of the handler's on_tick
LOG_INTERVAL = 1.0  # minimum seconds between two log lines about evicted connections
ACCEPT_BACKOFF = 0.1  # seconds without accepting when the system has no more descriptors

NO_WAIT = getattr(socket, "MSG_DONTWAIT", 0)  # saves the system call that makes a socket non-blocking
LAST_SEND = NO_WAIT | getattr(socket, "MSG_MORE", 0)  # holds the reply back until shutdown: both are one packet

_cached_ip = lru_cache(maxsize=4096)(plain_ip)  # one text for all connections from an address


class Connection(socket.SocketType):
    """A connection: its low-level socket, and the loop's state of it. Times are seconds of time.monotonic()."""

    __slots__ = ("address", "port", "connected_at", "state", "state_since", "progress", "commit")

    address: str
    port: int
    connected_at: float
    state: State
    state_since: float
    progress: Progress  # the handler's state, for its next call
    commit: CommitThenReply  # set while COMMITTING


class _SlowEvent(NamedTuple):
    """An event that waits for its turn in the slow path."""

    connection: Connection
    data: bytes  # what came; b"" is the end of the stream
    expired: State | None  # the state whose limit has passed; None: data came


class _FairQueue:
    """Events of the slow path. Addresses take turns, so that one with many events does not delay one with few."""

    def __init__(self) -> None:
        self._by_address: dict[str, deque[_SlowEvent]] = {}  # the address whose turn is next comes first

    def put(self, address: str, event: _SlowEvent) -> None:
        """Append an event to those of its address."""
        waiting = self._by_address.get(address)
        if waiting is None:
            self._by_address[address] = deque((event,))
        else:
            waiting.append(event)

    def take(self) -> _SlowEvent:
        """Remove and return the first event of the address whose turn it is. The queue must not be empty."""
        address = next(iter(self._by_address))
        waiting = self._by_address.pop(address)
        event = waiting.popleft()
        if waiting:
            self._by_address[address] = waiting  # its next turn comes after all others
        return event


class Wakeup:
    """Wakes a poller that waits: register `fileno()` for READ, and call `drain` when it is ready."""

    def __init__(self) -> None:
        """Open a pair of sockets. Call `close` at the end."""
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes ready."""
        return self._receiver.fileno()

    def sender_fileno(self) -> int:
        """Return the descriptor to which a signal may write a byte (signal.set_wakeup_fd)."""
        return self._sender.fileno()

    def wake(self) -> None:
        """Make `fileno()` ready. Any thread may call it."""
        try:
            self._sender.send(b"!")
        except OSError:
            pass  # its buffer is full of wake-ups already, or it is closed

    def drain(self) -> None:
        """Discard the wake-ups that came."""
        try:
            self._receiver.recv(4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close both descriptors."""
        self._receiver.close()
        self._sender.close()


class Loop:
    """Serves the connections of some listening sockets until it is stopped."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        handler: Handler,
        committer: "Committer[Connection]",
        stop_requests: StopRequests,
        wakeup: Wakeup,
        log: Log,
        max_connections: int,
    ) -> None:
        """Take over `listeners` and `wakeup`: `run` closes them. `committer` must wake `wakeup` after each commit."""
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._handler = handler
        self._committer = committer
        self._stop_requests = stop_requests
        self._wakeup = wakeup
        self._wakeup_fd = wakeup.fileno()
        self._log = log
        self._max_connections = max_connections
        self._poller = new_poller()
        # The connections of each state by descriptor, oldest in the state first.
        self._in: dict[State, dict[int, Connection]] = {state: {} for state in STATES}
        self._open = 0  # connections
        self._slow_events = _FairQueue()
        self._now = time.monotonic()  # of this turn, as all times here
        self._check_at = self._now
        self._tick_at = self._now + TICK
        self._evicted = 0  # since the last log line about it
        self._log_evicted_at = 0.0
        self._accept_again_at = 0.0  # 0: accepting
        self._stop_by: float | None = None  # when the last connection is closed; None: not stopping
        for fd in (*self._listeners, self._wakeup_fd):
            self._poller.register(fd, READ)

    def run(self) -> None:
        """Serve until a stop request, and finish what is in hand. Then, or after any exception, close everything."""
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
        """Wait for events, and handle them."""
        ready = self._poller.poll(self._timeout())
        self._now = time.monotonic()
        new = self._in[FIRST_BYTE]
        more_to_accept = False
        for fd, _ in ready:
            connection = new.get(fd)
            if connection is not None:
                try:
                    self._read_first(connection)
                except Exception as bug:
                    self._close_after_bug(connection, bug)
            elif fd in self._listeners:
                more_to_accept = self._accept(self._listeners[fd])
            elif fd == self._wakeup_fd:
                self._wakeup.drain()
                self._finish_commits()
            else:
                self._read_more(fd)
        if self._in[ANSWERED]:
            self._check_answered()
        if self._in[QUEUED]:
            hurry = more_to_accept or self._in[COMMITTING]
            self._run_slow_path(MIN_SLOW_PATH if hurry else MAX_SLOW_PATH)
        if self._now >= self._check_at:
            self._check_at = self._now + CHECK_INTERVAL
            self._check_limits()
        if self._now >= self._tick_at:
            self._tick_at = self._now + TICK
            self._tick()
        if self._stop_requests.pending:
            self._take_stop_request()

    def _timeout(self) -> float:
        """Return the seconds to wait for events."""
        if self._in[QUEUED]:
            return COMMIT_SHARE if self._in[COMMITTING] else 0.0
        if self._open == len(self._in[FIRST_BYTE]) and not self._accept_again_at and self._stop_by is None:
            return MAX_IDLE_WAIT  # for a limit of 15 minutes a second is exact enough
        return CHECK_INTERVAL

    def _close_after_bug(self, connection: Connection, bug: Exception) -> None:
        """Log the bug, and close this connection alone."""
        if isinstance(bug, MemoryError):
            raise bug  # the server cannot go on: serve.py reports it
        self._log.write(f"{connection.address} bug: {''.join(traceback.format_exception(bug))}")
        self._close(connection)

    # Accepting

    def _accept(self, listener: socket.socket) -> bool:
        """Accept at most ACCEPT_BATCH connections. Return whether there may be more. PROTOCOL 3.1."""
        accept, family = _acceptor(listener), listener.family
        for _ in range(ACCEPT_BATCH):
            try:
                fd, address = accept()
            except BlockingIOError:
                return False
            except ConnectionError:
                continue  # it was reset before it was accepted
            except OSError as error:
                self._log.write(f"cannot accept: {error.strerror}; trying again in {ACCEPT_BACKOFF:g} s")
                self._pause_accepting()
                return False
            if not address:  # macOS, for a connection that was reset before it was accepted
                os.close(fd)
                continue
            connection = Connection(family, socket.SOCK_STREAM, 0, fd)
            connection.address = _cached_ip(address[0])
            connection.port = address[1]
            try:
                self._greet(connection)
            except Exception as bug:
                self._close_after_bug(connection, bug)
        return True

    def _greet(self, connection: Connection) -> None:
        """Send the welcome, and wait for the first byte. PROTOCOL 3.1."""
        if not NO_WAIT:
            connection.setblocking(False)
        connection.connected_at = connection.state_since = self._now
        connection.state = FIRST_BYTE
        connection.progress = None
        fd = connection.fileno()
        self._in[FIRST_BYTE][fd] = connection
        self._open += 1
        self._poller.register(fd, READ | ONCE)
        try:
            connection.send(self._handler.welcome, NO_WAIT)
        except OSError:
            self._drop(connection)
        if self._open > self._max_connections:
            self._evict_one()

    def _evict_one(self) -> None:
        """Close the connection that has been in its state for longest, except those that wait for their commit."""
        oldest = [
            next(iter(self._in[state].values())) for state in STATES if state is not COMMITTING and self._in[state]
        ]
        if oldest:
            self._drop(min(oldest, key=lambda connection: (connection.state_since, connection.connected_at)))
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
        """Read the first bytes. The fast path mostly decides them."""
        try:
            data = connection.recv(RECV_BYTES, NO_WAIT)
        except OSError as error:
            self._recv_failed(connection, error)
            return
        action = self._handler.received_first(connection, connection.progress, data)
        if action is None:
            self._queue(connection, data)
        else:
            self._carry_out(connection, action)

    def _read_more(self, fd: int) -> None:
        """Read from a connection that is not in FIRST_BYTE, unless it was closed in this turn."""
        for state in (MESSAGE, NO_MESSAGE, DRAINING, SILENCED, LAST_CHANCE):
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
        """Read more bytes after a part of a message."""
        try:
            data = connection.recv(RECV_BYTES, NO_WAIT)
        except OSError as error:
            self._recv_failed(connection, error)
        else:
            self._queue(connection, data)

    def _recv_failed(self, connection: Connection, error: OSError) -> None:
        """Wait again if there was nothing to read after all. Else the connection broke."""
        if isinstance(error, BlockingIOError):
            self._poller.modify(connection.fileno(), READ | ONCE)
        else:
            self._drop(connection)

    # The slow path: everything that the fast path does not decide

    def _queue(self, connection: Connection, data: bytes, expired: State | None = None) -> None:
        """Queue an event for the slow path. Addresses take turns."""
        self._transition(connection, QUEUED)
        self._slow_events.put(_source_address(connection), _SlowEvent(connection, data, expired))

    def _run_slow_path(self, seconds: float) -> None:
        """Handle queued events for so many seconds, or one event longer."""
        until = time.monotonic() + seconds
        while self._in[QUEUED]:
            event = self._slow_events.take()
            if event.connection.state is QUEUED:  # else it was evicted meanwhile
                try:
                    self._handle_slowly(event.connection, event)
                except Exception as bug:
                    self._close_after_bug(event.connection, bug)
            if time.monotonic() >= until:
                return

    def _handle_slowly(self, connection: Connection, event: _SlowEvent) -> None:
        if event.expired is None:
            action = self._handler.received(connection, connection.progress, event.data)
        else:
            action = self._handler.expired(connection, connection.progress, event.expired)
        self._carry_out(connection, action)

    # The handler's actions

    def _carry_out(self, connection: Connection, action: Action) -> None:
        """Pass on the record, and do what the handler's action says."""
        if isinstance(action, CommitThenReply):
            self._transition(connection, COMMITTING)
            connection.commit = action
            self._committer.commit(action.record, connection)
            return
        if action.record is not None:
            self._committer.record(action.record)
        if isinstance(action, Reply):
            self._reply(connection, action.data)
        elif isinstance(action, End):
            self._end(connection)
        else:
            self._wait(connection, action.state, action.progress)

    def _wait(self, connection: Connection, state: State, progress: Progress) -> None:
        if state is FIRST_BYTE and self._stop_by is not None:
            state = LAST_CHANCE
        self._transition(connection, state)
        connection.progress = progress
        self._poller.modify(connection.fileno(), READ | ONCE)

    def _finish_commits(self) -> None:
        """Send the replies of finished commits. PROTOCOL 5.4."""
        for connection, stored in self._committer.take_outcomes():
            if connection.state is COMMITTING:  # else it was answered when its limit passed
                try:
                    self._answer_commit(connection, stored)
                except Exception as bug:
                    self._close_after_bug(connection, bug)

    def _answer_commit(self, connection: Connection, stored: bool) -> None:
        reply = self._handler.reply_after_commit(connection.commit, stored, self._now - connection.state_since)
        del connection.commit
        self._reply(connection, reply)

    def _reply(self, connection: Connection, data: bytes) -> None:
        """Send the reply in one send, then end our side. PROTOCOL 3.3, 3.5."""
        try:
            sent = connection.send(data, LAST_SEND)
        except OSError:
            sent = 0
        if sent == len(data):
            self._end(connection)
        else:
            self._close(connection)  # a reply fits into every socket buffer: this client does not read

    def _end(self, connection: Connection) -> None:
        """End our side, and let the client close. PROTOCOL 3.5."""
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        connection.progress = None
        self._transition(connection, ANSWERED)

    # After the reply

    def _check_answered(self) -> None:
        """Close connections answered 10 ms ago whose client has closed, and watch the rest."""
        for connection in self._overdue(ANSWERED):
            try:
                self._drain(connection)
            except Exception as bug:
                self._close_after_bug(connection, bug)

    def _drain(self, connection: Connection) -> None:
        """Read what nothing answers any more. Close once the client has closed, else wait for that. PROTOCOL 3.5."""
        data = b""
        try:
            data = connection.recv(RECV_BYTES, NO_WAIT)
            ended = not data
        except BlockingIOError:
            ended = False
        except OSError:
            ended = True
        if data and connection.state is not SILENCED:
            record = self._handler.after_reply(connection, data)
            if record:
                self._committer.record(record)
        if ended:
            self._close(connection)
            return
        if connection.state is ANSWERED:
            self._transition(connection, DRAINING)
        self._poller.modify(connection.fileno(), READ | ONCE)

    # Time

    def _check_limits(self) -> None:
        """Expire connections that have been in their state for too long, EXPIRY_BATCH of each state at most."""
        if self._accept_again_at and self._now >= self._accept_again_at:
            self._accept_again_at = 0.0
            for fd in self._listeners:
                self._poller.modify(fd, READ)
        for state in LIMITS:
            if state is not ANSWERED:
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
            if connection.state_since > began_before:
                break
            overdue.append(connection)
        return overdue

    def _expire(self, connection: Connection) -> None:
        state = connection.state
        if state is COMMITTING:
            self._answer_commit(connection, stored=False)
        elif state in (FIRST_BYTE, MESSAGE, NO_MESSAGE, LAST_CHANCE):
            self._expire_silent(connection)
        else:
            self._close(connection)

    def _expire_silent(self, connection: Connection) -> None:
        """Expire a silent client. If bytes are there, handle them: this process may have been stopped, or be late."""
        state = connection.state
        try:
            data = connection.recv(RECV_BYTES, NO_WAIT)
        except BlockingIOError:
            if state is LAST_CHANCE:
                self._close(connection)
            else:
                self._queue(connection, b"", expired=state)
        except OSError:
            self._drop(connection)
        else:
            self._queue(connection, data)

    def _tick(self) -> None:
        """Write the periodic records."""
        for record in self._handler.on_tick(self._open, self._committer.waiting):
            self._committer.record(record)

    # Ends

    def _transition(self, connection: Connection, state: State) -> None:
        """Put the connection into the next state. Raise IllegalTransitionError if the table does not have it."""
        before = connection.state
        if state not in TRANSITIONS[before]:
            raise IllegalTransitionError(before, state)
        fd = connection.fileno()
        del self._in[before][fd]
        self._in[state][fd] = connection
        connection.state = state
        connection.state_since = self._now

    def _drop(self, connection: Connection) -> None:
        """Close a connection that broke or is evicted. Record its visit if it was not answered."""
        if connection.state in UNANSWERED:
            record = self._handler.lost(connection, connection.progress)
            if record is not None:
                self._committer.record(record)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close a connection in any state. A closed one is left as it is."""
        if connection.state is CLOSED:
            return
        del self._in[connection.state][connection.fileno()]
        if connection.state in WATCHED:
            self._poller.unregister(connection.fileno())
        connection.close()
        connection.state = CLOSED
        connection.progress = None
        self._open -= 1

    def _take_stop_request(self) -> None:
        timeout_s = self._stop_requests.take()
        if timeout_s is not None:
            self._stop(timeout_s)

    def _stop(self, timeout_s: float) -> None:
        """Stop accepting, finish what is in hand, and close the rest after `timeout_s` seconds.

        Connections in the listen backlog are still accepted. They, and all others that have sent nothing yet, get 0.5 s
        to send a message.
        """
        self._now = time.monotonic()
        self._stop_by = self._now + timeout_s
        for listener in self._listeners.values():
            for _ in range(BACKLOG // ACCEPT_BATCH):  # one whole backlog: new connections may come without end
                if not self._accept(listener):
                    break
        self._stop_listening()
        for connection in list(self._in[FIRST_BYTE].values()):
            self._transition(connection, LAST_CHANCE)

    def _stop_listening(self) -> None:
        for fd, listener in self._listeners.items():
            self._poller.unregister(fd)
            listener.close()
        self._listeners.clear()
        self._accept_again_at = 0.0


Acceptor = Callable[[], tuple[int, Any]]  # accepts one connection: its descriptor and its address


def _acceptor(listener: socket.socket) -> Acceptor:
    """Return the function that accepts a connection.

    `_accept` is private to the standard library. It does not make a socket object, which is not needed here.
    """
    return getattr(listener, "_accept", _public_acceptor(listener))


def _public_acceptor(listener: socket.socket) -> Acceptor:
    """Return the same, made of public functions."""

    def accept() -> tuple[int, Any]:
        accepted, address = listener.accept()
        return accepted.detach(), address

    return accept


def _source_address(connection: Connection) -> str:
    """Return the address in whose turn the connection is handled."""
    progress = connection.progress
    return progress.peer.address if isinstance(progress, Proxied) and progress.peer else connection.address
