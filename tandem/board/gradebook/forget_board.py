"""Removes notes, marks and roster lines of forgotten teams from the board's own file.

If a whole class is forgotten, its deadline is removed, too. A board may be running.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem.board.gradebook.board_store import FILE, BoardStore, BoardStoreError
from tandem.records.class_spellings import folded
from tandem.records.forget import Forgotten, Selection
from tandem.records.queries import TeamKey
from tandem.records.sqlite.sqlite_store import sqlite_reason
from tandem.records.traces import Traces
from tandem.records.visits import Team

_LOCK_TIMEOUT_S = 30.0  # to wait for a running board


@dataclass(frozen=True, slots=True)
class ForgottenNotes:
    """The rows to remove from the board's own file, and those that the teacher must check."""

    notes: int = 0
    expected: int = 0  # lines on rosters
    mentions: tuple[TeamKey, ...] = ()  # teams that stay, whose note or roster line has a number of a forgotten team


def forget_notes(folder: Path, selection: Selection, forgotten: Forgotten, commit: bool) -> ForgottenNotes:
    """Remove what belongs to the forgotten teams, or only count it.

    Args:
        folder: The folder with the board's own file. There may be no file.
        selection: What the command was asked to forget.
        forgotten: The teams that are forgotten.
        commit: False only counts.

    Raises:
        BoardStoreError: The file cannot be used.
    """
    path = folder / FILE
    if not path.exists():
        return ForgottenNotes()
    BoardStore(folder).close()  # raises BoardStoreError if a newer version made it
    try:
        with _transaction(path) as database:
            found = _forget(database, selection, forgotten)
            if commit:
                database.execute("COMMIT")
                database.execute("VACUUM")
            return found
    except sqlite3.Error as error:
        raise BoardStoreError(
            f"the board's own file {path} cannot be changed: {sqlite_reason(error)}", "the same command again"
        ) from None


@contextmanager
def _transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction, rolled back unless the block commits it."""
    database = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_S, isolation_level=None)
    try:
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        yield database
    finally:
        database.close()


def _forget(database: sqlite3.Connection, selection: Selection, forgotten: Forgotten) -> ForgottenNotes:
    is_forgotten = _ForgottenTeams(selection, forgotten)
    notes, expected, mentions = 0, 0, []
    traces = Traces(forgotten.numbers)
    for *key, mark, text in database.execute("SELECT classname, teamname, pair, mark, text FROM note").fetchall():
        if is_forgotten(TeamKey(*key), key[2].split("\n")):
            notes += database.execute("DELETE FROM note WHERE (classname, teamname, pair) = (?, ?, ?)", key).rowcount
        elif traces.are_in(mark.encode(), text.encode()):
            mentions.append(TeamKey(*key))
    query = "SELECT classname, teamname, studentnr1, studentnr2 FROM expected"
    for classname, teamname, *numbers in database.execute(query).fetchall():
        line = TeamKey(classname, teamname, Team(classname, teamname, *numbers).pair)
        if is_forgotten(line, numbers):
            clause = "WHERE (classname, teamname, studentnr1, studentnr2) = (?, ?, ?, ?)"
            expected += database.execute(f"DELETE FROM expected {clause}", (*line[:2], *numbers)).rowcount
        elif not forgotten.numbers.isdisjoint(numbers):
            mentions.append(line)
    if selection == Selection(classname=selection.classname):
        for (classname,) in database.execute("SELECT classname FROM deadline").fetchall():
            if folded(classname) == folded(str(selection.classname)):
                database.execute("DELETE FROM deadline WHERE classname = ?", (classname,))
    return ForgottenNotes(notes, expected, tuple(mentions))


class _ForgottenTeams:
    """Decides whether a note or a roster line belongs to a forgotten team."""

    def __init__(self, selection: Selection, forgotten: Forgotten) -> None:
        self._selection = selection
        self._numbers = forgotten.numbers
        self._keys = {team.key for team in forgotten.teams}
        self._names = {(folded(team.key.classname), team.key.teamname) for team in forgotten.teams if team.was_last}
        self._classes = {folded(team.key.classname) for team in forgotten.teams}

    def __call__(self, key: TeamKey, numbers: list[str]) -> bool:
        team = Team(key.classname, key.teamname, *(*numbers, "", "")[:2])
        return (
            key in self._keys
            or (folded(key.classname), key.teamname) in self._names
            or (folded(key.classname) in self._classes and not self._numbers.isdisjoint(numbers))
            or (self._selection.before is None and self._selection.matches(team))
        )
