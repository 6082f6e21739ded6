"""Group commit, off the loop: many records, one transaction, then their replies.

A thread of its own writes. While one commit runs, what arrives meanwhile waits and shares the next.
Whoever waits for a record to be on disk is told in the end: kept, or not kept.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tandem.ground.record import Record
from tandem.ground.store import StoreTrouble

MOST_IN_ONE = 1000  # records in one transaction
MOST_WAITING = 20_000  # records that may wait while nothing can be written; those beyond are dropped, and counted
LINGER = 0.02  # seconds that a record nobody waits for may wait for company
RETRY = 1.0  # seconds between two tries to write what could not be written

Settled = Callable[[bool], None]


class Keeper(Protocol):
    """What a recorder writes to: all records are on disk when `keep` returns, none if it raises StoreTrouble."""

    def keep(self, records: Sequence[Record]) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class _Entry:
    record: Record
    settled: Settled | None  # who waits for it; nobody: it may be written later


class Recorder:
    """Give it records with `record`; when `wake` was called, call `settle` in the loop's thread."""

    def __init__(self, keeper: Keeper, wake: Callable[[], None], complain: Callable[[str], None]) -> None:
        self._keeper = keeper
        self._wake = wake
        self._complain = complain
        self._waiting: deque[_Entry] = deque()  # to be written, the oldest first
        self._verdicts: deque[tuple[Settled, bool]] = deque()
        self._something = threading.Event()  # there is something to write
        self._urgent = threading.Event()  # and somebody waits for it
        self._troubled = False  # did the last try fail?
        self._dropped = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def record(self, record: Record, settled: Settled | None = None) -> None:
        """Writes a record soon. `settled(kept)` is called from `settle` once it is on disk, or cannot be."""
        entry = _Entry(record, settled)
        if len(self._waiting) >= MOST_WAITING:
            self._drop(entry)
            return
        self._waiting.append(entry)
        if settled and not self._urgent.is_set():
            self._urgent.set()
        if not self._something.is_set():
            self._something.set()

    def settle(self) -> None:
        """Tells those who wait what became of their records."""
        while self._verdicts:
            settled, kept = self._verdicts.popleft()
            settled(kept)

    def stop(self) -> None:
        """Writes what is still waiting, then ends the thread and closes the keeper."""
        self._stopping = True
        self._urgent.set()
        self._something.set()
        self._thread.join()
        self._keeper.close()

    def _run(self) -> None:
        while not self._stopping:
            self._something.wait(RETRY if self._troubled else None)
            self._urgent.wait(LINGER)
            self._something.clear()
            self._urgent.clear()
            self._write_all()
        self._write_all()
        if self._dropped or self._waiting:
            self._complain(f"{self._dropped + len(self._waiting)} records could not be written")

    def _write_all(self) -> None:
        """Everything that waits now, or until the first trouble."""
        self._troubled = False
        while self._waiting and not self._troubled:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_IN_ONE))]
            self._write(batch)

    def _write(self, batch: list[_Entry]) -> None:
        try:
            self._keeper.keep([entry.record for entry in batch])
        except StoreTrouble as trouble:
            self._complain(f"could not be written, will be tried again: {trouble}")
            self._postpone(batch)
            self._tell(batch, kept=False)
        except Exception as bug:  # one record that cannot be written must not cost the others theirs
            if len(batch) == 1:
                self._complain(f"bug: this cannot be recorded: {bug!r}")
                self._tell(batch, kept=False)
            else:
                for entry in batch:
                    self._write([entry])
        else:
            self._tell(batch, kept=True)

    def _postpone(self, batch: list[_Entry]) -> None:
        """Back to the front of those that wait, but for those whose sender is told to try again."""
        self._troubled = True
        self._waiting.extendleft(entry for entry in reversed(batch) if entry.settled is None)

    def _drop(self, entry: _Entry) -> None:
        """There is no more room: nobody can write, and has not been able to for long."""
        self._dropped += 1
        self._tell([entry], kept=False)

    def _tell(self, batch: list[_Entry], kept: bool) -> None:
        waiting = [(entry.settled, kept) for entry in batch if entry.settled]
        if waiting:
            self._verdicts.extend(waiting)
            self._wake()
