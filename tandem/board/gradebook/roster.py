"""Parses a roster, the CSV file of a teacher: returns the expected teams, or the mistakes of each line. Pure.

The first line names the columns, in any order. classname and teamname are required; by studentnr1 and studentnr2 a team
is recognised that uses another name. Other columns are ignored. The separator is the one in the first line. A student
number consists of digits, or its cell is empty; one of an unusual length is accepted with a remark.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from tandem.board.gradebook.class_names import folded
from tandem.diagnosis.rules import MAX_LENGTHS, USUAL_DIGITS
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import printable
from tandem.records.visits import Team

COLUMNS = {  # column -> its names in the first line, in lower case
    "classname": ("classname", "class", "klas"),
    "teamname": ("teamname", "team", "name"),
    "studentnr1": ("studentnr1", "student1", "number1"),
    "studentnr2": ("studentnr2", "student2", "number2"),
}
REQUIRED_COLUMNS = ("classname", "teamname")
NUMBER_COLUMNS = ("studentnr1", "studentnr2")
SEPARATORS = ",;\t"
MAX_ROSTER_BYTES = 1_000_000
MAX_ROSTER_TEAMS = 5_000
MAX_REPORTED_MISTAKES = 20  # and as many remarks
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
    teams: dict[tuple[str, str], int] = {}
    roster, mistakes = Roster(), []
    for number, cells in lines:
        if not any(cells):
            continue
        team = Team(**{name: cells[place] if place < len(cells) else "" for name, place in indexes.items()})
        mistake = _mistake(team) or _duplicate(team, teams)
        if mistake:
            mistakes.append(f"line {number}: {mistake}")
        teams.setdefault((folded(team.classname), team.teamname), number)
        roster.teams.append(team)
        roster.remarks.extend(f"line {number}: {remark}" for remark in _remarks(team))
    if len(roster.teams) > MAX_ROSTER_TEAMS:
        mistakes.insert(
            0, f"{len(roster.teams):,} teams are more than the {MAX_ROSTER_TEAMS:,} that one roster can have"
        )
    if not roster.teams and not mistakes:
        mistakes.append("there is no team below the header line")
    if mistakes:
        raise RosterError(*mistakes[:MAX_REPORTED_MISTAKES])
    del roster.remarks[MAX_REPORTED_MISTAKES:]
    return roster


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every line, without white space around the cells."""
    if len(data) > MAX_ROSTER_BYTES:
        raise RosterError(f"the file has more than {MAX_ROSTER_BYTES:,} bytes: upload one class at a time")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterError(f"line {line}: not UTF-8: save the table as CSV UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise RosterError(f"line {reader.line_num}: not CSV: {error}") from None


def _column_indexes(header: list[str]) -> dict[str, int]:
    """Return the index of each column; past the end of the line for a column that is missing."""
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
            indexes[column] = len(header)
    return indexes


def _mistake(team: Team) -> str:
    """Return what is wrong with the values of a line; "" if nothing is."""
    for name in COLUMNS:
        value = getattr(team, name)
        if name in REQUIRED_COLUMNS and not value:
            return f"{name} is empty"
        if len(value.encode()) > MAX_LENGTHS[name]:
            return f"{name} has {len(value.encode())} bytes, more than {MAX_LENGTHS[name]}"
        if not value.isprintable():
            return f"{name} contains a control character: {printable(value)[:60]}"
        if name in NUMBER_COLUMNS and value and not (value.isascii() and value.isdigit()):
            return f"{name} is {value}: write digits, usually {USUAL_DIGITS}; leave the cell empty if there is none"
    return ""


def _remarks(team: Team) -> Iterator[str]:
    for name in NUMBER_COLUMNS:
        value = getattr(team, name)
        if value and len(value) != USUAL_DIGITS:
            hint = f"{len(value)} digits, {USUAL_DIGITS} are usual: a spreadsheet program removes zeros at the front"
            yield f"{name} is {value}: {hint}"


def _duplicate(team: Team, before: dict[tuple[str, str], int]) -> str:
    line = before.get((folded(team.classname), team.teamname))
    return f"the same team as in line {line}" if line else ""
