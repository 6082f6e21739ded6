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
    MAX_EXPECTED_TEAMS,
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
def board_store(tmp_path: Path) -> Iterator[BoardStore]:
    with closing(BoardStore(tmp_path)) as opened:
        yield opened


def test_a_token_is_kept_as_its_hash_only(board_store: BoardStore, tmp_path: Path) -> None:
    assert board_store.token_hash() == ""
    token = board_store.renew_token()
    assert board_store.token_hash() == hash_token(token)
    board_store.close()
    assert token.encode() not in (tmp_path / FILE).read_bytes()


def test_a_new_token_takes_the_place_of_the_one_before(board_store: BoardStore, tmp_path: Path) -> None:
    first = board_store.renew_token()
    second = renew_token(tmp_path)
    assert first != second
    assert board_store.token_hash() == hash_token(second)


def test_the_signing_key_stays_the_same(board_store: BoardStore, tmp_path: Path) -> None:
    with closing(BoardStore(tmp_path)) as again:
        assert board_store.signing_key() == board_store.signing_key() == again.signing_key()
    assert len(board_store.signing_key()) == 32


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    BoardStore(tmp_path / "new").close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / FILE).stat().st_mode) == 0o600


def test_a_roster_replaces_the_one_of_its_class_and_no_other(board_store: BoardStore) -> None:
    board_store.replace_rosters([Team("A", "one", "1", "2"), Team("A", "two", "", ""), Team("B", "one", "", "")])
    board_store.replace_rosters([Team("A", "three", "", "")])
    assert board_store.roster("A") == [Team("A", "three", "", "")]
    assert board_store.roster_sizes() == {"A": 1, "B": 1}
    board_store.remove_roster("B")
    assert board_store.roster_sizes() == {"A": 1}


def test_a_class_is_found_under_every_spelling(board_store: BoardStore) -> None:
    board_store.replace_rosters([Team("Inf2A", "one", "", ""), Team("INF2A", "two", "", "")])
    board_store.set_deadline("inf2a", 5)
    board_store.write_note(KEY, NOTE)
    assert sorted(team.teamname for team in board_store.roster("iNF2a")) == ["one", "two"]
    assert (
        list(board_store.roster_sizes()),
        board_store.roster_sizes()["inf2a"],
        board_store.deadlines()["INF2A"],
    ) == (["INF2A"], 2, 5)
    assert board_store.notes("inf2a") == {KEY: NOTE}
    board_store.replace_rosters([Team("inf2a", "three", "", "")])
    assert board_store.roster("INF2A") == [Team("inf2a", "three", "", "")]
    board_store.forget_class("inf2A")
    assert [*board_store.roster_sizes(), *board_store.deadlines(), *board_store.notes()] == []


def test_too_many_expected_teams_are_refused_whole(board_store: BoardStore) -> None:
    board_store.replace_rosters([Team("A", "one", "", "")])
    many = [Team("B", str(number), "", "") for number in range(MAX_EXPECTED_TEAMS)]
    with pytest.raises(BoardStoreError, match="more than"):
        board_store.replace_rosters(many)
    assert board_store.roster_sizes() == {"A": 1}


def test_deadlines(board_store: BoardStore) -> None:
    board_store.set_deadline("A", 5)
    board_store.set_deadline("A", 6)
    board_store.set_deadline("B", 7)
    board_store.set_deadline("B", None)
    assert board_store.deadlines() == {"A": 6}


def test_notes_are_kept_and_an_empty_one_is_removed(board_store: BoardStore, tmp_path: Path) -> None:
    board_store.write_note(KEY, NOTE)
    with closing(BoardStore(tmp_path)) as again:
        assert again.notes("INF2A") == {KEY: NOTE}
    assert board_store.notes("other") == {}
    assert board_store.note_counts() == {"INF2A": 1}
    board_store.write_note(KEY, NO_NOTE)
    assert board_store.notes() == {}


def test_a_note_takes_the_place_of_the_one_it_is_written_for_and_of_no_other(board_store: BoardStore) -> None:
    before, other = KEY._replace(pair=""), KEY._replace(teamname="Team2")
    board_store.write_note(before, NOTE)
    board_store.write_note(other, NOTE)
    board_store.write_note(KEY, Note(mark="9"), before)
    assert board_store.notes() == {KEY: Note(mark="9"), other: NOTE}


def test_a_class_is_forgotten_whole(board_store: BoardStore) -> None:
    board_store.replace_rosters([Team("INF2A", "one", "", "")])
    board_store.set_deadline("INF2A", 5)
    board_store.write_note(KEY, NOTE)
    board_store.forget_class("INF2A")
    assert [*board_store.roster_sizes(), *board_store.deadlines(), *board_store.notes()] == []


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
    with closing(BoardStore(tmp_path)) as board_store:
        assert list(board_store.notes().values()) == [Note(True, "8.5", "explained the handover")]
        assert board_store.roster_sizes() == {"INF2A": 1}
        assert board_store.deadlines() == {"INF2A": 1_700_000_000_000_000}
        assert board_store.token_hash() == "a hash"
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
        for board_store in pool.map(BoardStore, [tmp_path] * 8):
            board_store.close()
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
