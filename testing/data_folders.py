"""Data folders for tests of backup and restore: one with a class in it, and those of older versions."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tandem.board.gradebook.board_store import BoardStore, Note
from tandem.records.database import open_rows
from tandem.records.queries import TeamKey
from tandem.records.sqlite.sqlite_schema import MIGRATIONS
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore
from tandem.records.visits import Team
from testing.tables import everything
from testing.visits import TEAM, message_1, message_2, rejected

OTHER = Team("INF2B", "Team2", "1111111", "2222222")
NOTE = Note(True, "8.5", "explained the handover")
DEADLINE = 1_700_000_000_000_000

# Rows for a database with the first schema.
FIRST_ROWS = """
    INSERT INTO team VALUES (7, 'INF2A', 'Team1', '0923456' || char(10) || '0934567', '0923456', '0934567', 'finished',
        'a secret', '192.0.2.1', 1000000, 2001500, 3, '[]');
    INSERT INTO visit VALUES (1, 7, 1000000, 1500, '192.0.2.1', 40000, 'message 1', x'7B7D', 2, x'7B', '[]');
    INSERT INTO visit VALUES (2, NULL, 1500000, 1500, '192.0.2.1', 40000, 'rejected', x'7B', 1, x'7B', '[]');
    INSERT INTO visit VALUES (3, 7, 1600000, 1500, '192.0.2.1', 40001, 'rejected', x'7B', 1, x'7B', '[]');
    INSERT INTO visit VALUES (4, 7, 2000000, 1500, '192.0.2.1', 40002, 'message 2', x'7B7D', 2, x'7B', '[]');
    PRAGMA user_version = 1;
"""

# The board's own file as 25cfc4e made it.
OLD_BOARD = """
    CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS expected (
        classname TEXT NOT NULL,
        teamname TEXT NOT NULL,
        studentnr1 TEXT NOT NULL,
        studentnr2 TEXT NOT NULL,
        PRIMARY KEY (classname, teamname)
    );
    CREATE TABLE IF NOT EXISTS deadline (classname TEXT PRIMARY KEY, at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS note (
        classname TEXT NOT NULL,
        teamname TEXT NOT NULL,
        pair TEXT NOT NULL,
        oral INTEGER NOT NULL,
        mark TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (classname, teamname, pair)
    );
    INSERT INTO kept VALUES ('token', 'a hash');
    INSERT INTO kept VALUES ('key', '5e55101e');
    INSERT INTO note VALUES ('INF2A', 'Team1', '0923456' || char(10) || '0934567', 1, '8.5', 'explained the handover');
    INSERT INTO expected VALUES ('INF2A', 'Team1', '0923456', '0934567');
    INSERT INTO deadline VALUES ('INF2A', 1700000000000000);
"""
# The first schema of the records, with a team that has finished.
FIRST_RECORDS = (
    MIGRATIONS[0]
    + """
    INSERT INTO team VALUES (7, 'INF2A', 'Team1', '0923456' || char(10) || '0934567', '0923456', '0934567', 'finished',
        'a secret', '192.0.2.1', 1000000, 2001500, 3, '[]');
    INSERT INTO visit VALUES (1, 7, 1000000, 1500, '192.0.2.1', 40000, 'message 1', x'7B7D', 2, x'7B', '[]');
    PRAGMA user_version = 1;
"""
)


def a_class(folder: Path, mark: str = NOTE.mark) -> None:
    """Write a team that finished, one that waits, one that was refused; a note, a roster, a deadline, a token."""
    folder.mkdir(mode=0o700, exist_ok=True)
    with closing(SqliteStore(folder)) as store:
        store.write([message_1(), message_2(), message_1(OTHER), rejected()])
    with closing(BoardStore(folder)) as book:
        book.renew_token()
        book.signing_key()
        book.replace_rosters([TEAM, Team("INF2A", "Expected", "3333333", "")])
        book.set_deadline("INF2A", DEADLINE)
        book.write_note(TeamKey("INF2A", "Team1", TEAM.pair), Note(True, mark, NOTE.text))


def records_of(folder: Path) -> dict[str, Any]:
    """Return all that is on record."""
    with closing(open_rows(folder)) as rows:
        return everything(rows)


def board_of(folder: Path) -> list[object]:
    """Return all that the teacher wrote, and the token's hash."""
    with closing(BoardStore(folder)) as book:
        rosters = [book.roster(classname) for classname in book.roster_sizes()]
        return [book.token_hash(), book.notes(), rosters, dict(book.deadlines())]


def old_backup(folder: Path, target: Path) -> None:
    """Make a backup as 25cfc4e did: a plain copy of the records."""
    with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def killed_server(folder: Path, left: Path) -> None:
    """Make the folder of a server that was killed: its last visits are in SQLite's log alone."""
    a_class(folder, mark="old")
    with closing(SqliteStore(folder)) as store:
        store.write([message_1(Team("INF2A", "only in the log", "4444444", "5555555"), started_us=4_000_000)])
        shutil.copytree(folder, left)
