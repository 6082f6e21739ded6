"""Which database: the one in a data folder, or the one that a URL names. The driver is imported only for a URL."""

from pathlib import Path

from tandem.records.rows import DatabaseLocation, Rows, SqliteRows
from tandem.records.sqlite.sqlite_store import LOCK_TIMEOUT

SCHEMES = ("postgresql://", "postgres://")


def parse_database(text: str) -> str:
    """The URL of a database that can be used from here. Raises ValueError; its words never quote the URL's password."""
    if not text.startswith(SCHEMES):
        raise ValueError("a database is given as postgresql://USER@HOST:PORT/NAME")
    try:
        import tandem.records.postgres.postgres_store  # noqa: F401
    except ImportError:
        raise ValueError("a database server needs the driver psycopg: pip install 'tandem[postgres]'") from None
    return text


def open_rows(where: DatabaseLocation, patience: float = LOCK_TIMEOUT) -> Rows:
    """Opens a database for reading. Raises StoreError if there is none, or a newer one."""
    if isinstance(where, Path):
        return SqliteRows(where, patience)
    from tandem.records.postgres.postgres_rows import PostgresRows

    return PostgresRows(where)
