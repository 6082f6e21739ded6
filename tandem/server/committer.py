"""Group commit in a thread: many records in one transaction, then an outcome for each waiter.

Records that arrive during a commit share the next one. A record without a waiter may be deferred, so that message 1
mostly shares the commit of its team's message 2. Each waiter gets exactly one outcome. True: the record is on disk.
False: it is not, as far as is known, and this committer will not write it any more. Owns the only thread that writes.
Knows nothing of sockets and replies.
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
MAX_WAITING = 20_000  # records that wait while nothing can be written; more are dropped and counted
GROUP_COMMIT_DELAY = 0.003  # seconds from the first record with a waiter to its commit: others join it
DEFERRED_DELAY = 0.2  # seconds that a record without a waiter may be deferred
RETRY_DELAY = 1.0  # seconds until the next attempt after a failure; a record with a waiter does not wait for it

Waiter = TypeVar("Waiter")


class BatchStore(Protocol):
    """The store that a committer writes to."""

    def write(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction. All are on disk when it returns.

        Raises:
            StoreError: none of them is on disk, or nobody can know. Write them again.
        """

    def close(self) -> None:
        """Close the store.

        Raises:
            StoreError: its files were damaged since the last batch. It is closed.
        """


class LateStore:
    """A store that could not be opened yet. Each write tries it again, so that waiters get an outcome meanwhile."""

    def __init__(self, open_store: Callable[[], BatchStore]) -> None:
        self._open_store = open_store
        self._store: BatchStore | None = None

    def write(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction.

        Raises:
            StoreError: none of them is on disk, or nobody can know, or the store cannot be opened.
        """
        if self._store is None:
            self._store = self._open_store()
        self._store.write(records)

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()


class Committer(Generic[Waiter]):
    """Takes records with `record` and `commit`. After each call of `wake`, call `take_outcomes`."""

    def __init__(
        self, store: BatchStore, wake: Callable[[], None], log: Callable[[str], None], metrics: Metrics
    ) -> None:
        """Start the thread, which calls `wake` after each commit with a waiter. Call `stop` at the end."""
        self._store = store
        self._wake = wake
        self._metrics = metrics
        self._log = log
        # Each entry is a record and its waiter, if there is one.
        self._arrived: deque[tuple[Record, Waiter | None]] = deque()  # from the caller's thread to this one
        self._deferred: dict[tuple[str, str], list[tuple[Record, Waiter | None]]] = {}  # by class and team
        self._deferred_until = 0.0  # time.monotonic()
        self._ready: deque[tuple[Record, Waiter | None]] = deque()  # to be written, in this order
        self._outcomes: deque[tuple[Waiter, bool]] = deque()
        self._urgent = threading.Event()  # a record with a waiter has come
        self._failed = False  # the last attempt has failed
        self._logged_error = ""  # the last one, "" if writing works
        self._submitted = 0  # records, counted by the caller's thread
        self._completed = 0  # records that are written or given up, counted by this thread
        self._dropped = 0
        self._stopping = False
        self._error: Exception | None = None  # what has ended the thread
        self._thread = threading.Thread(target=self._run, name="committer")
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many records are not written yet."""
        return self._submitted - self._completed

    def record(self, record: Record) -> None:
        """Queue a record for the next write, and return at once. There is no outcome. Drop it if the queue is full."""
        if self._submitted - self._completed >= MAX_WAITING:
            self._drop()
            return
        self._submitted += 1
        self._arrived.append((record, None))

    def commit(self, record: Record, waiter: Waiter) -> None:
        """Queue a record for the next commit, and return at once. `take_outcomes` returns the outcome later."""
        if self._submitted - self._completed >= MAX_WAITING:
            self._drop()
            self._outcomes.append((waiter, False))
            self._wake()
            return
        self._submitted += 1
        self._arrived.append((record, waiter))
        if not self._urgent.is_set():
            self._urgent.set()

    def take_outcomes(self) -> list[tuple[Waiter, bool]]:
        """Return each waiter once: with True if its record is on disk, with False if it will not be.

        Raises:
            Exception: What has ended the thread, a MemoryError if it had no memory. Nothing is committed any more:
                end the server.
        """
        if self._error:
            raise self._error
        outcomes = self._outcomes
        return [outcomes.popleft() for _ in range(len(outcomes))]

    def stop(self) -> None:
        """Write what is waiting, end the thread, and close the store."""
        self._stopping = True
        self._urgent.set()
        self._thread.join()
        try:
            self._store.close()
        except StoreError as error:
            self._log(str(error))

    def _drop(self) -> None:
        """Count a record that is dropped because MAX_WAITING records wait."""
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
        """Move entries to the write queue.

        An entry with a waiter is moved now, behind the deferred entries of its team. Any other is moved when it is due.
        """
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
        """Write everything that is ready, up to the first failure."""
        self._failed = False
        while self._ready and not self._failed:
            self._write([self._ready.popleft() for _ in range(min(len(self._ready), MAX_BATCH))])
        if self._failed:
            self._fail_waiters()

    def _write(self, batch: list[tuple[Record, Waiter | None]]) -> None:
        started = time.monotonic()
        try:
            self._store.write([record for record, _ in batch])
        except (StoreError, MemoryError) as error:
            self._log_change(str(error) or "there is not enough memory")
            self._failed = True
            self._ready.extendleft(reversed(batch))
        except Exception as bug:  # one record that cannot be written must not prevent the others
            if len(batch) == 1:
                self._log(f"bug: this cannot be recorded: {bug!r}")
                self._complete(batch, stored=False)
            else:
                self._ready.extendleft(reversed(batch))
                self._write_one_by_one(len(batch))
        else:
            self._log_change("")
            self._metrics.commits_s.append(time.monotonic() - started)
            self._complete(batch, stored=True)

    def _log_change(self, error: str) -> None:
        """Log an error once while it stays the same, and once when it is over ("")."""
        if error != self._logged_error:
            self._logged_error = error
            self._log(f"could not be written, will be tried again: {error}" if error else "written again")

    def _write_one_by_one(self, count: int) -> None:
        for _ in range(count):
            if self._failed:
                return
            self._write([self._ready.popleft()])

    def _fail_waiters(self) -> None:
        """Give every waiter the outcome False now. Records without a waiter stay ready."""
        given_up = [entry for entry in self._ready if entry[1] is not None]
        self._ready = deque(entry for entry in self._ready if entry[1] is None)
        self._complete(given_up, stored=False)

    def _complete(self, batch: list[tuple[Record, Waiter | None]], stored: bool) -> None:
        self._completed += len(batch)
        outcomes = [(waiter, stored) for _, waiter in batch if waiter is not None]
        if outcomes:
            self._outcomes.extend(outcomes)
            self._wake()


def _team_of(record: Record) -> tuple[str, str]:
    """Return class and team of a record, "" for what is not known."""
    team = record.team if isinstance(record, Visit) else None
    return (team.classname, team.teamname) if team else ("", "")
