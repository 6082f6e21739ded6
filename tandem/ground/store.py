"""What remembers: SQLite, one file in the data folder. A transaction is on disk when `keep` returns.

Owns the schema and all writing: one row a team, one row a visit. One connection writes, in the recorder's
thread; who reads (records.py) opens its own.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from tandem.ground.problems import Problem
from tandem.ground.record import Outcome, Record, Visit

FILE = "tandem.sqlite3"
PATIENCE = 2.0  # seconds to wait for another program's lock

WAITING, FINISHED, REJECTED = "waiting for message 2", "finished", "rejected"
STATES = (WAITING, FINISHED, REJECTED)

# Schema versions, each a step from the one before it; the file's own version is in user_version.
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
)

# What one visit changes. The names behind colons are the keys that _values gives.
_ADOPT = """
    UPDATE OR IGNORE team SET pair = :pair, state = 'waiting for message 2', studentnr1 = :studentnr1,
        studentnr2 = :studentnr2, secret = :secret
    WHERE classname = :classname AND teamname = :teamname AND pair = ''
"""
_MESSAGE_1 = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    VALUES (:classname, :teamname, :pair, :studentnr1, :studentnr2, 'waiting for message 2', :secret, :ip, :at, 1, '[]')
    ON CONFLICT (classname, teamname, pair) DO UPDATE SET
        visits = visits + 1,
        studentnr1 = iif(state = 'finished', studentnr1, excluded.studentnr1),
        studentnr2 = iif(state = 'finished', studentnr2, excluded.studentnr2),
        secret = iif(state = 'finished', secret, excluded.secret),
        ip = iif(state = 'finished', ip, excluded.ip)
    RETURNING id
"""
_MESSAGE_2 = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, finished_at,
        visits, problems)
    VALUES (:classname, :teamname, :pair, :studentnr1, :studentnr2, 'finished', :secret, '', :at, :at + :took, 1, '[]')
    ON CONFLICT (classname, teamname, pair) DO UPDATE SET
        visits = visits + 1,
        studentnr1 = iif(state = 'finished', studentnr1, excluded.studentnr1),
        studentnr2 = iif(state = 'finished', studentnr2, excluded.studentnr2),
        secret = iif(state = 'finished', secret, excluded.secret),
        state = 'finished',
        finished_at = coalesce(finished_at, excluded.finished_at),
        problems = '[]'
    RETURNING id
"""
_REJECTED_KNOWN = """
    UPDATE team SET visits = visits + 1, problems = iif(state = 'finished', '[]', :problems)
    WHERE id = (
        SELECT id FROM team WHERE classname = :classname AND teamname = :teamname
        ORDER BY pair = :pair DESC, id DESC LIMIT 1)
    RETURNING id
"""
_REJECTED_NEW = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    VALUES (:classname, :teamname, '', :studentnr1, :studentnr2, 'rejected', '', '', :at, 1, :problems)
    RETURNING id
"""
_VISIT = """
    INSERT INTO visit (team, at, took, address, port, outcome, received, size, answered, findings)
    VALUES (:team, :at, :took, :address, :port, :outcome, :received, :size, :answered, :findings)
"""


_SURPLUS = "INSERT INTO surplus (minute, address, visits) VALUES (?, ?, ?)"


class StoreTrouble(Exception):
    """The database cannot be used; the text says why and what to try."""


class Store:
    """The writing side. Use it in one thread only."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        _make_file(self._path)
        self._troubled = False  # did the last `keep` fail?
        self._open()

    def keep(self, records: Sequence[Record]) -> None:
        """Keeps the records in one transaction: on disk when this returns, none of them if it raises StoreTrouble."""
        if self._troubled:
            self._open_again()
        try:
            self._database.execute("BEGIN IMMEDIATE")
            for record in records:
                if isinstance(record, Visit):
                    self._keep_visit(record)
                else:
                    self._database.execute(_SURPLUS, (record.minute, record.address, record.visits))
            self._check_files()
            self._database.execute("COMMIT")
            self._check_files()
        except sqlite3.Error as error:
            self._roll_back()
            self._troubled = True
            raise StoreTrouble(f"{self._path}: {error}") from error
        except Exception:  # the files are gone, or our bug
            self._roll_back()
            raise

    def close(self) -> None:
        self._database.close()

    def _open(self) -> None:
        self._database = _open_for_writing(self._path)
        self._files = self._identify()
        self._troubled = False

    def _open_again(self) -> None:
        """After trouble: SQLite would go on with what it remembers of a file that was damaged, and is whole again."""
        self._check_files()
        self._database.close()
        self._open()

    def _check_files(self) -> None:
        """SQLite goes on writing to files that were deleted or replaced: what it keeps there, nobody finds."""
        if self._identify() != self._files:
            raise StoreTrouble(f"{self._path} was moved or replaced: put it back, or start the ground again")

    def _identify(self) -> list[tuple[int, int]]:
        """Which files bear the names of the database and of SQLite's log, if they do."""
        found = []
        for path in (self._path, self._path.with_name(f"{FILE}-wal")):
            try:
                status = path.stat()
            except OSError:
                return []
            found.append((status.st_dev, status.st_ino) if status.st_size or path != self._path else (0, 0))
        return found

    def _keep_visit(self, visit: Visit) -> None:
        values = _values(visit)
        if not visit.whole:
            if visit.team:
                self._database.execute(_REJECTED_KNOWN, values).fetchall()
            return
        if visit.team:
            values["team"] = self._team_row(visit.outcome, values)
        self._database.execute(_VISIT, values)

    def _team_row(self, outcome: Outcome, values: dict[str, object]) -> int:
        """Brings the team's row up to date and returns its id."""
        run = self._database.execute
        if outcome is Outcome.REJECTED:
            row = run(_REJECTED_KNOWN, values).fetchone() or run(_REJECTED_NEW, values).fetchone()
        else:
            run(_ADOPT, values)
            row = run(_MESSAGE_1 if outcome is Outcome.MESSAGE_1 else _MESSAGE_2, values).fetchone()
        return int(row[0])

    def _roll_back(self) -> None:
        try:
            self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # there was no transaction left to roll back


def _values(visit: Visit) -> dict[str, object]:
    values: dict[str, object] = {
        "team": None,
        "at": visit.at,
        "took": visit.took,
        "address": visit.address,
        "port": visit.port,
        "outcome": visit.outcome,
        "received": visit.received,
        "size": visit.size,
        "answered": visit.answered,
        "findings": _findings(visit.problems + visit.remarks),
        "problems": json.dumps([problem.id for problem in visit.problems]) if visit.problems else "[]",
    }
    team = visit.team
    if team:
        values["classname"] = team.classname
        values["teamname"] = team.teamname
        values["studentnr1"] = team.studentnr1
        values["studentnr2"] = team.studentnr2
        values["pair"] = "\n".join(sorted((team.studentnr1, team.studentnr2)))
        values["secret"] = visit.secret
        values["ip"] = visit.ip
    return values


def _findings(found: Iterable[Problem]) -> str:
    facts = [{"id": problem.id, "at": problem.at, "facts": problem.facts} for problem in found]
    return json.dumps(facts) if facts else "[]"


def _make_file(path: Path) -> None:
    """For its owner alone. Not while a connection is open: closing a file drops all locks that SQLite has on it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreTrouble(f"the database {path} cannot be used: {error}") from error


def _open_for_writing(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        _migrate(database, path)
    except sqlite3.Error as error:
        raise StoreTrouble(f"the database {path} cannot be used: {error}") from error
    return database


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    """Brings an older file to today's schema, a version at a time, each step whole or not at all."""
    check_version(database, path)
    version = _version(database)
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        database.executescript(f"BEGIN IMMEDIATE; {step}; PRAGMA user_version = {number}; COMMIT;")


def check_version(database: sqlite3.Connection, path: Path) -> None:
    version = _version(database)
    if version > len(MIGRATIONS):
        raise StoreTrouble(
            f"the database {path} was made by a newer version (schema {version}, this one knows {len(MIGRATIONS)}):"
            " use that version"
        )


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])
