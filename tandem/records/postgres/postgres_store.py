"""What remembers for many grounds: PostgreSQL. A transaction is on disk when `write` returns.

The counterpart of store.py: the same records make the same rows, whichever grounds write them and at the same time.
A batch goes to the server in one round trip, as a few statements over many rows each. What is written again, because
the connection broke before anybody knew whether it was kept, counts once if it has a row of its own: a whole visit, or
vitals. What is only counted, a SuppressedVisits or a visit that is not whole, may count twice then.

Nothing here that CockroachDB or YugabyteDB do not speak: no extension, advisory lock, trigger or notification.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple
from hashlib import blake2b

import psycopg
from psycopg import errors

from tandem.records.postgres.postgres_schema import migrate
from tandem.records.postgres.postgres_server import PostgresConnection, PostgresServer
from tandem.records.sqlite.sqlite_store import FINISHED, METRICS_RETENTION_US, WAITING, StoreError
from tandem.records.visits import (
    METRICS_COLUMNS,
    MetricsSample,
    Outcome,
    Record,
    RightVisit,
    SuppressedVisits,
    Team,
    Visit,
)

TRIES = 5  # of a transaction that lost against another ground's
FIRST_PAUSE, MAX_PAUSE = 0.1, 2.0  # seconds without a try after a connection could not be made

# A server that refuses one of these is not used. What is confirmed is on disk: a server without the first setting has
# no other way. A ground that is gone without a word does not hold its names for long.
_NEEDED = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit', true) = 'off';
    SET lock_timeout = '4s';
    SET idle_in_transaction_session_timeout = '10s';
"""
# Each is sent by itself, and may be unknown: CockroachDB has few of them, an old PostgreSQL not the first. Measured:
# that every statement is planned only once saves the server a third of its time, and more. The next three leave it
# nothing but indexes; how they are used is up to the statements. The last three notice a ground that is gone.
_WISHED = (
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
        studentnr2 TEXT, state TEXT, secret TEXT, ip TEXT, problems TEXT, finished_at BIGINT, whole BOOLEAN,
        at BIGINT, mark BIGINT)"""
# The mark holds the team, too. To name it leaves two indexes to choose from, and both are right.
_NEW = """(SELECT v.mark FROM visit AS v WHERE v.classname = r.classname AND v.teamname = r.teamname AND v.at = r.at
        AND v.mark = r.mark) IS NULL"""
_SAME_NAMES = "team.classname = ANY (ARRAY[r.classname]) AND team.teamname = r.teamname"

# Who holds a name's row writes to its teams alone. Always the first statement, the names in order: no deadlock.
_HOLD = """
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
# What is finished stays as it is.
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
# A refused visit belongs to the latest team of its names, or to the one whose numbers it has.
_REFUSED_NEW = f"""
    INSERT INTO team (classname, teamname, pair, studentnr1, studentnr2, state, secret, ip, first_seen, visits,
        problems)
    SELECT r.classname, r.teamname, '', r.studentnr1, r.studentnr2, 'rejected', '', '', r.at, 0, r.problems
    FROM {_TEAM} WHERE r.whole AND {_NEW} AND (
        SELECT t.pair FROM team AS t WHERE t.classname = r.classname AND t.teamname = r.teamname LIMIT 1
    ) IS NULL
"""
_REFUSED = f"""
    UPDATE team SET visits = team.visits + 1, problems = CASE team.state WHEN 'finished' THEN '[]' ELSE r.problems END
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


class PostgresStore:
    """The writing side. Use it in one thread only."""

    def __init__(self, url: str) -> None:
        self._server = PostgresServer(url)
        self._pause = 0.0  # seconds from one try to connect to the next
        self._next_try = 0.0
        self._connection = self._server.connect()
        try:
            migrate(self._connection, self._server.name)
            _settle_in(self._connection)
        except psycopg.Error as error:
            self.close()
            raise self._server.trouble(error) from None
        except StoreError:
            self.close()
            raise

    def write(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction: on disk when this returns.

        Raises StoreError if they are not, or if nobody can know. Then write them again: none is lost, and none but
        what is only counted, a SuppressedVisits or a visit that is not whole, counts twice.

        A connection may have been cut while nobody used it, by the server or by a firewall. That shows at once, and
        then another one is tried at once.
        """
        wanted = list(steps(records))
        soon = time.monotonic() + self._connection.patience / 2
        for _ in range(TRIES):
            was_open = not self._connection.closed
            if not was_open:
                self._connect()
            try:
                self._execute(wanted)
                return
            except _LOST:
                self._connection.close()  # the others were first; what they wrote counts now
            except psycopg.DataError as error:
                self._connection.close()
                raise ValueError(f"refused by the database: {self._server.words(error)}") from None
            except psycopg.Error as error:
                was_cut = was_open and self._connection.closed and time.monotonic() < soon
                self._connection.close()
                if not was_cut:
                    raise self._server.trouble(error) from None
        raise StoreError(f"the database {self._server.name} is too busy: lost {TRIES} times against other grounds")

    def close(self) -> None:
        self._connection.close()

    def _execute(self, wanted: Sequence[Step]) -> None:
        """All steps and the commit leave in one piece, before the first answer is awaited."""
        with self._connection.pipeline():
            self._connection.execute("BEGIN")
            for statement, rows in wanted:
                self._connection.execute(statement, (rows,))
            self._connection.execute("COMMIT")

    def _connect(self) -> None:
        """With a pause that doubles: who waits for a record hears at once that it cannot be kept."""
        now = time.monotonic()
        if now < self._next_try:
            raise StoreError(f"the database {self._server.name} is away")
        try:
            self._connection = self._server.connect()
            _settle_in(self._connection)
        except (psycopg.Error, StoreError) as error:
            self._connection.close()
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), MAX_PAUSE)
            self._next_try = time.monotonic() + self._pause
            raise error if isinstance(error, StoreError) else self._server.trouble(error) from None
        self._pause = 0.0


def _settle_in(connection: PostgresConnection) -> None:
    """What holds as long as the connection does."""
    connection.execute(_NEEDED)
    for wish in _WISHED:
        with suppress(errors.UndefinedObject, errors.FeatureNotSupported):
            connection.execute(wish)
    connection.prepare_threshold = 0


def steps(records: Sequence[Record]) -> Iterator[Step]:
    """The statements that a batch needs, with their rows."""
    marked = [(record, _mark(record)) for record in records if isinstance(record, RightVisit | Visit)]
    names = sorted({visit.team[:2] for visit, _ in marked if visit.team})
    yield from _over([{"classname": classname, "teamname": teamname} for classname, teamname in names], _HOLD)
    for wave in _waves(marked):
        yield from _over([row for row in wave if row["right"]], _ADOPT, _RIGHT)
        yield from _over([row for row in wave if not row["right"]], _REFUSED_NEW, _REFUSED)
    yield from _over([_visit_row(visit, mark) for visit, mark in marked if visit.stored_in_full], _VISIT)
    suppressed = [_suppressed_row(record) for record in records if isinstance(record, SuppressedVisits)]
    yield from _over(suppressed, _SUPPRESSED)
    samples = [record for record in records if isinstance(record, MetricsSample)]
    yield from _over([_metrics_row(record) for record in samples], _METRICS)
    yield from _over([{"before": record.ended_us - METRICS_RETENTION_US} for record in samples], _EXPIRED_METRICS)


def _over(rows: list[Row], *statements: str) -> Iterator[Step]:
    """The statements, one after the other, over the same rows; without rows none is needed."""
    if rows:
        document = json.dumps(rows)
        yield from ((statement, document) for statement in statements)


def _waves(marked: Iterable[tuple[RightVisit | Visit, int]]) -> list[list[Row]]:
    """What visits do to teams: those of one name a wave each, in their order; most names stand in the first only."""
    waves: list[list[Row]] = []
    before = Counter[tuple[str, ...]]()
    for visit, mark in marked:
        if visit.team:
            name = visit.team[:2]
            if before[name] == len(waves):
                waves.append([])
            waves[before[name]].append(_team_row(visit, visit.team, mark))
            before[name] += 1
    return waves


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
        "finished_at": visit.started_us + visit.duration_us if finished else None,
        "right": right is not None,
        "whole": visit.stored_in_full,
        "at": visit.started_us,
        "mark": mark,
    }


def _visit_row(visit: RightVisit | Visit, mark: int) -> Row:
    team = visit.team
    return {
        "classname": team.classname if team else "",
        "teamname": team.teamname if team else "",
        "pair": visit.pair if isinstance(visit, RightVisit) else "",
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
    """A number that no other visit has which began at the same moment, on whatever ground."""
    mark = blake2b(
        repr((visit.duration_us, visit.address, visit.port, visit.outcome, visit.team)).encode(), digest_size=8
    )
    mark.update(visit.received)
    mark.update(visit.reply)
    return int.from_bytes(mark.digest(), "little", signed=True)
