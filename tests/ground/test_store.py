"""The store: one row a team whatever comes in whatever order, nothing half written, schema versions."""

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.ground.record import Team, Visit
from tandem.ground.records import Records, TeamRow
from tandem.ground.store import FILE, MIGRATIONS, Store, StoreTrouble
from tests.ground.records import TEAM, message_1, message_2, rejected


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def teams(folder: Path, classname: str | None = None, state: str | None = None) -> list[TeamRow]:
    records = Records(folder)
    try:
        return list(records.teams(classname, state))
    finally:
        records.close()


SWAPPED = replace(TEAM, studentnr1=TEAM.studentnr2, studentnr2=TEAM.studentnr1)
UNREADABLE_NUMBERS = replace(TEAM, studentnr1="", studentnr2="")

# visits in their order -> state, visits, problems of the one row they make
STORIES: dict[str, tuple[list[Visit], tuple[str, int, tuple[str, ...]]]] = {
    "message 1": ([message_1()], ("waiting for message 2", 1, ())),
    "both messages": ([message_1(), message_2()], ("finished", 2, ())),
    "message 2 alone, its message 1 was on another ground": ([message_2()], ("finished", 1, ())),
    "message 1 again after the end": ([message_1(), message_2(), message_1()], ("finished", 3, ())),
    "refused first": ([rejected()], ("rejected", 1, ("secret-wrong",))),
    "refused, then right": (
        [rejected(UNREADABLE_NUMBERS), message_1()],
        ("waiting for message 2", 2, ("secret-wrong",)),
    ),
    "refused, then finished": ([rejected(), message_1(), message_2()], ("finished", 3, ())),
    "refused after the end": ([message_1(), message_2(), rejected()], ("finished", 3, ())),
    "refused twice": ([rejected(), rejected(problem="not-swapped")], ("rejected", 2, ("not-swapped",))),
    "refused with other numbers": (
        [message_1(), rejected(replace(TEAM, studentnr1="7"))],
        ("waiting for message 2", 2, ("secret-wrong",)),
    ),
    "both students tried client 1": ([message_1(), message_1(SWAPPED), message_2()], ("finished", 3, ())),
}


@pytest.mark.parametrize(("visits", "expected"), STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("at_once", [True, False])
def test_one_row_a_team(
    tmp_path: Path, store: Store, visits: list[Visit], expected: tuple[str, int, tuple[str, ...]], at_once: bool
) -> None:
    for batch in [visits] if at_once else [[visit] for visit in visits]:
        store.keep(batch)
    [row] = teams(tmp_path)
    assert (row.state, row.visits, row.problems) == expected
    if any(not visit.problems for visit in visits):
        assert row.team == TEAM
    assert (row.finished_at is not None) == (row.state == "finished")


def test_a_finished_record_does_not_change(tmp_path: Path, store: Store) -> None:
    store.keep([message_1(), message_2(at=2_000_000)])
    [before] = teams(tmp_path)
    store.keep([message_2(SWAPPED, at=9_000_000), message_1(SWAPPED), rejected(SWAPPED)])
    [after] = teams(tmp_path)
    assert after == replace(before, visits=before.visits + 3)


def test_the_same_name_with_other_students_is_another_team(tmp_path: Path, store: Store) -> None:
    other = Team("INF2A", "Team1", "1111111", "2222222")
    store.keep([message_1(), message_2(), message_1(other)])
    assert [(row.team, row.state) for row in teams(tmp_path)] == [
        (TEAM, "finished"),
        (other, "waiting for message 2"),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    list(
        itertools.combinations([Team("a", "bc", "1", "2"), Team("ab", "c", "1", "2"), Team("a", "bc", "1\n2", "")], 2)
    ),
)
def test_teams_that_look_alike_are_kept_apart(tmp_path: Path, store: Store, one: Team, other: Team) -> None:
    store.keep([message_1(one), message_1(other)])
    assert len(teams(tmp_path)) == 2


def test_filters(tmp_path: Path, store: Store) -> None:
    store.keep([message_1(), message_2(), message_1(replace(TEAM, classname="INF2B"))])
    assert [row.team.classname for row in teams(tmp_path)] == ["INF2A", "INF2B"]
    assert [row.team.classname for row in teams(tmp_path, classname="INF2B")] == ["INF2B"]
    assert [row.team.classname for row in teams(tmp_path, state="finished")] == ["INF2A"]
    assert teams(tmp_path, classname="INF2B", state="finished") == []


def test_visits_come_back_as_they_were(tmp_path: Path, store: Store) -> None:
    visits = [message_1(), rejected(), message_2(at=4_000_000)]
    store.keep(visits)
    records = Records(tmp_path)
    [team] = records.teams_named("Team1")
    rows = list(records.visits(team.id))
    assert records.team_with_secret(visits[0].secret) == team
    assert records.team_with_secret("") is None
    records.close()
    assert [(row.at, row.outcome, row.received, row.findings) for row in rows] == [
        (visit.at, visit.outcome, visit.received, visit.problems) for visit in visits
    ]


def test_a_visit_of_nobody_is_kept_without_a_team(tmp_path: Path, store: Store) -> None:
    store.keep([rejected(None)])
    assert teams(tmp_path) == []
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("SELECT team, address FROM visit").fetchall() == [(None, "192.0.2.1")]
    database.close()


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: Path, store: Store) -> None:
    with pytest.raises(UnicodeEncodeError):
        store.keep([message_1(), message_1(replace(TEAM, teamname="\ud800"))])
    assert teams(tmp_path) == []
    store.keep([message_1()])
    assert len(teams(tmp_path)) == 1


def test_a_locked_database_keeps_nothing_and_goes_on_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.ground.store.PATIENCE", 0.01)
    store = Store(tmp_path)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreTrouble, match="locked"):
        store.keep([message_1()])
    other.execute("ROLLBACK")
    other.close()
    store.keep([message_1()])
    store.close()
    assert len(teams(tmp_path)) == 1


def test_it_is_durable_by_its_settings(tmp_path: Path, store: Store) -> None:
    database = store._database
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    for opening in (Store, Records):
        with pytest.raises(StoreTrouble, match="newer version"):
            opening(tmp_path)


def test_an_older_schema_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.keep([message_1()])
    store.close()
    step = "ALTER TABLE team ADD COLUMN mark TEXT; CREATE INDEX team_mark ON team (mark)"
    monkeypatch.setattr("tandem.ground.store.MIGRATIONS", (*MIGRATIONS, step))
    Store(tmp_path).close()
    [row] = teams(tmp_path)
    assert row.team == TEAM
    with sqlite3.connect(tmp_path / FILE) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert database.execute("SELECT mark FROM team").fetchall() == [(None,)]
    database.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, whatever its name says" * 100)
    for opening in (Store, Records):
        with pytest.raises(StoreTrouble, match=FILE):
            opening(tmp_path)


def test_no_results_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreTrouble, match="no results"):
        Records(tmp_path)
