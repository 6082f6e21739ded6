"""A roster as a teacher uploads it: CSV text in, expected teams out, or what is wrong with it, line by line. Pure.

A header line names the columns, in any order: classname and teamname are needed, studentnr1 and studentnr2 help to
recognise a team that calls itself something else. Other columns are skipped. The separator is what the header uses.
"""

import csv
import io
from collections.abc import Iterator

from tandem.exchange.printable import printable
from tandem.ground.record import Team
from tandem.ground.rules import LONGEST

COLUMNS = {  # ours -> how a header may write it, in small letters
    "classname": ("classname", "class", "klas"),
    "teamname": ("teamname", "team", "name"),
    "studentnr1": ("studentnr1", "student1", "number1"),
    "studentnr2": ("studentnr2", "student2", "number2"),
}
NEEDED = ("classname", "teamname")
SEPARATORS = ",;\t"
MOST_BYTES = 1_000_000
MOST_TEAMS = 5_000
MOST_MISTAKES = 20  # more are not told
EXAMPLE = "classname,teamname,studentnr1,studentnr2\r\nINF2A,Team1,0923456,0934567\r\n"


class RosterTrouble(Exception):
    """It is no roster; `mistakes` says why, a line of text each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def parse_roster(data: bytes) -> list[Team]:
    """The teams in the order of the file. Raises RosterTrouble; nothing of a file with a mistake counts."""
    lines = _lines(data)
    header = next(lines, None)
    if header is None:
        raise RosterTrouble("the file is empty: its first line must name the columns, as classname,teamname")
    places = _places(header[1])
    teams: dict[tuple[str, str], int] = {}
    found, mistakes = [], []
    for number, cells in lines:
        if not any(cells):
            continue
        team = Team(**{name: cells[place] if place < len(cells) else "" for name, place in places.items()})
        mistake = _mistake(team) or _twice(team, teams)
        if mistake:
            mistakes.append(f"line {number}: {mistake}")
        teams.setdefault((team.classname, team.teamname), number)
        found.append(team)
    if len(found) > MOST_TEAMS:
        mistakes.insert(0, f"{len(found):,} teams are more than the {MOST_TEAMS:,} that one roster can have")
    if not found and not mistakes:
        mistakes.append("there is no team below the header line")
    if mistakes:
        raise RosterTrouble(*mistakes[:MOST_MISTAKES])
    return found


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of every line, without blanks around them."""
    if len(data) > MOST_BYTES:
        raise RosterTrouble(f"the file has more than {MOST_BYTES:,} bytes: upload one class at a time")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterTrouble(f"line {line}: not UTF-8: save the table as CSV UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise RosterTrouble(f"line {reader.line_num}: not CSV: {error}") from None


def _places(header: list[str]) -> dict[str, int]:
    """Which column each of our names stands in; -1 past the end for one that is not there."""
    names = [cell.lower() for cell in header]
    places = {}
    for ours, spellings in COLUMNS.items():
        found = [place for place, name in enumerate(names) if name in spellings]
        if len(found) > 1:
            raise RosterTrouble(f"line 1: the column {ours} is there {len(found)} times")
        if found:
            places[ours] = found[0]
        elif ours in NEEDED:
            shown = ", ".join(printable(cell[:30]) for cell in header[:8])
            raise RosterTrouble(f"line 1: there is no column {ours}: the header has {shown or 'nothing'}")
        else:
            places[ours] = len(header)
    return places


def _mistake(team: Team) -> str:
    """What is wrong with a line's values; "" if nothing."""
    for name in COLUMNS:
        value = getattr(team, name)
        if name in NEEDED and not value:
            return f"{name} is empty"
        if len(value.encode()) > LONGEST[name]:
            return f"{name} has {len(value.encode())} bytes, more than {LONGEST[name]}"
        if not value.isprintable():
            return f"{name} holds a control character: {printable(value)[:60]}"
    return ""


def _twice(team: Team, before: dict[tuple[str, str], int]) -> str:
    line = before.get((team.classname, team.teamname))
    return f"the team of line {line} again" if line else ""
