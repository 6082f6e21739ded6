"""The tables of the board's own file, and how an older file becomes today's: one step a version."""

import sqlite3

from tandem.records.sqlite.data_file import DataFile

FILE = "board.sqlite3"

# Each a step from the version before it: statements. A file's own version is in its user_version.
# The first step is also for files that got their tables before they got a version.
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
)

VERSION = len(MIGRATIONS)


class NewerFile(Exception):
    """The file was made by a newer version; the text says which."""


def migrate(database: sqlite3.Connection) -> None:
    """Bring an older file to today's schema, all steps in one transaction. Raise NewerFile.

    The version is read in the same transaction: of several programs that open a file at once, one changes it. The
    connection must be one that begins no transaction by itself (isolation_level=None).
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        [version] = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NewerFile(
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


def leave_out_sessions(database: sqlite3.Connection) -> None:
    """Remove what lets a browser in: sessions, and the key of public names. The board makes a new one."""
    database.execute("PRAGMA secure_delete = ON")
    database.execute("DELETE FROM kept WHERE name = 'key'")
    database.execute("DELETE FROM session")


BOARD_FILE = DataFile(
    name=FILE,
    tables=frozenset({"kept", "expected", "deadline", "note"}),
    version=VERSION,
    migrate=migrate,
    counted={"notes and marks": "note", "teams on rosters": "expected", "deadlines": "deadline"},
    leave_out=leave_out_sessions,
)
