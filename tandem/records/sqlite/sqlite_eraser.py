"""How rows are removed for good: from the file in a data folder here, from PostgreSQL in postgres/eraser.py.

Knows nothing of what is removed, or why.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tandem.records.rows import DatabaseLocation, Row, Values
from tandem.records.sqlite.file_watch import DatabaseFiles, check_log, connect_to_read, count_commit
from tandem.records.sqlite.sqlite_store import FILE, StoreError, check_version

PATIENCE = 30.0  # seconds to wait for a running server's commits
LOG_TIMEOUT_MS = 200  # milliseconds that one try to empty the log waits for those who read; no server commits meanwhile
LOG_RETRY = 0.3  # seconds between two tries


class Eraser(Protocol):
    """Removes rows in one transaction. Every method may raise StoreError."""

    holds_up_writers: bool  # while the transaction lasts

    def begin(self) -> None: ...

    def roll_back(self) -> None: ...

    def ask(self, query: str, values: Values) -> list[Row]: ...

    def erase(self, table: str, chosen: str, values: Values) -> int:
        """Remove the rows for which a condition holds. Return how many."""

    def finish(self) -> None:
        """Commit, and remove what is left of the rows where rows are kept."""

    def close(self) -> None:
        """Without `finish` before, nothing has been removed."""


def open_eraser(where: DatabaseLocation) -> Eraser:
    if isinstance(where, Path):
        return SqliteEraser(where)
    from tandem.records.postgres.postgres_eraser import PostgresEraser  # its driver is there only with tandem[postgres]

    return PostgresEraser(where)


class SqliteEraser:
    """Removes rows from the file in a data folder, and every trace of them from the file and its log."""

    holds_up_writers = True

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            DatabaseFiles(self._path).check_unused()
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be used: {error}") from None
        self._database = _open(folder)

    def begin(self) -> None:
        self._do("PRAGMA secure_delete = ON")
        self._do("BEGIN IMMEDIATE")
        count_commit(self._database)

    def roll_back(self) -> None:
        self._do("ROLLBACK")

    def ask(self, query: str, values: Values) -> list[Row]:
        return self._do(query, values).fetchall()

    def erase(self, table: str, chosen: str, values: Values) -> int:
        return self._do(f"DELETE FROM {table} WHERE {chosen}", values).rowcount

    def finish(self) -> None:
        self._do("COMMIT")
        try:
            self._database.execute("VACUUM")
            count_commit(self._database)
            is_empty = self._empty_log()
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: removed, but traces stay in the file: {error}; try again") from None
        if not is_empty:
            raise StoreError(
                f"removed, but traces stay in the log of {self._path}: another program keeps on reading it."
                " Try: end that program, then start the same command again, which empties the log"
            )

    def _empty_log(self) -> bool:
        """Return whether the log is empty now. No try holds up a server for longer than LOG_TIMEOUT_MS."""
        until = time.monotonic() + PATIENCE
        self._database.execute(f"PRAGMA busy_timeout = {LOG_TIMEOUT_MS}")
        while True:
            busy, _, _ = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy or time.monotonic() >= until:
                return not busy
            time.sleep(LOG_RETRY)

    def close(self) -> None:
        self._database.close()

    def _do(self, statement: str, values: Values | None = None) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values or {})
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}; try again") from None


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise StoreError(f"there are no results in {folder}: no server has run with --data {folder}")
    try:
        with closing(connect_to_read(path)) as reader:
            check_version(reader, path)
        check_log(path)
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be used: {error}") from None
    try:
        check_version(database, path)  # a connection that has read removes log and index when it closes last
    except sqlite3.Error as error:
        database.close()
        raise StoreError(f"{path} cannot be used: {error}") from None
    except StoreError:
        database.close()
        raise
    return database
