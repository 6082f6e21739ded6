"""The tables of the board's own file, and the migrations that bring an older file to the current schema."""

import sqlite3

from tandem.records.sqlite.data_file import DataFile

FILE = "board.sqlite3"

# The statements of each migration. The version of a file is in its PRAGMA user_version.
# The first migration also takes files that have tables and no version.
MIGRATIONS = (
    (
        "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS expected (
            classname TEXT NOT NULL,
            teamname TEXT NOT NULL,
            studentnr1 TEXT NOT NULL,
            studentnr2 TEXT NOT NULL,
            PRIMARY KEY (classname, teamname)
        )
        """,
        "CREATE TABLE IF NOT EXISTS deadline (classname TEXT PRIMARY KEY, at INTEGER NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS note (
            classname TEXT NOT NULL,
            teamname TEXT NOT NULL,
            pair TEXT NOT NULL,
            oral INTEGER NOT NULL,
            mark TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (classname, teamname, pair)
        )
        """,
    ),
    (
        """
        CREATE TABLE session (
            cookie TEXT PRIMARY KEY, -- its SHA-256
            kind TEXT NOT NULL,
            shown TEXT NOT NULL,     -- SHA-256 of the token or secret that opened it
            opened INTEGER NOT NULL  -- seconds since 1970
        )
        """,
    ),
    (
        # Groups of one class may have one name.
        "ALTER TABLE expected RENAME TO expected_2",
        """
        CREATE TABLE expected (
            classname TEXT NOT NULL,
            teamname TEXT NOT NULL,
            studentnr1 TEXT NOT NULL,
            studentnr2 TEXT NOT NULL,
            PRIMARY KEY (classname, teamname, studentnr1, studentnr2)
        )
        """,
        "INSERT INTO expected SELECT classname, teamname, studentnr1, studentnr2 FROM expected_2",
        "DROP TABLE expected_2",
    ),
)

VERSION = len(MIGRATIONS)


class NewerFileError(Exception):
    """The file was made by a newer version; the message says which."""


def migrate(database: sqlite3.Connection) -> None:
    """Bring a file to the current schema, in one transaction.

    The version is read in the same transaction, so one of several programs that open a file at once migrates it. The
    connection must have isolation_level=None.

    Raises:
        NewerFileError: The file was made by a newer version.
        sqlite3.Error: The file cannot be used.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        [version] = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NewerFileError(
                f"was made by a newer version (schema {version}, this one knows {VERSION}): use that version"
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                database.execute(statement)
        if version < VERSION:
            database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def remove_sessions(database: sqlite3.Connection) -> None:
    """Remove the sessions and the signing key from a copy of the file. The board makes a new key."""
    database.execute("PRAGMA secure_delete = ON")
    database.execute("DELETE FROM kept WHERE name = 'key'")
    database.execute("DELETE FROM session")


BOARD_FILE = DataFile(
    name=FILE,
    tables=frozenset({"kept", "expected", "deadline", "note"}),
    version=VERSION,
    migrate=migrate,
    counted={"notes and marks": "note", "teams on rosters": "expected", "deadlines": "deadline"},
    leave_out=remove_sessions,
)
