"""Removes records for good: which ones are selected, and what is removed with them. Portable SQL, one transaction.

A team is removed with its visits. Its student numbers are then searched for in all other visits. A message that could
not be read belongs to no team, and one with a wrong name to another team. A right message of another team may have a
number in its ip or status, or in bytes after the reply. Such a visit is removed, and the result of its team stays.
Knows nothing of the board's file, see board/gradebook/forget_board.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from tandem.protocol.message import NO_TEAMMATE
from tandem.records.class_spellings import folded, spellings
from tandem.records.queries import TeamKey
from tandem.records.rows import DatabaseLocation, Values
from tandem.records.sqlite.sqlite_eraser import Eraser, open_eraser
from tandem.records.traces import Traces
from tandem.records.visits import Team

VISIT_BATCH = 100  # each may hold 8 KiB
NUMBER_BATCH = 100
MAX_LISTED = 20  # visits
LISTED_BYTES = 60  # of what came in a visit

_OF_NAME = "classname = :classname AND teamname = :teamname"
_REFUSED = "outcome NOT IN ('message 1', 'message 2')"
_SILENT = f"""first_seen < :before AND NOT EXISTS (SELECT 1 FROM visit WHERE visit.classname = team.classname
    AND visit.teamname = team.teamname AND (visit.pair = team.pair OR {_REFUSED}) AND visit.at >= :before)"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The records to remove: all given conditions must hold. Give at least one condition, and no empty text."""

    classname: str | None = None  # in any letter case
    teamname: str | None = None
    studentnr: str | None = None  # of either student
    before: datetime | None = None  # teams without a visit since then, and visits that began before it

    @property
    def has_names(self) -> bool:
        """Whether a class or a team is given."""
        return self.classname is not None or self.teamname is not None

    @property
    def is_by_date_alone(self) -> bool:
        """Whether only the date is given."""
        return not self.has_names and self.studentnr is None

    def matches(self, team: Team) -> bool:
        """Return whether a team has the given class, name and student number. Ignores the date."""
        return (
            (self.classname is None or folded(self.classname) == folded(team.classname))
            and self.teamname in (None, team.teamname)
            and self.studentnr in (None, team.studentnr1, team.studentnr2)
        )


@dataclass(frozen=True, slots=True)
class ForgottenTeam:
    """A team that is removed."""

    key: TeamKey
    team: Team
    was_last: bool  # no other team of this class and name remains


class ForgottenVisit(NamedTuple):
    """A visit that is removed."""

    started_us: int
    address: str
    port: int
    classname: str  # "" for both names if the visit belongs to no team
    teamname: str
    outcome: str
    received: bytes  # the beginning

    @property
    def has_team(self) -> bool:
        """Whether the visit belongs to a team."""
        return bool(self.classname or self.teamname)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The rows to remove, and the remaining teams that share a student number with them."""

    teams: Sequence[ForgottenTeam]
    visits: int
    numbers: frozenset[str]  # student numbers that no remaining team has
    sharing: Sequence[TeamKey]  # remaining teams that have a student number of a removed one
    listed: Sequence[ForgottenVisit] = ()  # the first MAX_LISTED visits, those of no team before the others
    ips: int = 0  # remaining teams with a student number in their ip, which is emptied


class Forgetting:
    """A removal in a transaction that is still open."""

    def __init__(self, eraser: Eraser, forgotten: Forgotten) -> None:
        self._eraser = eraser
        self.forgotten = forgotten

    def commit(self) -> None:
        """Commit the removal. Without this call nothing is removed.

        Raises:
            StoreError: the removal is not committed, or traces of it stay on disk.
        """
        self._eraser.commit()


@contextmanager
def forgetting(where: DatabaseLocation, selection: Selection) -> Iterator[Forgetting]:
    """Remove the selected records. Call `commit` in the block to make it final, and to leave no trace on disk.

    Raises:
        StoreError: the database cannot be used.
    """
    eraser = open_eraser(where)
    try:
        yield Forgetting(eraser, _forget(eraser, selection))
    finally:
        eraser.close()


def _forget(eraser: Eraser, selection: Selection) -> Forgotten:
    """Remove everything in a transaction that stays open.

    The search through the visits may take long. Where the transaction blocks writers, the search runs before it, and
    the transaction searches only the visits that came since.
    """
    found = _Found(frozenset())
    while True:
        eraser.begin()
        selected = _SelectedRows(eraser, selection)
        forgotten = selected.erase()
        if not eraser.blocks_writers or forgotten.numbers == found.numbers:
            break
        eraser.roll_back()
        found = selected.search(_Found(forgotten.numbers))
    found = selected.search(found if eraser.blocks_writers else _Found(forgotten.numbers))
    traces = sum(selected.erase_visits("id = :id", {"id": id}) for id in found.ids)
    ips = _empty_ips(eraser, Traces(forgotten.numbers))
    return replace(forgotten, visits=forgotten.visits + traces, listed=selected.listed, ips=ips)


@dataclass(frozen=True, slots=True)
class _Found:
    """The visits with a student number, among those that were searched."""

    numbers: frozenset[str]
    ids: tuple[int, ...] = ()
    searched: int = -1  # the last id that was searched


def _numbers(selection: Selection, teams: Sequence[ForgottenTeam]) -> set[str]:
    """Return the student numbers of the removed teams, and the selected one even if no team has it."""
    numbers = {number for forgotten in teams for number in (forgotten.team.studentnr1, forgotten.team.studentnr2)}
    if selection.studentnr is not None and (teams or not selection.has_names):
        numbers.add(selection.studentnr)
    return numbers.difference(NO_TEAMMATE)


class _SelectedRows:
    """The rows of a selection, as conditions in SQL."""

    def __init__(self, eraser: Eraser, selection: Selection) -> None:
        self._eraser = eraser
        self._selection = selection
        self.listed: list[ForgottenVisit] = []  # of what was removed
        self._values: dict[str, str | int] = {}
        self._names = " AND ".join(self._name_conditions()) or "1 = 1"  # for teams and for visits
        self._number = ""
        if selection.studentnr is not None:
            self._number = " AND :studentnr IN (studentnr1, studentnr2)"
            self._values["studentnr"] = selection.studentnr
        self._early = self._silent = ""
        if selection.before is not None:
            self._early, self._silent = " AND at < :before", f" AND {_SILENT}"
            self._values["before"] = int(selection.before.timestamp() * 1e6)

    def _name_conditions(self) -> Iterator[str]:
        if self._selection.classname is not None:
            names = self._class_names(self._selection.classname)
            self._values |= names
            yield f"classname IN ({', '.join(f':{name}' for name in names)})" if names else "1 = 0"
        if self._selection.teamname is not None:
            self._values["teamname"] = self._selection.teamname
            yield "teamname = :teamname"

    def _class_names(self, classname: str) -> dict[str, str]:
        """Return the recorded spellings of a class, which differ in letter case only."""
        query = "SELECT DISTINCT classname FROM team UNION SELECT DISTINCT classname FROM visit"
        found = spellings(classname, (name for (name,) in self._eraser.query(query, {})))
        return {f"class_{number}": name for number, name in enumerate(found)}

    def erase(self) -> Forgotten:
        """Remove the teams and their visits; with only a date, all visits before it."""
        gone = self._teams(only_silent=True)
        visits = self._erase_visits()
        self._eraser.erase("team", f"{self._names}{self._number}{self._silent}", self._values)
        teams = [ForgottenTeam(key, team, not _is_used(self._eraser, key)) for key, team in gone]
        if self._selection.is_by_date_alone:  # nothing to search for: later visits stay
            self._eraser.erase("surplus", "minute < :before", self._values)
            return Forgotten(teams, visits, frozenset(), [])
        return Forgotten(teams, visits, *_no_longer_used(self._eraser, _numbers(self._selection, teams)))

    def search(self, found: _Found) -> _Found:
        """Continue the search through the visits that remain, a batch at a time."""
        query = f"""SELECT id, received, answered, findings, pair FROM visit
            WHERE id > :after{self._early} ORDER BY id LIMIT :limit"""
        values = {**self._values, "after": found.searched, "limit": VISIT_BATCH}
        traces, ids, searched = Traces(found.numbers), list(found.ids), found.searched
        while traces and (block := self._eraser.query(query, values)):
            ids += [id for id, *data, facts, pair in block if traces.are_in(*data, facts.encode(), pair.encode())]
            values["after"] = searched = block[-1][0]
        return _Found(found.numbers, tuple(ids), searched)

    def _teams(self, only_silent: bool) -> list[tuple[TeamKey, Team]]:
        """Return the teams in order: all, or those without a visit since the date."""
        silent = self._silent if only_silent else ""
        query = f"""SELECT classname, teamname, pair, studentnr1, studentnr2 FROM team
            WHERE {self._names}{self._number}{silent} ORDER BY classname, teamname, pair"""
        return [
            (TeamKey(classname, teamname, pair), Team(classname, teamname, *numbers))
            for classname, teamname, pair, *numbers in self._eraser.query(query, self._values)
        ]

    def _erase_visits(self) -> int:
        """Remove the visits of the teams. Call it before the teams are removed. Return how many."""
        if self._selection.studentnr is None:
            return self.erase_visits(f"{self._names}{self._early}", self._values)
        return sum(self._erase_visits_of(key) for key, _ in self._teams(only_silent=False))

    def _erase_visits_of(self, key: TeamKey) -> int:
        """Remove the visits of one team. A refused visit with other numbers stays if other teams have the same name."""
        values = {**self._values, **key._asdict()}
        others = f"SELECT 1 FROM team WHERE {_OF_NAME} AND :studentnr NOT IN (studentnr1, studentnr2)"
        of_team = f"{_OF_NAME} AND pair = :pair AND pair != ''" if self._eraser.query(others, values) else _OF_NAME
        return self.erase_visits(f"{of_team}{self._early}", values)

    def erase_visits(self, chosen: str, values: Values) -> int:
        """Remove the visits for which a condition holds, and list the first ones. Return how many."""
        query = f"""SELECT at, address, port, classname, teamname, outcome, substr(received, 1, {LISTED_BYTES})
            FROM visit WHERE {chosen} ORDER BY classname, teamname, at LIMIT {MAX_LISTED}"""
        if len(self.listed) < MAX_LISTED or self.listed[-1].has_team:
            found = [ForgottenVisit(*row) for row in self._eraser.query(query, values)]
            self.listed = sorted([*self.listed, *found], key=_by_team_and_time)[:MAX_LISTED]
        return self._eraser.erase("visit", chosen, values)


def _by_team_and_time(visit: ForgottenVisit) -> tuple[str, str, int]:
    return visit.classname, visit.teamname, visit.started_us


def _empty_ips(eraser: Eraser, traces: Traces) -> int:
    """Empty the ip of each team that has a student number in it. Return how many."""
    ips = [ip for (ip,) in eraser.query("SELECT DISTINCT ip FROM team", {})] if traces else []
    found = [ip for ip in ips if traces.are_in(ip.encode())]
    return sum(eraser.update("team", "ip = ''", "ip = :ip", {"ip": ip}) for ip in found)


def _no_longer_used(eraser: Eraser, numbers: set[str]) -> tuple[frozenset[str], list[TeamKey]]:
    """Return the numbers that no remaining team has, and the teams that have one of the others."""
    used, sharing = set[str](), list[TeamKey]()
    ordered = sorted(numbers)
    for start in range(0, len(ordered), NUMBER_BATCH):
        block = {f"number_{i}": number for i, number in enumerate(ordered[start : start + NUMBER_BATCH])}
        names = ", ".join(f":{name}" for name in block)
        query = f"""SELECT classname, teamname, pair, studentnr1, studentnr2 FROM team
            WHERE studentnr1 IN ({names}) OR studentnr2 IN ({names}) ORDER BY classname, teamname, pair"""
        for classname, teamname, pair, *theirs in eraser.query(query, block):
            sharing.append(TeamKey(classname, teamname, pair))
            used.update(theirs)
    return frozenset(numbers - used), list(dict.fromkeys(sharing))


def _is_used(eraser: Eraser, key: TeamKey) -> bool:
    """Return whether a team of this class and name exists."""
    return bool(eraser.query(f"SELECT 1 FROM team WHERE {_OF_NAME} LIMIT 1", key._asdict()))
