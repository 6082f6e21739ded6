"""The store of several servers: PostgreSQL. A transaction is on disk when `write` returns.

The counterpart of sqlite/sqlite_store.py: the same records make the same rows, even if servers write at the same time.
A batch goes to the database in one round trip, as a few statements over many rows each. A batch may be written again
if the connection broke before the result was known: a record with a row of its own (a whole visit, metrics) then
counts once; one that is only counted (SuppressedVisits, a visit that is not whole) may count twice.

Uses only what CockroachDB and YugabyteDB understand, too: no extension, advisory lock, trigger or notification.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple
from hashlib import blake2b

import psycopg
from psycopg import errors

from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.records.postgres.postgres_schema import migrate
from tandem.records.postgres.postgres_server import PostgresConnection, PostgresServer
from tandem.records.secret_owners import file_refused, visits_without_owner
from tandem.records.sqlite.sqlite_store import FINISHED, METRICS_RETENTION_US, WAITING, StoreError
from tandem.records.visits import (
    BYTES_AFTER_REPLY,
    LATE_BYTES_TOLERANCE_US,
    METRICS_COLUMNS,
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

MAX_TRIES = 5  # of a transaction that lost a conflict with another server
MIN_RETRY_S, MAX_RETRY_S = 0.1, 2.0  # pause after a failed try to connect, which doubles

# A database that refuses one of these is not used. The first ensures that a commit is on disk: a database without this
# setting always does so. The last two release the names of a server that is gone without closing its connection.
_REQUIRED_SETTINGS = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off';
    SET lock_timeout = '4s';
    SET idle_in_transaction_session_timeout = '10s';
"""
# Each is sent by itself, and may be unknown: CockroachDB has few of them, an old PostgreSQL lacks the first. Measured:
# to plan every statement only once saves the database at least a third of its time. The next three allow nothing but
# indexes; the statements decide which. The last three detect a server that is gone.
_OPTIONAL_SETTINGS = (
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)

Row = dict[str, str | int | bool | None]
Step = tuple[str, str]  # a statement, and the rows that it takes: a JSON document

_LOST = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)

# Every statement takes its rows as one JSON document, and no more than one row a team.
#
# It is planned while the tables may be empty, when to read a whole index seems cheapest, and the plan stays while they
# fill. So no statement leaves a choice: each begins at its rows, and finds what belongs to a row by the columns that an
# index begins with.
#
# - What is only looked at stands in a sub-select for one value, which is asked for each row. An EXISTS may become a
#   join, and that may begin at the other end.
# - An UPDATE is a join. Its index begins with the class, which is compared with = ANY: that is good for finding an
#   entry, but not for reading all of them in the order of a join. Nothing else in it is compared with a constant.
_TEAM = """json_to_recordset(%s::json) AS r (classname TEXT, teamname TEXT, pair TEXT, studentnr1 TEXT,
        studentnr2 TEXT, state TEXT, secret TEXT, ip TEXT, problems TEXT, handed_on BOOLEAN, finished_at BIGINT,
        whole BOOLEAN, at BIGINT, mark BIGINT)"""
# The mark holds the team, too. To name it leaves two indexes to choose from, and both are right.
_NEW = """(SELECT v.mark FROM visit AS v WHERE v.classname = r.classname AND v.teamname = r.teamname AND v.at = r.at
        AND v.mark = r.mark) IS NULL"""
_SAME_NAMES = "team.classname = ANY (ARRAY[r.classname]) AND team.teamname = r.teamname"

# The lock on the row of a name is the lock on its teams. Always the first statement, names sorted: no deadlock.
_LOCK_NAMES = """
    INSERT INTO team_name (classname, teamname)
    SELECT classname, teamname FROM json_to_recordset(%s::json) AS r (classname TEXT, teamname TEXT)
    ON CONFLICT (classname, teamname) DO UPDATE SET teamname = excluded.teamname
"""
# A team of which only refused messages had come gets its numbers with the first right one.
_ADOPT = f"""
    UPDATE team SET pair = r.pair, studentnr1 = r.studentnr1, studentnr2 = r.studentnr2, state = r.state,
        secret = r.secret
    FROM {_TEAM}
    WHERE {_SAME_NAMES} AND team.pair = (
        SELECT t.pair FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname AND t.pair = ''
    ) AND (
        SELECT t.pair FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname AND t.pair = r.pair
    ) IS NULL
"""
# A finished team stays as it is.
_RIGHT = f"""
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, finished_at,
        visits, problems)
    SELECT r.classname, r.teamname, r.pair, r.studentnr1, r.studentnr2, r.state, r.secret, r.ip, r.at, r.finished_at,
        1, '[]'
    FROM {_TEAM} WHERE {_NEW}
    ON CONFLICT (classname, teamname, pair) DO UPDATE SET
        visits = team.visits + 1,
        studentnr1 = CASE team.state WHEN 'finished' THEN team.studentnr1 ELSE excluded.studentnr1 END,
        studentnr2 = CASE team.state WHEN 'finished' THEN team.studentnr2 ELSE excluded.studentnr2 END,
        secret = CASE team.state WHEN 'finished' THEN team.secret ELSE excluded.secret END,
        ip = CASE WHEN 'finished' IN (team.state, excluded.state) THEN team.ip ELSE excluded.ip END,
        finished_at = coalesce(team.finished_at, excluded.finished_at),
        problems = CASE excluded.state WHEN 'finished' THEN '[]' ELSE team.problems END,
        state = CASE team.state WHEN 'finished' THEN team.state ELSE excluded.state END
"""
# A refused visit belongs to the latest team of its names, or to the one whose numbers it has. A refusal of message 1
# that was handed on does not replace the problems of message 1.
_REFUSED_NEW = f"""
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    SELECT r.classname, r.teamname, '', r.studentnr1, r.studentnr2, 'rejected', '', '', r.at, 0, r.problems
    FROM {_TEAM} WHERE r.whole AND {_NEW} AND (
        SELECT t.pair FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname LIMIT 1
    ) IS NULL
"""
_REFUSED = f"""
    UPDATE team SET visits = team.visits + 1, problems = CASE
        WHEN team.state = 'finished' THEN '[]' WHEN r.handed_on AND team.problems != '[]' THEN team.problems
        ELSE r.problems END
    FROM {_TEAM}
    WHERE {_SAME_NAMES} AND {_NEW} AND team.pair = (
        SELECT t.pair FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname
        ORDER BY t.pair = r.pair DESC, t.first_seen DESC LIMIT 1)
"""
_VISIT = """
    INSERT INTO visit (classname, teamname, pair, at, took, address, port, outcome, received, size, answered, findings,
        mark)
    SELECT classname, teamname, pair, at, took, address, port, outcome, decode(received, 'hex'), size,
        decode(answered, 'hex'), findings, mark
    FROM json_to_recordset(%s::json) AS r (classname TEXT, teamname TEXT, pair TEXT, at BIGINT, took BIGINT,
        address TEXT, port INTEGER, outcome TEXT, received TEXT, size INTEGER, answered TEXT, findings TEXT,
        mark BIGINT)
    ON CONFLICT (at, mark) DO NOTHING
"""
# The teams that some secrets were given to: one search of the index for each secret.
_OWNERS = "SELECT secret, classname, teamname, studentnr1, studentnr2 FROM team WHERE secret = ANY(%s) AND secret != ''"
# A message that was too large is not followed by another one. `+ 0` leaves only the index on `at` for the join.
_LATE_BYTES = f"""
    UPDATE visit SET findings = CASE visit.findings WHEN '[]' THEN r.findings
        ELSE left(visit.findings, -1) || ', ' || substr(r.findings, 2) END
    FROM json_to_recordset(%s::json) AS r (started_us BIGINT, address TEXT, port INTEGER, findings TEXT)
    WHERE visit.at BETWEEN r.started_us - {LATE_BYTES_TOLERANCE_US} AND r.started_us + {LATE_BYTES_TOLERANCE_US}
        AND visit.id + 0 = (
            SELECT v.id FROM visit AS v
            WHERE v.at BETWEEN r.started_us - {LATE_BYTES_TOLERANCE_US} AND r.started_us + {LATE_BYTES_TOLERANCE_US}
                AND v.address = r.address AND v.port = r.port
            ORDER BY abs(v.at - r.started_us), v.id DESC LIMIT 1
        ) AND visit.size < {MAX_MESSAGE_BYTES}
        AND strpos(visit.findings, '"{BYTES_AFTER_REPLY}"') = 0
"""
_SUPPRESSED = """
    INSERT INTO surplus (minute, address, visits)
    SELECT minute, address, visits FROM json_to_recordset(%s::json) AS r (minute BIGINT, address TEXT, visits BIGINT)
"""
_METRICS = """
    INSERT INTO vitals (at, ground, period, visits, connections, took_p50, took_p99, commits, commit_p50, commit_p99,
        waiting)
    SELECT at, ground, period, visits, connections, took_p50, took_p99, commits, commit_p50, commit_p99, waiting
    FROM json_to_recordset(%s::json) AS r (at BIGINT, ground TEXT, period BIGINT, visits BIGINT, connections BIGINT,
        took_p50 BIGINT, took_p99 BIGINT, commits BIGINT, commit_p50 BIGINT, commit_p99 BIGINT, waiting BIGINT)
    ON CONFLICT (at, ground) DO NOTHING
"""
_EXPIRED_METRICS = (
    "DELETE FROM vitals WHERE at < (SELECT min(before) FROM json_to_recordset(%s::json) AS r (before BIGINT))"
)
_HEARTBEAT = """
    INSERT INTO heartbeat (server, at) SELECT server, now() FROM json_to_recordset(%s::json) AS r (server TEXT)
    ON CONFLICT (server) DO UPDATE SET at = excluded.at
"""


class PostgresStore:
    """The writing side. Use it in one thread only."""

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._retry_s = 0.0  # seconds from one try to connect to the next
        self._retry_at = 0.0
        self._connection = self._server.connect()
        with self._server.preparing(self._connection):
            migrate(self._connection, self._server.name)
            _set_session_options(self._connection)

    def write(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction: on disk when this returns.

        An idle connection may have been cut by the database or a firewall. That shows at once, and a new connection
        is tried at once.

        Raises:
            StoreError: they are not on disk, or that is unknown. Write them again: a record with a row of its own
                counts once; SuppressedVisits, or a visit that is not whole, may count twice.
            ValueError: the database refuses a value, which is a bug. Writing it again fails again.
        """
        soon = time.monotonic() + self._connection.answer_timeout_s / 2
        for _ in range(MAX_TRIES):
            was_open = not self._connection.closed
            if not was_open:
                self._connect()
            try:
                if has_secret_to_file(records):
                    file_refused(records, self._owners(records))
                self._execute(list(steps(records)))
                return
            except _LOST:
                self._connection.close()  # another server committed first
            except psycopg.DataError as error:
                self._connection.close()
                raise ValueError(f"refused by the database: {self._server.error_text(error)}") from None
            except psycopg.Error as error:
                was_cut = was_open and self._connection.closed and time.monotonic() < soon
                self._connection.close()
                if not was_cut:
                    raise self._server.store_error(error) from None
        raise StoreError(f"the database {self._server.name} is too busy: {MAX_TRIES} conflicts with other servers")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _owners(self, records: Sequence[Record]) -> dict[str, Team]:
        """Return the teams on record that the secrets of refused visits were given to. One round trip if any came."""
        secrets = [visit.secret for visit in visits_without_owner(records)]
        if not secrets:
            return {}
        return {secret: Team(*team) for secret, *team in self._connection.execute(_OWNERS, (secrets,))}

    def _execute(self, batch: Sequence[Step]) -> None:
        """Send all steps and the commit in one round trip."""
        with self._connection.pipeline():
            self._connection.execute("BEGIN")
            for statement, rows in batch:
                self._connection.execute(statement, (rows,))
            self._connection.execute("COMMIT")

    def _connect(self) -> None:
        """Connect again. In the pause after a failed try raise StoreError at once: a student is waiting."""
        now = time.monotonic()
        if now < self._retry_at:
            raise StoreError(f"the database {self._server.name} cannot be reached")
        try:
            self._connection = self._server.connect()
            _set_session_options(self._connection)
        except (psycopg.Error, StoreError) as error:
            self._connection.close()
            self._retry_s = min(max(MIN_RETRY_S, 2 * self._retry_s), MAX_RETRY_S)
            self._retry_at = time.monotonic() + self._retry_s
            raise error if isinstance(error, StoreError) else self._server.store_error(error) from None
        self._retry_s = 0.0


def _set_session_options(connection: PostgresConnection) -> None:
    """Set the options of a new connection."""
    connection.execute(_REQUIRED_SETTINGS)
    for setting in _OPTIONAL_SETTINGS:
        with suppress(errors.UndefinedObject, errors.FeatureNotSupported):
            connection.execute(setting)
    connection.prepare_threshold = 0


def steps(records: Sequence[Record]) -> Iterator[Step]:
    """Yield the statements for a batch, each with its rows."""
    marked = [(record, _mark(record)) for record in records if isinstance(record, RightVisit | Visit)]
    names = sorted({team[:2] for visit, _ in marked if (team := _team_of(visit))})
    yield from _over([{"classname": classname, "teamname": teamname} for classname, teamname in names], _LOCK_NAMES)
    for wave in _waves(marked):
        yield from _over([row for row in wave if row["right"]], _ADOPT, _RIGHT)
        yield from _over([row for row in wave if not row["right"]], _REFUSED_NEW, _REFUSED)
    yield from _over([_visit_row(visit, mark) for visit, mark in marked if visit.stored_in_full], _VISIT)
    yield from _over([asdict(record) for record in records if isinstance(record, LateBytes)], _LATE_BYTES)
    suppressed = [_suppressed_row(record) for record in records if isinstance(record, SuppressedVisits)]
    yield from _over(suppressed, _SUPPRESSED)
    samples = [record for record in records if isinstance(record, MetricsSample)]
    yield from _over([_metrics_row(record) for record in samples], _METRICS)
    yield from _over([{"before": record.ended_us - METRICS_RETENTION_US} for record in samples], _EXPIRED_METRICS)
    servers = sorted({record.server for record in records if isinstance(record, Heartbeat)})
    yield from _over([{"server": server} for server in servers], _HEARTBEAT)


def _over(rows: list[Row], *statements: str) -> Iterator[Step]:
    """Yield the statements with the same rows; none without rows."""
    if rows:
        document = json.dumps(rows)
        yield from ((statement, document) for statement in statements)


def _waves(marked: Iterable[tuple[RightVisit | Visit, int]]) -> list[list[Row]]:
    """Return the rows that change teams, in waves with at most one row a name. Visits of one name keep their order."""
    waves: list[list[Row]] = []
    before = Counter[tuple[str, ...]]()
    for visit, mark in marked:
        team = _team_of(visit)
        if team:
            name = team[:2]
            if before[name] == len(waves):
                waves.append([])
            waves[before[name]].append(_team_row(visit, team, mark))
            before[name] += 1
    return waves


def _team_of(visit: RightVisit | Visit) -> Team | None:
    """Return the team that a visit is counted for."""
    return visit.team if isinstance(visit, RightVisit) else visit.filed_under


def _team_row(visit: RightVisit | Visit, team: Team, mark: int) -> Row:
    finished = visit.outcome == Outcome.MESSAGE_2
    right = visit if isinstance(visit, RightVisit) else None
    problems = [problem.id for problem in visit.problems] if isinstance(visit, Visit) else []
    return {
        "classname": team.classname,
        "teamname": team.teamname,
        "pair": team.pair,
        "studentnr1": team.studentnr1,
        "studentnr2": team.studentnr2,
        "state": FINISHED if finished else WAITING,
        "secret": right.secret if right else "",
        "ip": right.ip if right and not finished else "",
        "problems": json.dumps(problems),
        "handed_on": isinstance(visit, Visit) and visit.is_handed_on,
        "finished_at": visit.started_us + visit.duration_us if finished else None,
        "right": right is not None,
        "whole": visit.stored_in_full,
        "at": visit.started_us,
        "mark": mark,
    }


def _visit_row(visit: RightVisit | Visit, mark: int) -> Row:
    team = _team_of(visit)
    return {
        "classname": team.classname if team else "",
        "teamname": team.teamname if team else "",
        "pair": visit.pair if isinstance(visit, RightVisit) else visit.claimed_pair,
        "at": visit.started_us,
        "took": visit.duration_us,
        "address": visit.address,
        "port": visit.port,
        "outcome": visit.outcome,
        "received": visit.received.hex(),
        "size": visit.size_bytes,
        "answered": visit.reply.hex(),
        "findings": visit.findings,
        "mark": mark,
    }


def _suppressed_row(suppressed: SuppressedVisits) -> Row:
    return {"minute": suppressed.minute_us, "address": suppressed.address, "visits": suppressed.visits}


def _metrics_row(sample: MetricsSample) -> Row:
    return dict(zip(METRICS_COLUMNS, astuple(sample), strict=True))


def _mark(visit: RightVisit | Visit) -> int:
    """Return a hash that differs for visits of any server that began at the same time."""
    mark = blake2b(
        repr((visit.duration_us, visit.address, visit.port, visit.outcome, visit.team)).encode(), digest_size=8
    )
    mark.update(visit.received)
    mark.update(visit.reply)
    return int.from_bytes(mark.digest(), "little", signed=True)
