"""The reading side of the records: the queries of results, board and server. Changes nothing.

Owns the queries, which are the same for every database: portable SQL, each result bounded, so that a million teams
are read page by page. Knows no connection: rows.py runs the queries.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tandem.diagnosis.problem import CATALOGUE, Problem, findings_in, is_only_handed_on
from tandem.protocol.message import NotAMessageError, decode
from tandem.records.class_spellings import CLASS_NAMES, MAX_CLASSES
from tandem.records.database import open_rows
from tandem.records.rows import DatabaseLocation, Row, Rows, Values
from tandem.records.sqlite.sqlite_store import FINISHED, LOCK_TIMEOUT_S, REJECTED, STATES
from tandem.records.visits import MetricsSample, Outcome, Team

TEAM_BATCH = 1000  # rows in one result
VISIT_BATCH = 100  # each may hold 8 KiB of what came

MAX_COMMIT_DELAY_US = 600_000_000  # from the end of a visit to the commit of its record

_FOUND = (
    "(teamname LIKE :as_written ESCAPE '!' OR lower(teamname) LIKE :in_small ESCAPE '!'"
    " OR studentnr1 = :number OR studentnr2 = :number)"
)
# A refused visit belongs to the team whose numbers it has; else to the latest team of the name when it came.
_OF_SAME_NAME = "SELECT t.pair FROM team AS t WHERE t.classname = visit.classname AND t.teamname = visit.teamname"
_PAIR_OF_VISIT = f"""coalesce(({_OF_SAME_NAME} AND t.pair = visit.pair),
    ({_OF_SAME_NAME} AND t.first_seen <= visit.at ORDER BY t.first_seen DESC, t.pair LIMIT 1),
    ({_OF_SAME_NAME} ORDER BY t.first_seen, t.pair LIMIT 1))"""
_OF_TEAM = f"classname = :classname AND teamname = :teamname AND {_PAIR_OF_VISIT} = :pair"
_OF_NO_TEAM = "classname = '' AND teamname = ''"
_VISIT_COLUMNS = "at, took, address, port, outcome, received, size, answered, findings"
# The team has not finished, and its latest visit was refused. Only teams with problems need a look at their visits.
_STUCK = f"""CASE WHEN state = '{REJECTED}' THEN 1 WHEN state = '{FINISHED}' OR problems = '[]' THEN 0
    ELSE (SELECT CASE WHEN outcome = '{Outcome.REJECTED}' THEN 1 ELSE 0 END FROM visit
        WHERE visit.classname = team.classname AND visit.teamname = team.teamname AND {_PAIR_OF_VISIT} = team.pair
        ORDER BY at DESC, id DESC LIMIT 1) END"""


class TeamKey(NamedTuple):
    """The primary key of a team. Teams are sorted by these three fields."""

    classname: str
    teamname: str
    pair: str  # both student numbers, sorted; "" while only refused messages came


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team in its current state. Times are in microseconds since 1970, UTC."""

    team: Team
    state: str
    ip: str
    first_seen_us: int
    finished_us: int | None
    visits: int
    problems: tuple[str, ...]  # ids of the latest refused visit that is not just a refusal handed on
    pair: str
    stuck: bool = False  # its latest visit was refused, and it has not finished

    @property
    def key(self) -> TeamKey:
        """The key of this team, also the start of the page of teams after it."""
        return TeamKey(self.team.classname, self.team.teamname, self.pair)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit as it was recorded."""

    started_us: int
    duration_us: int
    address: str
    port: int
    outcome: Outcome
    received: bytes
    size_bytes: int
    reply: bytes
    findings: tuple[Problem, ...]

    @property
    def is_handed_on(self) -> bool:
        """Whether nothing else is wrong than that the server's refusal of message 1 was handed on."""
        return is_only_handed_on(found.id for found in self.findings if _is_mistake(found))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new visit: its team and its outcome, without its bytes."""

    id: int
    classname: str  # of its team; "" if it could not be read
    teamname: str
    pair: str  # of a refused visit: the numbers that it claims, "" for none
    started_us: int
    duration_us: int
    outcome: Outcome
    findings: tuple[Problem, ...]


class IssuedSecret(NamedTuple):
    """A secret that a reply to message 1 contained, its team, and the ip of that message."""

    secret: str
    team: Team
    ip: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The number of teams of one class in each state."""

    classname: str
    teams: dict[str, int]  # each of STATES


class _Direction(NamedTuple):
    """The direction in which teams are read."""

    beyond: str  # compares the keys to read with the key at the start
    order: str


_FORWARD = _Direction(">", "classname, teamname, pair")
_BACKWARD = _Direction("<", "classname DESC, teamname DESC, pair DESC")


class Records:
    """Runs the queries. Use it in one thread only. Each method raises StoreError if the database cannot be read."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.visibility_delay_s = rows.visibility_delay_s  # see Tail in tail.py

    def close(self) -> None:
        """Close the connection."""
        self._rows.close()

    def teams(
        self,
        classname: str | None = None,
        state: str | None = None,
        after: TeamKey | None = None,
        limit: int | None = None,
        search: str | None = None,
    ) -> Iterator[TeamRow]:
        """Yield teams sorted by class, name and pair. Read them a page at a time.

        Args:
            classname: only the teams of this class.
            state: only the teams in this state.
            after: only the teams after this key.
            limit: at most this many teams.
            search: only the teams with this part of a name, or this student number. It scans all teams up to `limit`.
        """
        left = limit
        while left is None or left > 0:
            most = TEAM_BATCH if left is None else min(left, TEAM_BATCH)
            page = self._page(classname, state, after, most, search, _FORWARD)
            yield from page
            if len(page) < TEAM_BATCH:
                return
            after = page[-1].key
            left = None if left is None else left - len(page)

    def teams_before(
        self,
        key: TeamKey,
        limit: int,
        classname: str | None = None,
        state: str | None = None,
        search: str | None = None,
    ) -> list[TeamRow]:
        """Return the teams before a key in reverse order. The other arguments are those of `teams`."""
        return self._page(classname, state, key, limit, search, _BACKWARD)

    def _page(
        self,
        classname: str | None,
        state: str | None,
        start: TeamKey | None,
        limit: int,
        search: str | None,
        direction: _Direction,
    ) -> list[TeamRow]:
        """Read one page. The query has only the conditions that are given, so that it can use the index."""
        if search is not None and "\0" in search:
            return []  # a NUL ends the pattern of LIKE
        conditions: list[str] = []
        values: dict[str, str | int] = {"limit": limit}
        if classname is not None:
            conditions.append("classname = :classname")
            values["classname"] = classname
        if state is not None:
            conditions.append("state = :state")
            values["state"] = state
        if start is not None:
            conditions.append(
                f"(classname, teamname, pair) {direction.beyond} (:start_class, :start_team, :start_pair)"
            )
            values |= {"start_class": start.classname, "start_team": start.teamname, "start_pair": start.pair}
        if search is not None:
            conditions.append(_FOUND)
            pattern = f"%{search.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
            values |= {"as_written": pattern, "in_small": pattern.lower(), "number": search}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        return self._teams(f"{where}ORDER BY {direction.order} LIMIT :limit", values)

    def teams_named(self, teamname: str, classname: str | None = None) -> Iterator[TeamRow]:
        """Yield the teams of this name, in one class or in all classes."""
        values: dict[str, str | int] = {"teamname": teamname}
        condition = "teamname = :teamname"
        if classname is not None:
            values["classname"] = classname
            condition += " AND classname = :classname"
        yield from self._teams(f"WHERE {condition} ORDER BY classname, pair", values)

    def team_names(self, classname: str) -> Iterator[str]:
        """Yield the different names of the teams of a class, in the order of the records."""
        query = (
            "SELECT DISTINCT teamname FROM team WHERE classname = :classname AND teamname > :after"
            " ORDER BY teamname LIMIT :limit"
        )
        values: dict[str, str | int] = {"classname": classname, "after": "", "limit": TEAM_BATCH}
        while page := self._rows.query(query, values):
            yield from (name for (name,) in page)
            values["after"] = page[-1][0]

    def team(self, key: TeamKey) -> TeamRow | None:
        """Return the team with this key, or None."""
        condition = "WHERE classname = :classname AND teamname = :teamname AND pair = :pair"
        return next(iter(self._teams(condition, key._asdict())), None)

    def team_with_secret(self, secret: str) -> TeamRow | None:
        """Return the recorded team that got this secret, or None. May scan all teams."""
        return next(iter(self._teams("WHERE secret = :secret AND secret != ''", {"secret": secret})), None)

    def named_team_with_secret(self, secret: str, classname: str, teamname: str) -> TeamRow | None:
        """Return the team of this name that got this secret, or None. Uses the index."""
        condition = "WHERE classname = :classname AND teamname = :teamname AND secret = :secret AND secret != ''"
        values = {"classname": classname, "teamname": teamname, "secret": secret}
        return next(iter(self._teams(condition, values)), None)

    def recent_secrets(self, limit: int) -> Iterator[IssuedSecret]:
        """Yield the latest secrets, the newest last."""
        query = "SELECT answered FROM visit WHERE outcome = 'message 1' ORDER BY id DESC LIMIT :limit"
        for (answered,) in reversed(self._rows.query(query, {"limit": limit})):
            try:
                # With --framing length 4 bytes of length come before the object.
                reply = decode(answered[answered.find(b"{") :])
            except NotAMessageError:  # the connection was lost before the reply
                continue
            team = Team(reply.classname, reply.teamname, reply.studentnr1, reply.studentnr2)
            yield IssuedSecret(reply.secret, team, reply.ip)

    def classes(self) -> Iterator[ClassRow]:
        """Yield every class by name, with its teams counted by state. Scans all teams: cache the result."""
        query = "SELECT classname, state, count(*) FROM team GROUP BY classname, state ORDER BY classname"
        found: dict[str, dict[str, int]] = {}
        for classname, state, teams in self._rows.query(query, {}):
            found.setdefault(classname, dict.fromkeys(STATES, 0))[state] = teams
        for classname, counts in found.items():
            yield ClassRow(classname, counts)

    def class_names(self) -> list[str]:
        """Return the names of the classes on record, in order, MAX_CLASSES at most."""
        return [name for (name,) in self._rows.query(CLASS_NAMES, {"limit": MAX_CLASSES})]

    def visits(self, key: TeamKey) -> Iterator[VisitRow]:
        """Yield the visits of one team in order. A refused visit belongs to one team only: see _PAIR_OF_VISIT."""
        return self._visits(_OF_TEAM, key._asdict())

    def visits_without_team(self) -> Iterator[VisitRow]:
        """Yield the visits whose message had no class or team name that could be read, in order."""
        return self._visits(_OF_NO_TEAM, {})

    def latest_visits_without_team(self, limit: int, skip: int = 0) -> list[VisitRow]:
        """Return at most `limit` of these visits, the latest first, after the first `skip` ones."""
        query = f"SELECT {_VISIT_COLUMNS} FROM visit WHERE {_OF_NO_TEAM} ORDER BY id DESC LIMIT :limit OFFSET :skip"
        return [_visit_row(row) for row in self._rows.query(query, {"limit": limit, "skip": skip})]

    def _visits(self, condition: str, of_condition: Values) -> Iterator[VisitRow]:
        query = (
            f"SELECT id, {_VISIT_COLUMNS} FROM visit"
            f" WHERE {condition} AND (at, id) > (:after_at, :after_id) ORDER BY at, id LIMIT :limit"
        )
        values: dict[str, str | int] = {**of_condition, "after_at": -1, "after_id": -1, "limit": VISIT_BATCH}
        while page := self._rows.query(query, values):
            yield from (_visit_row(row[1:]) for row in page)
            values |= {"after_id": page[-1][0], "after_at": page[-1][1]}

    def visits_since(self, id: int) -> Iterator[Arrival]:
        """Yield the visits after an id, sorted by id.

        Where several servers write to one database, a visit may become visible up to `visibility_delay_s` seconds
        after one with a higher id. Use a Tail (tail.py) to miss none.
        """
        query = (
            "SELECT id, classname, teamname, pair, at, took, outcome, findings FROM visit"
            " WHERE id > :after_id ORDER BY id LIMIT :limit"
        )
        values = {"after_id": id, "limit": TEAM_BATCH}
        while page := self._rows.query(query, values):
            for id, classname, teamname, pair, at, took, outcome, findings in page:
                yield Arrival(id, classname, teamname, pair, at, took, Outcome(outcome), findings_in(findings))
            values |= {"after_id": page[-1][0]}

    def visit_ids_since(self, id: int) -> list[int]:
        """Return the ids of the visits that `visits_since` yields. Reads the index only."""
        return [found for (found,) in self._rows.query("SELECT id FROM visit WHERE id > :id ORDER BY id", {"id": id})]

    def last_visit_id(self, skip: int = 0) -> int:
        """Return the id of the last visit after the last `skip` ones, or 0 if there are not as many."""
        found = self._rows.query("SELECT id FROM visit ORDER BY id DESC LIMIT 1 OFFSET :skip", {"skip": skip})
        return int(found[0][0]) if found else 0

    def mistakes(self, since: int, classname: str | None = None) -> list[tuple[str, int]]:
        """Count the refused visits with each problem since a time, the most frequent first; in one class or in all.

        `since` is in microseconds since 1970. Remarks, and visits that are only counted, are left out. Scans the
        visits since then, and none before.
        """
        values: dict[str, str | int] = {"since": since, "after_id": self._id_before(since), "limit": TEAM_BATCH}
        one_class = ""
        if classname is not None:
            values["classname"] = classname
            one_class = "AND classname = :classname "
        query = (
            "SELECT id, findings FROM visit WHERE id > :after_id AND outcome = 'rejected' AND at >= :since"
            f" {one_class}ORDER BY id LIMIT :limit"
        )
        found = Counter[str]()
        while page := self._rows.query(query, values):
            for _, findings in page:
                found.update({problem.id for problem in findings_in(findings) if _is_mistake(problem)})
            values["after_id"] = page[-1][0]
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))

    def _id_before(self, moment: int) -> int:
        """Return an id below all visits that began since a time, in microseconds since 1970.

        Binary search: there is no index on time. Visits are recorded in the order of their ends, and ids may be up to
        MAX_COMMIT_DELAY_US out of that order.
        """
        low, high = 0, self.last_visit_id()
        query = "SELECT id, at + took FROM visit WHERE id > :after_id ORDER BY id LIMIT 1"
        while low < high:
            middle = (low + high) // 2
            found = self._rows.query(query, {"after_id": middle})
            if found and found[0][1] < moment - MAX_COMMIT_DELAY_US:
                low = int(found[0][0])
            else:
                high = middle
        return low

    def metrics_since(self, ended_us: int) -> Iterator[MetricsSample]:
        """Yield the metrics of the servers in periods that ended after a time, in microseconds since 1970, by time."""
        query = (
            "SELECT at, ground, period, visits, connections, took_p50, took_p99, commits, commit_p50, commit_p99,"
            " waiting FROM vitals WHERE (at, ground) > (:after_at, :after_ground) ORDER BY at, ground LIMIT :limit"
        )
        values: dict[str, str | int] = {"after_at": ended_us + 1, "after_ground": "", "limit": TEAM_BATCH}
        while page := self._rows.query(query, values):
            for row in page:
                yield MetricsSample(*row)
            values |= {"after_at": page[-1][0], "after_ground": page[-1][1]}

    def heartbeat_age_s(self) -> float | None:
        """Return the seconds since a server's last heartbeat in PostgreSQL; None if there was none.

        Raises:
            StoreError: It cannot be read. The database may be of an older version, without heartbeats.
        """
        [(age_s,)] = self._rows.query("SELECT extract(epoch FROM now() - max(at)) FROM heartbeat", {})
        return None if age_s is None else float(age_s)

    def _teams(self, condition: str, values: Values) -> list[TeamRow]:
        query = (
            "SELECT classname, teamname, studentnr1, studentnr2, state, ip, first_seen, finished_at, visits,"
            f" problems, pair, {_STUCK} FROM team {condition}"
        )
        return [_team_row(row) for row in self._rows.query(query, values)]


def open_records(where: DatabaseLocation, lock_timeout_s: float = LOCK_TIMEOUT_S) -> Records:
    """Open the records in a data folder or at the URL of a database. Close them after use.

    Raises:
        StoreError: there are none, or they cannot be read.
    """
    return Records(open_rows(where, lock_timeout_s))


def _is_mistake(found: Problem) -> bool:
    """Return whether a finding is a problem. An id that this version does not know counts as one."""
    return found.id not in CATALOGUE or not found.is_remark


def _visit_row(row: Row) -> VisitRow:
    at, took, address, port, outcome, received, size, answered, findings = row
    return VisitRow(at, took, address, port, Outcome(outcome), received, size, answered, findings_in(findings))


def _team_row(row: Row) -> TeamRow:
    *team, state, ip, first_seen, finished_at, visits, problems, pair, stuck = row
    ids = tuple(json.loads(problems))
    ids = () if is_only_handed_on(ids) else ids
    return TeamRow(Team(*team), state, ip, first_seen, finished_at, visits, ids, pair, bool(stuck))
