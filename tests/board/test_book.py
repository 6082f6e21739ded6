"""What the board keeps for the teacher: kept over a restart, for its owner alone, the token never in it."""

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tandem.board.gradebook.board_schema import MIGRATIONS, VERSION
from tandem.board.gradebook.board_store import (
    FILE,
    MAX_EXPECTED,
    NO_NOTE,
    BoardStore,
    BoardStoreError,
    Note,
    hash_token,
    renew_token,
)
from tandem.records.queries import TeamKey
from tandem.records.visits import Team
from testing.data_folders import OLD_BOARD
from testing.processes import tandem

KEY = TeamKey("INF2A", "Team1", "1\n2")
NOTE = Note(True, "8", "well explained")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[BoardStore]:
    with closing(BoardStore(tmp_path)) as opened:
        yield opened


def test_a_token_is_kept_as_its_hash_only(book: BoardStore, tmp_path: Path) -> None:
    assert book.token_hash() == ""
    token = book.renew_token()
    assert book.token_hash() == hash_token(token)
    book.close()
    assert token.encode() not in (tmp_path / FILE).read_bytes()


def test_a_new_token_takes_the_place_of_the_one_before(book: BoardStore, tmp_path: Path) -> None:
    first = book.renew_token()
    second = renew_token(tmp_path)
    assert first != second
    assert book.token_hash() == hash_token(second)


def test_the_signing_key_stays_the_same(book: BoardStore, tmp_path: Path) -> None:
    with closing(BoardStore(tmp_path)) as again:
        assert book.signing_key() == book.signing_key() == again.signing_key()
    assert len(book.signing_key()) == 32


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    BoardStore(tmp_path / "new").close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / FILE).stat().st_mode) == 0o600


def test_a_roster_replaces_the_one_of_its_class_and_no_other(book: BoardStore) -> None:
    book.set_rosters([Team("A", "one", "1", "2"), Team("A", "two", "", ""), Team("B", "one", "", "")])
    book.set_rosters([Team("A", "three", "", "")])
    assert book.roster("A") == [Team("A", "three", "", "")]
    assert book.rostered() == {"A": 1, "B": 1}
    book.remove_roster("B")
    assert book.rostered() == {"A": 1}


def test_a_class_is_found_under_every_spelling(book: BoardStore) -> None:
    book.set_rosters([Team("Inf2A", "one", "", ""), Team("INF2A", "two", "", "")])
    book.set_deadline("inf2a", 5)
    book.write_note(KEY, NOTE)
    assert sorted(team.teamname for team in book.roster("iNF2a")) == ["one", "two"]
    assert (list(book.rostered()), book.rostered()["inf2a"], book.deadlines()["INF2A"]) == (["INF2A"], 2, 5)
    assert book.notes("inf2a") == {KEY: NOTE}
    book.set_rosters([Team("inf2a", "three", "", "")])
    assert book.roster("INF2A") == [Team("inf2a", "three", "", "")]
    book.forget_class("inf2A")
    assert [*book.rostered(), *book.deadlines(), *book.notes()] == []


def test_too_many_expected_teams_are_refused_whole(book: BoardStore) -> None:
    book.set_rosters([Team("A", "one", "", "")])
    many = [Team("B", str(number), "", "") for number in range(MAX_EXPECTED)]
    with pytest.raises(BoardStoreError, match="more than"):
        book.set_rosters(many)
    assert book.rostered() == {"A": 1}


def test_deadlines(book: BoardStore) -> None:
    book.set_deadline("A", 5)
    book.set_deadline("A", 6)
    book.set_deadline("B", 7)
    book.set_deadline("B", None)
    assert book.deadlines() == {"A": 6}


def test_notes_are_kept_and_an_empty_one_is_removed(book: BoardStore, tmp_path: Path) -> None:
    book.write_note(KEY, NOTE)
    with closing(BoardStore(tmp_path)) as again:
        assert again.notes("INF2A") == {KEY: NOTE}
    assert book.notes("other") == {}
    assert book.noted() == {"INF2A": 1}
    book.write_note(KEY, NO_NOTE)
    assert book.notes() == {}


def test_a_note_takes_the_place_of_the_one_it_is_written_for_and_of_no_other(book: BoardStore) -> None:
    before, other = KEY._replace(pair=""), KEY._replace(teamname="Team2")
    book.write_note(before, NOTE)
    book.write_note(other, NOTE)
    book.write_note(KEY, Note(mark="9"), before)
    assert book.notes() == {KEY: Note(mark="9"), other: NOTE}


def test_a_class_is_forgotten_whole(book: BoardStore) -> None:
    book.set_rosters([Team("INF2A", "one", "", "")])
    book.set_deadline("INF2A", 5)
    book.write_note(KEY, NOTE)
    book.forget_class("INF2A")
    assert [*book.rostered(), *book.deadlines(), *book.notes()] == []


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    BoardStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(BoardStoreError, match=f"newer version .schema {VERSION + 1}, this one knows {VERSION}"):
        BoardStore(tmp_path)
    code, out, err = tandem("board", "token", "rotate", "--data", str(tmp_path))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "newer version" in err


@pytest.mark.parametrize("version", [0, 1])
def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.executescript(f"{OLD_BOARD}; PRAGMA user_version = {version}")
    with closing(BoardStore(tmp_path)) as book:
        assert list(book.notes().values()) == [Note(True, "8.5", "explained the handover")]
        assert book.rostered() == {"INF2A": 1}
        assert book.deadlines() == {"INF2A": 1_700_000_000_000_000}
        assert book.token_hash() == "a hash"
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


MORE = ("CREATE TABLE more (x INTEGER)", "INSERT INTO more VALUES (1)")


def test_of_many_that_open_an_older_file_at_once_one_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    BoardStore(tmp_path).close()
    monkeypatch.setattr("tandem.board.gradebook.board_schema.MIGRATIONS", (*MIGRATIONS, MORE))
    monkeypatch.setattr("tandem.board.gradebook.board_schema.VERSION", VERSION + 1)
    with ThreadPoolExecutor(8) as pool:
        for book in pool.map(BoardStore, [tmp_path] * 8):
            book.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        assert database.execute("SELECT * FROM more").fetchall() == [(1,)]


def test_a_step_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BoardStore(tmp_path).close()
    before = (tmp_path / FILE).read_bytes()
    monkeypatch.setattr(
        "tandem.board.gradebook.board_schema.MIGRATIONS", (*MIGRATIONS, MORE, ("CREATE TABLE more (y)",))
    )
    monkeypatch.setattr("tandem.board.gradebook.board_schema.VERSION", VERSION + 2)
    with pytest.raises(BoardStoreError, match="cannot be used"):
        BoardStore(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_damaged_file_and_a_folder_that_is_none_are_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database, whatever its name says" * 100)
    with pytest.raises(BoardStoreError, match="cannot be used"):
        BoardStore(tmp_path)
    with pytest.raises(BoardStoreError, match="cannot be used"):
        BoardStore(tmp_path / FILE)
