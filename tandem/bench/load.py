"""Make the load: many exchanges at a time in one thread. Owns sockets and deadlines, and knows no JSON.

It must use less CPU than the server, or it would measure itself. It closes a connection as soon as the reply is
complete, as a student's program does.
"""

import errno
import os
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tandem.bench.exchange import Exchange, Next, WrongReplyError, invent
from tandem.bench.pace import Pace
from tandem.bench.tally import TIMES, Tally
from tandem.net.poller import READ, new_poller

RECV_SIZE = 4096  # bytes; a reply has at most 1,000
PROGRESS_INTERVAL_S = 0.25  # between two calls of `progress`
MAX_POLL_S = 0.05  # of one poll, so that deadlines and `stop` are checked
CONNECT_BACKOFF_S = 0.05  # without a new exchange after one that could not connect

_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK)

_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.EADDRNOTAVAIL: "no port left",
    errno.ETIMEDOUT: "timeout",
}
_NOT_CONNECTED = ("refused", "unreachable", "no port left")


class _Visit:
    """One connection, and the exchange that it belongs to. Times are those of time.perf_counter()."""

    __slots__ = ("socket", "exchange", "due_s", "started_s")

    def __init__(self, sock: socket.socket, exchange: Exchange, due_s: float, started_s: float) -> None:
        self.socket = sock
        self.exchange = exchange
        self.due_s = due_s  # when the exchange was due
        self.started_s = started_s  # when this visit was started


@dataclass(frozen=True, slots=True)
class Target:
    """The address of the server, as the socket family writes it, and our own IP address as the server sees it."""

    family: int
    address: tuple[object, ...]
    own_ip: str


class Load:
    """Exchanges with one server.

    Attributes:
        tally: What was counted so far; it can be read while the load runs.
        started: Exchanges that were started.
        seconds: From the first exchange to the last reply.
        stopped_by: What ended the load early, for people to read, or "".
    """

    def __init__(self, target: Target, pace: Pace, timeout_s: float, random: Random) -> None:
        self.tally = Tally()
        self.started = 0
        self.seconds = 0.0
        self.stopped_by = ""
        self._target = target
        self._pace = pace
        self._timeout_s = timeout_s  # for a visit
        self._random = random
        self._start_s = 0.0
        self._backoff_until_s = 0.0
        self._poller = new_poller()
        self._visits: OrderedDict[int, _Visit] = OrderedDict()  # by file descriptor, the oldest first

    @property
    def open_visits(self) -> int:
        """The number of connections that are open now."""
        return len(self._visits)

    def run(self, progress: Callable[["Load"], None]) -> None:
        """Make all exchanges. Return when the last one is over, or after `stop`. Call `progress` from time to time."""
        self._start_s = now = time.perf_counter()
        next_progress_s = now + PROGRESS_INTERVAL_S
        try:
            while not self.stopped_by and (self._start_due_exchanges(now) or self._visits):
                for fd, _ in self._poller.poll(self._poll_timeout_s(now)):
                    self._receive(self._visits[fd])
                now = time.perf_counter()
                self._expire(now)
                self.seconds = now - self._start_s
                if now >= next_progress_s:
                    progress(self)
                    next_progress_s = now + PROGRESS_INTERVAL_S
        finally:
            for visit in self._visits.values():
                visit.socket.close()
            self._poller.close()

    def stop(self, by: str) -> None:
        """Close all connections and let `run` return soon. Can be called in a signal handler."""
        self.stopped_by = by

    def _start_due_exchanges(self, now: float) -> bool:
        """Start the exchanges that are due, as far as the concurrency allows. Return whether more must start later."""
        elapsed_s = now - self._start_s
        for _ in range(self._pace.max_open(elapsed_s) - len(self._visits)):
            if self._pace.is_over(self.started, elapsed_s):
                return False
            due_s = self._start_s + self._pace.due_s(self.started)
            if max(due_s, self._backoff_until_s) > now:
                break
            exchange = Exchange(invent(self._random, self.started, self._target.own_ip))
            self.started += 1
            self._connect(exchange, now if self._pace.rate is None else due_s)
        return not self._pace.is_over(self.started, elapsed_s)

    def _connect(self, exchange: Exchange, due_s: float) -> None:
        started_s = time.perf_counter()
        try:
            sock = socket.socket(self._target.family)
        except OSError as error:
            self._failed(exchange, error)
            return
        sock.setblocking(False)
        error_number = sock.connect_ex(self._target.address)
        if error_number and error_number not in _IN_PROGRESS:
            sock.close()
            self._failed(exchange, OSError(error_number, ""))
            return
        fd = sock.fileno()
        self._visits[fd] = _Visit(sock, exchange, due_s, started_s)
        self._poller.register(fd, READ)

    def _receive(self, visit: _Visit) -> None:
        """Read what has arrived, and do the next step of the exchange."""
        try:
            step = visit.exchange.received(visit.socket.recv(RECV_SIZE))
            if step is Next.SEND:
                visit.socket.send(visit.exchange.message)
            elif step is Next.CLOSE:
                self._replied(visit)
        except BlockingIOError:
            pass
        except (OSError, WrongReplyError) as failure:
            self._close(visit)
            self._failed(visit.exchange, failure)

    def _replied(self, visit: _Visit) -> None:
        """End a visit, and either finish the exchange or start its second visit."""
        self._close(visit)
        now, exchange = time.perf_counter(), visit.exchange
        self.tally.visit_finished(exchange.visit, round((now - visit.started_s) * 1e6))
        if exchange.is_at_last_visit:
            self.tally.exchange_finished(round((now - visit.due_s) * 1e6))
        else:
            exchange.start_next_visit()
            self._connect(exchange, visit.due_s)

    def _failed(self, exchange: Exchange, failure: OSError | WrongReplyError) -> None:
        visit = TIMES[1 + exchange.visit]
        if isinstance(failure, WrongReplyError):
            self.tally.exchange_failed(failure.kind, visit, failure.came)
            return
        kind = _KINDS.get(failure.errno or 0, "unreachable")
        reason = os.strerror(failure.errno or 0) if kind == "unreachable" else ""
        self.tally.exchange_failed(kind, visit, reason)
        if kind in _NOT_CONNECTED:
            self._backoff_until_s = time.perf_counter() + CONNECT_BACKOFF_S

    def _expire(self, now: float) -> None:
        """Give up the visits that have taken too long. The oldest ones come first."""
        while self._visits:
            visit = next(iter(self._visits.values()))
            if visit.started_s + self._timeout_s > now:
                break
            self._close(visit)
            self._failed(visit.exchange, visit.exchange.timeout_error())

    def _close(self, visit: _Visit) -> None:
        fd = visit.socket.fileno()
        del self._visits[fd]
        self._poller.unregister(fd)
        visit.socket.close()

    def _poll_timeout_s(self, now: float) -> float:
        """Return the time until an exchange is due, rounded down to milliseconds: the system would round it up."""
        if (
            self._pace.rate is None
            or len(self._visits) >= self._pace.concurrency
            or self._pace.is_over(self.started, now - self._start_s)
        ):
            return MAX_POLL_S
        left_s = self._start_s + self._pace.due_s(self.started) - now
        return int(max(0.0, min(left_s, MAX_POLL_S)) * 1000) / 1000
