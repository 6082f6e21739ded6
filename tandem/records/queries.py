"""The reading side of the store: what results, the board and the judge's recall look at. Changes nothing.

Owns the questions, the same for every database: portable SQL, each answer bounded, so that a million teams are
read page by page. How a database is asked is the business of rows.py.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tandem.diagnosis.problems import CATALOGUE, Problem, findings_in
from tandem.protocol.message import NotAMessageError, decode
from tandem.records.database import open_rows
from tandem.records.rows import DatabaseLocation, Row, Rows, Values
from tandem.records.sqlite.sqlite_store import LOCK_TIMEOUT, STATES
from tandem.records.visits import MetricsSample, Outcome, Team

TEAMS_AT_ONCE = 1000  # rows in one answer of the database
VISITS_AT_ONCE = 100  # each may hold 8 KiB of what came

PATIENT = 600_000_000  # microseconds

_FOUND = (
    "(teamname LIKE :as_written ESCAPE '!' OR lower(teamname) LIKE :in_small ESCAPE '!'"
    " OR studentnr1 = :number OR studentnr2 = :number)"
)
_OF_TEAM = "classname = :classname AND teamname = :teamname AND pair IN (:pair, '')"


class TeamKey(NamedTuple):
    """Which team, and where it stands among all: they are in the order of these three."""

    classname: str
    teamname: str
    pair: str  # both student numbers, sorted; "" while only refused messages came


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One team as it stands. Times in microseconds since 1970, UTC."""

    team: Team
    state: str
    ip: str
    first_seen_us: int
    finished_us: int | None
    visits: int
    problems: tuple[str, ...]
    pair: str

    @property
    def key(self) -> TeamKey:
        """What asks for this team, and for those behind it."""
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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A visit as it passes by: whose it was and how it ended, without its bytes."""

    id: int
    classname: str  # of its team; "" if that could not be read
    teamname: str
    pair: str  # "" if it was refused: the numbers may be what was wrong
    started_us: int
    duration_us: int
    outcome: Outcome
    findings: tuple[Problem, ...]


class Given(NamedTuple):
    """A secret that was given, to whom, and the ip in that message 1."""

    secret: str
    team: Team
    ip: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: how many teams are in each state."""

    classname: str
    teams: dict[str, int]  # each of STATES


class _Way(NamedTuple):
    """In which direction teams are read."""

    beyond: str  # how a key there compares with the one where it starts
    order: str


_FORWARD = _Way(">", "classname, teamname, pair")
_BACKWARD = _Way("<", "classname DESC, teamname DESC, pair DESC")


class Records:
    """Answers questions about what is on record. Use it in one thread only; each method may raise StoreError."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.lateness = rows.lateness  # see Tail in tail.py

    def close(self) -> None:
        self._rows.close()

    def teams(
        self,
        classname: str | None = None,
        state: str | None = None,
        after: TeamKey | None = None,
        limit: int | None = None,
        search: str | None = None,
    ) -> Iterator[TeamRow]:
        """The teams by class, name and pair; of one class or in one state, after a key, no more than a limit.

        search: a part of the name, or one of the numbers. Looks at every team until it has found its limit.
        """
        left = limit
        while left is None or left > 0:
            most = TEAMS_AT_ONCE if left is None else min(left, TEAMS_AT_ONCE)
            page = self._page(classname, state, after, most, search, _FORWARD)
            yield from page
            if len(page) < TEAMS_AT_ONCE:
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
        """The same the other way: those before a key, the nearest first."""
        return self._page(classname, state, key, limit, search, _BACKWARD)

    def _page(
        self,
        classname: str | None,
        state: str | None,
        start: TeamKey | None,
        limit: int,
        search: str | None,
        way: _Way,
    ) -> list[TeamRow]:
        """Only conditions that are meant stand in the query, so that the index leads to its first row."""
        if search is not None and "\0" in search:
            return []  # a pattern would end there
        conditions: list[str] = []
        values: dict[str, str | int] = {"limit": limit}
        if classname is not None:
            conditions.append("classname = :classname")
            values["classname"] = classname
        if state is not None:
            conditions.append("state = :state")
            values["state"] = state
        if start is not None:
            conditions.append(f"(classname, teamname, pair) {way.beyond} (:start_class, :start_team, :start_pair)")
            values |= {"start_class": start.classname, "start_team": start.teamname, "start_pair": start.pair}
        if search is not None:
            conditions.append(_FOUND)
            pattern = f"%{search.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
            values |= {"as_written": pattern, "in_small": pattern.lower(), "number": search}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        return self._teams(f"{where}ORDER BY {way.order} LIMIT :limit", values)

    def teams_named(self, teamname: str, classname: str | None = None) -> Iterator[TeamRow]:
        """The teams with this name, in one class or in all."""
        values: dict[str, str | int] = {"teamname": teamname}
        condition = "teamname = :teamname"
        if classname is not None:
            values["classname"] = classname
            condition += " AND classname = :classname"
        yield from self._teams(f"WHERE {condition} ORDER BY classname, pair", values)

    def team(self, key: TeamKey) -> TeamRow | None:
        """The team with this key."""
        condition = "WHERE classname = :classname AND teamname = :teamname AND pair = :pair"
        return next(iter(self._teams(condition, key._asdict())), None)

    def team_with_secret(self, secret: str) -> TeamRow | None:
        """The team that the secret was given to, if that is on record. May look at every team."""
        return next(iter(self._teams("WHERE secret = :secret AND secret != ''", {"secret": secret})), None)

    def team_given(self, secret: str, classname: str, teamname: str) -> TeamRow | None:
        """The same among the teams of one name, at once."""
        condition = "WHERE classname = :classname AND teamname = :teamname AND secret = :secret AND secret != ''"
        values = {"classname": classname, "teamname": teamname, "secret": secret}
        return next(iter(self._teams(condition, values)), None)

    def recent_secrets(self, limit: int) -> Iterator[Given]:
        """The secrets that were given last, the newest last."""
        query = "SELECT answered FROM visit WHERE outcome = 'message 1' ORDER BY id DESC LIMIT :limit"
        for (answered,) in reversed(self._rows.ask(query, {"limit": limit})):
            try:
                reply = decode(answered[answered.find(b"{") :])  # its length may stand before it
            except NotAMessageError:  # the connection was lost before the reply
                continue
            team = Team(reply.classname, reply.teamname, reply.studentnr1, reply.studentnr2)
            yield Given(reply.secret, team, reply.ip)

    def classes(self) -> Iterator[ClassRow]:
        """Every class by name, with its teams counted by state. Looks at all teams: keep the answer for a while."""
        query = "SELECT classname, state, count(*) FROM team GROUP BY classname, state ORDER BY classname"
        found: dict[str, dict[str, int]] = {}
        for classname, state, teams in self._rows.ask(query, {}):
            found.setdefault(classname, dict.fromkeys(STATES, 0))[state] = teams
        for classname, counts in found.items():
            yield ClassRow(classname, counts)

    def visits(self, key: TeamKey) -> Iterator[VisitRow]:
        """The visits of one team, in their order; with the refused ones of its name, whosever they were."""
        query = (
            "SELECT id, at, took, address, port, outcome, received, size, answered, findings FROM visit"
            f" WHERE {_OF_TEAM} AND (at, id) > (:after_at, :after_id) ORDER BY at, id LIMIT :limit"
        )
        values: dict[str, str | int] = {**key._asdict(), "after_at": -1, "after_id": -1, "limit": VISITS_AT_ONCE}
        while page := self._rows.ask(query, values):
            for _, at, took, address, port, outcome, received, size, answered, findings in page:
                problems = findings_in(findings)
                yield VisitRow(at, took, address, port, Outcome(outcome), received, size, answered, problems)
            values |= {"after_id": page[-1][0], "after_at": page[-1][1]}

    def last_outcome(self, key: TeamKey) -> Outcome | None:
        """How the latest of those visits ended."""
        query = f"SELECT outcome FROM visit WHERE {_OF_TEAM} ORDER BY at DESC, id DESC LIMIT 1"
        found = self._rows.ask(query, key._asdict())
        return Outcome(found[0][0]) if found else None

    def visits_since(self, id: int) -> Iterator[Arrival]:
        """The visits with higher ids, in their order.

        Where several grounds write to one database, a visit may become visible up to `lateness` seconds after
        one with a higher id: who must not miss any reads through a Tail (tail.py).
        """
        query = (
            "SELECT id, classname, teamname, pair, at, took, outcome, findings FROM visit"
            " WHERE id > :after_id ORDER BY id LIMIT :limit"
        )
        values = {"after_id": id, "limit": TEAMS_AT_ONCE}
        while page := self._rows.ask(query, values):
            for id, classname, teamname, pair, at, took, outcome, findings in page:
                yield Arrival(id, classname, teamname, pair, at, took, Outcome(outcome), findings_in(findings))
            values |= {"after_id": page[-1][0]}

    def visit_ids_since(self, id: int) -> list[int]:
        """The ids of the visits that `visits_since` gives, for next to nothing."""
        return [found for (found,) in self._rows.ask("SELECT id FROM visit WHERE id > :id ORDER BY id", {"id": id})]

    def last_visit_id(self, but: int = 0) -> int:
        """The id of the last visit, or of one that many before it; 0 if there are not as many."""
        found = self._rows.ask("SELECT id FROM visit ORDER BY id DESC LIMIT 1 OFFSET :but", {"but": but})
        return int(found[0][0]) if found else 0

    def mistakes(self, since: int, classname: str | None = None) -> list[tuple[str, int]]:
        """How often each problem was in a refused visit since a moment, the most frequent first; of one class or all.

        Only whole visits count, remarks do not. Looks at every visit since then, and at none before.
        """
        values: dict[str, str | int] = {"since": since, "after_id": self._id_before(since), "limit": TEAMS_AT_ONCE}
        one_class = ""
        if classname is not None:
            values["classname"] = classname
            one_class = "AND classname = :classname "
        query = (
            "SELECT id, findings FROM visit WHERE id > :after_id AND outcome = 'rejected' AND at >= :since"
            f" {one_class}ORDER BY id LIMIT :limit"
        )
        found = Counter[str]()
        while page := self._rows.ask(query, values):
            for _, findings in page:
                found.update({problem.id for problem in findings_in(findings) if _is_mistake(problem)})
            values["after_id"] = page[-1][0]
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))

    def _id_before(self, moment: int) -> int:
        """An id behind which all visits are that began since then: visits are recorded in the order of their ends.

        Found by halving, for want of an index; a record may have waited for its database as long as PATIENT says.
        """
        low, high = 0, self.last_visit_id()
        query = "SELECT id, at + took FROM visit WHERE id > :after_id ORDER BY id LIMIT 1"
        while low < high:
            middle = (low + high) // 2
            found = self._rows.ask(query, {"after_id": middle})
            if found and found[0][1] < moment - PATIENT:
                low = int(found[0][0])
            else:
                high = middle
        return low

    def metrics_since(self, ended_us: int) -> Iterator[MetricsSample]:
        """How the grounds were doing, in periods that ended after a moment, by time."""
        query = (
            "SELECT at, ground, period, visits, connections, took_p50, took_p99, commits, commit_p50, commit_p99,"
            " waiting FROM vitals WHERE (at, ground) > (:after_at, :after_ground) ORDER BY at, ground LIMIT :limit"
        )
        values: dict[str, str | int] = {"after_at": ended_us + 1, "after_ground": "", "limit": TEAMS_AT_ONCE}
        while page := self._rows.ask(query, values):
            for row in page:
                yield MetricsSample(*row)
            values |= {"after_at": page[-1][0], "after_ground": page[-1][1]}

    def _teams(self, condition: str, values: Values) -> list[TeamRow]:
        query = (
            "SELECT classname, teamname, studentnr1, studentnr2, state, ip, first_seen, finished_at, visits,"
            f" problems, pair FROM team {condition}"
        )
        return [_team_row(row) for row in self._rows.ask(query, values)]


def open_records(where: DatabaseLocation, patience: float = LOCK_TIMEOUT) -> Records:
    """What is on record in a data folder or at a database's URL. Raises StoreError if there is nothing to read."""
    return Records(open_rows(where, patience))


def _is_mistake(found: Problem) -> bool:
    """What another version of the ground found, and this one does not know, counts."""
    return found.id not in CATALOGUE or not found.is_remark


def _team_row(row: Row) -> TeamRow:
    *team, state, ip, first_seen, finished_at, visits, problems, pair = row
    return TeamRow(Team(*team), state, ip, first_seen, finished_at, visits, tuple(json.loads(problems)), pair)
