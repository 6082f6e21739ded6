"""The tables in PostgreSQL, and the migrations from older versions: one step a version. Knows SQL and no record.

Uses only what CockroachDB and YugabyteDB understand, too. Servers that start together may all try a step: the first
row of its transaction is its version, so one of them makes the step and the others find it done.
"""

import random
import time

import psycopg
from psycopg import errors

from tandem.records.postgres.postgres_server import PostgresConnection
from tandem.records.sqlite.sqlite_store import StoreError

# Each a step from the version before it. {text} is a text column that is sorted by its bytes, as in SQLite.
MIGRATIONS = (
    """
    CREATE TABLE team_name (         -- a writer locks the row of the name, and so all its teams
        classname {text} NOT NULL,
        teamname {text} NOT NULL,
        PRIMARY KEY (classname, teamname)
    );
    CREATE TABLE team (
        classname {text} NOT NULL,
        teamname {text} NOT NULL,
        pair {text} NOT NULL,        -- both student numbers in sorted order; '' while only refused messages came
        studentnr1 TEXT NOT NULL,    -- as in message 1
        studentnr2 TEXT NOT NULL,
        state TEXT NOT NULL,
        secret TEXT NOT NULL,
        ip TEXT NOT NULL,            -- client 1's, as in message 1
        first_seen BIGINT NOT NULL,  -- microseconds since 1970, UTC; all times are
        finished_at BIGINT,
        visits BIGINT NOT NULL,
        problems TEXT NOT NULL,      -- JSON: ids in the latest refused visit
        PRIMARY KEY (classname, teamname, pair)
    );
    CREATE INDEX team_secret ON team (secret) WHERE secret != '';
    CREATE TABLE visit (
        id BIGSERIAL PRIMARY KEY,
        classname {text} NOT NULL,   -- of its team; '' if it could not be read
        teamname {text} NOT NULL,
        pair {text} NOT NULL,        -- '' if it was refused: the numbers may be what was wrong
        at BIGINT NOT NULL,
        took BIGINT NOT NULL,        -- microseconds
        address TEXT NOT NULL,
        port INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        received BYTEA NOT NULL,
        size INTEGER NOT NULL,       -- bytes that came; received may hold less
        answered BYTEA NOT NULL,
        findings TEXT NOT NULL,      -- JSON: problems and remarks as facts
        mark BIGINT NOT NULL,        -- hash of its content: a visit that is written again counts once
        UNIQUE (at, mark)
    );
    CREATE INDEX visit_team ON visit (classname, teamname, at);
    CREATE TABLE surplus (           -- refused visits that were only counted
        minute BIGINT NOT NULL,
        address TEXT NOT NULL,
        visits BIGINT NOT NULL
    );
    CREATE TABLE vitals (            -- metrics of each server, a row every few seconds
        at BIGINT NOT NULL,
        ground {text} NOT NULL,
        period BIGINT NOT NULL,
        visits BIGINT NOT NULL,
        connections BIGINT NOT NULL,
        took_p50 BIGINT NOT NULL,
        took_p99 BIGINT NOT NULL,
        commits BIGINT NOT NULL,
        commit_p50 BIGINT NOT NULL,
        commit_p99 BIGINT NOT NULL,
        waiting BIGINT NOT NULL,
        PRIMARY KEY (at, ground)
    );
    """,
    """
    CREATE TABLE heartbeat (         -- when each server last showed that it works
        server {text} PRIMARY KEY,
        at TIMESTAMPTZ NOT NULL
    );
    """,
)
VERSION = len(MIGRATIONS)

_VERSIONS = "CREATE TABLE IF NOT EXISTS tandem_schema (version INTEGER PRIMARY KEY)"
_MAX_TRIES = 20
_CONCURRENT_MIGRATION = (  # another server is making the same step
    errors.UniqueViolation,
    errors.DuplicateTable,
    errors.DuplicateObject,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.InternalError_,  # "tuple concurrently updated"
)


def version_of(connection: PostgresConnection) -> int:
    """Return the version of the schema, or 0 without one."""
    try:
        found = connection.execute("SELECT max(version) FROM tandem_schema").fetchone()
    except errors.UndefinedTable:
        return 0
    return int(found[0] or 0) if found else 0


def check_version(connection: PostgresConnection, name: str) -> int:
    """Return the version of the schema. `name` is the database in the error.

    Raises:
        StoreError: a newer version of tandem made it.
    """
    version = version_of(connection)
    if version > VERSION:
        raise StoreError(
            f"the database {name} was made by a newer version (schema {version}, this one knows {VERSION})",
            "use that version",
        )
    return version


def migrate(connection: PostgresConnection, name: str) -> None:
    """Bring an older schema to today's version, one transaction a step.

    Raises:
        StoreError: the database cannot be used, or a newer version of tandem made it.
    """
    _check_encoding(connection, name)
    for _ in range(_MAX_TRIES):
        try:
            version = check_version(connection, name)
            if version == VERSION:
                return
            _step(connection, version)
        except _CONCURRENT_MIGRATION:
            time.sleep(random.uniform(0.05, 0.2))
    raise StoreError(f"the database {name} is being made by another server, which does not finish", "start again")


def _step(connection: PostgresConnection, version: int) -> None:
    connection.execute(_VERSIONS)
    step = MIGRATIONS[version].format(text=_text(connection))
    with connection.transaction():
        connection.execute("INSERT INTO tandem_schema (version) VALUES (%s)", (version + 1,))
        connection.execute(step.encode())


def _text(connection: PostgresConnection) -> str:
    """Return the type of text that is sorted by its bytes. CockroachDB has no collation for that, and needs none."""
    found = connection.execute("SELECT version()").fetchone()
    return "TEXT" if found and "CockroachDB" in found[0] else 'TEXT COLLATE "C"'


def _check_encoding(connection: psycopg.Connection[tuple[str, ...]], name: str) -> None:
    found = connection.execute("SHOW server_encoding").fetchone()
    if found and found[0].replace("-", "").upper() != "UTF8":
        raise StoreError(f"the database {name} keeps text as {found[0]}", "a new database WITH ENCODING 'UTF8'")
