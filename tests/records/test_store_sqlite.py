"""What holds for the store in a file: its settings, its locks, its versions."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.records.queries import open_records
from tandem.records.sqlite.sqlite_schema import MIGRATIONS, VERSION
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore, StoreError
from tandem.records.visits import Outcome, Record, Team
from testing.data_folders import FIRST_ROWS
from testing.tables import teams
from testing.visits import TEAM, apart, message_1, message_2, rejected


def test_a_locked_database_keeps_nothing_and_goes_on_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.records.sqlite.sqlite_store.LOCK_TIMEOUT_S", 0.01)
    with closing(SqliteStore(tmp_path)) as store:
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                store.write([message_1()])
            other.execute("ROLLBACK")
        store.write([message_1()])
    assert len(teams(tmp_path)) == 1


def test_after_an_error_the_database_is_opened_again(tmp_path: Path) -> None:
    """SQLite would go on with its cached pages of a file that was damaged, and repaired since then."""
    with closing(SqliteStore(tmp_path)) as store:
        before = store._database
        (tmp_path / FILE).rename(tmp_path / "aside")
        with pytest.raises(StoreError, match="deleted or moved"):
            store.write([message_1()])
        (tmp_path / "aside").rename(tmp_path / FILE)
        store.write([message_1()])
        assert store._database is not before


def test_it_waits_until_another_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        closing(SqliteStore(tmp_path)) as store,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        asked = []

        def release(seconds: float) -> None:
            asked.append(seconds)
            if len(asked) == 3:
                other.execute("ROLLBACK")

        monkeypatch.setattr("tandem.records.sqlite.sqlite_store.time.sleep", release)
        store.write([message_1()])
    assert len(asked) == 3
    assert len(teams(tmp_path)) == 1


def test_it_is_durable_by_its_settings(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        assert store._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    for opening in (SqliteStore, open_records):
        with pytest.raises(StoreError, match="newer version"):
            opening(tmp_path)


def test_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.executescript(MIGRATIONS[0] + FIRST_ROWS)
    with closing(SqliteStore(tmp_path)) as store:
        store.write([message_2(started_us=9_000_000)])
    [row] = teams(tmp_path)
    assert (row.team, row.state, row.visits, row.finished_us) == (TEAM, "finished", 4, 2_001_500)
    with closing(open_records(tmp_path)) as records:
        outcomes = [visit.outcome for visit in records.visits(row.key)]
        assert outcomes == [Outcome.MESSAGE_1, Outcome.REJECTED, Outcome.MESSAGE_2, Outcome.MESSAGE_2]
        assert [visit.teamname for visit in records.visits_since(0)] == ["Team1", "", "Team1", "Team1", "Team1"]
        assert list(records.metrics_since(0)) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, whatever its name says" * 100)
    for opening in (SqliteStore, open_records):
        with pytest.raises(StoreError, match=FILE):
            opening(tmp_path)


def test_no_results_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no results"):
        open_records(tmp_path)


def with_secret(secret: str, team: Team) -> Record:
    return replace(rejected(team), secret=secret)


def steps(store: SqliteStore, batch: Sequence[Record]) -> int:
    """Return how many hundreds of SQLite's instructions a batch takes."""
    counted = []
    store._database.set_progress_handler(lambda: counted.append(1), 100)
    store.write(batch)
    store._database.set_progress_handler(None, 0)
    return len(counted)


def test_the_search_for_the_owners_of_secrets_has_a_limit_for_a_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of refused messages with made-up secrets must not delay the right messages of the same batch."""
    monkeypatch.setattr("tandem.records.sqlite.sqlite_store.MAX_SEARCHED_TEAMS", 100)
    spellings = ["inf2a", "INF2A", "Inf2a", "inf2A"]
    many = [TEAM._replace(classname=spellings[n % 4], teamname=f"Team{n}", studentnr1=str(n)) for n in range(2000)]
    flood = [TEAM._replace(teamname=f"x{number}") for number in range(100)]
    with closing(SqliteStore(tmp_path)) as store:
        store.write(apart(map(message_1, many)))
        plain = steps(store, [rejected(team) for team in flood])
        for secrets in (["5" * 64] * 100, [f"{number:064x}" for number in range(100)]):
            searched = steps(store, [with_secret(*each) for each in zip(secrets, flood, strict=True)])
            assert searched < 1.5 * plain


def test_a_flood_in_one_class_does_not_use_up_the_search_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.records.sqlite.sqlite_store.MAX_SEARCHED_TEAMS", 20)
    big = [Team("BIG", f"Team{number}", f"1{number:06}", f"2{number:06}") for number in range(50)]
    flood = [with_secret(f"{number:064x}", team._replace(teamname="x")) for number, team in enumerate(big)]
    misspelt = with_secret(f"secret of {TEAM}", TEAM._replace(teamname="Taem1"))
    with closing(SqliteStore(tmp_path)) as store:
        store.write(apart(map(message_1, [*big, TEAM])))
        store.write([*flood[:25], misspelt, *flood[25:]])
    assert [(row.team, row.visits, row.stuck) for row in teams(tmp_path, classname="INF2A")] == [(TEAM, 2, True)]
