"""The recorder: visits share commits, each waiter gets one true outcome, and trouble passes."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.visits import Record
from tandem.server import committer as recorder_module
from tandem.server.committer import Committer
from tandem.server.metrics import Metrics
from testing.processes import LIMIT
from testing.visits import TEAM, message_1, message_2


class FakeStore:
    """Keeps visits in lists; can be held up, and can be made to fail."""

    def __init__(self) -> None:
        self.commits: list[list[Record]] = []
        self.open_gate = threading.Event()
        self.open_gate.set()
        self.reached = threading.Event()
        self.trouble: Exception | None = None
        self.poison: Record | None = None
        self.closed = False

    def write(self, records: Sequence[Record]) -> None:
        self.reached.set()
        self.open_gate.wait()
        if self.trouble:
            raise self.trouble
        if any(record is self.poison for record in records):
            raise TypeError("a visit that cannot be written")
        self.commits.append(list(records))

    def close(self) -> None:
        self.closed = True


class Bench:
    """A recorder with a fake keeper, and what the loop would hear of it."""

    def __init__(self) -> None:
        self.keeper = FakeStore()
        self.rung = threading.Semaphore(0)
        self.complaints: list[str] = []
        self.complained = threading.Event()
        self.outcomes: list[tuple[str, bool]] = []
        self.recorder = Committer[str](self.keeper, self.rung.release, self._complain, Metrics("a ground"))

    def take_outcomes(self) -> list[tuple[str, bool]]:
        """Wait to be woken; return all outcomes so far."""
        assert self.rung.acquire(timeout=LIMIT)
        self.outcomes += self.recorder.take_outcomes()
        return self.outcomes

    def _complain(self, words: str) -> None:
        self.complaints.append(words)
        self.complained.set()


@contextmanager
def bench() -> Iterator[Bench]:
    made = Bench()
    try:
        yield made
    finally:
        made.keeper.open_gate.set()
        made.recorder.stop()


def test_who_waits_is_told_after_the_commit_and_not_before() -> None:
    with bench() as made:
        made.keeper.open_gate.clear()
        made.recorder.commit(message_2(), "waiter")
        assert made.keeper.reached.wait(LIMIT)
        assert made.recorder.take_outcomes() == []
        made.keeper.open_gate.set()
        assert made.take_outcomes() == [("waiter", True)]
        assert len(made.keeper.commits) == 1


def test_what_arrives_during_a_commit_shares_the_next() -> None:
    with bench() as made:
        made.keeper.open_gate.clear()
        made.recorder.record(message_1())
        assert made.keeper.reached.wait(LIMIT)
        for number in range(10):
            made.recorder.commit(message_2(), str(number))
        made.keeper.open_gate.set()
        while len(made.take_outcomes()) < 10:
            pass
        assert [len(commit) for commit in made.keeper.commits] == [1, 10]


def test_message_1_shares_the_commit_of_its_teams_message_2_and_comes_first() -> None:
    with bench() as made:
        first, second = message_1(), message_2()
        made.recorder.record(first)
        made.recorder.commit(second, "second")
        assert made.take_outcomes() == [("second", True)]
        assert made.keeper.commits[0] == [first, second]


def test_what_nobody_waits_for_is_written_all_the_same() -> None:
    with bench() as made:
        made.recorder.record(message_1())
        assert made.keeper.reached.wait(LIMIT)


def test_trouble_is_told_to_who_waits_and_the_others_are_written_later() -> None:
    with bench() as made:
        made.keeper.trouble = StoreError("disk full")
        unhurried = message_1()
        made.recorder.record(unhurried)
        made.recorder.commit(message_2(), "first")
        assert made.take_outcomes() == [("first", False)]
        assert "disk full" in made.complaints[0]
        made.keeper.trouble = None
        made.recorder.commit(message_2(), "second")
        assert made.take_outcomes() == [("first", False), ("second", True)]
        assert any(unhurried in commit for commit in made.keeper.commits)


def test_trouble_is_told_once_and_so_is_its_end() -> None:
    with bench() as made:
        for trouble in (StoreError("locked"), StoreError("locked"), StoreError("disk full"), None, None):
            made.keeper.trouble = trouble
            made.recorder.commit(message_2(), "waiter")
            made.take_outcomes()
    again = "could not be written, will be tried again:"
    assert made.complaints == [f"{again} locked", f"{again} disk full", "written again"]


def test_what_could_not_be_written_is_tried_again_without_being_asked() -> None:
    with bench() as made:
        made.keeper.trouble = StoreError("locked")
        made.recorder.record(message_1())
        assert made.complained.wait(LIMIT)
        made.keeper.trouble = None
        made.keeper.reached.clear()
        assert made.keeper.reached.wait(LIMIT)
    assert len(made.keeper.commits) == 1


def test_one_visit_that_cannot_be_written_costs_the_others_nothing() -> None:
    with bench() as made:
        made.keeper.open_gate.clear()
        made.recorder.record(message_1())
        assert made.keeper.reached.wait(LIMIT)
        made.keeper.poison = message_2()
        made.recorder.commit(message_2(), "before")
        made.recorder.commit(made.keeper.poison, "poison")
        made.recorder.commit(message_2(), "after")
        made.keeper.open_gate.set()
        while len(made.take_outcomes()) < 3:
            pass
        assert sorted(made.outcomes) == [("after", True), ("before", True), ("poison", False)]
        assert "bug" in made.complaints[0]


def test_a_thread_that_had_no_memory_ends_the_server_and_not_only_itself() -> None:
    """Or the server would go on without a commit, and everybody would wait for one."""

    def no_memory(words: str) -> None:
        raise MemoryError

    woken = threading.Event()
    store = FakeStore()
    store.trouble = StoreError("disk full")
    committer = Committer[str](store, woken.set, no_memory, Metrics("a server"))
    committer.commit(message_2(), "waiter")
    assert woken.wait(LIMIT)
    with pytest.raises(MemoryError):
        committer.take_outcomes()
    committer.stop()
    assert store.closed


def test_stop_writes_what_is_left_and_closes() -> None:
    with bench() as made:
        made.keeper.open_gate.clear()
        for _ in range(recorder_module.MAX_BATCH + 10):
            made.recorder.record(message_1())
        made.keeper.open_gate.set()
    assert sum(map(len, made.keeper.commits)) == recorder_module.MAX_BATCH + 10
    assert max(map(len, made.keeper.commits)) <= recorder_module.MAX_BATCH
    assert made.keeper.closed


def test_what_never_could_be_written_is_counted_at_the_end() -> None:
    with bench() as made:
        made.keeper.trouble = StoreError("gone")
        made.recorder.record(message_1())
    assert made.complaints[-1] == "1 records could not be written"


def test_who_waits_behind_many_others_is_told_of_trouble_at_once() -> None:
    with bench() as made:
        made.keeper.trouble = StoreError("away")
        for number in range(2 * recorder_module.MAX_BATCH):
            made.recorder.record(message_1(TEAM._replace(teamname=str(number))))
        made.recorder.commit(message_2(), "last")
        assert made.take_outcomes() == [("last", False)]
        made.keeper.trouble = None
    assert sum(map(len, made.keeper.commits)) == 2 * recorder_module.MAX_BATCH


def test_the_order_is_kept_when_trouble_follows_a_bug() -> None:
    class Worse(FakeStore):
        """One record is poison, and while they are tried one by one the database goes away."""

        def write(self, records: Sequence[Record]) -> None:
            if self.poison is None:
                super().write(records)
            elif len(records) == 1:
                self.poison = None
                self.trouble = StoreError("away")
                super().write(records)
            else:
                raise TypeError("a visit that cannot be written")

    with bench() as made:
        made.recorder.stop()
        keeper = Worse()
        keeper.poison = message_1()
        recorder = Committer[str](keeper, made.rung.release, made._complain, Metrics("a ground"))
        wanted = [message_1(started_us=number) for number in range(5)]
        for visit in wanted:
            recorder.record(visit)
        assert made.complained.wait(LIMIT)
        keeper.trouble = None
        recorder.stop()
    assert [record for commit in keeper.commits for record in commit] == wanted


def test_what_is_dropped_is_told_when_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "MAX_WAITING", 3)
    with bench() as made:
        made.keeper.open_gate.clear()
        for _ in range(5):
            made.recorder.record(message_1())
        assert made.complaints == ["3 records wait to be written: more are dropped, and counted"]
