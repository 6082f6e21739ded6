"""The gradebook as a file: CSV that no spreadsheet runs, JSON, XLSX. Rows go in, a file is written; nothing is kept."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import BinaryIO

from xlsxwriter import Workbook

from tandem.board.showing import visible
from tandem.report import results
from tandem.report.results import Cell, Row

COLUMNS = (
    "classname",
    "teamname",
    "studentnr1",
    "studentnr2",
    "state",
    "first_seen",
    "finished_at",
    "late",
    "visits",
    "problems",
    "oral",
    "mark",
    "note",
)
MOST_XLSX = 1_048_575  # rows below the names of the columns

_WIDTHS = {"teamname": 28, "state": 22, "first_seen": 25, "finished_at": 25, "problems": 30, "note": 40}


class TooMany(Exception):
    """More rows than the format can hold."""


def write_csv(rows: Iterable[Row], file: BinaryIO) -> None:
    """With a mark at the beginning by which spreadsheets know UTF-8."""
    for line in chain(["\ufeff"], results.as_csv(rows, COLUMNS)):
        file.write(line.encode(errors="backslashreplace"))


def write_json(rows: Iterable[Row], file: BinaryIO) -> None:
    for line in results.as_json(rows):
        file.write(line.encode())


def write_xlsx(rows: Iterable[Row], file: BinaryIO) -> None:
    """Every text is a text: a spreadsheet runs none of it. Raises TooMany."""
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("gradebook")
        bold = book.add_format({"bold": True})
        for place, name in enumerate(COLUMNS):
            sheet.set_column(place, place, _WIDTHS.get(name, 12))
            sheet.write_string(0, place, name, bold)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(rows, 1):
            if line > MOST_XLSX:
                raise TooMany(f"an XLSX file holds {MOST_XLSX:,} rows: choose a class, or CSV")
            for place, cell in enumerate(row.values()):
                if isinstance(cell, int | float):
                    sheet.write_number(line, place, cell)
                else:
                    sheet.write_string(line, place, _text(cell))


def _text(cell: Cell) -> str:
    return visible(" ".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell))


Writer = Callable[[Iterable[Row], BinaryIO], None]

FORMATS: dict[str, tuple[str, Writer]] = {  # how the file's name ends -> its media type, and what writes it
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
}
