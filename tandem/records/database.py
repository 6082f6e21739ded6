"""Chooses the database for reading: SQLite in a data folder, or PostgreSQL at a URL. Only a URL imports the driver.

`open_store` (server/serve.py) chooses it for writing, `open_eraser` (records/sqlite/sqlite_eraser.py) for removing.
"""

import string
from pathlib import Path

from tandem.records.rows import DatabaseLocation, Rows, SqliteRows
from tandem.records.sqlite.sqlite_store import LOCK_TIMEOUT_S

SCHEMES = ("postgresql://", "postgres://")


def parse_database(text: str) -> str:
    """Check that the text is the URL of PostgreSQL and that the driver is installed. Return the URL in ASCII.

    Bytes beyond ASCII become %XX, which means the same to PostgreSQL and does not depend on the locale.

    Raises:
        ValueError: it is not, with a message that never quotes the URL, which may hold a password.
    """
    if not text.startswith(SCHEMES):
        raise ValueError("a database is given as postgresql://USER@HOST:PORT/NAME")
    try:
        import tandem.records.postgres.postgres_store  # noqa: F401
    except ImportError:
        raise ValueError("a database server needs the driver psycopg: pip install 'tandem[postgres]'") from None
    from urllib.parse import quote

    return quote(text.encode("utf-8", "surrogateescape"), safe=string.printable)


def open_rows(where: DatabaseLocation, lock_timeout_s: float = LOCK_TIMEOUT_S) -> Rows:
    """Open a database for reading. Close it after use.

    Args:
        where: a data folder or a URL.
        lock_timeout_s: how long to wait for a lock on SQLite's file; PostgreSQL has a limit of its own.

    Raises:
        StoreError: there are no results, a newer version made them, or they cannot be read.
    """
    if isinstance(where, Path):
        return SqliteRows(where, lock_timeout_s)
    from tandem.records.postgres.postgres_rows import PostgresRows

    return PostgresRows(where)
