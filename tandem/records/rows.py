"""How the reading side asks a database: a query and its values go in, rows come out.

Owns the reading connection to SQLite; the one to PostgreSQL is in postgres/rows.py. Knows nothing of what is asked.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from tandem.records.closing import closed_on_error
from tandem.records.sqlite.file_watch import check_log, connect_to_read
from tandem.records.sqlite.sqlite_store import FILE, LOCK_TIMEOUT, check_version, no_results, store_error

Row = tuple[Any, ...]
Values = Mapping[str, str | int]
DatabaseLocation = Path | str  # a data folder with an SQLite file in it, or the URL of a database server


class Rows(Protocol):
    """A database that is read. Use it in one thread only."""

    lateness: float  # seconds by which a visit may become visible after one with a higher id

    def ask(self, query: str, values: Values) -> list[Row]:
        """All rows of one query; :name in it stands for a value. Raises StoreError."""
        ...

    def close(self) -> None: ...


class SqliteRows:
    """Reads the file in a data folder while a ground writes to it."""

    lateness = 0.0  # who writes, writes alone: ids are seen in their order

    def __init__(self, folder: Path, patience: float = LOCK_TIMEOUT) -> None:
        self._path = folder / FILE
        if not self._path.exists():
            raise no_results(str(folder), f"--data {folder}")
        try:
            self._database = connect_to_read(self._path, timeout=patience)
            with closed_on_error(self._database):
                check_version(self._database, self._path)
                check_log(self._path)
        except sqlite3.Error as error:
            raise store_error(f"{self._path} cannot be read", error) from error

    def ask(self, query: str, values: Values) -> list[Row]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise store_error(f"{self._path} cannot be read", error) from error

    def close(self) -> None:
        self._database.close()
