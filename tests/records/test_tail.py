"""The tail: every visit once, though it may be seen after one with a higher id."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tandem.records.queries import Arrival, Records, open_records
from tandem.records.rows import DatabaseLocation, Row, Values
from tandem.records.sqlite.sqlite_store import SqliteStore
from tandem.records.tail import Tail
from tandem.server.committer import BatchStore
from tandem.server.serve import open_store
from testing import postgres
from testing.forgetting import forget
from testing.visits import TEAM, message_1, message_2, rejected


def names(arrivals: Sequence[Arrival]) -> list[tuple[str, str]]:
    return [(arrival.teamname, arrival.outcome) for arrival in arrivals]


def test_it_begins_behind_what_is_there_and_gives_each_visit_once(where: DatabaseLocation, store: BatchStore) -> None:
    store.write([message_1()])
    with closing(open_records(where)) as records:
        tail = Tail(records)
        assert tail.visits() == []
        store.write([message_2(), rejected(None)])
        assert names(tail.visits()) == [("Team1", "message 2"), ("", "rejected")]
        assert tail.visits() == []
        store.write([message_1(started_us=9_000_000)])
        assert names(tail.visits()) == [("Team1", "message 1")]


def test_it_goes_on_when_ids_are_given_again(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_1(TEAM._replace(teamname="Team0")), message_1(), message_2()])
        with closing(open_records(tmp_path)) as records:
            tail = Tail(records)
            forget(tmp_path, teamname="Team1")
            assert tail.visits() == []
            store.write([message_1(started_us=9_000_000)])
            assert names(tail.visits()) == [("Team1", "message 1")]


def test_what_another_server_commits_late_is_not_missed(database: str) -> None:
    """One transaction takes its ids, and commits after a later one: as with any two servers."""
    late = (
        "INSERT INTO visit SELECT nextval('visit_id_seq'), classname, 'late', pair, at, took, address, port, outcome,"
    )
    late += " received, size, answered, findings, mark + 1 FROM visit LIMIT 1"
    with closing(open_store(database)) as store, postgres.connect(database) as other:
        store.write([message_1(TEAM._replace(teamname="before"))])
        with closing(open_records(database)) as records:
            other.execute(late.encode())
            tail = Tail(records)
            other.execute(late.replace("mark + 1", "mark + 2").encode())
            store.write([message_1(TEAM._replace(teamname="in time"))])
            assert names(tail.visits()) == [("in time", "message 1")]
            other.commit()
            assert names(tail.visits()) == [("late", "message 1"), ("late", "message 1")]
            assert tail.visits() == []


class Commits:
    """A database with nothing but visits that become visible in any order."""

    def __init__(self, visibility_delay_s: float) -> None:
        self.visibility_delay_s = visibility_delay_s
        self.seen: set[int] = set()

    def query(self, sql: str, values: Values) -> list[Row]:
        ids = sorted(self.seen)
        if "DESC" in sql:
            return [(id,) for id in ids[::-1][int(values["skip"]) :][:1]]
        after = int(values.get("after_id", values.get("id", 0)))
        ids = [id for id in ids if id > after][: int(values.get("limit", len(ids)))]
        if sql.startswith("SELECT id FROM"):
            return [(id,) for id in ids]
        return [(id, "", "", "", 0, 0, "rejected", "[]") for id in ids]

    def close(self) -> None: ...


@given(
    delays=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    looks=st.lists(st.integers(0, 80), max_size=30),
    begin=st.integers(0, 40),
)
def test_every_visit_is_given_once_if_none_is_later_than_the_limit(
    delays: list[int], looks: list[int], begin: int
) -> None:
    """Visit n takes its id at n and is seen a delay later; the tail begins at some time and looks at others."""
    database = Commits(visibility_delay_s=10.0)
    now = 0.0
    commits = [(number + delay, number + 1) for number, delay in enumerate(delays)]

    def pass_time(until: float) -> None:
        nonlocal now
        now = until
        database.seen.update(id for at, id in commits if at <= now)

    pass_time(begin)
    before = set(database.seen)
    tail = Tail(Records(database), clock=lambda: now)
    given_ids: list[int] = []
    for look in [*sorted(look for look in looks if look >= begin), 200]:
        pass_time(look)
        given_ids += [arrival.id for arrival in tail.visits()]
    assert sorted(given_ids) == sorted(set(range(1, len(delays) + 1)) - before)


def test_it_remembers_only_what_may_still_come_late() -> None:
    database = Commits(visibility_delay_s=10.0)
    now = 0.0
    tail = Tail(Records(database), clock=lambda: now)
    for id in range(1, 1000):
        database.seen.add(id)
        now = float(id)
        assert [arrival.id for arrival in tail.visits()] == [id]
    assert len(tail._seen) <= 11
