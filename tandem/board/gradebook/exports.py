"""Writes rows of the gradebook as CSV, JSON or XLSX. No cell is a formula to a spreadsheet program."""

from collections.abc import Callable, Iterable
from typing import BinaryIO

from xlsxwriter import Workbook

from tandem.board.web.display_text import visible
from tandem.protocol.errors import TandemError
from tandem.report.results import BYTE_ORDER_MARK, Cell, Row, as_json, cell_text, csv_cell, csv_line

COLUMNS = (
    "classname",
    "teamname",
    "roster_teamname",  # if the team came under another name
    "studentnr1",
    "studentnr2",
    "state",
    "stuck",
    "first_seen",
    "finished_at",
    "late",
    "visits",
    "problems",
    "oral",
    "mark",
    "note",
)
MAX_XLSX_ROWS = 1_048_575  # below the header

_COLUMN_WIDTHS = {"teamname": 28, "state": 22, "first_seen": 25, "finished_at": 25, "problems": 30, "note": 40}


class TooManyRowsError(TandemError):
    """There are more rows than the format can hold."""


def write_csv(rows: Iterable[Row], file: BinaryIO) -> None:
    """Write CSV with a byte order mark, by which spreadsheet programs recognise UTF-8."""
    file.write(f"{BYTE_ORDER_MARK}{csv_line(COLUMNS)}".encode())
    for row in rows:
        line = csv_line(_cell_text(cell, csv_cell) for cell in row.values())
        file.write(line.encode(errors="backslashreplace"))


def write_json(rows: Iterable[Row], file: BinaryIO) -> None:
    """Write one JSON list."""
    for line in as_json(rows):
        file.write(line.encode())


def write_xlsx(rows: Iterable[Row], file: BinaryIO) -> None:
    """Write one sheet, in which every text is of the type string.

    Raises:
        TooManyRowsError: There are more than MAX_XLSX_ROWS rows.
    """
    with Workbook(file, {"constant_memory": True}) as workbook:
        worksheet = workbook.add_worksheet("gradebook")
        bold, multiline = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True})
        for column, name in enumerate(COLUMNS):
            worksheet.set_column(column, column, _COLUMN_WIDTHS.get(name, 12))
            worksheet.write_string(0, column, name, bold)
        worksheet.freeze_panes(1, 0)
        for line, row in enumerate(rows, 1):
            if line > MAX_XLSX_ROWS:
                raise TooManyRowsError(f"an XLSX file holds {MAX_XLSX_ROWS:,} rows", "choose a class, or CSV")
            for column, cell in enumerate(row.values()):
                if isinstance(cell, int | float) and not isinstance(cell, bool):
                    worksheet.write_number(line, column, cell)
                else:
                    text = _cell_text(cell, visible)
                    worksheet.write_string(line, column, text, multiline if "\n" in text else None)


def _cell_text(cell: Cell, safe: Callable[[str], str]) -> str:
    """Return the text of a cell, each line made safe."""
    return "\n".join(map(safe, cell_text(cell).split("\n")))


Writer = Callable[[Iterable[Row], BinaryIO], None]

FORMATS: dict[str, tuple[str, Writer]] = {  # file extension -> media type, function
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
}
