"""Stores the teacher's token, rosters, deadlines and notes in board.sqlite3, apart from the server's records.

The tables are in board_schema.py. Of the token only the hash is stored. A class is found by every spelling of its name.
Knows nothing of HTTP. Thread-safe.
"""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tandem.board.gradebook.board_schema import FILE as FILE
from tandem.board.gradebook.board_schema import NewerFileError, migrate
from tandem.protocol.errors import TandemError
from tandem.records.class_spellings import ByClass, folded, spellings
from tandem.records.data_folder import DataFolderError, make_private_folder
from tandem.records.queries import TeamKey
from tandem.records.readable_order import name_order, team_order
from tandem.records.sqlite.data_file import SQL_ERRORS
from tandem.records.sqlite.sqlite_store import sqlite_reason
from tandem.records.visits import Team

MAX_EXPECTED_TEAMS = 20_000  # on all rosters together

_LOCK_TIMEOUT_S = 5.0  # to wait for the lock of another process


class BoardStoreError(TandemError):
    """The board's own file cannot be used."""


@dataclass(frozen=True, slots=True)
class Note:
    """The teacher's note and mark of one team."""

    oral: bool = False  # whether the oral check is done
    mark: str = ""
    text: str = ""


NO_NOTE = Note()


class BoardStore:
    """The open file of a board. Close it after use.

    Every method raises BoardStoreError if the file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            make_private_folder(folder)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = _open(self._path)
        except DataFolderError as error:
            raise BoardStoreError(error.what, error.help) from error
        except NewerFileError as error:
            raise BoardStoreError(f"{self._path} {error}") from None
        except (OSError, *SQL_ERRORS) as error:
            raise BoardStoreError(
                f"the board's own file {self._path} cannot be used: {sqlite_reason(error)}"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def renew_token(self) -> str:
        """Return a new token for the teacher. The old one is no longer valid, and the new one cannot be read again."""
        token = secrets.token_urlsafe(24)
        self._set_value("token", hash_token(token))
        return token

    def make_first_token(self) -> str:
        """Return a new token if the teacher has none, else "". Of several boards that start at once, one makes it."""
        token = secrets.token_urlsafe(24)
        with self._transaction() as execute:
            execute("INSERT OR IGNORE INTO kept VALUES ('token', ?)", (hash_token(token),))
        return token if self.token_hash() == hash_token(token) else ""

    def token_hash(self) -> str:
        """Return the hash of the teacher's token; "" before the first token was made."""
        return self._value("token")

    def signing_key(self) -> bytes:
        """Return the key for keyed hashes. It is made when it is first needed."""
        if not self._value("key"):
            with self._transaction() as execute:
                execute("INSERT OR IGNORE INTO kept VALUES ('key', ?)", (secrets.token_hex(32),))
        return bytes.fromhex(self._value("key"))

    def replace_rosters(self, teams: Sequence[Team]) -> None:
        """Replace the rosters of the classes that these teams are in.

        Raises:
            BoardStoreError: All rosters together would have too many teams, or the file cannot be written.
        """
        with self._transaction() as execute:
            for classname in ByClass((team.classname, None) for team in teams):
                execute("DELETE FROM expected WHERE folded(classname) = ?", (folded(classname),))
            for team in teams:
                execute("INSERT OR IGNORE INTO expected VALUES (?, ?, ?, ?)", team)
            [[total]] = execute("SELECT count(*) FROM expected", ())
            if total > MAX_EXPECTED_TEAMS:
                raise BoardStoreError(
                    f"all rosters together would have {total:,} teams, more than {MAX_EXPECTED_TEAMS:,}",
                    "remove rosters that are no longer needed first",
                )

    def remove_roster(self, classname: str) -> None:
        """Remove the roster of a class. Its deadline and notes stay."""
        with self._transaction() as execute:
            execute("DELETE FROM expected WHERE folded(classname) = ?", (folded(classname),))

    def roster(self, classname: str) -> list[Team]:
        """Return the teams on the roster of a class, by name."""
        names = [name for (name,) in self._rows("SELECT DISTINCT classname FROM expected")]
        query = "SELECT * FROM expected WHERE classname = ?"
        teams = [Team(*row) for each in spellings(classname, names) for row in self._rows(query, (each,))]
        return sorted(teams, key=team_order)

    def roster_sizes(self) -> ByClass[int]:
        """Return the classes that have a roster, and the number of teams on each."""
        return self._count_rows("expected")

    def set_deadline(self, classname: str, deadline_us: int | None) -> None:
        """Set the deadline of a class in microseconds since 1970; None removes it."""
        with self._transaction() as execute:
            execute("DELETE FROM deadline WHERE folded(classname) = ?", (folded(classname),))
            if deadline_us is not None:
                execute("INSERT INTO deadline VALUES (?, ?)", (classname, deadline_us))

    def deadlines(self) -> ByClass[int]:
        """Return the deadline of each class that has one, in microseconds since 1970."""
        return ByClass(self._rows("SELECT classname, at FROM deadline"))

    def write_note(self, key: TeamKey, note: Note, old_key: TeamKey | None = None) -> None:
        """Replace the note of a team. An empty note is not stored.

        Args:
            key: The team.
            note: The new note.
            old_key: The key of the note that is replaced, if it is another one.
        """
        with self._transaction() as execute:
            for replaced in {key, old_key or key}:
                execute("DELETE FROM note WHERE classname = ? AND teamname = ? AND pair = ?", replaced)
            if note != NO_NOTE:
                execute("INSERT INTO note VALUES (?, ?, ?, ?, ?, ?)", (*key, *astuple(note)))

    def notes(self, classname: str | None = None) -> dict[TeamKey, Note]:
        """Return the notes of one class, or of all classes."""
        name = None if classname is None else folded(classname)
        rows = self._rows("SELECT * FROM note WHERE ? IS NULL OR folded(classname) = ?", (name, name))
        return {TeamKey(*key): Note(bool(oral), mark, text) for *key, oral, mark, text in rows}

    def note_counts(self) -> ByClass[int]:
        """Return the classes that have notes, and the number of notes of each."""
        return self._count_rows("note")

    def forget_class(self, classname: str) -> None:
        """Remove the roster, the deadline and the notes of a class."""
        with self._transaction() as execute:
            for table in ("expected", "deadline", "note"):
                execute(f"DELETE FROM {table} WHERE folded(classname) = ?", (folded(classname),))

    def _count_rows(self, table: str) -> ByClass[int]:
        """Count the rows of each class. The spelling of its name is the first by code points."""
        spellings = f"SELECT classname, count(*) AS teams FROM {table} GROUP BY classname"
        query = f"SELECT min(classname), sum(teams) FROM ({spellings}) GROUP BY folded(classname)"
        return ByClass(sorted(self._rows(query), key=lambda row: name_order(row[0])))

    def _set_value(self, name: str, value: str) -> None:
        with self._transaction() as execute:
            execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def _value(self, name: str) -> str:
        rows = self._rows("SELECT value FROM kept WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def _rows(self, query: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._database.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise BoardStoreError(f"{self._path} cannot be read: {sqlite_reason(error)}") from error

    @contextmanager
    def _transaction(self) -> Iterator[Callable[[str, Iterable[object]], list[tuple[Any, ...]]]]:
        """Begin a transaction, and give a function that executes a statement in it and returns the rows."""

        def execute(statement: str, values: Iterable[object]) -> list[tuple[Any, ...]]:
            return self._database.execute(statement, tuple(values)).fetchall()

        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield execute
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                raise BoardStoreError(f"{self._path} cannot be written: {sqlite_reason(error)}") from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")


def _open(path: Path) -> sqlite3.Connection:
    """Open the file with the current schema. If it raises NewerFileError or sqlite3.Error, nothing stays open."""
    database = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        database.create_function("folded", 1, folded, deterministic=True)
        migrate(database)
        database.execute("PRAGMA secure_delete = ON")
    except BaseException:
        database.close()
        raise
    return database


def renew_token(folder: Path) -> str:
    """Return a new teacher's token for the board whose file is in this folder. The board may be running.

    Raises:
        BoardStoreError: There is no such folder, or the file cannot be used.
    """
    if not folder.is_dir():
        raise BoardStoreError(f"there is no folder {folder}", "the --data of the board")
    board_store = BoardStore(folder)
    try:
        return board_store.renew_token()
    finally:
        board_store.close()


def hash_token(token: str) -> str:
    """Return the hash of a token that is stored. Tokens are random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
