"""The store: SQLite, one file in the data folder. A transaction is on disk when `write` returns.

Owns the writing of the server: one row a team, one row a visit. One connection writes, in one thread at a time. Readers
(queries.py) open connections of their own.
"""

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, astuple
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from tandem.protocol.errors import TandemError
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.records.class_spellings import CLASS_NAMES, folded
from tandem.records.data_folder import LAST_COMMIT_FILE
from tandem.records.secret_owners import file_refused, visits_without_owner
from tandem.records.sqlite.commit_mark import SAFE_OPEN, describe_saved, find_missing
from tandem.records.sqlite.database_copy import how_to_restore, saved_copies
from tandem.records.sqlite.file_watch import (
    STOP_AND_START,
    DamagedFilesError,
    DatabaseFiles,
    Identity,
    check_log,
    connect_to_read,
    read_identity,
)
from tandem.records.sqlite.sqlite_schema import VERSION, migrate, use_wal, version_of
from tandem.records.visits import (
    BYTES_AFTER_REPLY,
    LATE_BYTES_TOLERANCE_US,
    ROW_COLUMNS,
    Heartbeat,
    LateBytes,
    MetricsSample,
    Outcome,
    Record,
    RightVisit,
    SuppressedVisits,
    Team,
    Visit,
    has_secret_to_file,
)

FILE = "tandem.sqlite3"
LOCK_TIMEOUT_S = 2.0  # to wait for the lock of another program
MARK_INTERVAL_S = 1.0
LOCK_RETRY_S = 0.001  # between two tries to get it
NOT_WRITABLE = "SQLite may not write the file, or make the files beside it, which it also needs in order to read"
MAKE_WRITABLE = "a folder and files that the user of this command may write to; a copy of them will do"
PRIMARY_CODE = 0xFF  # the bits of an error code of SQLite's without its details
METRICS_RETENTION_US = 7 * 86_400 * 1_000_000  # a week
MAX_SEARCHED_TEAMS = 5_000  # in one transaction, for the owners of secrets
MAX_SEARCHED_CLASSES = 500  # for other spellings of a class

WAITING, FINISHED, REJECTED = "waiting for message 2", "finished", "rejected"
STATES = (WAITING, FINISHED, REJECTED)
MESSAGE_1 = Outcome.MESSAGE_1.value

Row = tuple[Any, ...]

# All right visits of a team in one batch are merged into one row (_merge). Then all teams are written in one statement.
_TEAMS = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, finished_at,
        visits, problems)
    VALUES {rows}
    ON CONFLICT (classname, teamname, pair) DO UPDATE SET
        visits = visits + excluded.visits,
        studentnr1 = iif(state = 'finished', studentnr1, excluded.studentnr1),
        studentnr2 = iif(state = 'finished', studentnr2, excluded.studentnr2),
        secret = iif(state = 'finished', secret, excluded.secret),
        ip = iif(state = 'finished' OR excluded.ip = '', ip, excluded.ip),
        finished_at = coalesce(finished_at, excluded.finished_at),
        problems = iif(excluded.state = 'finished', '[]', problems),
        state = iif(state = 'finished', state, excluded.state)
"""
_VISITS = """
    INSERT INTO visit (classname, teamname, pair, at, took, address, port, outcome, received, size, answered, findings)
    VALUES {rows}
"""
# A team with only refused messages gets its numbers with the first right one.
_ANY_REFUSED = "SELECT EXISTS (SELECT 1 FROM team WHERE pair = '')"
_ADOPT = """
    UPDATE OR IGNORE team SET pair = ?, studentnr1 = ?, studentnr2 = ?, state = ?, secret = ?
    WHERE classname = ? AND teamname = ? AND pair = ''
"""
# A refused visit belongs to the latest team of its names, or to the one whose numbers it has. A refusal of message 1
# that was handed on does not replace the problems of message 1.
_REFUSED_KNOWN = """
    UPDATE team SET visits = visits + 1, problems = CASE
        WHEN state = 'finished' THEN '[]' WHEN :handed_on AND problems != '[]' THEN problems ELSE :problems END
    WHERE classname = :classname AND teamname = :teamname AND pair = (
        SELECT pair FROM team WHERE classname = :classname AND teamname = :teamname
        ORDER BY pair = :pair DESC, first_seen DESC LIMIT 1)
"""
_REFUSED_NEW = """
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    VALUES (:classname, :teamname, '', :studentnr1, :studentnr2, 'rejected', '', '', :at, 1, :problems)
"""
# There is no index on secrets. So the owners of all secrets in a batch are found in one search through the teams of
# their classes, which ends after MAX_SEARCHED_TEAMS.
_OWNERS = """
    SELECT secret, classname, teamname, studentnr1, studentnr2 FROM (
        SELECT team.* FROM json_each(:classes) AS class CROSS JOIN team ON team.classname = class.value
        LIMIT :max_teams)
    WHERE secret IN (SELECT value FROM json_each(:secrets))
"""
_LATE_BYTES_ROWS = 10_000  # the latest rows, which are searched: there is no index on addresses
# A message that was too large is not followed by another one.
_LATE_BYTES = f"""
    UPDATE visit SET findings = iif(findings = '[]', :findings, substr(findings, 1, length(findings) - 1) || ', '
        || substr(:findings, 2))
    WHERE id = (
        SELECT id FROM visit
        WHERE id > (SELECT max(id) FROM visit) - {_LATE_BYTES_ROWS} AND address = :address AND port = :port
            AND abs(at - :started_us) < {LATE_BYTES_TOLERANCE_US}
        ORDER BY abs(at - :started_us), id DESC LIMIT 1
    ) AND size < {MAX_MESSAGE_BYTES} AND findings NOT LIKE '%"{BYTES_AFTER_REPLY}"%'
"""
_SUPPRESSED = "INSERT INTO surplus (minute, address, visits) VALUES (?, ?, ?)"
_METRICS = "INSERT OR REPLACE INTO vitals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_EXPIRED_METRICS = "DELETE FROM vitals WHERE at < ?"


class StoreError(TandemError):
    """The database, a backup of it, or the data folder around it cannot be used."""


def store_error(what: str, error: Exception | str) -> StoreError:
    """Return the StoreError for an error of SQLite's: "what: reason", in one line, with what helps if that is known."""
    if isinstance(error, DamagedFilesError):
        return StoreError(f"{what}: {error.what}", error.help)
    reason = sqlite_reason(error)
    return StoreError(f"{what}: {reason}", MAKE_WRITABLE if reason == NOT_WRITABLE else "")


def sqlite_reason(error: Exception | str) -> str:
    """Return the reason of an error of SQLite's, or of the system, in one line.

    It may quote a statement from a damaged schema, which has several lines.
    """
    if getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return NOT_WRITABLE
    return " ".join(str(getattr(error, "strerror", None) or error).split())


class NoResultsError(StoreError):
    """No server has written to the database yet."""


def no_results(where: str, option: str) -> NoResultsError:
    """Return the error for a database that no server has written to yet."""
    return NoResultsError(f"there are no results in {where}: no server has run with {option}")


class StartedWith(NamedTuple):
    """The database that a server was started with."""

    database_id: str
    copies: frozenset[Path]  # that were saved before


class CommitMark:
    """Writes the mark of one database (commit_mark.py reads it), at most once in MARK_INTERVAL_S."""

    def __init__(self, path: Path) -> None:
        """`path` is the main file of the database."""
        self._file = path.with_name(LAST_COMMIT_FILE)
        self._written = Identity("", 0, 0)
        self._next_s = 0.0  # time.monotonic()

    def update(self, identity: Identity, now: bool = False) -> None:
        """Write the mark if it is due, or `now`. It is a single write over the same bytes, without a wait."""
        if identity == self._written or (not now and time.monotonic() < self._next_s):
            return
        self._written, self._next_s = identity, time.monotonic() + MARK_INTERVAL_S
        with suppress(OSError):  # without a mark only the notice is lost
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | SAFE_OPEN, 0o600)
            try:
                os.write(descriptor, f"{identity.id} {identity.commits:020}\n".encode())
            finally:
                os.close(descriptor)


class SqliteStore:
    """The writing side. Never use it in two threads at once."""

    def __init__(self, folder: Path, started_with: StartedWith | None = None) -> None:
        """Open the database, or make one. Open nothing else than the database that the server was started with.

        Raises:
            StoreError: it cannot be used, or another process of the server has saved it because it was damaged.
        """
        self._path = folder / FILE
        self._files = DatabaseFiles(self._path)
        self._mark = CommitMark(self._path)
        self._failed = False  # the last batch was not written
        try:
            self._files.check_unused()
            notice = find_missing(self._path)
            if started_with:
                self._check_is(started_with, notice)
            notice = notice or describe_saved(self._path)
            self.warnings = [str(notice)] if notice else []
        except sqlite3.Error as error:
            raise store_error(f"the database {self._path} cannot be used", error) from error
        _create_file(self._path)
        self._open()

    @property
    def started_with(self) -> StartedWith:
        """Return the facts that a process checks that opens the database later for the same server."""
        return StartedWith(self._files.identity.id, frozenset(saved_copies(self._path)))

    def write(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction. All are on disk when this returns.

        Raises:
            StoreError: they may or may not be on disk. Write them again.
        """
        try:
            if self._failed:
                self._reopen()
            self._files.check()
            self._begin()
            self._files.count(self._database)
            self._write_records(records)
            self._database.execute("COMMIT")
            self._files.committed()
            self._mark.update(self._files.identity)
        except sqlite3.Error as error:
            self._roll_back()
            self._failed = True
            if isinstance(error, DamagedFilesError):
                error = self._files.rescue(self._database, error)
            raise store_error(f"{self._path}", error) from error
        except Exception:  # our bug
            self._roll_back()
            raise

    def close(self) -> None:
        """Close the connection. The write-ahead log goes into the main file if no other process uses it.

        Raises:
            StoreError: the files were damaged since the last batch. What could be saved is saved.
        """
        try:
            self._mark.update(self._files.identity, now=True)
            self._files.close(self._database)
        except DamagedFilesError as error:
            raise store_error(f"{self._path}", error) from error

    def _check_is(self, started_with: StartedWith, notice: TandemError | None) -> None:
        """Raise StoreError if results are missing, were saved elsewhere meanwhile, or are those of another database.

        A second history would begin otherwise, beside that of the processes that have the right files open.
        """
        if notice:
            raise StoreError(notice.what, notice.help)
        if not self._path.exists() or read_identity(self._path).id != started_with.database_id:
            raise StoreError(f"{self._path} is not the database that this server was started with", STOP_AND_START)
        for copy in set(saved_copies(self._path)) - started_with.copies:
            raise StoreError(f"a process of this server has saved {copy}", how_to_restore(self._path, copy))

    def _begin(self) -> None:
        """Wait for the lock to write.

        SQLite's busy timeout sleeps longer each time, up to 0.1 s: the worker that has waited longest would be
        overtaken again and again. Eight workers had three times the p99 with it.
        """
        until = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    raise
            time.sleep(LOCK_RETRY_S)

    def _open(self) -> None:
        self._database = _open_for_writing(self._path, self._files)
        self._mark.update(self._files.identity, now=True)
        self._failed = False

    def _reopen(self) -> None:
        """Reopen after an error: SQLite would keep serving cached pages of a damaged file that was repaired."""
        self._files.compare()
        self._database.close()
        self._open()

    def _write_records(self, records: Sequence[Record]) -> None:
        teams: dict[Row, Row] = {}  # changed by right visits since the last refused one, by primary key
        visits: list[Row] = []
        late: list[LateBytes] = []
        if has_secret_to_file(records):
            file_refused(records, self._owners(records))
        for record in records:
            if isinstance(record, RightVisit):
                _merge(record, teams)
                if record.stored_in_full:
                    visits.append(record[:ROW_COLUMNS])
            elif isinstance(record, Visit):
                self._write_teams(teams)
                teams = {}
                self._write_refused(record)
                if record.stored_in_full:
                    visits.append(_refused_row(record))
            elif isinstance(record, LateBytes):
                late.append(record)
            elif isinstance(record, SuppressedVisits):
                self._database.execute(_SUPPRESSED, astuple(record))
            elif not isinstance(record, Heartbeat):  # the heartbeat over a data folder is a file
                self._write_metrics(record)
        self._write_teams(teams)
        self._insert(_VISITS, visits)
        if late:
            self._database.executemany(_LATE_BYTES, map(asdict, late))

    def _write_teams(self, teams: dict[Row, Row]) -> None:
        if teams and self._database.execute(_ANY_REFUSED).fetchone()[0]:
            self._database.executemany(_ADOPT, [row[2:7] + row[:2] for row in teams.values()])
        self._insert(_TEAMS, list(teams.values()))

    def _write_refused(self, visit: Visit) -> None:
        team = visit.filed_under
        if team is None:
            return
        values = {
            "classname": team.classname,
            "teamname": team.teamname,
            "pair": team.pair,
            "studentnr1": team.studentnr1,
            "studentnr2": team.studentnr2,
            "at": visit.started_us,
            "problems": json.dumps([problem.id for problem in visit.problems]),
            "handed_on": visit.is_handed_on,
        }
        known = self._database.execute(_REFUSED_KNOWN, values).rowcount
        if not known and visit.stored_in_full:
            self._database.execute(_REFUSED_NEW, values)

    def _owners(self, records: Sequence[Record]) -> dict[str, Team]:
        """Return the teams on record that the secrets of refused visits were given to, as far as they are searched.

        The class with the fewest refused visits is searched first, so that a flood in one class does not use up the
        search of the others.
        """
        visits = visits_without_owner(records)
        if not visits:
            return {}
        spellings: dict[str, set[str]] = {}  # INF2A and inf2a are one class
        named = [visit.team.classname for visit in visits if visit.team]
        on_record = self._database.execute(CLASS_NAMES, {"limit": MAX_SEARCHED_CLASSES})
        for name in chain(named, (name for (name,) in on_record)):
            spellings.setdefault(folded(name), set()).add(name)
        rarest_first = reversed(Counter(folded(name) for name in named).most_common())
        classes = [name for each, _ in rarest_first for name in sorted(spellings[each])]
        secrets = [visit.secret for visit in visits]
        values = {"classes": json.dumps(classes), "secrets": json.dumps(secrets), "max_teams": MAX_SEARCHED_TEAMS}
        return {secret: Team(*team) for secret, *team in self._database.execute(_OWNERS, values)}

    def _write_metrics(self, sample: MetricsSample) -> None:
        self._database.execute(_METRICS, astuple(sample))
        self._database.execute(_EXPIRED_METRICS, (sample.ended_us - METRICS_RETENTION_US,))

    def _insert(self, statements: str, rows: Sequence[Row]) -> None:
        """Insert many rows in few statements: a call costs more than a row."""
        for block in _blocks(rows):
            statement = _for_rows(statements, len(block), len(block[0]))
            self._database.execute(statement, list(chain.from_iterable(block)))

    def _roll_back(self) -> None:
        try:
            self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # there was no transaction left to roll back


def _blocks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield blocks of 2**n rows, so that there are only a few different statements, which SQLite caches."""
    at = 0
    while at < len(rows):
        size = 1 << (len(rows) - at).bit_length() - 1
        yield rows[at : at + size]
        at += size


@lru_cache(maxsize=64)
def _for_rows(statement: str, rows: int, columns: int) -> str:
    """Return the statement for this many rows. SQLite caches it by its text."""
    marks = f"({', '.join('?' * columns)})"
    return statement.format(rows=", ".join([marks] * rows))


def _merge(visit: RightVisit, teams: dict[Row, Row]) -> None:
    """Apply a visit to the rows in `teams`, after the earlier visits of its team."""
    classname, teamname, pair, at, took, _, _, outcome, _, _, _, _, studentnr1, studentnr2, secret, ip, _ = visit
    key = classname, teamname, pair
    before = teams.get(key)
    first_seen, visits = (before[8], before[10]) if before else (at, 0)
    if before and before[5] == FINISHED:  # a finished team stays as it is
        teams[key] = (*before[:10], visits + 1, "[]")
    elif outcome == MESSAGE_1:
        teams[key] = (*key, studentnr1, studentnr2, WAITING, secret, ip, first_seen, None, visits + 1, "[]")
    else:
        ip_of_message_1 = before[7] if before else ""
        finished = (secret, ip_of_message_1, first_seen, at + took, visits + 1, "[]")
        teams[key] = (*key, studentnr1, studentnr2, FINISHED, *finished)


def _refused_row(visit: Visit) -> Row:
    team = visit.filed_under
    return (
        team.classname if team else "",
        team.teamname if team else "",
        visit.claimed_pair,
        visit.started_us,
        visit.duration_us,
        visit.address,
        visit.port,
        visit.outcome.value,
        visit.received,
        visit.size_bytes,
        visit.reply,
        visit.findings,
    )


def _create_file(path: Path) -> None:
    """Make the file for its owner alone. Not while a connection is open: closing a file drops SQLite's locks on it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise store_error(f"the database {path} cannot be used", error) from error


def _open_for_writing(path: Path, files: DatabaseFiles) -> sqlite3.Connection:
    """Open the database and migrate it. Nothing is written to files that do not belong together."""
    try:
        with closing(connect_to_read(path)) as reader:
            check_version(reader, path)
        check_log(path)
        database = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise store_error(f"the database {path} cannot be used", error) from error
    try:
        use_wal(database)
        database.execute("PRAGMA synchronous = FULL")
        migrate(database)
        files.opened(database)
        database.execute("PRAGMA busy_timeout = 0")  # _begin waits instead
    except sqlite3.Error as error:
        files.close(database)
        raise store_error(f"the database {path} cannot be used", error) from error
    return database


def check_version(database: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError if a newer version than this one made the database."""
    version = version_of(database)
    if version > VERSION:
        raise StoreError(
            f"the database {path} was made by a newer version (schema {version}, this one knows {VERSION})",
            "use that version",
        )
