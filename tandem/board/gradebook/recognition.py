"""Which team on record is meant: by a roster, by a note. One rule for both.

A team may come with other numbers than were expected, or write its name in other letters. What fits best counts: the
same name and numbers, the numbers, the name, the name written otherwise, and last numbers that only a refused
message had: anybody can send those. In which letter case the class is written does not count.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from tandem.board.gradebook.class_names import folded
from tandem.protocol.message import NO_TEAMMATE
from tandem.records.queries import Records, TeamKey, TeamRow
from tandem.records.visits import Team

MAX_COMPARED = 5_000  # teams of a class that are compared in every way; those behind only by their names as written


class Fit(IntEnum):
    """How sure it is that it is the same team, the surest first."""

    KEY = 0
    NUMBERS = 1
    NAME = 2
    LETTERS = 3  # Team 1, team1 and TEAM-1
    CLAIM = 4  # numbers that only a refused message had


@dataclass(frozen=True, slots=True)
class Filed:
    """Which note belongs to which team, by their keys; `left` are the notes that belong to nobody."""

    sources: Mapping[TeamKey, TeamKey]  # the team -> what its note is filed under
    left: Sequence[TeamKey]


class Known:
    """Teams that can be recognised: those on record, or those on a roster."""

    def __init__(self, keys: Iterable[TeamKey]) -> None:
        self._found: dict[tuple[Fit, str, str], dict[TeamKey, None]] = {}  # keys in their order
        for key in keys:
            for fit, sign in _signs(key):
                self._add(fit, key, sign)

    @classmethod
    def on_record(cls, rows: Iterable[TeamRow]) -> "Known":
        """These teams, also by numbers that are not known for certain."""
        known = cls(())
        for row in rows:
            for fit, sign in _signs(row.key):
                known._add(fit, row.key, sign)
            if is_numbered(row.team):
                known._add(Fit.CLAIM, row.key, row.team.pair)
        return known

    def find(self, key: TeamKey) -> tuple[Fit, list[TeamKey]] | None:
        """Those that fit a key best, and how well; None: nobody does."""
        claim = [(Fit.CLAIM, key.pair)] if key.pair else []
        for fit, sign in [*_signs(key), *claim]:
            if keys := self._found.get((fit, folded(key.classname), sign)):
                return fit, list(keys)
        return None

    def _add(self, fit: Fit, key: TeamKey, sign: str) -> None:
        self._found.setdefault((fit, folded(key.classname), sign), {})[key] = None


def missing(expected: Iterable[Team], rows: Iterable[TeamRow]) -> list[Team]:
    """Those of whom nothing has come: neither under their name, however it is written, nor under their numbers."""
    known = Known.on_record(rows)
    return [team for team in expected if known.find(expected_key(team)) is None]


def expected_key(team: Team) -> TeamKey:
    """What the note of a team that only a roster knows is filed under."""
    return TeamKey(team.classname, team.teamname, team.pair if is_numbered(team) else "")


def is_numbered(team: Team) -> bool:
    return bool(team.studentnr1 or team.studentnr2)


def other_numbers(listed: Known, row: TeamRow) -> list[str]:
    """The numbers that the roster has for a team, if the team came without one of them; an empty cell says nothing."""
    match, came = listed.find(row.key), _students(row.team.pair)
    expected = [_students(key.pair) for key in match[1]] if match else []
    if not came or any(students <= came for students in expected):
        return []
    return sorted(set().union(*expected))


def file_notes(notes: Iterable[TeamKey], rows: Sequence[TeamRow], expected: Iterable[Team]) -> Filed:
    """Gives every note to whom it fits best. Where two fit one team the surer is shown, and the other is left."""
    known, waiting = Known.on_record(rows), Known(map(expected_key, missing(expected, rows)))
    found = [(note, known.find(note) or waiting.find(note)) for note in notes]
    sources: dict[TeamKey, TeamKey] = {}
    for note, match in sorted(found, key=lambda each: each[1][0] if each[1] else len(Fit)):
        for team in match[1] if match else ():
            sources.setdefault(team, note)
    shown = set(sources.values())
    return Filed(sources, [note for note, _ in found if note not in shown])


def teams_of(records: Records, spellings: Iterable[str], limit: int) -> list[TeamRow]:
    """The teams of one class, however they wrote its name; no more than a limit."""
    rows: list[TeamRow] = []
    for classname in spellings:
        rows += records.teams(classname, limit=limit - len(rows))
    return rows


def alike(records: Records, spellings: Sequence[str], keys: Iterable[TeamKey]) -> list[TeamRow]:
    """The teams on record that these keys may mean: all of a class, as long as it is not too large."""
    rows = teams_of(records, spellings, MAX_COMPARED + 1)
    if len(rows) <= MAX_COMPARED:
        return rows
    known = Known.on_record(rows)
    names = {key.teamname for key in keys if (match := known.find(key)) is None or match[0] is not Fit.KEY}
    behind = (row for name in sorted(names) for each in spellings for row in records.teams_named(name, each))
    return list({row.key: row for row in (*rows, *behind)}.values())


def _signs(key: TeamKey) -> Iterator[tuple[Fit, str]]:
    yield Fit.KEY, f"{key.teamname}\0{key.pair}"
    if key.pair:
        yield Fit.NUMBERS, key.pair
    yield Fit.NAME, key.teamname
    yield Fit.LETTERS, _plain(key.teamname)


def _students(pair: str) -> set[str]:
    return set(pair.split("\n")) - set(NO_TEAMMATE)


def _plain(name: str) -> str:
    """Team 1, team1 and TEAM-1 are one team."""
    return "".join(c for c in name.casefold() if c.isalnum()) or name
