"""Group commit, off the loop: many records, one transaction, then their replies.

A thread of its own writes. While one commit runs, what arrives meanwhile waits and shares the next. A record
that nobody waits for lets others go first for a moment, so that message 1 mostly shares the commit of its
team's message 2. Whoever waits for a record to be on disk is told in the end: kept, or not kept.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from tandem.ground.pulse import Pulse
from tandem.ground.record import Record, Visit
from tandem.ground.store import StoreTrouble

MOST_IN_ONE = 1000  # records in one transaction
MOST_WAITING = 20_000  # records that may wait while nothing can be written; those beyond are dropped, and counted
GATHER = 0.003  # seconds from the first record that somebody waits for to its commit: others come meanwhile
LINGER = 0.2  # seconds that a record nobody waits for may wait for company
RETRY = 1.0  # seconds between two tries to write what could not be written

Settled = Callable[[bool], None]


class Keeper(Protocol):
    """What a recorder writes to: all records are on disk when `keep` returns, none if it raises StoreTrouble."""

    def keep(self, records: Sequence[Record]) -> None: ...

    def close(self) -> None: ...


_Whose = tuple[str, str]


class _Entry(NamedTuple):
    record: Record
    settled: Settled | None  # who waits for it; nobody: it may be written later


class Recorder:
    """Give it records with `record`; when `wake` was called, call `settle` in the loop's thread."""

    def __init__(self, keeper: Keeper, wake: Callable[[], None], complain: Callable[[str], None], pulse: Pulse) -> None:
        self._keeper = keeper
        self._wake = wake
        self._pulse = pulse
        self._complain = complain
        self._arrived: deque[_Entry] = deque()  # from the loop's thread to ours, the oldest first
        self._patient: dict[_Whose, list[_Entry]] = {}  # nobody waits for these yet
        self._patience_ends = 0.0  # time.monotonic()
        self._due: deque[_Entry] = deque()  # to be written, in this order
        self._verdicts: deque[tuple[Settled, bool]] = deque()
        self._urgent = threading.Event()  # somebody waits
        self._troubled = False  # did the last try fail?
        self._trouble = ""  # what was last told about it
        self._taken = 0  # records, counted by the loop's thread
        self._finished = 0  # those of them that are written, or given up; counted by ours
        self._dropped = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many records are not on disk yet."""
        return self._taken - self._finished

    def record(self, record: Record, settled: Settled | None = None) -> None:
        """Writes a record soon. `settled(kept)` is called from `settle` once it is on disk, or cannot be."""
        if self.waiting >= MOST_WAITING:
            self._drop(settled)
            return
        self._taken += 1
        self._arrived.append(_Entry(record, settled))
        if settled and not self._urgent.is_set():
            self._urgent.set()

    def _drop(self, settled: Settled | None) -> None:
        """There is no more room: nobody can write, and has not been able to for long."""
        if not self._dropped:
            self._complain(f"{MOST_WAITING} records wait to be written: more are dropped, and counted")
        self._dropped += 1
        if settled:
            self._verdicts.append((settled, False))
            self._wake()

    def settle(self) -> None:
        """Tells those who wait what became of their records."""
        while self._verdicts:
            settled, kept = self._verdicts.popleft()
            settled(kept)

    def stop(self) -> None:
        """Writes what is still waiting, then ends the thread and closes the keeper."""
        self._stopping = True
        self._urgent.set()
        self._thread.join()
        self._keeper.close()

    def _run(self) -> None:
        while not self._stopping:
            urgent = self._urgent.wait(RETRY if self._troubled else LINGER)
            if urgent:
                time.sleep(GATHER)
            self._urgent.clear()
            self._line_up(everything=not urgent)
            self._write_all()
        self._line_up(everything=True)
        self._write_all()
        if self._dropped or self.waiting:
            self._complain(f"{self._dropped + self.waiting} records could not be written")

    def _line_up(self, everything: bool) -> None:
        """What somebody waits for is due, behind what came before it of the same team; the others when it is time."""
        while self._arrived:
            entry = self._arrived.popleft()
            whose = _whose(entry.record)
            if entry.settled:
                self._due += self._patient.pop(whose, ())
                self._due.append(entry)
            else:
                self._patient.setdefault(whose, []).append(entry)
        now = time.monotonic()
        if everything or now >= self._patience_ends:
            for entries in self._patient.values():
                self._due += entries
            self._patient.clear()
            self._patience_ends = now + LINGER

    def _write_all(self) -> None:
        """Everything that is due, or until the first trouble."""
        self._troubled = False
        while self._due and not self._troubled:
            batch = [self._due.popleft() for _ in range(min(len(self._due), MOST_IN_ONE))]
            self._write(batch)
        if self._troubled:
            self._give_up_on_those_who_wait()

    def _write(self, batch: list[_Entry]) -> None:
        began = time.monotonic()
        try:
            self._keeper.keep([entry.record for entry in batch])
        except StoreTrouble as trouble:
            self._tell_trouble(str(trouble))
            self._troubled = True
            self._due.extendleft(reversed(batch))
        except Exception as bug:  # one record that cannot be written must not cost the others theirs
            if len(batch) == 1:
                self._complain(f"bug: this cannot be recorded: {bug!r}")
                self._finish(batch, kept=False)
            else:
                self._due.extendleft(reversed(batch))
                self._write_one_by_one(len(batch))
        else:
            self._tell_trouble("")
            self._pulse.committed(time.monotonic() - began)
            self._finish(batch, kept=True)

    def _tell_trouble(self, trouble: str) -> None:
        """Once for as long as it stays the same, and once when it is over."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._complain(f"could not be written, will be tried again: {trouble}" if trouble else "written again")

    def _write_one_by_one(self, count: int) -> None:
        for _ in range(count):
            if self._troubled:
                return
            self._write([self._due.popleft()])

    def _give_up_on_those_who_wait(self) -> None:
        """Their senders are told at once to try again; what nobody waits for is written when that is possible."""
        waited_for = [entry for entry in self._due if entry.settled]
        self._due = deque(entry for entry in self._due if entry.settled is None)
        self._finish(waited_for, kept=False)

    def _finish(self, batch: list[_Entry], kept: bool) -> None:
        self._finished += len(batch)
        verdicts = [(entry.settled, kept) for entry in batch if entry.settled]
        if verdicts:
            self._verdicts.extend(verdicts)
            self._wake()


def _whose(record: Record) -> _Whose:
    """Whose record it is, by class and team, as far as that is known."""
    team = record.team if isinstance(record, Visit) else None
    return (team.classname, team.teamname) if team else ("", "")
