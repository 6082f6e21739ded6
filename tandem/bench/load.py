"""Makes the load: many exchanges at a time in one thread. Sockets and deadlines; knows no JSON.

Cheap on purpose: a load that costs more than the server measures itself. Closes a connection as soon as the reply is
there, as a student's program does.
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

RECEIVE = 4096  # bytes at a time; a reply has at most 1,000
NEWS_EVERY = 0.25  # seconds between two calls of `progress`
MAX_WAIT = 0.05  # seconds without a look at the clock
REST = 0.05  # seconds without a new exchange after one that could not connect

_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK)

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
    """One connection, and the exchange that it belongs to."""

    __slots__ = ("socket", "exchange", "due", "began")

    def __init__(self, sock: socket.socket, exchange: Exchange, due: float, began: float) -> None:
        self.socket = sock
        self.exchange = exchange
        self.due = due  # when the exchange was due to begin; all times are time.perf_counter()
        self.began = began


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes, and the address of this machine that the server sees."""

    family: int
    address: tuple[object, ...]  # as the family has it
    own_ip: str


class Load:
    """Runs exchanges against one server. Everything is in `tally`, also while it runs."""

    def __init__(self, target: Target, pace: Pace, timeout: float, random: Random) -> None:
        self.tally = Tally()
        self.begun = 0
        self.seconds = 0.0  # from the beginning to the last reply
        self.stopped_by = ""  # what ended it before its time, for people to read
        self._target = target
        self._pace = pace
        self._timeout = timeout  # seconds for a visit
        self._random = random
        self._start = 0.0
        self._rest_until = 0.0
        self._poller = new_poller()
        self._visits: OrderedDict[int, _Visit] = OrderedDict()  # by descriptor, the oldest first

    @property
    def under_way(self) -> int:
        return len(self._visits)

    def run(self, progress: Callable[["Load"], None]) -> None:
        """Returns when the last exchange is over, or after `stop`. Calls `progress` now and then."""
        self._start = now = time.perf_counter()
        news_at = now + NEWS_EVERY
        try:
            while not self.stopped_by and (self._begin_those_due(now) or self._visits):
                for fd, _ in self._poller.poll(self._wait_at_most(now)):
                    self._receive(self._visits[fd])
                now = time.perf_counter()
                self._expire(now)
                self.seconds = now - self._start
                if now >= news_at:
                    progress(self)
                    news_at = now + NEWS_EVERY
        finally:
            for visit in self._visits.values():
                visit.socket.close()
            self._poller.close()

    def stop(self, by: str) -> None:
        """Gives up what is under way. For a signal handler: `run` returns soon."""
        self.stopped_by = by

    def _begin_those_due(self, now: float) -> bool:
        """Begins what there is room for. Returns whether more are to begin later."""
        since = now - self._start
        for _ in range(self._pace.room(since) - len(self._visits)):
            if self._pace.is_over(self.begun, since):
                return False
            due = self._start + self._pace.due(self.begun)
            if max(due, self._rest_until) > now:
                break
            exchange = Exchange(invent(self._random, self.begun, self._target.own_ip))
            self.begun += 1
            self._connect(exchange, now if self._pace.rate is None else due)
        return not self._pace.is_over(self.begun, since)

    def _connect(self, exchange: Exchange, due: float) -> None:
        began = time.perf_counter()
        try:
            sock = socket.socket(self._target.family)
        except OSError as error:
            self._failed(exchange, error)
            return
        sock.setblocking(False)
        problem = sock.connect_ex(self._target.address)
        if problem and problem not in _UNDER_WAY:
            sock.close()
            self._failed(exchange, OSError(problem, ""))
            return
        fd = sock.fileno()
        self._visits[fd] = _Visit(sock, exchange, due, began)
        self._poller.register(fd, READ)

    def _receive(self, visit: _Visit) -> None:
        """Reads what is there, and does what the exchange wants."""
        try:
            wanted = visit.exchange.received(visit.socket.recv(RECEIVE))
            if wanted is Next.SEND:
                visit.socket.send(visit.exchange.message)
            elif wanted is Next.CLOSE:
                self._replied(visit)
        except BlockingIOError:
            pass
        except (OSError, WrongReplyError) as failure:
            self._close(visit)
            self._failed(visit.exchange, failure)

    def _replied(self, visit: _Visit) -> None:
        """The end of a visit, and of the exchange or the beginning of the next visit."""
        self._close(visit)
        now, exchange = time.perf_counter(), visit.exchange
        self.tally.visit_took(exchange.visit, round((now - visit.began) * 1e6))
        if exchange.is_at_last_visit:
            self.tally.exchange_took(round((now - visit.due) * 1e6))
        else:
            exchange.go_on()
            self._connect(exchange, visit.due)

    def _failed(self, exchange: Exchange, failure: OSError | WrongReplyError) -> None:
        visit = TIMES[1 + exchange.visit]
        if isinstance(failure, WrongReplyError):
            self.tally.exchange_failed(failure.kind, visit, failure.came)
            return
        kind = _KINDS.get(failure.errno or 0, "unreachable")
        words = os.strerror(failure.errno or 0) if kind == "unreachable" else ""
        self.tally.exchange_failed(kind, visit, words)
        if kind in _NOT_CONNECTED:
            self._rest_until = time.perf_counter() + REST

    def _expire(self, now: float) -> None:
        """Gives up visits that have lasted too long; the oldest stand in front."""
        while self._visits:
            visit = next(iter(self._visits.values()))
            if visit.began + self._timeout > now:
                break
            self._close(visit)
            self._failed(visit.exchange, visit.exchange.out_of_time())

    def _close(self, visit: _Visit) -> None:
        fd = visit.socket.fileno()
        del self._visits[fd]
        self._poller.unregister(fd)
        visit.socket.close()

    def _wait_at_most(self, now: float) -> float:
        """Seconds until something has to begin. In whole milliseconds, rounded down, as the system would round up."""
        if (
            self._pace.rate is None
            or len(self._visits) >= self._pace.concurrency
            or self._pace.is_over(self.begun, now - self._start)
        ):
            return MAX_WAIT
        left = self._start + self._pace.due(self.begun) - now
        return int(max(0.0, min(left, MAX_WAIT)) * 1000) / 1000
