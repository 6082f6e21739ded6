"""Finds the team on record that a roster line or a note means, by one rule for both. Pure, except for its reads.

A team may send other numbers than the roster has, or spell its name in another way. The best match counts: see
MatchKind. The letter case of the class does not matter, nor do zeros at the front of a student number: spreadsheet
programs remove them.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum

from tandem.protocol.message import NO_TEAMMATE
from tandem.records.class_spellings import folded
from tandem.records.queries import Records, TeamKey, TeamRow
from tandem.records.visits import Team

MAX_COMPARED_TEAMS = 5_000  # of a class; further teams are only found by the name as written


class MatchKind(IntEnum):
    """The kinds of match between two teams, the surest first."""

    KEY = 0  # name and numbers
    NUMBERS = 1
    NAME = 2
    LETTERS = 3  # Team 1, team1 and TEAM-1, in any Unicode form
    CLAIM = 4  # numbers that only a refused message had, which everybody can send


@dataclass(frozen=True, slots=True)
class NoteAssignment:
    """The note of each team."""

    sources: Mapping[TeamKey, TeamKey]  # team -> key of its note
    unassigned: Sequence[TeamKey]  # keys of the notes that belong to no team


class TeamMatcher:
    """A set of teams in which the best match of a key can be found."""

    def __init__(self, keys: Iterable[TeamKey]) -> None:
        self._found: dict[tuple[MatchKind, str, str], dict[TeamKey, None]] = {}  # keys in their order
        for key in keys:
            for fit, sign in _signs(key):
                self._add(fit, key, sign)

    @classmethod
    def on_record(cls, rows: Iterable[TeamRow]) -> "TeamMatcher":
        """Return a matcher for teams on record, which also matches numbers that only refused messages had."""
        matcher = cls(())
        for row in rows:
            for fit, sign in _signs(row.key):
                matcher._add(fit, row.key, sign)
            if is_numbered(row.team):
                matcher._add(MatchKind.CLAIM, row.key, _numbers_sign(row.team.pair))
        return matcher

    def find(self, key: TeamKey) -> tuple[MatchKind, list[TeamKey]] | None:
        """Return the teams that match a key best, and how they match; None if there is no match."""
        claim = [(MatchKind.CLAIM, _numbers_sign(key.pair))] if key.pair else []
        for fit, sign in [*_signs(key), *claim]:
            if keys := self._found.get((fit, folded(key.classname), sign)):
                return fit, list(keys)
        return None

    def _add(self, fit: MatchKind, key: TeamKey, sign: str) -> None:
        self._found.setdefault((fit, folded(key.classname), sign), {})[key] = None


def missing_teams(expected: Iterable[Team], rows: Iterable[TeamRow]) -> list[Team]:
    """Return the expected teams that match no team on record.

    Of several groups of one name, a team on record that has the numbers of one of them is none of the others.
    """
    matcher = TeamMatcher.on_record(rows)
    matches = [(team, matcher.find(expected_key(team))) for team in expected]
    recognised = {key for _, match in matches if match and match[0] <= MatchKind.NUMBERS for key in match[1]}
    return [team for team, match in matches if match is None or _is_of_others(team, match, recognised)]


def _is_of_others(team: Team, match: tuple[MatchKind, list[TeamKey]], recognised: Set[TeamKey]) -> bool:
    """Return whether a group matches only the names of teams that were recognised by the numbers of other groups."""
    kind, keys = match
    return kind > MatchKind.NUMBERS and is_numbered(team) and recognised >= set(keys)


def renamed_teams(expected: Iterable[Team], rows: Sequence[TeamRow]) -> dict[TeamKey, Team]:
    """Return the line of the roster of each team on record that came under another name than the roster's."""
    matcher = TeamMatcher.on_record(rows)
    lines: dict[TeamKey, tuple[MatchKind, Team]] = {}
    for team in expected:
        match = matcher.find(expected_key(team))
        for key in match[1] if match else ():
            if match and (key not in lines or match[0] < lines[key][0]):
                lines[key] = match[0], team
    return {key: team for key, (_, team) in lines.items() if team.teamname != key.teamname}


def expected_key(team: Team) -> TeamKey:
    """Return the key for the note of a team that is on a roster and not on record."""
    return TeamKey(team.classname, team.teamname, team.pair if is_numbered(team) else "")


def is_numbered(team: Team) -> bool:
    """Return whether a student number of the team is known."""
    return bool(team.studentnr1 or team.studentnr2)


def differing_numbers(roster: TeamMatcher, row: TeamRow) -> list[str]:
    """Return the student numbers on the roster, if the team has not sent all of them; else [].

    An empty cell of the roster matches every number.
    """
    match, sent = roster.find(row.key), _students(row.team.pair)
    expected = [_students(key.pair) for key in match[1]] if match else []
    if not sent or any(students.keys() <= sent.keys() for students in expected):
        return []
    return sorted({number for students in expected for number in students.values()})


def assign_notes(notes: Iterable[TeamKey], rows: Sequence[TeamRow], expected: Iterable[Team]) -> NoteAssignment:
    """Assign each note to the team that it matches best. Of two notes for one team the surer match is assigned."""
    on_record, missing = TeamMatcher.on_record(rows), TeamMatcher(map(expected_key, missing_teams(expected, rows)))
    found = [(note, on_record.find(note) or missing.find(note)) for note in notes]
    sources: dict[TeamKey, TeamKey] = {}
    for note, match in sorted(found, key=lambda each: each[1][0] if each[1] else len(MatchKind)):
        for team in match[1] if match else ():
            sources.setdefault(team, note)
    assigned = set(sources.values())
    return NoteAssignment(sources, [note for note, _ in found if note not in assigned])


def class_rows(records: Records, spellings: Iterable[str], limit: int) -> list[TeamRow]:
    """Read the teams of one class under all spellings of its name, up to a limit.

    Raises:
        StoreError: The records cannot be read.
    """
    rows: list[TeamRow] = []
    for classname in spellings:
        rows += records.teams(classname, limit=limit - len(rows))
    return rows


def candidate_rows(records: Records, spellings: Sequence[str], keys: Iterable[TeamKey]) -> list[TeamRow]:
    """Read the teams on record that these keys may match.

    Of a class with more than MAX_COMPARED_TEAMS teams, those after the first are only found by the name as written.

    Raises:
        StoreError: The records cannot be read.
    """
    rows = class_rows(records, spellings, MAX_COMPARED_TEAMS + 1)
    if len(rows) <= MAX_COMPARED_TEAMS:
        return rows
    matcher = TeamMatcher.on_record(rows)
    names = {key.teamname for key in keys if (match := matcher.find(key)) is None or match[0] is not MatchKind.KEY}
    named = (row for name in sorted(names) for each in spellings for row in records.teams_named(name, each))
    return list({row.key: row for row in (*rows, *named)}.values())


def _signs(key: TeamKey) -> Iterator[tuple[MatchKind, str]]:
    yield MatchKind.KEY, f"{key.teamname}\0{key.pair}"
    if key.pair:
        yield MatchKind.NUMBERS, _numbers_sign(key.pair)
    yield MatchKind.NAME, key.teamname
    yield MatchKind.LETTERS, _plain(key.teamname)


def _numbers_sign(pair: str) -> str:
    """Return a text that is the same for the same two numbers, with or without zeros at the front."""
    return "\n".join(sorted(map(_number_sign, pair.split("\n"))))


def _students(pair: str) -> dict[str, str]:
    """Return the numbers of a pair by their sign."""
    return {_number_sign(number): number for number in pair.split("\n") if number not in NO_TEAMMATE}


def _number_sign(number: str) -> str:
    return number.lstrip("0") if number.isascii() and number.isdigit() else number


def _plain(name: str) -> str:
    """Return the same text for Team 1, team1 and TEAM-1, in any Unicode form."""
    return "".join(c for c in unicodedata.normalize("NFC", name.casefold()) if c.isalnum()) or name
