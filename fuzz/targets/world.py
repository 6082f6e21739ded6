"""The surroundings of a loop and its handler, ruled by a script: clock, listener, connections, committer, records.

The lines are real sockets and the poller is the real one; only time, who calls, and what becomes of a record are
made up. What of the inside of tandem/server this stands on, here and in `_standing_in` and `left_over` of loop.py:

- loop.py, handler.py and metrics.py ask `time.monotonic` and `time.time`; loop.py makes its poller with `new_poller`,
  and a `Connection` for each descriptor that it accepts;
- the listener is asked `fileno`, `family`, `_accept`, `close`; a connection is spoken to with `send`, once for all it
  is told;
- the loop asks its committer `record`, `commit`, `take_outcomes` and `waiting`; the handler asks its records
  `named_team_with_secret`, and its log `write`.
"""

import errno
import socket
from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

from fuzz.targets.diagnosis import OTHER, OWN
from fuzz.targets.law import require
from fuzz.targets.script import ADDRESSES
from tandem.net.poller import Poller
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Record, RightVisit, Team, Visit
from tandem.server.log import LogEntry
from tandem.server.loop import Connection
from testing.other_side import Finish, Send

FIRST_PORT = 40_000  # of the callers
MAX_IN_A_ROW = 200  # turns of the loop with something ready, while nothing happens and no time passes
MAX_TURNS = 5000


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000 + self.now

    def sleep(self, seconds: float) -> None:
        """As the system sleeps: whole milliseconds, and not less than it was asked for."""
        self.now += ceil(seconds * 1000) / 1000 + 0.0001


class Line(Connection):
    """The server's end of a connection. It notes what is sent, and may send less than it should."""

    def __init__(self, family: int, kind: int, protocol: int, fd: int, heard: Callable[["Line", bytes], None]) -> None:
        super().__init__(family, kind, protocol, fd)
        self._heard = heard
        self.sends: list[bytes] = []
        self.clog: Callable[[bytes], bytes] | None = None

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Every send after the welcome may be clogged."""
        passed = self.clog(data) if self.clog and self.sends else data
        sent = super().send(passed, flags)
        self.sends.append(data)
        if passed == data:
            self._heard(self, data)
        return sent


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _blocked(data: bytes) -> bytes:
    raise BlockingIOError(errno.EAGAIN, "no room")


def _broken(data: bytes) -> bytes:
    raise BrokenPipeError(errno.EPIPE, "nobody there")


CLOGS = (_half, _blocked, _broken)


class Caller:
    """Somebody who has connected: the far end of a line."""

    def __init__(self, number: int) -> None:
        self._end, self.socket = socket.socketpair()
        self.socket.setblocking(False)
        self.line: Line | None = None  # once accepted
        self.clog: Callable[[bytes], bytes] | None = None  # for the line
        self.port = FIRST_PORT + number
        self.stays = True  # has not left, and its line was never clogged
        self.sent = b""

    def play(self, step: Send | Finish) -> None:
        """Carry out a step, without waiting for anything."""
        self.stays = self.stays and step not in (Finish.CLOSE, Finish.RESET)
        try:
            match step:
                case Send(data):
                    self.sent += data[: self.socket.send(data)] if data else b""
                case Finish.HALF_CLOSE:
                    self.socket.shutdown(socket.SHUT_WR)
                case Finish.CLOSE:
                    self.hear()
                    self.socket.close()
                case Finish.RESET:
                    self.socket.close()  # with something unread, which breaks the line, as a reset does
        except OSError:
            pass  # the server has closed, or the caller itself

    def clog_line(self, clog: Callable[[bytes], bytes]) -> None:
        """Decide what becomes of the reply."""
        self.stays = False
        self.clog = clog
        if self.line:
            self.line.clog = clog

    def hear(self) -> bytes:
        """All that there is to read."""
        heard = b""
        try:
            while data := self.socket.recv(65_536):
                heard += data
        except OSError:
            pass  # nothing more for now, or ever
        return heard

    def accept(self) -> int:
        """Return the descriptor of the server's end, which belongs to the server from now on."""
        return self._end.detach()

    def clear(self) -> None:
        """Close everything."""
        self.socket.close()
        self._end.close()
        if self.line:
            self.line.close()

    @property
    def sends(self) -> list[bytes]:
        """The bytes that the server sent."""
        return self.line.sends if self.line else []

    @property
    def open(self) -> bool:
        """Whether the server has accepted the connection and not closed it."""
        return self.line is not None and self.line.fileno() >= 0


class Door(socket.socket):
    """The listener: ready to be read as long as somebody waits."""

    def __init__(self, heard: Callable[[Line, bytes], None]) -> None:
        end, self._bell = socket.socketpair()
        super().__init__(fileno=end.detach())
        self._heard = heard
        self._waiting: deque[tuple[Caller, str]] = deque()
        self._accepted: dict[int, Caller] = {}  # by descriptor, until the loop makes its connection
        self.refusals: deque[OSError] = deque()

    def knock(self, caller: Caller, address: str) -> None:
        self._waiting.append((caller, address))
        self._bell.send(b"!")

    def _accept(self) -> tuple[int, tuple[str, int]]:
        if self.refusals:
            raise self.refusals.popleft()
        if not self._waiting:
            raise BlockingIOError
        self.recv(1)
        caller, address = self._waiting.popleft()
        fd = caller.accept()
        self._accepted[fd] = caller
        return fd, (address, caller.port)

    def connection(self, family: int, kind: int, protocol: int, fd: int) -> Line:
        """Stand in for Connection: return the line of the caller that was accepted with this descriptor."""
        caller = self._accepted.pop(fd)
        caller.line = Line(family, kind, protocol, fd, self._heard)
        caller.line.clog = caller.clog
        return caller.line

    def close(self) -> None:
        super().close()
        self._bell.close()


REFUSALS = (
    (errno.EMFILE, "Too many open files"),
    (errno.ECONNABORTED, "Software caused connection abort"),
)


class Watch:
    """The poller: before the loop would have to wait, the script goes on."""

    def __init__(self, poller: Poller, go_on: Callable[[float], None]) -> None:
        self._poller = poller
        self._go_on = go_on
        self._turns = 0
        self._in_a_row = 0
        self.register = poller.register
        self.modify = poller.modify
        self.unregister = poller.unregister
        self.close = poller.close

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        self._turns += 1
        require(self._turns < MAX_TURNS, "the loop comes to rest", self._turns)
        require(timeout >= 0, "no wait is shorter than none", timeout)
        ready = list(self._poller.poll(0))
        self._in_a_row = self._in_a_row + 1 if ready or not timeout else 0
        require(self._in_a_row < MAX_IN_A_ROW, "the loop does not spin", ready)
        if not ready and timeout:
            self._go_on(timeout)
            ready = list(self._poller.poll(0))
        return ready


class Entry:
    """A visit in the ledger, and what became of it."""

    def __init__(self, visit: RightVisit | Visit, waiter: Connection | None) -> None:
        self.visit = visit
        self.waiter = waiter
        self.stored: bool | None = None  # None: nobody knows yet


class Ledger:
    """The committer: the script says when a commit is over, and how it went."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.entries: list[Entry] = []
        self._outcomes: list[tuple[Connection, bool]] = []

    def record(self, record: Record) -> None:
        if isinstance(record, RightVisit | Visit):
            self.entries.append(Entry(record, None))

    def commit(self, record: RightVisit, waiter: Connection) -> None:
        self.entries.append(Entry(record, waiter))

    def take_outcomes(self) -> list[tuple[Connection, bool]]:
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    @property
    def waiting(self) -> int:
        return sum(entry.waiter is not None and entry.stored is None for entry in self.entries)

    def decide(self, stored: bool) -> None:
        """The oldest commit that has a waiter succeeds or fails; as the committer, from any thread, at any time."""
        entry = next((entry for entry in self.entries if entry.waiter and entry.stored is None), None)
        if entry and entry.waiter:
            entry.stored = stored
            self._outcomes.append((entry.waiter, stored))
            self._wake()

    def of(self, caller: Caller) -> list[Entry]:
        return [entry for entry in self.entries if entry.visit.port == caller.port]


class Row(NamedTuple):
    """The records of a team, as far as the handler asks."""

    team: Team
    ip: str


class Archive:
    """The records: whoever's secret is asked for, they tell what the script says."""

    def __init__(self) -> None:
        self.tells = 0

    def named_team_with_secret(self, secret: str, classname: str, teamname: str) -> Row | None:
        row = RECALLS[self.tells % len(RECALLS)]
        if isinstance(row, StoreError):
            raise row
        return row

    def close(self) -> None: ...


RECALLS = (None, Row(OWN, ADDRESSES[0]), Row(OTHER, ADDRESSES[1]), StoreError("locked"))


class Diary:
    """The log. A bug that the server has caught is still one."""

    def write(self, line: str | LogEntry) -> None:
        words = line if isinstance(line, str) else line.log_line()
        require(" bug: " not in words, "the server finds no bug in itself", words)
