"""The committer: visits share commits, each waiter gets one true outcome, and errors pass."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Record
from tandem.server import committer as committer_module
from tandem.server.committer import Committer
from tandem.server.metrics import Metrics
from testing.processes import LIMIT
from testing.visits import TEAM, message_1, message_2, rejected


class FakeStore:
    """Keeps visits in lists; can be held up, and can be made to fail."""

    def __init__(self) -> None:
        self.commits: list[list[Record]] = []
        self.open_gate = threading.Event()
        self.open_gate.set()
        self.reached = threading.Event()
        self.error: Exception | None = None
        self.poison: Record | None = None
        self.closed = False

    def write(self, records: Sequence[Record]) -> None:
        self.reached.set()
        self.open_gate.wait()
        if self.error:
            raise self.error
        if any(record is self.poison for record in records):
            raise TypeError("a visit that cannot be written")
        self.commits.append(list(records))

    def close(self) -> None:
        self.closed = True


class Bench:
    """A committer with a fake store, and what the loop would hear of it."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.rung = threading.Semaphore(0)
        self.logged: list[str] = []
        self.has_logged = threading.Event()
        self.outcomes: list[tuple[str, bool]] = []
        self.committer = Committer[str](self.store, self.rung.release, self._log, Metrics("a server"))

    def take_outcomes(self) -> list[tuple[str, bool]]:
        """Wait to be woken; return all outcomes so far."""
        assert self.rung.acquire(timeout=LIMIT)
        self.outcomes += self.committer.take_outcomes()
        return self.outcomes

    def _log(self, words: str) -> None:
        self.logged.append(words)
        self.has_logged.set()


@contextmanager
def bench() -> Iterator[Bench]:
    made = Bench()
    try:
        yield made
    finally:
        made.store.open_gate.set()
        made.committer.stop()


def test_a_waiter_gets_its_outcome_after_the_commit_and_not_before() -> None:
    with bench() as made:
        made.store.open_gate.clear()
        made.committer.commit(message_2(), "waiter")
        assert made.store.reached.wait(LIMIT)
        assert made.committer.take_outcomes() == []
        made.store.open_gate.set()
        assert made.take_outcomes() == [("waiter", True)]
        assert len(made.store.commits) == 1


def test_what_arrives_during_a_commit_shares_the_next() -> None:
    with bench() as made:
        made.store.open_gate.clear()
        made.committer.record(message_1())
        assert made.store.reached.wait(LIMIT)
        for number in range(10):
            made.committer.commit(message_2(), str(number))
        made.store.open_gate.set()
        while len(made.take_outcomes()) < 10:
            pass
        assert [len(commit) for commit in made.store.commits] == [1, 10]


def test_message_1_shares_the_commit_of_its_teams_message_2_and_comes_first() -> None:
    with bench() as made:
        first, second = message_1(), message_2()
        made.committer.record(first)
        made.committer.commit(second, "second")
        assert made.take_outcomes() == [("second", True)]
        assert made.store.commits[0] == [first, second]


def test_a_refused_visit_is_written_before_its_teams_message_2_and_other_teams_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(committer_module, "DEFERRED_DELAY", LIMIT)
    with bench() as made:
        made.committer.commit(message_2(), "first")  # from its commit on, records without a waiter are deferred
        assert made.take_outcomes() == [("first", True)]
        refused, second = rejected(), message_2()
        made.committer.record(refused)
        made.committer.record(message_1(TEAM._replace(teamname="other team of this class")))
        made.committer.commit(second, "second")
        assert made.take_outcomes() == [("first", True), ("second", True)]
        assert made.store.commits[1:] == [[refused, second]]
    assert len(made.store.commits[2:]) == 1  # the other team's, at the end


def test_a_deferred_record_that_is_due_shares_the_commit_of_another_team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "DEFERRED_DELAY", LIMIT)
    with bench() as made:
        other, second = message_1(TEAM._replace(teamname="other team")), message_2()
        made.committer.record(other)  # due at once: nothing was deferred before it
        made.committer.commit(second, "second")
        assert made.take_outcomes() == [("second", True)]
        assert made.store.commits == [[second, other]]


def test_what_nobody_waits_for_is_written_all_the_same() -> None:
    with bench() as made:
        made.committer.record(message_1())
        assert made.store.reached.wait(LIMIT)


def test_after_an_error_waiters_get_false_and_the_other_records_are_written_later() -> None:
    with bench() as made:
        made.store.error = StoreError("disk full")
        unhurried = message_1()
        made.committer.record(unhurried)
        made.committer.commit(message_2(), "first")
        assert made.take_outcomes() == [("first", False)]
        assert "disk full" in made.logged[0]
        made.store.error = None
        made.committer.commit(message_2(), "second")
        assert made.take_outcomes() == [("first", False), ("second", True)]
        assert any(unhurried in commit for commit in made.store.commits)


def test_an_error_is_logged_once_and_so_is_its_end() -> None:
    with bench() as made:
        for error in (StoreError("locked"), StoreError("locked"), StoreError("disk full"), None, None):
            made.store.error = error
            made.committer.commit(message_2(), "waiter")
            made.take_outcomes()
    again = "could not be written, will be tried again:"
    assert made.logged == [f"{again} locked", f"{again} disk full", "written again"]


def test_what_could_not_be_written_is_tried_again_without_being_asked() -> None:
    with bench() as made:
        made.store.error = StoreError("locked")
        made.committer.record(message_1())
        assert made.has_logged.wait(LIMIT)
        made.store.error = None
        made.store.reached.clear()
        assert made.store.reached.wait(LIMIT)
    assert len(made.store.commits) == 1


def test_one_visit_that_cannot_be_written_costs_the_others_nothing() -> None:
    with bench() as made:
        made.store.open_gate.clear()
        made.committer.record(message_1())
        assert made.store.reached.wait(LIMIT)
        made.store.poison = message_2()
        made.committer.commit(message_2(), "before")
        made.committer.commit(made.store.poison, "poison")
        made.committer.commit(message_2(), "after")
        made.store.open_gate.set()
        while len(made.take_outcomes()) < 3:
            pass
        assert sorted(made.outcomes) == [("after", True), ("before", True), ("poison", False)]
        assert "bug" in made.logged[0]


def test_a_thread_that_had_no_memory_ends_the_server_and_not_only_itself() -> None:
    """Or the server would go on without a commit, and everybody would wait for one."""

    def no_memory(words: str) -> None:
        raise MemoryError

    woken = threading.Event()
    store = FakeStore()
    store.error = StoreError("disk full")
    committer = Committer[str](store, woken.set, no_memory, Metrics("a server"))
    committer.commit(message_2(), "waiter")
    assert woken.wait(LIMIT)
    with pytest.raises(MemoryError):
        committer.take_outcomes()
    committer.stop()
    assert store.closed


def test_stop_writes_what_is_left_and_closes() -> None:
    with bench() as made:
        made.store.open_gate.clear()
        for _ in range(committer_module.MAX_BATCH + 10):
            made.committer.record(message_1())
        made.store.open_gate.set()
    assert sum(map(len, made.store.commits)) == committer_module.MAX_BATCH + 10
    assert max(map(len, made.store.commits)) <= committer_module.MAX_BATCH
    assert made.store.closed


def test_what_never_could_be_written_is_counted_at_the_end() -> None:
    with bench() as made:
        made.store.error = StoreError("gone")
        made.committer.record(message_1())
    assert made.logged[-1] == "1 records could not be written"


def test_after_an_error_a_waiter_behind_many_others_gets_false_at_once() -> None:
    with bench() as made:
        made.store.error = StoreError("away")
        for number in range(2 * committer_module.MAX_BATCH):
            made.committer.record(message_1(TEAM._replace(teamname=str(number))))
        made.committer.commit(message_2(), "last")
        assert made.take_outcomes() == [("last", False)]
        made.store.error = None
    assert sum(map(len, made.store.commits)) == 2 * committer_module.MAX_BATCH


def test_the_order_stays_when_an_error_follows_a_bug() -> None:
    class Worse(FakeStore):
        """One record is poison, and while they are tried one by one the database goes away."""

        def write(self, records: Sequence[Record]) -> None:
            if self.poison is None:
                super().write(records)
            elif len(records) == 1:
                self.poison = None
                self.error = StoreError("away")
                super().write(records)
            else:
                raise TypeError("a visit that cannot be written")

    with bench() as made:
        made.committer.stop()
        store = Worse()
        store.poison = message_1()
        committer = Committer[str](store, made.rung.release, made._log, Metrics("a server"))
        wanted = [message_1(started_us=number) for number in range(5)]
        for visit in wanted:
            committer.record(visit)
        assert made.has_logged.wait(LIMIT)
        store.error = None
        committer.stop()
    assert [record for commit in store.commits for record in commit] == wanted


def test_dropping_records_is_logged_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer_module, "MAX_WAITING", 3)
    with bench() as made:
        made.store.open_gate.clear()
        for _ in range(9):
            made.committer.record(message_1())
        assert made.logged == ["3 records wait to be written: more are dropped, and counted"]
