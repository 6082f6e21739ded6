"""What the board keeps for the teacher: kept over a restart, for its owner alone, the token never in it."""

import sqlite3
import stat
from pathlib import Path

import pytest

from tandem.board.book import FILE, MOST_EXPECTED, NO_NOTE, Book, BookTrouble, Note, hash_token, renew_token
from tandem.ground.record import Team
from tandem.ground.records import TeamKey

KEY = TeamKey("INF2A", "Team1", "1\n2")
NOTE = Note(True, "8", "well explained")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_a_token_is_kept_as_its_hash_only(book: Book, tmp_path: Path) -> None:
    assert book.token_hash() == ""
    token = book.renew_token()
    assert book.token_hash() == hash_token(token)
    book.close()
    assert token.encode() not in (tmp_path / FILE).read_bytes()


def test_a_new_token_takes_the_place_of_the_one_before(book: Book, tmp_path: Path) -> None:
    first = book.renew_token()
    second = renew_token(tmp_path)
    assert first != second
    assert book.token_hash() == hash_token(second)


def test_the_signing_key_stays_the_same(book: Book, tmp_path: Path) -> None:
    assert book.signing_key() == book.signing_key() == Book(tmp_path).signing_key()
    assert len(book.signing_key()) == 32


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    Book(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / FILE).stat().st_mode) == 0o600


def test_a_roster_replaces_the_one_of_its_class_and_no_other(book: Book) -> None:
    book.set_rosters([Team("A", "one", "1", "2"), Team("A", "two", "", ""), Team("B", "one", "", "")])
    book.set_rosters([Team("A", "three", "", "")])
    assert book.roster("A") == [Team("A", "three", "", "")]
    assert book.rostered() == {"A": 1, "B": 1}
    book.remove_roster("B")
    assert book.rostered() == {"A": 1}


def test_a_class_is_found_under_every_spelling(book: Book) -> None:
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


def test_too_many_expected_teams_are_refused_whole(book: Book) -> None:
    book.set_rosters([Team("A", "one", "", "")])
    many = [Team("B", str(number), "", "") for number in range(MOST_EXPECTED)]
    with pytest.raises(BookTrouble, match="more than"):
        book.set_rosters(many)
    assert book.rostered() == {"A": 1}


def test_deadlines(book: Book) -> None:
    book.set_deadline("A", 5)
    book.set_deadline("A", 6)
    book.set_deadline("B", 7)
    book.set_deadline("B", None)
    assert book.deadlines() == {"A": 6}


def test_notes_are_kept_and_an_empty_one_is_removed(book: Book, tmp_path: Path) -> None:
    book.write_note(KEY, NOTE)
    assert Book(tmp_path).notes("INF2A") == {KEY: NOTE}
    assert book.notes("other") == {}
    assert book.noted() == {"INF2A": 1}
    book.write_note(KEY, NO_NOTE)
    assert book.notes() == {}


def test_a_note_takes_the_place_of_the_one_it_is_written_for_and_of_no_other(book: Book) -> None:
    before, other = KEY._replace(pair=""), KEY._replace(teamname="Team2")
    book.write_note(before, NOTE)
    book.write_note(other, NOTE)
    book.write_note(KEY, Note(mark="9"), before)
    assert book.notes() == {KEY: Note(mark="9"), other: NOTE}


def test_a_class_is_forgotten_whole(book: Book) -> None:
    book.set_rosters([Team("INF2A", "one", "", "")])
    book.set_deadline("INF2A", 5)
    book.write_note(KEY, NOTE)
    book.forget_class("INF2A")
    assert [*book.rostered(), *book.deadlines(), *book.notes()] == []


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    Book(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(BookTrouble, match="newer"):
        Book(tmp_path)


def test_a_damaged_file_and_a_folder_that_is_none_are_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database, whatever its name says" * 100)
    with pytest.raises(BookTrouble, match="cannot be used"):
        Book(tmp_path)
    with pytest.raises(BookTrouble, match="cannot be used"):
        Book(tmp_path / FILE)
