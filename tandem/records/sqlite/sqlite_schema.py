"""The tables in SQLite, and the migrations from older versions: one step a version. Knows no file and no record.

Names of columns and tables stay as the first versions had them. The code of today uses other names (records/visits.py):

    in the database           in the code
    at                        started_us (visit), ended_us (sample of metrics)
    took, took_p50            duration_us, reply_p50_us
    size                      size_bytes
    answered                  reply
    surplus                   SuppressedVisits
    vitals                    MetricsSample
    ground                    server
"""

import sqlite3
import time
from collections.abc import Iterator

# Each a step from the version before it; a database's own version is in its user_version.
MIGRATIONS = (
    """
    CREATE TABLE team (
        id INTEGER PRIMARY KEY,
        classname TEXT NOT NULL,
        teamname TEXT NOT NULL,
        pair TEXT NOT NULL,          -- both student numbers in sorted order; '' while only refused messages came
        studentnr1 TEXT NOT NULL,    -- as in message 1
        studentnr2 TEXT NOT NULL,
        state TEXT NOT NULL,
        secret TEXT NOT NULL,
        ip TEXT NOT NULL,            -- client 1's, as in message 1
        first_seen INTEGER NOT NULL, -- microseconds since 1970, UTC; all times are
        finished_at INTEGER,
        visits INTEGER NOT NULL,
        problems TEXT NOT NULL,      -- JSON: ids in the latest refused visit
        UNIQUE (classname, teamname, pair)
    );
    CREATE INDEX team_secret ON team (secret) WHERE secret != '';
    CREATE TABLE visit (
        id INTEGER PRIMARY KEY,
        team INTEGER REFERENCES team (id),
        at INTEGER NOT NULL,
        took INTEGER NOT NULL,       -- microseconds
        address TEXT NOT NULL,
        port INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        received BLOB NOT NULL,
        size INTEGER NOT NULL,       -- bytes that came; received may hold less
        answered BLOB NOT NULL,
        findings TEXT NOT NULL       -- JSON: problems and remarks as facts
    );
    CREATE INDEX visit_team ON visit (team);
    CREATE TABLE surplus (           -- refused visits that were only counted
        minute INTEGER NOT NULL,
        address TEXT NOT NULL,
        visits INTEGER NOT NULL
    );
    """,
    """
    -- A team is found by its names and numbers alone, and the teams of a class lie side by side: what comes at
    -- the same time is written to the same few pages. No index on secrets: random pages are what a commit costs.
    ALTER TABLE team RENAME TO team_1;
    ALTER TABLE visit RENAME TO visit_1;
    CREATE TABLE team (
        classname TEXT NOT NULL,
        teamname TEXT NOT NULL,
        pair TEXT NOT NULL,          -- both student numbers in sorted order; '' while only refused messages came
        studentnr1 TEXT NOT NULL,    -- as in message 1
        studentnr2 TEXT NOT NULL,
        state TEXT NOT NULL,
        secret TEXT NOT NULL,
        ip TEXT NOT NULL,            -- client 1's, as in message 1
        first_seen INTEGER NOT NULL, -- microseconds since 1970, UTC; all times are
        finished_at INTEGER,
        visits INTEGER NOT NULL,
        problems TEXT NOT NULL,      -- JSON: ids in the latest refused visit
        PRIMARY KEY (classname, teamname, pair)
    ) WITHOUT ROWID;
    INSERT INTO team SELECT classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen,
        finished_at, visits, problems FROM team_1;
    CREATE TABLE visit (
        id INTEGER PRIMARY KEY,
        classname TEXT NOT NULL,     -- of its team; '' if it could not be read
        teamname TEXT NOT NULL,
        pair TEXT NOT NULL,          -- '' if it was refused: the numbers may be what was wrong
        at INTEGER NOT NULL,
        took INTEGER NOT NULL,       -- microseconds
        address TEXT NOT NULL,
        port INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        received BLOB NOT NULL,
        size INTEGER NOT NULL,       -- bytes that came; received may hold less
        answered BLOB NOT NULL,
        findings TEXT NOT NULL       -- JSON: problems and remarks as facts
    );
    INSERT INTO visit SELECT v.id, coalesce(t.classname, ''), coalesce(t.teamname, ''),
        iif(v.outcome IN ('message 1', 'message 2'), coalesce(t.pair, ''), ''), at, took, address, port, outcome,
        received, size, answered, findings FROM visit_1 AS v LEFT JOIN team_1 AS t ON t.id = v.team;
    DROP TABLE visit_1;
    DROP TABLE team_1;
    CREATE INDEX visit_team ON visit (classname, teamname);
    CREATE INDEX team_refused ON team (pair) WHERE pair = ''; -- few: those of which nothing right has come
    CREATE TABLE vitals (            -- metrics of each server, a row every few seconds
        at INTEGER NOT NULL,
        ground TEXT NOT NULL,
        period INTEGER NOT NULL,
        visits INTEGER NOT NULL,
        connections INTEGER NOT NULL,
        took_p50 INTEGER NOT NULL,
        took_p99 INTEGER NOT NULL,
        commits INTEGER NOT NULL,
        commit_p50 INTEGER NOT NULL,
        commit_p99 INTEGER NOT NULL,
        waiting INTEGER NOT NULL,
        PRIMARY KEY (at, ground)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE identity (          -- one row: which database it is, and its commits; see file_watch.py
        id TEXT NOT NULL,            -- random
        commits INTEGER NOT NULL,    -- never goes back
        checkpointed INTEGER NOT NULL -- commits that are known to be in the main file
    );
    INSERT INTO identity VALUES (lower(hex(randomblob(16))), 1, 0);
    """,
)

VERSION = len(MIGRATIONS)

MIGRATION_TIMEOUT_MS = 60_000  # to wait while another process migrates the database
WAL_TIMEOUT_S = 5.0  # to turn write-ahead logging on
WAL_RETRY_S = 0.01  # between two tries


def version_of(database: sqlite3.Connection) -> int:
    """Return the version of a database's schema. An empty database has version 0."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def migrate(database: sqlite3.Connection) -> None:
    """Bring an older schema to today's version. Each step is one transaction.

    Several servers may start at once over one database. Each step reads the version inside its own transaction: one
    server makes the step, the others wait and find it made. The connection must not be in a transaction.
    """
    [busy_timeout] = database.execute("PRAGMA busy_timeout").fetchone()
    database.execute(f"PRAGMA busy_timeout = {MIGRATION_TIMEOUT_MS}")
    while version_of(database) < VERSION:
        _make_step(database)
    database.execute(f"PRAGMA busy_timeout = {busy_timeout}")


def use_wal(database: sqlite3.Connection) -> None:
    """Turn write-ahead logging on. SQLite's own busy timeout does not cover this statement."""
    until = time.monotonic() + WAL_TIMEOUT_S
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
        time.sleep(WAL_RETRY_S)


def _make_step(database: sqlite3.Connection) -> None:
    """Make the step from the database's version to the next one, if another server has not made it meanwhile."""
    database.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(database)
        if version < VERSION:
            for statement in _statements(MIGRATIONS[version]):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {version + 1}")
        database.execute("COMMIT")
    except BaseException:
        database.rollback()
        raise


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements: executescript would commit the transaction that it is called in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
