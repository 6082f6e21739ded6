"""`tandem results`: one row a team, or the visits of one team; as a table, JSON or CSV.

The data came from the network: a table shows control characters as escapes, and a CSV cell that a spreadsheet would
run as a formula gets an apostrophe in front.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice

from tandem.diagnosis.excerpt import excerpt, width
from tandem.diagnosis.problems import CATALOGUE, Problem
from tandem.protocol.printable import printable, printable_bytes
from tandem.records.queries import TeamRow, VisitRow

COLUMNS = (
    "classname",
    "teamname",
    "studentnr1",
    "studentnr2",
    "state",
    "first_seen",
    "finished_at",
    "visits",
    "problems",
)
VISIT_COLUMNS = ("at", "took_ms", "address", "port", "outcome", "size", "received", "answered", "findings")
FORMATS = ("table", "json", "csv")
WIDTH_SAMPLE_ROWS = 1000  # first rows of a table, which set the widths of its columns

Cell = str | int | float | None | list[str]
Row = dict[str, Cell]


def team_rows(teams: Iterable[TeamRow]) -> Iterator[Row]:
    """Yield the rows of `tandem results`."""
    for row in teams:
        yield {
            "classname": row.team.classname,
            "teamname": row.team.teamname,
            "studentnr1": row.team.studentnr1,
            "studentnr2": row.team.studentnr2,
            "state": row.state,
            "first_seen": timestamp(row.first_seen_us),
            "finished_at": None if row.finished_us is None else timestamp(row.finished_us),
            "visits": row.visits,
            "problems": list(row.problems),
        }


def visit_rows(visits: Iterable[VisitRow]) -> Iterator[Row]:
    """Yield the rows of `tandem results --visits`: bytes received, bytes answered, problems and remarks."""
    for visit in visits:
        yield {
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


def as_csv(rows: Iterable[Row], columns: Iterable[str]) -> Iterator[str]:
    """Yield the rows as CSV, after a line of column names. Several ids share a cell, separated by spaces."""
    yield csv_line(columns)
    for row in rows:
        yield csv_line(csv_cell(cell) for cell in row.values())


# First characters of a cell that a spreadsheet may take for a formula. A semicolon may begin another cell.
_FORMULA = re.compile(r"(?:^|(?<=;))(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of CSV. Cells are quoted where needed."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def csv_cell(cell: Cell) -> str:
    """Return a cell as one line of text that no spreadsheet runs as a formula."""
    text = " ".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
    text = "".join(c if c.isprintable() else printable(c) for c in text)
    return _FORMULA.sub(r"'\1", text)


def as_table(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[str]:
    """Yield the rows as a table for a terminal. The first WIDTH_SAMPLE_ROWS rows set the widths of the columns."""
    lines = ([_table_cell(row[name]) for name in columns] for row in rows)
    first = list(islice(lines, WIDTH_SAMPLE_ROWS))
    widths = [max(map(width, column)) for column in zip(columns, *first, strict=True)]
    yield _table_line(columns, widths)
    yield _table_line(["-" * size for size in widths], widths)
    for line in chain(first, lines):
        yield _table_line(line, widths)


def _table_cell(cell: Cell) -> str:
    text = ", ".join(cell) if isinstance(cell, list) else "-" if cell is None else str(cell)
    return printable(text)


def _table_line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell + " " * (size - width(cell)) for cell, size in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"


def visits_report(team: TeamRow, visits: Iterable[VisitRow]) -> Iterator[str]:
    """Yield the visits of one team as text: bytes received, bytes answered, each finding with its help."""
    who = printable(f"{team.team.classname} / {team.team.teamname}")
    yield f"{who}: {team.state}, {team.visits} visit{'s' * (team.visits != 1)}\n"
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
