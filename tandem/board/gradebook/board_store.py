"""The teacher's book: token, rosters, deadlines and notes. One small SQLite file, apart from the ground's records.

Owns board.sqlite3; its tables are in schema.py. The token is kept as its hash only. A class is found under every
spelling of its name. Knows nothing of the web; may be used from any thread.
"""

import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from tandem.board.gradebook.board_schema import FILE as FILE
from tandem.board.gradebook.board_schema import NewerFile, migrate
from tandem.board.gradebook.class_names import ByClass, folded
from tandem.protocol.errors import TandemError
from tandem.records.data_folder import DataFolderError, make_private_folder
from tandem.records.queries import TeamKey
from tandem.records.sqlite.data_file import SQL_ERRORS
from tandem.records.visits import Team

MAX_EXPECTED = 20_000  # teams on all rosters together

_PATIENCE = 5.0  # seconds to wait for another program's lock


class BoardStoreError(TandemError):
    """The board's own file cannot be used."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the teacher wrote about one team."""

    oral: bool = False  # the oral check is done
    mark: str = ""
    text: str = ""


NO_NOTE = Note()


class BoardStore:
    """One open book. Raises BoardStoreError wherever the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            self.warnings = make_private_folder(folder)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = _open(self._path)
        except DataFolderError as trouble:
            raise BoardStoreError(trouble.what, trouble.help) from trouble
        except NewerFile as error:
            raise BoardStoreError(f"{self._path} {error}") from None
        except (OSError, *SQL_ERRORS) as error:
            reason = getattr(error, "strerror", None) or error
            raise BoardStoreError(f"the board's own file {self._path} cannot be used: {reason}") from error

    def close(self) -> None:
        self._database.close()

    def renew_token(self) -> str:
        """A new token for the teacher; the one before counts no more. This is the only time that it can be seen."""
        token = secrets.token_urlsafe(24)
        self._keep("token", hash_token(token))
        return token

    def make_first_token(self) -> str:
        """Return a new token if the teacher has none, else "". Of several boards that start at once, one makes it."""
        token = secrets.token_urlsafe(24)
        with self._changing() as change:
            change("INSERT OR IGNORE INTO kept VALUES ('token', ?)", (hash_token(token),))
        return token if self.token_hash() == hash_token(token) else ""

    def token_hash(self) -> str:
        """The hash of the teacher's token; "" before the first."""
        return self._kept("token")

    def signing_key(self) -> bytes:
        """What the board signs its cookies with; made when it is first asked for."""
        if not self._kept("key"):
            with self._changing() as change:
                change("INSERT OR IGNORE INTO kept VALUES ('key', ?)", (secrets.token_hex(32),))
        return bytes.fromhex(self._kept("key"))

    def set_rosters(self, teams: Sequence[Team]) -> None:
        """The rosters of the classes that these teams are in, in the place of those before."""
        with self._changing() as change:
            for classname in ByClass((team.classname, None) for team in teams):
                change("DELETE FROM expected WHERE folded(classname) = ?", (folded(classname),))
            for team in teams:
                change("INSERT INTO expected VALUES (?, ?, ?, ?)", team)
            [[total]] = change("SELECT count(*) FROM expected", ())
            if total > MAX_EXPECTED:
                raise BoardStoreError(
                    f"{total:,} teams would be on all rosters together, more than {MAX_EXPECTED:,}",
                    "remove the rosters of classes that are over first",
                )

    def remove_roster(self, classname: str) -> None:
        with self._changing() as change:
            change("DELETE FROM expected WHERE folded(classname) = ?", (folded(classname),))

    def roster(self, classname: str) -> list[Team]:
        """The teams that are expected in a class, by name."""
        name = folded(classname)
        spellings = [each for (each,) in self._rows("SELECT DISTINCT classname FROM expected") if folded(each) == name]
        query = "SELECT * FROM expected WHERE classname = ? ORDER BY teamname"
        return [Team(*row) for each in spellings for row in self._rows(query, (each,))]

    def rostered(self) -> ByClass[int]:
        """Every class that has a roster, and how many teams are on it."""
        return self._counted("expected")

    def set_deadline(self, classname: str, at: int | None) -> None:
        """The class's deadline in microseconds since 1970; None: it has none."""
        with self._changing() as change:
            change("DELETE FROM deadline WHERE folded(classname) = ?", (folded(classname),))
            if at is not None:
                change("INSERT INTO deadline VALUES (?, ?)", (classname, at))

    def deadlines(self) -> ByClass[int]:
        return ByClass(self._rows("SELECT classname, at FROM deadline"))

    def write_note(self, key: TeamKey, note: Note, before: TeamKey | None = None) -> None:
        """The note of a team, in the place of the one before, whatever that is filed under; an empty one is removed."""
        with self._changing() as change:
            for old in {key, before or key}:
                change("DELETE FROM note WHERE classname = ? AND teamname = ? AND pair = ?", old)
            if note != NO_NOTE:
                change("INSERT INTO note VALUES (?, ?, ?, ?, ?, ?)", (*key, *astuple(note)))

    def notes(self, classname: str | None = None) -> dict[TeamKey, Note]:
        """The notes of one class, or of all."""
        name = None if classname is None else folded(classname)
        rows = self._rows("SELECT * FROM note WHERE ? IS NULL OR folded(classname) = ?", (name, name))
        return {TeamKey(*key): Note(bool(oral), mark, text) for *key, oral, mark, text in rows}

    def noted(self) -> ByClass[int]:
        """Every class that has notes, and how many."""
        return self._counted("note")

    def forget_class(self, classname: str) -> None:
        """Removes what is kept of a class: its roster, its deadline, its notes."""
        with self._changing() as change:
            for table in ("expected", "deadline", "note"):
                change(f"DELETE FROM {table} WHERE folded(classname) = ?", (folded(classname),))

    def _counted(self, table: str) -> ByClass[int]:
        """The rows of each class, whose name is as its first team has it."""
        spellings = f"SELECT classname, count(*) AS teams FROM {table} GROUP BY classname"
        query = f"SELECT min(classname), sum(teams) FROM ({spellings}) GROUP BY folded(classname) ORDER BY 1"
        return ByClass(self._rows(query))

    def _keep(self, name: str, value: str) -> None:
        with self._changing() as change:
            change("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def _kept(self, name: str) -> str:
        rows = self._rows("SELECT value FROM kept WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def _rows(self, query: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._database.execute(query, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise BoardStoreError(f"{self._path} cannot be read: {error}") from error

    @contextmanager
    def _changing(self) -> "Iterator[_Change]":
        """One transaction: all of it or nothing."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield _Change(self._database)
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                raise BoardStoreError(f"{self._path} cannot be written: {error}") from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")


class _Change:
    """Runs one statement of a transaction, and gives its rows."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __call__(self, query: str, values: Iterable[object]) -> list[tuple[Any, ...]]:
        return self._database.execute(query, tuple(values)).fetchall()


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, with today's schema. Raise NewerFile or sqlite3.Error, and leave nothing open then."""
    database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        database.create_function("folded", 1, folded, deterministic=True)
        migrate(database)
        database.execute("PRAGMA secure_delete = ON")
    except BaseException:
        database.close()
        raise
    return database


def renew_token(folder: Path) -> str:
    """A new teacher's token for the board whose book is here, also while it runs. Raises BoardStoreError."""
    if not folder.is_dir():
        raise BoardStoreError(f"there is no folder {folder}", "the --data of the board")
    book = BoardStore(folder)
    try:
        return book.renew_token()
    finally:
        book.close()


def hash_token(token: str) -> str:
    """What is kept of a token. It is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
