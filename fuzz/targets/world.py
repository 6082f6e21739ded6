"""What a loop and its desk touch, in the hands of a script: a clock, a door, lines to callers, a ledger, records.

The lines are real sockets and the poller is the real one; only time, who calls, and what becomes of a record are
made up. What of the inside of tandem/ground this stands on, here and in `_standing_in` and `left_over` of loop.py:

- loop.py, desk.py and pulse.py ask `time.monotonic` and `time.time`, loop.py `new_poller` for the one it waits with;
- the listener is asked `fileno`, `accept`, `close`; a connection is spoken to with `send`, once for all it is told;
- the desk asks its recorder `record(record, settled)` and `waiting`, its records `team_given` and `close`, its log
  `write`.
"""

import errno
import socket
from collections import deque
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from fuzz.targets.diagnosis import OTHER, OWN
from fuzz.targets.law import require
from fuzz.targets.script import ADDRESSES
from tandem.ground.poller import Poller
from tandem.ground.record import Record, Team, Visit
from tandem.ground.store import StoreTrouble

FIRST_PORT = 40_000  # of the callers
MOST_IN_A_ROW = 200  # turns of the loop with something ready, while nothing happens and no time passes
MOST_TURNS = 5000


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


class Line(socket.socket):
    """The ground's end of a connection. It notes what is sent, and may send less than it should."""

    def __init__(self, end: socket.socket, heard: Callable[["Line", bytes], None]) -> None:
        super().__init__(fileno=end.detach())
        self._heard = heard
        self.sends: list[bytes] = []
        self.clog: Callable[[bytes], bytes] | None = None

    def send(self, data: bytes, flags: int = 0, /) -> int:  # type: ignore[override]
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

    def __init__(self, number: int, heard: Callable[[Line, bytes], None]) -> None:
        end, self.socket = socket.socketpair()
        self.socket.setblocking(False)
        self.line = Line(end, heard)
        self.port = FIRST_PORT + number
        self.accepted = False
        self.stays = True  # has not left, and its line was never clogged
        self.sent = b""

    def send(self, data: bytes) -> None:
        try:
            self.sent += data[: self.socket.send(data)] if data else b""
        except OSError:
            pass  # the ground has closed, or the caller itself

    def end(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed before

    def leave(self) -> None:
        self.stays = False
        self.hear()
        self.socket.close()

    def reset(self) -> None:
        """Closing with something unread breaks the line, as a reset does."""
        self.stays = False
        self.socket.close()

    def hear(self) -> bytes:
        """All that there is to read."""
        heard = b""
        try:
            while data := self.socket.recv(65_536):
                heard += data
        except OSError:
            pass  # nothing more for now, or ever
        return heard

    @property
    def open(self) -> bool:
        return self.accepted and self.line.fileno() >= 0


class Door(socket.socket):
    """The listener: ready to be read as long as somebody waits."""

    def __init__(self) -> None:
        end, self._bell = socket.socketpair()
        super().__init__(fileno=end.detach())
        self._waiting: deque[tuple[Caller, str]] = deque()
        self.refusals: deque[OSError] = deque()

    def knock(self, caller: Caller, address: str) -> None:
        self._waiting.append((caller, address))
        self._bell.send(b"!")

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.refusals:
            raise self.refusals.popleft()
        if not self._waiting:
            raise BlockingIOError
        self.recv(1)
        caller, address = self._waiting.popleft()
        caller.accepted = True
        return caller.line, (address, caller.port)

    def close(self) -> None:
        """Whoever still waits is not let in."""
        super().close()
        self._bell.close()
        for caller, _ in self._waiting:
            caller.line.close()


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
        require(self._turns < MOST_TURNS, "the loop comes to rest", self._turns)
        require(timeout >= 0, "no wait is shorter than none", timeout)
        ready = list(self._poller.poll(0))
        self._in_a_row = self._in_a_row + 1 if ready else 0
        require(self._in_a_row < MOST_IN_A_ROW, "the loop does not spin", ready)
        if not ready:
            self._go_on(timeout)
            ready = list(self._poller.poll(0))
        return ready


class Entry:
    """A visit in the ledger, and what became of it."""

    def __init__(self, visit: Visit, settled: Callable[[bool], None] | None) -> None:
        self.visit = visit
        self.settled = settled
        self.kept: bool | None = None  # None: nobody knows yet


class Ledger:
    """The recorder: the script says when a commit is over, and how it went."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None
        self.entries: list[Entry] = []
        self._verdicts: deque[Entry] = deque()

    def record(self, record: Record, settled: Callable[[bool], None] | None = None) -> None:
        if isinstance(record, Visit):
            self.entries.append(Entry(record, settled))

    @property
    def waiting(self) -> int:
        return sum(entry.settled is not None and entry.kept is None for entry in self.entries)

    def decide(self, kept: bool) -> None:
        """The oldest one that somebody waits for is kept, or is not; as the recorder, from any thread, at any time."""
        entry = next((entry for entry in self.entries if entry.settled and entry.kept is None), None)
        if entry:
            entry.kept = kept
            self._verdicts.append(entry)
            self.wake()

    def settle(self) -> None:
        while self._verdicts:
            entry = self._verdicts.popleft()
            if entry.settled and entry.kept is not None:
                entry.settled(entry.kept)

    def of(self, caller: Caller) -> list[Entry]:
        return [entry for entry in self.entries if entry.visit.port == caller.port]


class Row(NamedTuple):
    """What is on record of a team, as far as the desk asks."""

    team: Team
    ip: str


class Archive:
    """The records: whoever's secret is asked for, they tell what the script says."""

    def __init__(self) -> None:
        self.tells = 0

    def team_given(self, secret: str, classname: str, teamname: str) -> Row | None:
        row = RECALLS[self.tells % len(RECALLS)]
        if isinstance(row, StoreTrouble):
            raise row
        return row

    def close(self) -> None: ...


RECALLS = (None, Row(OWN, ADDRESSES[0]), Row(OTHER, ADDRESSES[1]), StoreTrouble("locked"))


class Diary:
    """The log. A bug that the desk has caught is still one."""

    def write(self, words: str) -> None:
        require(" bug: " not in words, "the ground finds no bug in itself", words)
