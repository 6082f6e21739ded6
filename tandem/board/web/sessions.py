"""Who is logged in: the sessions of the teacher and of the teams, in a table of the board's own file.

A cookie is a random text. Only its hash is kept, so the file lets nobody in. A session that has been ended is gone for
every board over this file, and so is one whose time is over. Knows nothing of the web; may be used from any thread.
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

MAX_OF_ONE = 50  # sessions that one token or one team's secret has opened; then the oldest is ended
MAX_SESSIONS = 20_000  # of one kind: anybody may make up teams
CLOCK_SLACK = 60  # seconds that a clock may be set back without ending the sessions

_LOCK_TIMEOUT = 5.0  # seconds to wait for another program's lock


class SessionKind(StrEnum):
    TEACHER = "teacher"
    TEAM = "team"


HOURS = {SessionKind.TEACHER: 12, SessionKind.TEAM: 4}  # how long a session lasts


class Sessions:
    """The table of sessions, open, in a file that a BoardStore opened. Raises BoardStoreError if it cannot be used."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(
                self._path, timeout=_LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise BoardStoreError(f"the board's own file {self._path} cannot be used: {error}") from error

    def close(self) -> None:
        self._database.close()

    def open(self, kind: SessionKind, shown: str, facts: str = "") -> str:
        """Begin a session and return its cookie, which carries the facts (ASCII without spaces or semicolons).

        `shown`: the hash of the token or secret. A teacher's session ends those that another token has opened.
        """
        cookie = secrets.token_urlsafe(32) + (f".{facts}" if facts else "")
        now = int(self._clock())
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            self._remove_old(database, now)
            if kind is SessionKind.TEACHER:
                database.execute("DELETE FROM session WHERE kind = ? AND shown <> ?", (kind, shown))
            database.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (_hash(cookie), kind, shown, now))
            _remove_beyond(database, MAX_OF_ONE, "kind = ? AND shown = ?", (kind, shown))
            _remove_beyond(database, MAX_SESSIONS, "kind = ?", (kind,))
            database.execute("COMMIT")
        return cookie

    def shown(self, kind: SessionKind, cookie: str) -> str | None:
        """The hash of what opened the session; None if there is no such session, or its time is over."""
        now = self._clock()
        with self._using() as database:
            row = database.execute(
                "SELECT shown FROM session WHERE cookie = ? AND kind = ? AND opened > ? AND opened <= ?",
                (_hash(cookie), kind, now - HOURS[kind] * 3600, now + CLOCK_SLACK),
            ).fetchone()
        return None if row is None else str(row[0])

    def end(self, cookie: str) -> None:
        """End a session, if there is one with this cookie."""
        with self._using() as database:
            database.execute("DELETE FROM session WHERE cookie = ?", (_hash(cookie),))

    def _remove_old(self, database: sqlite3.Connection, now: int) -> None:
        """Remove what is over. A session from the future is, too: the clock was set back, maybe by a year."""
        for kind, hours in HOURS.items():
            outside = "kind = ? AND (opened <= ? OR opened > ?)"
            database.execute(f"DELETE FROM session WHERE {outside}", (kind, now - hours * 3600, now + CLOCK_SLACK))

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The database, for one thread. A transaction that is not committed in the block is undone."""
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise BoardStoreError(f"the sessions in {self._path} cannot be used: {error}") from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")


def _remove_beyond(database: sqlite3.Connection, most: int, which: str, values: tuple[str, ...]) -> None:
    """Remove the oldest of these sessions beyond so many."""
    latest = f"SELECT rowid FROM session WHERE {which} ORDER BY opened DESC, rowid DESC LIMIT -1 OFFSET ?"
    database.execute(f"DELETE FROM session WHERE rowid IN ({latest})", (*values, most))


def _hash(cookie: str) -> str:
    """A cookie is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()
