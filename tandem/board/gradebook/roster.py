"""Parses a roster, the CSV file of a teacher: returns the expected teams, or the mistakes of each line. Pure.

The first line names the columns, in any order. classname and teamname are required; by studentnr1 and studentnr2 a team
is recognised that uses another name. Other columns are ignored. The separator is the one in the first line, or in the
line sep=; before it. A file may have a line for each student: lines of one team are joined. What is unusual is accepted
with a remark: a number without 7 digits, names that differ in letter case or Unicode form, two teams of one name.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from tandem.diagnosis.rules import MAX_LENGTHS, USUAL_DIGITS, control_in
from tandem.protocol.errors import TandemError
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable
from tandem.records.class_spellings import folded
from tandem.records.visits import Team

COLUMNS = {  # column -> its names in the first line, in lower case
    "classname": ("classname", "class", "klas"),
    "teamname": ("teamname", "team", "name"),
    "studentnr1": ("studentnr1", "student1", "number1", "studentnr", "student", "number"),
    "studentnr2": ("studentnr2", "student2", "number2"),
}
REQUIRED_COLUMNS = ("classname", "teamname")
NUMBER_COLUMNS = ("studentnr1", "studentnr2")
SEPARATORS = ",;\t"
MAX_ROSTER_BYTES = 1_000_000
MAX_ROSTER_TEAMS = 5_000
MAX_REPORTED_MISTAKES = 20  # and as many remarks
# The first line that Excel writes.
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\w\s]|\t)"?[^\S\n]*(?:\n|$)', re.IGNORECASE)
ROSTER_EXAMPLE = "classname,teamname,studentnr1,studentnr2\r\nINF2A,Team1,0923456,0934567\r\n"


class RosterError(TandemError):
    """The file is not a roster; `mistakes` says why, one line of text for each mistake."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Roster:
    """The teams in the order of the file, and remarks on unusual values, one line of text each."""

    teams: list[Team] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def parse_roster(data: bytes) -> Roster:
    """Return the roster in a CSV file.

    Raises:
        RosterError: The file has a mistake. Then nothing in it may be used.
    """
    lines = _lines(data)
    header = next(lines, None)
    if header is None:
        raise RosterError("the file is empty: its first line must name the columns, as classname,teamname")
    indexes = _column_indexes(header[1])
    teams, mistakes = _Teams(), []
    for number, cells in lines:
        if not any(cells):
            continue
        team = Team(**{name: cells[place] if place < len(cells) else "" for name, place in indexes.items()})
        mistake = _extra_cells(cells, header[1]) or _mistake(team)
        if mistake:
            mistakes.append(f"line {number}: {mistake}")
        else:
            teams.add(number, team)
    if len(teams.found) > MAX_ROSTER_TEAMS:
        mistakes.insert(
            0, f"{len(teams.found):,} teams are more than the {MAX_ROSTER_TEAMS:,} that one roster can have"
        )
    if not teams.found and not mistakes:
        mistakes.append("there is no team below the header line")
    if mistakes:
        raise RosterError(*mistakes[:MAX_REPORTED_MISTAKES])
    return Roster(teams.found, teams.remarks[:MAX_REPORTED_MISTAKES])


class _Teams:
    """Collects the teams of a roster, and remarks on them."""

    def __init__(self) -> None:
        self.found: list[Team] = []
        self.remarks: list[str] = []
        self._named: dict[tuple[str, str], int] = {}  # class and name -> index of the latest team
        self._alike: dict[tuple[str, str], tuple[int, Team]] = {}  # what names look like -> first line and team

    def add(self, number: int, team: Team) -> None:
        """Add the team of a line, or join the line with an earlier one of this team."""
        self.remarks.extend(f"line {number}: {remark}" for remark in _remarks(team))
        classname = folded(team.classname)
        line, first = self._alike.setdefault((classname, _look(team.teamname)), (number, team))
        index = self._named.get((classname, team.teamname))
        joined = None if index is None else _joined(self.found[index], team)
        likeness = _likeness(first, team) if joined is None and line != number else ""
        if index is not None and joined is not None:
            likeness = "" if joined != self.found[index] or team[2:] != joined[2:] else "once more"
            self.found[index] = joined
        else:
            self._named[classname, team.teamname] = len(self.found)
            self.found.append(team)
        if likeness:
            self.remarks.append(f"line {number}: the same team as in line {line}, {likeness}")


def _joined(known: Team, line: Team) -> Team | None:
    """Return the team with the students of both lines; None if they are more than two, so that it is another team."""
    students = list(dict.fromkeys(number for number in (*known[2:], *line[2:]) if number not in NO_TEAMMATE))
    if len(students) > 2:
        return None
    if set(students) <= set(known[2:]):
        return known
    return Team(known.classname, known.teamname, *(*students, "")[:2])


def _look(teamname: str) -> str:
    """Return a text that is the same for names that look alike: in any letter case and Unicode form."""
    composed = unicodedata.normalize("NFC", teamname)
    return " ".join(unicodedata.normalize("NFC", composed.casefold()).split())


def _likeness(known: Team, team: Team) -> str:
    """Return how a team differs from another one whose name looks alike."""
    if known.teamname == team.teamname:
        return "with other students"
    forms = (unicodedata.normalize("NFC", each.teamname) for each in (known, team))
    return "in another Unicode form" if len(set(forms)) == 1 else "in other letters"


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line, without white space around the cells."""
    if len(data) > MAX_ROSTER_BYTES:
        raise RosterError(f"the file has more than {MAX_ROSTER_BYTES:,} bytes: upload one class at a time")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterError(f"line {line}: not UTF-8: save the table as CSV UTF-8") from None
    named = _SEPARATOR_LINE.match(text)
    text = text[named.end() :] if named else text
    separator = named[1] if named else max(SEPARATORS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num + bool(named), [cell.strip() for cell in cells]
    except csv.Error as error:
        raise RosterError(f"line {reader.line_num + bool(named)}: not CSV: {error}") from None


def _column_indexes(header: list[str]) -> dict[str, int]:
    """Return the index of each column; past the end of every line for a column that is missing."""
    names = [cell.lower() for cell in header]
    indexes = {}
    for column, spellings in COLUMNS.items():
        found = [index for index, name in enumerate(names) if name in spellings]
        if len(found) > 1:
            raise RosterError(f"line 1: there are {len(found)} columns {column}")
        if found:
            indexes[column] = found[0]
        elif column in REQUIRED_COLUMNS:
            shown = ", ".join(printable(cell[:30]) for cell in header[:8])
            raise RosterError(f"line 1: there is no column {column}: the header has {shown or 'nothing'}")
        else:
            indexes[column] = MAX_ROSTER_BYTES
    return indexes


def _extra_cells(cells: list[str], header: list[str]) -> str:
    """Return what is wrong with a line that has more cells than the header, empty ones at its end aside; else ""."""
    filled = max(index for index, cell in enumerate(cells, 1) if cell)
    if filled <= len(header):
        return ""
    return f"{filled} cells, and the header line has {len(header)}: name every column there, as studentnr1, studentnr2"


def _mistake(team: Team) -> str:
    """Return what is wrong with the values of a line; "" if nothing is."""
    for name in COLUMNS:
        value = getattr(team, name)
        if name in REQUIRED_COLUMNS and not value:
            return f"{name} is empty"
        if len(value.encode()) > MAX_LENGTHS[name]:
            return f"{name} has {len(value.encode())} bytes, more than {MAX_LENGTHS[name]}"
        if control_in(value):
            return f"{name} contains a control character: {printable(value)[:60]}"
    return ""


def _remarks(team: Team) -> Iterator[str]:
    for name in NUMBER_COLUMNS:
        value = getattr(team, name)
        if not value or (len(value) == USUAL_DIGITS and value.isascii() and value.isdigit()):
            continue
        hint = f"{USUAL_DIGITS} digits are usual"
        if value.isascii() and value.isdigit() and len(value) < USUAL_DIGITS:
            hint = f"{len(value)} digits, {USUAL_DIGITS} are usual: a spreadsheet program removes zeros at the front"
        yield f"{name} is {printable(value)}: {hint}"
