"""The sessions of the teacher and of the teams, in a table of the board's own file.

A cookie is random. Only its SHA-256 is stored, so a copy of the file opens no session. Several boards may share the
file: a session that was ended or has expired is invalid for all of them. Knows nothing of HTTP. Thread-safe.
"""

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from tandem.board.gradebook.board_store import FILE, BoardStoreError
from tandem.records.sqlite.sqlite_store import sqlite_reason

MAX_PER_CREDENTIAL = 50  # sessions of one token or of one team's secret; beyond, the oldest is removed
MAX_PER_KIND = 20_000  # bounds the table: everybody can make up teams
CLOCK_SLACK_S = 60  # the clock may be set back by this much without ending the sessions

_LOCK_TIMEOUT_S = 5.0  # to wait for the lock of another process


class SessionKind(StrEnum):
    """The pages that the holder of a session may see."""

    TEACHER = "teacher"
    TEAM = "team"


SESSION_HOURS = {SessionKind.TEACHER: 12, SessionKind.TEAM: 4}  # the lifetime of a session


class SessionStore:
    """The open table of sessions. A BoardStore must have opened the file before.

    Every method raises BoardStoreError if the file cannot be used.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(
                self._path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise BoardStoreError(
                f"the board's own file {self._path} cannot be used: {sqlite_reason(error)}"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def open(self, kind: SessionKind, credential_hash: str, facts: str = "") -> str:
        """Open a session. A teacher's session ends those that another token has opened.

        Args:
            kind: Whose session it is.
            credential_hash: The hash of the token or secret that was right.
            facts: Text that the cookie carries: ASCII without spaces or semicolons.

        Returns:
            The value of the cookie.
        """
        cookie = secrets.token_urlsafe(32) + (f".{facts}" if facts else "")
        now = int(self._clock())
        with self._connection() as database:
            database.execute("BEGIN IMMEDIATE")
            self._remove_expired(database, now)
            if kind is SessionKind.TEACHER:
                database.execute("DELETE FROM session WHERE kind = ? AND shown <> ?", (kind, credential_hash))
            database.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (_hash(cookie), kind, credential_hash, now))
            _remove_oldest(database, MAX_PER_CREDENTIAL, "kind = ? AND shown = ?", (kind, credential_hash))
            _remove_oldest(database, MAX_PER_KIND, "kind = ?", (kind,))
            database.execute("COMMIT")
        return cookie

    def credential_hash(self, kind: SessionKind, cookie: str) -> str | None:
        """Return the hash of the token or secret that opened the session; None if there is no valid session."""
        now = self._clock()
        with self._connection() as database:
            row = database.execute(
                "SELECT shown FROM session WHERE cookie = ? AND kind = ? AND opened > ? AND opened <= ?",
                (_hash(cookie), kind, now - SESSION_HOURS[kind] * 3600, now + CLOCK_SLACK_S),
            ).fetchone()
        return None if row is None else str(row[0])

    def end(self, cookie: str) -> None:
        """End a session, if there is one with this cookie."""
        with self._connection() as database:
            database.execute("DELETE FROM session WHERE cookie = ?", (_hash(cookie),))

    def _remove_expired(self, database: sqlite3.Connection, now: int) -> None:
        """Remove expired sessions, and sessions from the future: the clock was set back, perhaps by a year."""
        for kind, hours in SESSION_HOURS.items():
            outside = "kind = ? AND (opened <= ? OR opened > ?)"
            database.execute(f"DELETE FROM session WHERE {outside}", (kind, now - hours * 3600, now + CLOCK_SLACK_S))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lock the database for one thread. A transaction that the block does not commit is rolled back."""
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise BoardStoreError(f"the sessions in {self._path} cannot be used: {sqlite_reason(error)}") from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")


def _remove_oldest(database: sqlite3.Connection, limit: int, which: str, values: tuple[str, ...]) -> None:
    """Remove the oldest of these sessions beyond a limit."""
    latest = f"SELECT rowid FROM session WHERE {which} ORDER BY opened DESC, rowid DESC LIMIT -1 OFFSET ?"
    database.execute(f"DELETE FROM session WHERE rowid IN ({latest})", (*values, limit))


def _hash(cookie: str) -> str:
    """A cookie is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()
