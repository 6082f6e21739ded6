"""What remembers: SQLite, one file in the data folder. A transaction is on disk when `keep` returns.

Owns all writing: one row a team, one row a visit. One connection writes, in the recorder's thread; who
reads (records.py) opens its own.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from tandem.ground.dbfiles import DatabaseFiles, check_log, connect_to_read
from tandem.ground.findings import findings_text
from tandem.ground.record import Outcome, Record, Surplus, Visit, Vitals
from tandem.ground.schema import VERSION, migrate, use_wal, version_of

FILE = "tandem.sqlite3"
PATIENCE = 2.0  # seconds to wait for another program's lock
ASK_AGAIN = 0.001  # seconds between two tries to have it
KEEP_VITALS = 7 * 86_400 * 1_000_000  # microseconds: for a week

WAITING, FINISHED, REJECTED = "waiting for message 2", "finished", "rejected"
STATES = (WAITING, FINISHED, REJECTED)
STATE_AFTER = {Outcome.MESSAGE_1: WAITING, Outcome.MESSAGE_2: FINISHED}

Row = tuple[str | int | bytes | None, ...]

# Right visits change their teams many at a time, in their order. What is finished stays as it is.
_TEAMS = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, finished_at,
        visits, problems)
    VALUES {rows}
    ON CONFLICT (classname, teamname, pair) DO UPDATE SET
        visits = visits + 1,
        studentnr1 = iif(state = 'finished', studentnr1, excluded.studentnr1),
        studentnr2 = iif(state = 'finished', studentnr2, excluded.studentnr2),
        secret = iif(state = 'finished', secret, excluded.secret),
        ip = iif('finished' IN (state, excluded.state), ip, excluded.ip),
        finished_at = coalesce(finished_at, excluded.finished_at),
        problems = iif(excluded.state = 'finished', '[]', problems),
        state = iif(state = 'finished', state, excluded.state)
"""
_VISITS = """
    INSERT INTO visit (classname, teamname, pair, at, took, address, port, outcome, received, size, answered, findings)
    VALUES {rows}
"""
# A team of which only refused messages had come gets its numbers with the first right one.
_ANY_REFUSED = "SELECT EXISTS (SELECT 1 FROM team WHERE pair = '')"
_ADOPT = """
    UPDATE OR IGNORE team SET pair = ?3, studentnr1 = ?4, studentnr2 = ?5, state = ?6, secret = ?7
    WHERE classname = ?1 AND teamname = ?2 AND pair = ''
"""
# A refused visit belongs to the latest team of its names, or to the one whose numbers it has.
_REFUSED_KNOWN = """
    UPDATE team SET visits = visits + 1, problems = iif(state = 'finished', '[]', :problems)
    WHERE classname = :classname AND teamname = :teamname AND pair = (
        SELECT pair FROM team WHERE classname = :classname AND teamname = :teamname
        ORDER BY pair = :pair DESC, first_seen DESC LIMIT 1)
"""
_REFUSED_NEW = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    VALUES (:classname, :teamname, '', :studentnr1, :studentnr2, 'rejected', '', '', :at, 1, :problems)
"""
_SURPLUS = "INSERT INTO surplus (minute, address, visits) VALUES (?, ?, ?)"
_VITALS = "INSERT OR REPLACE INTO vitals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_OLD_VITALS = "DELETE FROM vitals WHERE at < ?"


class StoreTrouble(Exception):
    """The database cannot be used; the text says why and what to try."""


class Store:
    """The writing side. Use it in one thread only."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._files = DatabaseFiles(self._path)
        self._troubled = False  # did the last `keep` fail?
        try:
            self._files.check_unused()
        except sqlite3.Error as error:
            raise StoreTrouble(f"the database {self._path} cannot be used: {error}") from error
        _make_file(self._path)
        self._open()

    def keep(self, records: Sequence[Record]) -> None:
        """Keeps the records in one transaction: on disk when this returns, none of them if it raises StoreTrouble."""
        try:
            if self._troubled:
                self._open_again()
            self._files.check()
            self._begin()
            self._files.count(self._database)
            self._keep_all(records)
            self._database.execute("COMMIT")
            self._files.committed()
        except sqlite3.Error as error:
            self._roll_back()
            self._troubled = True
            raise StoreTrouble(f"{self._path}: {error}") from error
        except Exception:  # our bug
            self._roll_back()
            raise

    def close(self) -> None:
        self._files.close(self._database)

    def _begin(self) -> None:
        """Waits for its turn to write.

        SQLite's own way to wait sleeps longer each time, up to 0.1 s: the worker that has waited longest would be
        passed by again and again. Eight workers had three times the p99 with it.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            time.sleep(ASK_AGAIN)

    def _open(self) -> None:
        self._database = _open_for_writing(self._path, self._files)
        self._troubled = False

    def _open_again(self) -> None:
        """After trouble: SQLite would go on with what it remembers of a file that was damaged, and is whole again."""
        self._files.compare()
        self._database.close()
        self._open()

    def _keep_all(self, records: Sequence[Record]) -> None:
        teams: list[Row] = []  # of the right visits since the last refused one
        visits: list[Row] = []
        for record in records:
            if isinstance(record, Visit):
                if record.outcome in STATE_AFTER:
                    teams.append(_team_row(record))
                else:
                    self._keep_teams(teams)
                    teams = []
                    self._keep_refused(record)
                if record.whole:
                    visits.append(_visit_row(record))
            elif isinstance(record, Surplus):
                self._database.execute(_SURPLUS, astuple(record))
            else:
                self._keep_vitals(record)
        self._keep_teams(teams)
        self._insert(_VISITS, visits)

    def _keep_teams(self, teams: list[Row]) -> None:
        if teams and self._database.execute(_ANY_REFUSED).fetchone()[0]:
            self._database.executemany(_ADOPT, [row[:7] for row in teams])
        self._insert(_TEAMS, teams)

    def _keep_refused(self, visit: Visit) -> None:
        team = visit.team
        if team is None:
            return
        values = {
            "classname": team.classname,
            "teamname": team.teamname,
            "pair": team.pair,
            "studentnr1": team.studentnr1,
            "studentnr2": team.studentnr2,
            "at": visit.at,
            "problems": json.dumps([problem.id for problem in visit.problems]),
        }
        known = self._database.execute(_REFUSED_KNOWN, values).rowcount
        if not known and visit.whole:
            self._database.execute(_REFUSED_NEW, values)

    def _keep_vitals(self, vitals: Vitals) -> None:
        self._database.execute(_VITALS, astuple(vitals))
        self._database.execute(_OLD_VITALS, (vitals.at - KEEP_VITALS,))

    def _insert(self, statement: str, rows: Sequence[Row]) -> None:
        """Many rows in few statements: a call for each row would cost more than the row."""
        for block in _blocks(rows):
            marks = f"({', '.join('?' * len(block[0]))})"
            values = [value for row in block for value in row]
            self._database.execute(statement.format(rows=", ".join([marks] * len(block))), values)

    def _roll_back(self) -> None:
        try:
            self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # there was no transaction left to roll back


def _blocks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Blocks of 2**n rows, so that there are only a few different statements, which SQLite has ready."""
    at = 0
    while at < len(rows):
        size = 1 << (len(rows) - at).bit_length() - 1
        yield rows[at : at + size]
        at += size


def _team_row(visit: Visit) -> Row:
    """A right visit's row in `team`, as if it were the team's first."""
    team = visit.team
    if team is None:
        raise ValueError("a right visit has a team")
    names = (team.classname, team.teamname, team.pair, team.studentnr1, team.studentnr2)
    if visit.outcome is Outcome.MESSAGE_1:
        return (*names, WAITING, visit.secret, visit.ip, visit.at, None, 1, "[]")
    return (*names, FINISHED, visit.secret, "", visit.at, visit.at + visit.took, 1, "[]")


def _visit_row(visit: Visit) -> Row:
    team = visit.team
    return (
        team.classname if team else "",
        team.teamname if team else "",
        team.pair if team and visit.outcome in STATE_AFTER else "",
        visit.at,
        visit.took,
        visit.address,
        visit.port,
        visit.outcome,
        visit.received,
        visit.size,
        visit.answered,
        findings_text(visit.problems + visit.remarks),
    )


def _make_file(path: Path) -> None:
    """For its owner alone. Not while a connection is open: closing a file drops all locks that SQLite has on it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreTrouble(f"the database {path} cannot be used: {error}") from error


def _open_for_writing(path: Path, files: DatabaseFiles) -> sqlite3.Connection:
    """Open the database and bring it up to date. Nothing is written to files that do not belong together."""
    try:
        with closing(connect_to_read(path)) as reader:
            check_version(reader, path)
        check_log(path)
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise StoreTrouble(f"the database {path} cannot be used: {error}") from error
    try:
        use_wal(database)
        database.execute("PRAGMA synchronous = FULL")
        migrate(database)
        files.opened(database)
        database.execute("PRAGMA busy_timeout = 0")  # from here on we wait ourselves: see _begin
    except sqlite3.Error as error:
        files.close(database)
        raise StoreTrouble(f"the database {path} cannot be used: {error}") from error
    return database


def check_version(database: sqlite3.Connection, path: Path) -> None:
    """Raises StoreTrouble if the database was made by a newer version than this one."""
    version = version_of(database)
    if version > VERSION:
        raise StoreTrouble(
            f"the database {path} was made by a newer version (schema {version}, this one knows {VERSION}):"
            " use that version"
        )
