"""`tandem forget` and `key rotate`: data that is gone, old secrets that count."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tandem.exchange.message import FINISHED, WAITING
from tandem.ground.database import open_rows
from tandem.ground.record import Surplus, Team
from tandem.ground.recorder import Keeper
from tandem.ground.rows import Where
from tandem.ground.serve import open_store
from tandem.ground.store import FILE, Store, StoreTrouble
from tandem.ground.upkeep import forget_before, forget_team
from tests.ground.records import TEAM, message_1, message_2, rejected
from tests.ground.tables import TABLES
from tests.processes import ground, tandem
from tests.raw import encoded, visit
from tests.raw import message_1 as first
from tests.raw import message_2 as second

OTHER = Team("INF2B", "Team2", "1111111", "2222222")
DAY = 86_400_000_000  # microseconds


def traces(folder: Path, words: str) -> list[str]:
    """The files of the folder in which the words stand."""
    return [path.name for path in folder.iterdir() if words.encode() in path.read_bytes()]


def is_left(where: Where, words: str) -> bool:
    """Whether the words stand anywhere in the database; for a file, in any byte of it."""
    if isinstance(where, Path):
        return bool(traces(where, words))
    with psycopg.connect(where) as server:
        tables = "SELECT string_agg(t::text, '') FROM {} AS t"
        told = [server.execute(tables.format(name).encode()).fetchone() for name in (*TABLES, "team_name")]
        received = [bytes(row[0]) for row in server.execute("SELECT received FROM visit")]
    return words in str(told) or any(words.encode() in each for each in received)


def test_a_team_is_forgotten_for_good(where: Where, store: Keeper) -> None:
    nobody = replace(rejected(None), received=b'{"studentnr1": "0923456", ...')
    somebody = replace(rejected(None, at=4_000_000), received=b'{"studentnr1": "1111111", ...')
    store.keep([message_1(), message_2(), message_1(OTHER), nobody, rejected(), somebody])
    assert is_left(where, "0923456")
    forgotten = forget_team(where, "Team1", None)
    assert (forgotten.teams, forgotten.visits) == (["INF2A/Team1"], 4)
    assert not is_left(where, "0923456")
    assert is_left(where, "1111111")
    with closing(open_rows(where)) as rows:
        assert rows.ask("SELECT count(*) FROM visit", {}) == [(2,)]
    store.keep([message_1()])  # a ground that ran meanwhile goes on
    assert is_left(where, "0923456")


@contextmanager
def a_reader_in_the_middle(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, closing(sqlite3.connect(folder / FILE)) as database:
        patch.setattr("tandem.ground.upkeep.PATIENCE", 0.01)
        with closing(database.execute("SELECT * FROM visit")) as reading:
            reading.fetchone()
            yield


@contextmanager
def no_room_to_write_it_anew(folder: Path) -> Iterator[None]:
    def opened(folder: Path) -> sqlite3.Connection:
        database = sqlite3.connect(folder / FILE, isolation_level=None)
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # which VACUUM needs
        return database

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tandem.ground.upkeep._open", opened)
        yield


@pytest.mark.parametrize("obstacle", [a_reader_in_the_middle, no_room_to_write_it_anew])
def test_traces_that_stay_are_told_and_go_with_the_next_try(
    tmp_path: Path, obstacle: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with closing(Store(tmp_path)) as store:
        store.keep([message_1(), message_2(), message_1(OTHER)])
    with obstacle(tmp_path), pytest.raises(StoreTrouble, match="removed, but traces stay"):
        forget_team(tmp_path, "Team1", None)
    assert forget_team(tmp_path, "Team1", None).teams == []
    assert not is_left(tmp_path, "0923456")


def test_only_the_team_of_the_given_class_is_forgotten(where: Where, store: Keeper) -> None:
    store.keep([message_1(), message_1(OTHER._replace(teamname="Team1"))])
    assert forget_team(where, "Team1", "INF2B").teams == ["INF2B/Team1"]
    assert is_left(where, TEAM.studentnr1)
    assert not is_left(where, OTHER.studentnr1)


@pytest.mark.parametrize("name", ["", "Team9"])
def test_who_never_came_is_not_forgotten(where: Where, store: Keeper, name: str) -> None:
    store.keep([message_1(), rejected(None)])
    forgotten = forget_team(where, name, None)
    assert (forgotten.teams, forgotten.visits) == ([], 0)
    assert is_left(where, TEAM.studentnr1)


def test_many_visits_of_nobody_are_searched(where: Where, store: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.ground.upkeep.VISITS_AT_ONCE", 3)
    some = [replace(rejected(None), port=number, received=b"0923456" * (number % 2)) for number in range(20)]
    store.keep([message_1(), *some])
    assert forget_team(where, "Team1", None).visits == 11
    assert not is_left(where, "0923456")


def test_what_is_older_than_a_date_is_forgotten(where: Where, store: Keeper) -> None:
    store.keep([message_1(at=1 * DAY), message_2(at=2 * DAY), rejected(None, at=2 * DAY), Surplus(DAY, "192.0.2.9", 5)])
    store.keep([message_1(OTHER, at=2 * DAY), message_2(OTHER, at=9 * DAY)])
    forgotten = forget_before(where, datetime.fromtimestamp(5 * 86_400, UTC))
    assert (forgotten.teams, forgotten.visits) == (["INF2A/Team1"], 4)
    assert not is_left(where, TEAM.studentnr1)
    assert not is_left(where, "192.0.2.9")
    assert is_left(where, OTHER.studentnr1)


def test_a_team_that_was_refused_since_is_not_forgotten(where: Where, store: Keeper) -> None:
    store.keep([message_1(at=1 * DAY), rejected(at=9 * DAY)])
    forgotten = forget_before(where, datetime.fromtimestamp(5 * 86_400, UTC))
    assert (forgotten.teams, forgotten.visits) == ([], 1)


def test_there_is_nothing_to_forget_where_no_ground_has_run(tmp_path: Path, database: str) -> None:
    for where in (tmp_path, database):
        with pytest.raises(StoreTrouble, match="no results"):
            forget_team(where, "Team1", None)


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """Somebody who may find the tables of the database, and not read them."""
    name = f"r{uuid.uuid4().hex}"
    tables = database.rpartition("%3D")[2]
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA {tables} TO {name}".encode())
        yield name
        owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_who_may_not_forget_is_told_so_in_one_line(database: str, role: str) -> None:
    with closing(open_store(database)) as store:
        store.keep([message_1()])
    forget = ("forget", "--database", database.replace("tandem@", f"{role}@"), "--team", TEAM.teamname)
    code, out, err = tandem(*forget)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "permission denied" in err
    with psycopg.connect(database) as owner:
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {database.rpartition('%3D')[2]} TO {role}".encode())
    code, out, err = tandem(*forget)  # may read, and not remove
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "permission denied" in err
    assert is_left(database, TEAM.studentnr1)


def test_the_commands_say_what_they_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep([message_1(), message_1(OTHER._replace(teamname="\x1b[2J"))])
    store.close()
    forget = ("forget", "--data", str(tmp_path))
    assert tandem(*forget, "--team", "Team1")[:2] == (
        0,
        "removed INF2A/Team1\nremoved 1 teams and 1 visits, for good\n",
    )
    code, out, err = tandem(*forget, "--team", "Team1")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "removed INF2B/\\x1b[2J\n" in tandem(*forget, "--before", "2026-01-01")[1]
    assert tandem(*forget, "--before", "yesterday")[0] == 2
    assert tandem(*forget)[0] == 2


def test_after_a_rotation_both_old_and_new_secrets_finish(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ground(data) as running:
        before = visit(running.host, running.port, encoded(first(teamname="before")))
    code, out, err = tandem("key", "rotate", "--data", str(data), "--valid", "1")
    assert (code, err) == (0, "")
    assert "1 hours" in out
    with ground(data) as running:
        after = visit(running.host, running.port, encoded(first(teamname="before")))
        assert after["secret"] != before["secret"]
        for handover in (before, after):
            assert visit(running.host, running.port, encoded(second(handover)))["status"] == FINISHED
    assert tandem("key", "rotate", "--data", str(data), "--valid", "0")[0] == 0
    with ground(data) as running:
        reply = visit(running.host, running.port, encoded(second(after)))
        assert reply["status"].startswith("error: ")


def test_a_rotation_without_a_key_is_one_line(tmp_path: Path) -> None:
    for arguments in (("--data", str(tmp_path)), ("--valid", "-1")):
        code, out, err = tandem("key", "rotate", *arguments)
        assert (code, out, err.count("\n")) == (2 if "--valid" in arguments else 1, "", 1)


def test_a_flood_of_refused_messages_is_answered_and_counted(tmp_path: Path) -> None:
    flood = 100
    with ground(tmp_path / "data") as running:
        for _ in range(flood):
            assert visit(running.host, running.port, b"[]")["status"].startswith("error: ")
        running.process.wait_for("the rest is only counted")
        lines = running.process.err.count("rejected")
        assert visit(running.host, running.port, encoded(first()))["status"] == WAITING
    assert 60 <= lines <= flood  # a minute may have ended meanwhile
    assert sum(size for _, size in counted(tmp_path / "data")) == flood


def counted(data: Path) -> list[tuple[str, int]]:
    """Refused visits, recorded and counted, as (what, how many)."""
    database = sqlite3.connect(data / FILE)
    rows = database.execute(
        "SELECT 'recorded', count(*) FROM visit WHERE outcome = 'rejected'"
        " UNION ALL SELECT address, visits FROM surplus"
    ).fetchall()
    database.close()
    return [(str(what), int(size)) for what, size in rows]
