"""Group commit, off the loop: many records in one transaction, then the outcomes for those that wait.

A thread of its own writes. While one commit runs, what arrives meanwhile waits and shares the next. A record that
nobody waits for may be deferred a little, so that message 1 mostly shares the commit of its team's message 2. Each
waiter is named exactly once in an outcome: the record is on disk, or it is not.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Record, RightVisit, Visit
from tandem.server.metrics import Metrics

MAX_BATCH = 1000  # records in one transaction
MAX_WAITING = 20_000  # records that may wait while nothing can be written; those beyond are dropped, and counted
GROUP_COMMIT_DELAY = 0.003  # seconds from the first record that has a waiter to its commit: others come meanwhile
DEFERRED_DELAY = 0.2  # seconds that a record without a waiter may be deferred
RETRY_DELAY = 1.0  # seconds between two tries to write what could not be written

Waiter = TypeVar("Waiter")


class BatchStore(Protocol):
    """What a recorder writes to: all records are on disk when `write` returns, none if it raises StoreError."""

    def write(self, records: Sequence[Record]) -> None: ...

    def close(self) -> None: ...


class Committer(Generic[Waiter]):
    """Give it records with `record` or `commit`. After each call of `wake`, call `take_outcomes`."""

    def __init__(self, store: BatchStore, wake: Callable[[], None], log: Callable[[str], None], pulse: Metrics) -> None:
        """Start the thread. Call `stop` at the end."""
        self._store = store
        self._wake = wake
        self._pulse = pulse
        self._log = log
        # Each entry is a record and its waiter, if there is one.
        self._arrived: deque[tuple[Record, Waiter | None]] = deque()  # from the caller's thread to ours
        self._deferred: dict[tuple[str, str], list[tuple[Record, Waiter | None]]] = {}  # by class and team
        self._deferred_until = 0.0  # time.monotonic()
        self._ready: deque[tuple[Record, Waiter | None]] = deque()  # to be written, in this order
        self._outcomes: deque[tuple[Waiter, bool]] = deque()
        self._urgent = threading.Event()  # there is a waiter
        self._failed = False  # did the last try fail?
        self._trouble = ""  # as it was last logged
        self._taken = 0  # records, counted by the caller's thread
        self._finished = 0  # those of them that are written, or given up; counted by ours
        self._dropped = 0
        self._stopping = False
        self._error: Exception | None = None  # what has ended our thread
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many records are not on disk yet."""
        return self._taken - self._finished

    def record(self, record: Record) -> None:
        """Write a record soon. Nobody waits for it."""
        if self._taken - self._finished >= MAX_WAITING:
            self._drop()
            return
        self._taken += 1
        self._arrived.append((record, None))

    def commit(self, record: Record, waiter: Waiter) -> None:
        """Write a record now, and name the waiter in an outcome once it is on disk, or cannot be."""
        if self._taken - self._finished >= MAX_WAITING:
            self._drop()
            self._outcomes.append((waiter, False))
            self._wake()
            return
        self._taken += 1
        self._arrived.append((record, waiter))
        if not self._urgent.is_set():
            self._urgent.set()

    def take_outcomes(self) -> list[tuple[Waiter, bool]]:
        """Return the waiters whose record is on disk (True) or is not and will not be (False), each once.

        Raises:
            Exception: What has ended the thread, a MemoryError if it had no memory. Nothing is committed any more:
                end the server.
        """
        if self._error:
            raise self._error
        outcomes = self._outcomes
        return [outcomes.popleft() for _ in range(len(outcomes))]

    def stop(self) -> None:
        """Write what is still waiting, then end the thread and close the store."""
        self._stopping = True
        self._urgent.set()
        self._thread.join()
        self._store.close()

    def _drop(self) -> None:
        """Count a record for which there is no room: nothing could be written for long."""
        if not self._dropped:
            self._log(f"{MAX_WAITING} records wait to be written: more are dropped, and counted")
        self._dropped += 1

    def _run(self) -> None:
        try:
            self._commit_until_stopped()
        except Exception as error:
            self._error = error
            self._wake()
            if not isinstance(error, MemoryError):
                raise

    def _commit_until_stopped(self) -> None:
        while not self._stopping:
            urgent = self._urgent.wait(RETRY_DELAY if self._failed else DEFERRED_DELAY)
            if urgent:
                time.sleep(GROUP_COMMIT_DELAY)
            self._urgent.clear()
            self._promote(everything=not urgent)
            self._write_all()
        self._promote(everything=True)
        self._write_all()
        if self._dropped or self.waiting:
            self._log(f"{self._dropped + self.waiting} records could not be written")

    def _promote(self, everything: bool) -> None:
        """Make entries ready: those with a waiter after earlier ones of their team, the rest after DEFERRED_DELAY."""
        arrived, deferred, ready = self._arrived, self._deferred, self._ready
        for _ in range(len(arrived)):
            entry = arrived.popleft()
            record, waiter = entry
            team = record[:2] if isinstance(record, RightVisit) else _team_of(record)
            if waiter is None:
                deferred.setdefault(team, []).append(entry)
            else:
                ready += deferred.pop(team, ())
                ready.append(entry)
        now = time.monotonic()
        if everything or now >= self._deferred_until:
            for entries in deferred.values():
                ready += entries
            deferred.clear()
            self._deferred_until = now + DEFERRED_DELAY

    def _write_all(self) -> None:
        """Write everything that is ready, or until the first failure."""
        self._failed = False
        while self._ready and not self._failed:
            self._write([self._ready.popleft() for _ in range(min(len(self._ready), MAX_BATCH))])
        if self._failed:
            self._give_up_on_waiters()

    def _write(self, batch: list[tuple[Record, Waiter | None]]) -> None:
        began = time.monotonic()
        try:
            self._store.write([record for record, _ in batch])
        except (StoreError, MemoryError) as trouble:
            self._log_change(str(trouble) or "there is not enough memory")
            self._failed = True
            self._ready.extendleft(reversed(batch))
        except Exception as bug:  # one record that cannot be written must not cost the others theirs
            if len(batch) == 1:
                self._log(f"bug: this cannot be recorded: {bug!r}")
                self._finish(batch, stored=False)
            else:
                self._ready.extendleft(reversed(batch))
                self._write_one_by_one(len(batch))
        else:
            self._log_change("")
            self._pulse.committed(time.monotonic() - began)
            self._finish(batch, stored=True)

    def _log_change(self, trouble: str) -> None:
        """Log a failure once for as long as it stays the same, and once when it is over."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._log(f"could not be written, will be tried again: {trouble}" if trouble else "written again")

    def _write_one_by_one(self, count: int) -> None:
        for _ in range(count):
            if self._failed:
                return
            self._write([self._ready.popleft()])

    def _give_up_on_waiters(self) -> None:
        """Tell every waiter now that it failed. What nobody waits for is written when that is possible."""
        given_up = [entry for entry in self._ready if entry[1] is not None]
        self._ready = deque(entry for entry in self._ready if entry[1] is None)
        self._finish(given_up, stored=False)

    def _finish(self, batch: list[tuple[Record, Waiter | None]], stored: bool) -> None:
        self._finished += len(batch)
        outcomes = [(waiter, stored) for _, waiter in batch if waiter is not None]
        if outcomes:
            self._outcomes.extend(outcomes)
            self._wake()


def _team_of(record: Record) -> tuple[str, str]:
    """Return class and team of a record, as far as they are known."""
    team = record.team if isinstance(record, Visit) else None
    return (team.classname, team.teamname) if team else ("", "")
