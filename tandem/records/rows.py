"""Runs the queries of the reading side: SQL and values go in, rows come out.

Owns the reading connection to SQLite; the one to PostgreSQL is in postgres/postgres_rows.py. Knows no query.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tandem.records.closing import closed_on_error
from tandem.records.sqlite.file_watch import check_log, connect_to_read, has_tables
from tandem.records.sqlite.sqlite_store import FILE, LOCK_TIMEOUT_S, check_version, no_results, store_error

Row = tuple[Any, ...]
Values = Mapping[str, str | int]
DatabaseLocation = Path | str  # a data folder with an SQLite file in it, or the URL of a database server


class Rows(Protocol):
    """A connection that reads. Use it in one thread only."""

    visibility_delay_s: float  # longest time until a visit is visible after one with a higher id

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query, in which `:name` stands for a value.

        Raises:
            StoreError: the query failed.
        """
        ...

    def close(self) -> None:
        """Close the connection."""


class SqliteRows:
    """Reads the file in a data folder while a server writes to it."""

    visibility_delay_s = 0.0  # one writer at a time: visits become visible in the order of their ids

    def __init__(self, folder: Path, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self._path = folder / FILE
        if not self._path.exists():
            raise no_results(str(folder), f"--data {folder}")
        try:
            self._database = connect_to_read(self._path, timeout=lock_timeout_s)
            with closed_on_error(self._database):
                check_version(self._database, self._path)
                check_log(self._path)
                if not has_tables(self._database):
                    raise no_results(str(folder), f"--data {folder}")
        except sqlite3.Error as error:
            raise store_error(f"{self._path} cannot be read", error) from error

    def query(self, sql: str, values: Values) -> list[Row]:
        """Return all rows of a query.

        Raises:
            StoreError: the query failed.
        """
        try:
            return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(f"{self._path} cannot be read", error) from error

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
