"""Forgetting for good: which records are meant, and what is removed with them. Portable SQL, one transaction.

A team is removed with its visits. Its student numbers are then searched in all refused visits: a message that could
not be read belongs to no team, and one with a wrong name to another. What the board keeps is in a file of its own,
see board/forget.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from tandem.protocol.message import NO_TEAMMATE
from tandem.records.queries import TeamKey
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_eraser import Eraser, open_eraser
from tandem.records.traces import Traces
from tandem.records.visits import Team

VISITS_AT_ONCE = 100  # each may hold 8 KiB
NUMBERS_AT_ONCE = 100

_OF_NAME = "classname = :classname AND teamname = :teamname"
_SILENT = """first_seen < :before AND NOT EXISTS (SELECT 1 FROM visit WHERE visit.classname = team.classname
    AND visit.teamname = team.teamname AND visit.pair IN (team.pair, '') AND visit.at >= :before)"""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be forgotten: all conditions that are given must hold. Give at least one, and no empty text."""

    classname: str | None = None  # in any letter case
    teamname: str | None = None
    studentnr: str | None = None  # of either student
    before: datetime | None = None  # of a team nothing came since then; a visit began before

    @property
    def has_names(self) -> bool:
        return self.classname is not None or self.teamname is not None

    @property
    def is_by_date_alone(self) -> bool:
        return not self.has_names and self.studentnr is None

    def means(self, team: Team) -> bool:
        """Whether a team has this class, name and number, as far as they are given. Leaves the date out."""
        return (
            (self.classname is None or self.classname.casefold() == team.classname.casefold())
            and self.teamname in (None, team.teamname)
            and self.studentnr in (None, team.studentnr1, team.studentnr2)
        )


@dataclass(frozen=True, slots=True)
class ForgottenTeam:
    """A row that is removed."""

    key: TeamKey
    team: Team
    was_last: bool  # no team of this class and name stays


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is removed, and which teams share something with it and stay."""

    teams: Sequence[ForgottenTeam]
    visits: int
    numbers: frozenset[str]  # student numbers that no team has any more
    sharing: Sequence[TeamKey]  # teams that stay, and have a student number of one that goes


class Forgetting:
    """What was removed in a transaction that is still open."""

    def __init__(self, eraser: Eraser, forgotten: Forgotten) -> None:
        self._eraser = eraser
        self.forgotten = forgotten

    def commit(self) -> None:
        """Make it final. Without this call nothing has been removed."""
        self._eraser.finish()


@contextmanager
def forgetting(where: DatabaseLocation, selection: Selection) -> Iterator[Forgetting]:
    """Remove what is meant, and leave no trace of it if `commit` is called in the block. Raises StoreError."""
    eraser = open_eraser(where)
    try:
        yield Forgetting(eraser, _forget(eraser, selection))
    finally:
        eraser.close()


def _forget(eraser: Eraser, selection: Selection) -> Forgotten:
    """Remove everything in a transaction that stays open.

    The search through the visits may take long. Where writers would have to wait for the transaction, it is made
    beforehand; in the transaction only the visits that came meanwhile are searched.
    """
    found = _Found(frozenset())
    while True:
        eraser.begin()
        meant = _Meant(eraser, selection)
        forgotten = meant.erase()
        if not eraser.holds_up_writers or forgotten.numbers == found.numbers:
            break
        eraser.roll_back()
        found = meant.search(_Found(forgotten.numbers))
    found = meant.search(found if eraser.holds_up_writers else _Found(forgotten.numbers))
    traces = sum(eraser.erase("visit", "id = :id", {"id": id}) for id in found.ids)
    return replace(forgotten, visits=forgotten.visits + traces)


@dataclass(frozen=True, slots=True)
class _Found:
    """The refused visits in which a student number was found, as far as they were searched."""

    numbers: frozenset[str]
    ids: tuple[int, ...] = ()
    searched: int = -1  # the last id that was looked at


def _numbers(selection: Selection, teams: Sequence[ForgottenTeam]) -> set[str]:
    """The student numbers of the teams that go; the one that was asked for, even if it is in no team."""
    numbers = {number for forgotten in teams for number in (forgotten.team.studentnr1, forgotten.team.studentnr2)}
    if selection.studentnr is not None and (teams or not selection.has_names):
        numbers.add(selection.studentnr)
    return numbers.difference(NO_TEAMMATE)


class _Meant:
    """The rows that a selection means, as conditions in SQL."""

    def __init__(self, eraser: Eraser, selection: Selection) -> None:
        self._eraser = eraser
        self._selection = selection
        self._values: dict[str, str | int] = {}
        self._names = " AND ".join(self._name_conditions()) or "1 = 1"  # true of teams and of visits
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
            spellings = self._spellings(self._selection.classname)
            self._values |= spellings
            yield f"classname IN ({', '.join(f':{name}' for name in spellings)})" if spellings else "1 = 0"
        if self._selection.teamname is not None:
            self._values["teamname"] = self._selection.teamname
            yield "teamname = :teamname"

    def _spellings(self, classname: str) -> dict[str, str]:
        """The class as it is on record, in whatever letter case."""
        query = "SELECT DISTINCT classname FROM team UNION SELECT DISTINCT classname FROM visit"
        found = [name for (name,) in self._eraser.ask(query, {}) if name.casefold() == classname.casefold()]
        return {f"class_{number}": name for number, name in enumerate(found)}

    def erase(self) -> Forgotten:
        """Remove the teams and their visits; where only the date was given, all visits before it."""
        gone = self._teams(only_silent=True)
        visits = self._erase_visits()
        self._eraser.erase("team", f"{self._names}{self._number}{self._silent}", self._values)
        teams = [ForgottenTeam(key, team, not _is_used(self._eraser, key)) for key, team in gone]
        if self._selection.is_by_date_alone:  # there is nothing left to search: what came since that day stays
            self._eraser.erase("surplus", "minute < :before", self._values)
            return Forgotten(teams, visits, frozenset(), [])
        return Forgotten(teams, visits, *_no_longer_used(self._eraser, _numbers(self._selection, teams)))

    def search(self, found: _Found) -> _Found:
        """Go on with the search in the refused visits, a block at a time."""
        query = f"""SELECT id, received, answered, findings FROM visit
            WHERE pair = '' AND id > :after{self._early} ORDER BY id LIMIT :limit"""
        values = {**self._values, "after": found.searched, "limit": VISITS_AT_ONCE}
        traces, ids, searched = Traces(found.numbers), list(found.ids), found.searched
        while traces and (block := self._eraser.ask(query, values)):
            ids += [id for id, received, answered, facts in block if traces.are_in(received, answered, facts.encode())]
            values["after"] = searched = block[-1][0]
        return _Found(found.numbers, tuple(ids), searched)

    def _teams(self, only_silent: bool) -> list[tuple[TeamKey, Team]]:
        """The teams in their order; those of which nothing came since the date, or all."""
        silent = self._silent if only_silent else ""
        query = f"""SELECT classname, teamname, pair, studentnr1, studentnr2 FROM team
            WHERE {self._names}{self._number}{silent} ORDER BY classname, teamname, pair"""
        return [
            (TeamKey(classname, teamname, pair), Team(classname, teamname, *numbers))
            for classname, teamname, pair, *numbers in self._eraser.ask(query, self._values)
        ]

    def _erase_visits(self) -> int:
        """Remove the visits of the teams, before the teams. Return how many."""
        if self._selection.studentnr is None:
            return self._eraser.erase("visit", f"{self._names}{self._early}", self._values)
        return sum(self._erase_visits_of(key) for key, _ in self._teams(only_silent=False))

    def _erase_visits_of(self, key: TeamKey) -> int:
        """A refused visit has a name and no numbers: it stays for the other teams of the name, if there are any."""
        values = {**self._values, **key._asdict()}
        others = f"SELECT 1 FROM team WHERE {_OF_NAME} AND :studentnr NOT IN (studentnr1, studentnr2)"
        of_team = f"{_OF_NAME} AND pair = :pair AND pair != ''" if self._eraser.ask(others, values) else _OF_NAME
        return self._eraser.erase("visit", f"{of_team}{self._early}", values)


def _no_longer_used(eraser: Eraser, numbers: set[str]) -> tuple[frozenset[str], list[TeamKey]]:
    """Those of the numbers that are no team's any more; and the teams that have one of the others."""
    used, sharing = set[str](), list[TeamKey]()
    ordered = sorted(numbers)
    for start in range(0, len(ordered), NUMBERS_AT_ONCE):
        block = {f"number_{i}": number for i, number in enumerate(ordered[start : start + NUMBERS_AT_ONCE])}
        names = ", ".join(f":{name}" for name in block)
        query = f"""SELECT classname, teamname, pair, studentnr1, studentnr2 FROM team
            WHERE studentnr1 IN ({names}) OR studentnr2 IN ({names}) ORDER BY classname, teamname, pair"""
        for classname, teamname, pair, *theirs in eraser.ask(query, block):
            sharing.append(TeamKey(classname, teamname, pair))
            used.update(theirs)
    return frozenset(numbers - used), list(dict.fromkeys(sharing))


def _is_used(eraser: Eraser, key: TeamKey) -> bool:
    """Whether there is a team of this class and name."""
    return bool(eraser.ask(f"SELECT 1 FROM team WHERE {_OF_NAME} LIMIT 1", key._asdict()))
