"""Removes rows for good from the file in a data folder; postgres/postgres_eraser.py does it in PostgreSQL.

Owns the transaction and the traces on disk. Knows nothing of what is removed, or why.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

from tandem.records.rows import DatabaseLocation, Row, Values
from tandem.records.sqlite.file_watch import DatabaseFiles, check_log, connect_to_read, count_commit
from tandem.records.sqlite.sqlite_store import FILE, StoreError, check_version, no_results, sqlite_reason, store_error

AGAIN = "the same command again"
LOCK_TIMEOUT_S = 30.0  # to wait for the commits of a running server
LOG_TIMEOUT_MS = 200  # that one try to empty the write-ahead log waits for readers; no server commits meanwhile
LOG_RETRY_S = 0.3  # between two tries


class Eraser(Protocol):
    """Removes rows in one transaction. Each method may raise StoreError."""

    blocks_writers: bool  # while the transaction lasts

    def begin(self) -> None:
        """Start the transaction."""

    def roll_back(self) -> None:
        """Undo the transaction. `begin` may follow."""

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query, in which `:name` stands for a value."""
        ...

    def erase(self, table: str, chosen: str, values: Values) -> int:
        """Remove the rows of a table for which a condition holds. Return how many."""
        ...

    def update(self, table: str, changes: str, chosen: str, values: Values) -> int:
        """Change the rows of a table for which a condition holds. Return how many."""
        ...

    def commit(self) -> None:
        """Commit, and remove what is left of the rows on disk."""

    def close(self) -> None:
        """Close the connection. Without `commit` before, nothing is removed."""


def open_eraser(where: DatabaseLocation) -> Eraser:
    """Open the eraser of a data folder or a URL. Close it after use.

    Raises:
        StoreError: there are no results, or the database cannot be used.
    """
    if isinstance(where, Path):
        return SqliteEraser(where)
    from tandem.records.postgres.postgres_eraser import PostgresEraser  # its driver is there only with tandem[postgres]

    return PostgresEraser(where)


class SqliteEraser:
    """Removes rows from the file in a data folder, and their traces from the file and its write-ahead log."""

    blocks_writers = True

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        try:
            DatabaseFiles(self._path).check_unused()
        except sqlite3.Error as error:
            raise store_error(f"{self._path} cannot be used", error) from None
        self._database = _open(folder)

    def begin(self) -> None:
        """Start a transaction that overwrites what it deletes."""
        self._execute("PRAGMA secure_delete = ON")
        self._execute("BEGIN IMMEDIATE")
        try:
            count_commit(self._database)
        except sqlite3.Error as error:
            raise self._error(error) from None

    def roll_back(self) -> None:
        """Undo the transaction."""
        self._execute("ROLLBACK")

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query."""
        return self._execute(sql, values).fetchall()

    def erase(self, table: str, chosen: str, values: Values) -> int:
        """Remove the rows of a table for which a condition holds. Return how many."""
        return self._execute(f"DELETE FROM {table} WHERE {chosen}", values).rowcount

    def update(self, table: str, changes: str, chosen: str, values: Values) -> int:
        """Change the rows of a table for which a condition holds. Return how many."""
        return self._execute(f"UPDATE {table} SET {changes} WHERE {chosen}", values).rowcount

    def commit(self) -> None:
        """Commit, rewrite the file without free pages, and empty the write-ahead log."""
        self._execute("COMMIT")
        try:
            self._database.execute("VACUUM")
            count_commit(self._database)
            is_empty = self._empty_log()
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path}: removed, but traces stay in the file: {sqlite_reason(error)}", AGAIN
            ) from None
        if not is_empty:
            raise StoreError(
                f"removed, but traces stay in the write-ahead log of {self._path}: another program keeps on reading it",
                "end that program, then start the same command again, which empties the write-ahead log",
            )

    def _empty_log(self) -> bool:
        """Return whether the write-ahead log is empty now. No try holds up a server for longer than LOG_TIMEOUT_MS."""
        until = time.monotonic() + LOCK_TIMEOUT_S
        self._database.execute(f"PRAGMA busy_timeout = {LOG_TIMEOUT_MS}")
        while True:
            busy, _, _ = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy or time.monotonic() >= until:
                return not busy
            time.sleep(LOG_RETRY_S)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _execute(self, statement: str, values: Values | None = None) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values or {})
        except sqlite3.Error as error:
            raise self._error(error) from None

    def _error(self, error: sqlite3.Error) -> StoreError:
        found = store_error(str(self._path), error)
        return StoreError(found.what, found.help or AGAIN)


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise no_results(str(folder), f"--data {folder}")
    try:
        with closing(connect_to_read(path)) as reader:
            check_version(reader, path)
        check_log(path)
        database = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)
    except sqlite3.Error as error:
        raise store_error(f"{path} cannot be used", error) from None
    try:
        # It also reads: only a connection that has read removes write-ahead log and index when it closes last.
        check_version(database, path)
    except sqlite3.Error as error:
        database.close()
        raise store_error(f"{path} cannot be used", error) from None
    except StoreError:
        database.close()
        raise
    return database
