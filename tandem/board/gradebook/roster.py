"""A roster as a teacher uploads it: CSV text in, expected teams out, or what is wrong with it, line by line. Pure.

A header line names the columns, in any order: classname and teamname are needed, studentnr1 and studentnr2 help to
recognise a team that calls itself something else. Other columns are skipped. The separator is what the header uses.
A student number is digits, or the cell is empty; one of an unusual length is kept, and remarked on.
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

COLUMNS = {  # ours -> how a header may write it, in small letters
    "classname": ("classname", "class", "klas"),
    "teamname": ("teamname", "team", "name"),
    "studentnr1": ("studentnr1", "student1", "number1"),
    "studentnr2": ("studentnr2", "student2", "number2"),
}
NEEDED = ("classname", "teamname")
NUMBERS = ("studentnr1", "studentnr2")
SEPARATORS = ",;\t"
MAX_BYTES = 1_000_000
MAX_TEAMS = 5_000
MAX_TOLD = 20  # mistakes, or remarks; more are not told
EXAMPLE = "classname,teamname,studentnr1,studentnr2\r\nINF2A,Team1,0923456,0934567\r\n"


class RosterError(TandemError):
    """It is no roster; `mistakes` says why, a line of text each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Roster:
    """The teams in the order of the file, and what is odd about them, a line of text each."""

    teams: list[Team] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def parse_roster(data: bytes) -> Roster:
    """Raises RosterError; nothing of a file with a mistake counts."""
    lines = _lines(data)
    header = next(lines, None)
    if header is None:
        raise RosterError("the file is empty: its first line must name the columns, as classname,teamname")
    places = _places(header[1])
    teams: dict[tuple[str, str], int] = {}
    roster, mistakes = Roster(), []
    for number, cells in lines:
        if not any(cells):
            continue
        team = Team(**{name: cells[place] if place < len(cells) else "" for name, place in places.items()})
        mistake = _mistake(team) or _twice(team, teams)
        if mistake:
            mistakes.append(f"line {number}: {mistake}")
        teams.setdefault((folded(team.classname), team.teamname), number)
        roster.teams.append(team)
        roster.remarks.extend(f"line {number}: {remark}" for remark in _remarks(team))
    if len(roster.teams) > MAX_TEAMS:
        mistakes.insert(0, f"{len(roster.teams):,} teams are more than the {MAX_TEAMS:,} that one roster can have")
    if not roster.teams and not mistakes:
        mistakes.append("there is no team below the header line")
    if mistakes:
        raise RosterError(*mistakes[:MAX_TOLD])
    del roster.remarks[MAX_TOLD:]
    return roster


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of every line, without blanks around them."""
    if len(data) > MAX_BYTES:
        raise RosterError(f"the file has more than {MAX_BYTES:,} bytes: upload one class at a time")
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


def _places(header: list[str]) -> dict[str, int]:
    """Which column each of our names stands in; -1 past the end for one that is not there."""
    names = [cell.lower() for cell in header]
    places = {}
    for ours, spellings in COLUMNS.items():
        found = [place for place, name in enumerate(names) if name in spellings]
        if len(found) > 1:
            raise RosterError(f"line 1: the column {ours} is there {len(found)} times")
        if found:
            places[ours] = found[0]
        elif ours in NEEDED:
            shown = ", ".join(printable(cell[:30]) for cell in header[:8])
            raise RosterError(f"line 1: there is no column {ours}: the header has {shown or 'nothing'}")
        else:
            places[ours] = len(header)
    return places


def _mistake(team: Team) -> str:
    """What is wrong with a line's values; "" if nothing."""
    for name in COLUMNS:
        value = getattr(team, name)
        if name in NEEDED and not value:
            return f"{name} is empty"
        if len(value.encode()) > MAX_LENGTHS[name]:
            return f"{name} has {len(value.encode())} bytes, more than {MAX_LENGTHS[name]}"
        if not value.isprintable():
            return f"{name} holds a control character: {printable(value)[:60]}"
        if name in NUMBERS and value and not (value.isascii() and value.isdigit()):
            return f"{name} is {value}: digits are wanted, {USUAL_DIGITS} as a rule; leave it empty if there is none"
    return ""


def _remarks(team: Team) -> Iterator[str]:
    for name in NUMBERS:
        value = getattr(team, name)
        if value and len(value) != USUAL_DIGITS:
            words = f"{len(value)} digits, {USUAL_DIGITS} are usual: a spreadsheet takes zeros away at the front"
            yield f"{name} is {value}: {words}"


def _twice(team: Team, before: dict[tuple[str, str], int]) -> str:
    line = before.get((folded(team.classname), team.teamname))
    return f"the team of line {line} again" if line else ""
