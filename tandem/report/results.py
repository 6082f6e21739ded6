"""`tandem results`: one row a team, or the visits of some teams or of none; as text, JSON or CSV.

The data came from the network: text shows control characters as escapes, and a CSV cell that a spreadsheet would run as
a formula gets an apostrophe in front. The table of the teams is in results_table.py.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice

from tandem.diagnosis.excerpt import as_encoded, excerpt
from tandem.diagnosis.problem import CATALOGUE, Problem
from tandem.diagnosis.rules import CONTROL
from tandem.protocol.printable import printable, printable_bytes
from tandem.records.queries import TeamRow, VisitRow
from tandem.records.readable_order import team_order
from tandem.records.visits import Team
from tandem.report.names import visible_name
from tandem.report.results_table import state_words

COLUMNS = (
    "classname",
    "teamname",
    "studentnr1",
    "studentnr2",
    "state",
    "stuck",
    "first_seen",
    "finished_at",
    "visits",
    "problems",
)
TEAM_COLUMNS = ("classname", "teamname", "studentnr1", "studentnr2")
VISIT_COLUMNS = (
    *TEAM_COLUMNS,
    *("at", "took_ms", "address", "port", "outcome", "size", "received", "answered", "findings"),
)
NO_TEAM = Team("", "", "", "")
FORMATS = ("table", "json", "csv")
MAX_SORTED = 2_000  # teams

Cell = str | int | float | bool | None | list[str]
Row = dict[str, Cell]


def in_order(teams: Iterator[TeamRow]) -> Iterator[TeamRow]:
    """Return teams sorted by class and name as people read them; more than MAX_SORTED as the records have them."""
    first = list(islice(teams, MAX_SORTED + 1))
    if len(first) <= MAX_SORTED:
        first.sort(key=lambda row: (*team_order(row.team), row.pair))
    return chain(first, teams)


def team_rows(teams: Iterable[TeamRow]) -> Iterator[Row]:
    """Yield the rows of `tandem results`."""
    for row in teams:
        yield {
            "classname": row.team.classname,
            "teamname": row.team.teamname,
            "studentnr1": row.team.studentnr1,
            "studentnr2": row.team.studentnr2,
            "state": row.state,
            "stuck": row.stuck,
            "first_seen": timestamp(row.first_seen_us),
            "finished_at": None if row.finished_us is None else timestamp(row.finished_us),
            "visits": row.visits,
            "problems": list(row.problems),
        }


def visit_rows(team: Team, visits: Iterable[VisitRow]) -> Iterator[Row]:
    """Yield the rows of `tandem results --visits`: bytes received, bytes answered, problems and remarks."""
    for visit in visits:
        yield {
            **team._asdict(),
            "at": timestamp(visit.started_us),
            "took_ms": round(visit.duration_us / 1000, 1),
            "address": visit.address,
            "port": visit.port,
            "outcome": str(visit.outcome),
            "size": visit.size_bytes,
            "received": visit.received.decode(errors="backslashreplace"),
            "answered": visit.reply.decode(errors="backslashreplace"),
            "findings": [f"{finding.id}: {_sentence(finding)}" for finding in visit.findings],
        }


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the rows as a JSON list, one object a line."""
    before = "["
    for row in rows:
        yield f"{before}\n  {json.dumps(row)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def as_csv(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    """Yield the rows as CSV, after a line of column names. Several ids share a cell, separated by spaces.

    It begins with a byte order mark, by which spreadsheet programs recognise UTF-8.
    """
    yield BYTE_ORDER_MARK + csv_line(columns)
    for row in rows:
        yield csv_line(csv_cell(row[column]) for column in columns)


BYTE_ORDER_MARK = "\ufeff"
# First characters of a cell that a spreadsheet may take for a formula. A semicolon may begin another cell.
_FORMULA = re.compile(r"(?:^|(?<=;))(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of CSV. Cells are quoted where needed."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def csv_cell(cell: Cell) -> str:
    """Return a cell as one line of text that no spreadsheet runs as a formula."""
    text = CONTROL.sub(lambda control: printable(control[0]), cell_text(cell))
    return _FORMULA.sub(r"'\1", text)


def cell_text(cell: Cell) -> str:
    """Return a cell as text: the items of a list separated by spaces, true and false as in JSON, "" for null."""
    if isinstance(cell, list):
        return " ".join(cell)
    return str(cell).lower() if isinstance(cell, bool) else "" if cell is None else str(cell)


def team_heading(team: TeamRow) -> str:
    """Return the line above the visits of a team. Its student numbers tell it from others of its name."""
    numbers = ", ".join(visible_name(number) for number in team.team[2:] if number) or "no numbers"
    names = f"{visible_name(team.team.classname)} / {visible_name(team.team.teamname)} ({numbers})"
    return f"{names}: {state_words(team)}, {team.visits} visit{'s' * (team.visits != 1)}\n"


def visits_report(heading: str, visits: Iterable[VisitRow], encoding: str | None = None) -> Iterator[str]:
    """Yield a heading, and visits as text: bytes received, bytes answered, each finding with its help.

    `encoding` is that of the terminal (default: UTF-8).
    """
    yield heading
    for visit in visits:
        yield (
            f"\n{timestamp(visit.started_us)}  {visit.outcome}  from {visit.address} port {visit.port},"
            f" {visit.duration_us / 1000:.1f} ms\n"
        )
        shown = "" if len(visit.received) == visit.size_bytes else f" (the first {len(visit.received)} of them)"
        yield f"  came      {visit.size_bytes} bytes{shown}: {printable_bytes(visit.received)}\n"
        yield f"  answered  {len(visit.reply)} bytes: {printable_bytes(visit.reply)}\n"
        for finding in visit.findings:
            severity = finding.kind.severity if finding.id in CATALOGUE else ""
            yield f"  {severity:8}  {finding.id}: {printable(_sentence(finding))}\n"
            place = excerpt(visit.received, finding)
            if place:
                place = as_encoded(place, encoding)
                yield f"            line {place.line}, column {place.column}\n"
                yield f"              {place.shown}\n"
                yield f"              {place.mark}\n"


def _sentence(finding: Problem) -> str:
    """Return the sentence of a finding, or "" for an id of a newer version."""
    return finding.sentence if finding.id in CATALOGUE else ""


def timestamp(microseconds: int) -> str:
    """Return a time in UTC, ISO 8601, to the millisecond: 2026-11-22T21:04:05.678Z."""
    moment = datetime.fromtimestamp(microseconds / 1e6, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
