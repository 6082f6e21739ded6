"""Group commit, off the loop: many records, one transaction, then their replies.

A thread of its own writes. While one commit runs, what arrives meanwhile waits and shares the next.
Whoever waits for a record to be on disk is told in the end: kept, or not kept.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tandem.ground.record import Record
from tandem.ground.store import StoreTrouble

MOST_IN_ONE = 1000  # records in one transaction
MOST_WAITING = 20_000  # records that may wait while nothing can be written; those beyond are dropped
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
        self._arriving: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()  # None: stop
        self._later: deque[_Entry] = deque()  # could not be written yet; nobody waits for them
        self._verdicts: deque[tuple[Settled, bool]] = deque()
        self._dropped = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def record(self, record: Record, settled: Settled | None = None) -> None:
        """Writes a record soon. `settled(kept)` is called from `settle` once it is on disk, or cannot be."""
        self._arriving.put(_Entry(record, settled))

    def settle(self) -> None:
        """Tells those who wait what became of their records."""
        while self._verdicts:
            settled, kept = self._verdicts.popleft()
            settled(kept)

    def stop(self) -> None:
        """Writes what is still waiting, then ends the thread and closes the keeper."""
        self._arriving.put(None)
        self._thread.join()
        self._keeper.close()

    def _run(self) -> None:
        while not self._stopping:
            batch = self._gather()
            if batch:
                self._write(batch)
        if self._dropped or self._later:
            self._complain(f"{self._dropped + len(self._later)} records could not be written")

    def _gather(self) -> list[_Entry]:
        """What could not be written before, and what has arrived; waits for something to do."""
        batch = list(self._later)
        self._later.clear()
        try:
            entry = self._arriving.get(timeout=RETRY if batch else None)
            while entry and len(batch) < MOST_IN_ONE:
                batch.append(entry)
                entry = self._arriving.get_nowait()
            if entry is None:
                self._stopping = True
            else:
                batch.append(entry)
        except queue.Empty:
            pass
        return batch

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
        for entry in batch:
            if entry.settled is None:
                if len(self._later) < MOST_WAITING:
                    self._later.append(entry)
                else:
                    self._dropped += 1

    def _tell(self, batch: list[_Entry], kept: bool) -> None:
        waiting = [(entry.settled, kept) for entry in batch if entry.settled]
        if waiting:
            self._verdicts.extend(waiting)
            self._wake()
