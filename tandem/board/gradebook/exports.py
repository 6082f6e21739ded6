"""The gradebook as a file: CSV that no spreadsheet runs, JSON, XLSX. Rows go in, a file is written; nothing is kept."""

from collections.abc import Callable, Iterable
from typing import BinaryIO

from xlsxwriter import Workbook

from tandem.board.web.display_text import visible
from tandem.protocol.errors import TandemError
from tandem.report.results import Cell, Row, as_json, csv_cell, csv_line

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
MAX_XLSX = 1_048_575  # rows below the names of the columns

_WIDTHS = {"teamname": 28, "state": 22, "first_seen": 25, "finished_at": 25, "problems": 30, "note": 40}


class TooManyRowsError(TandemError):
    """More rows than the format can hold."""


def write_csv(rows: Iterable[Row], file: BinaryIO) -> None:
    """With a mark at the beginning by which spreadsheets know UTF-8."""
    file.write(f"\ufeff{csv_line(COLUMNS)}".encode())
    for row in rows:
        line = csv_line(_line_by_line(cell, csv_cell) for cell in row.values())
        file.write(line.encode(errors="backslashreplace"))


def write_json(rows: Iterable[Row], file: BinaryIO) -> None:
    for line in as_json(rows):
        file.write(line.encode())


def write_xlsx(rows: Iterable[Row], file: BinaryIO) -> None:
    """Every text is a text: a spreadsheet runs none of it. Raises TooManyRowsError."""
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("gradebook")
        bold, of_lines = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
        for place, name in enumerate(COLUMNS):
            sheet.set_column(place, place, _WIDTHS.get(name, 12))
            sheet.write_string(0, place, name, bold)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(rows, 1):
            if line > MAX_XLSX:
                raise TooManyRowsError(f"an XLSX file holds {MAX_XLSX:,} rows", "choose a class, or CSV")
            for place, cell in enumerate(row.values()):
                if isinstance(cell, int | float):
                    sheet.write_number(line, place, cell)
                else:
                    text = _line_by_line(cell, visible)
                    sheet.write_string(line, place, text, of_lines if "\n" in text else None)


def _line_by_line(cell: Cell, safe: Callable[[str], str]) -> str:
    """A cell's text with each of its lines made safe; several ids stand in one with spaces between."""
    text = " ".join(cell) if isinstance(cell, list) else "" if cell is None else str(cell)
    return "\n".join(map(safe, text.split("\n")))


Writer = Callable[[Iterable[Row], BinaryIO], None]

FORMATS: dict[str, tuple[str, Writer]] = {  # how the file's name ends -> its media type, and what writes it
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
}
