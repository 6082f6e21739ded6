"""One row of the diagram: text at columns, each piece in its colour. Later pieces overwrite earlier ones.

Knows terminals: how wide a row may be, which characters and colours there are. Knows nothing of the exchange.
"""

from dataclasses import dataclass
from itertools import groupby

WIDTH = 79  # columns; the 80th stays free because some terminals start a new line there

PLAIN, BOLD, DIM = "", "1", "2"
GREEN, MAGENTA, CYAN = "32", "35", "36"  # readable on a light and on a dark background


@dataclass(frozen=True, slots=True)
class LineStyle:
    """The characters that lines are drawn with."""

    lifeline: str
    shaft: str
    left_head: str
    right_head: str
    ellipsis: str


BOX = LineStyle("│", "─", "◄", "►", "…")
ASCII = LineStyle("|", "-", "<", ">", "...")


def line_style_for(encoding: str) -> LineStyle:
    """Return box-drawing characters if the encoding has them, else ASCII."""
    try:
        "".join((BOX.lifeline, BOX.shaft, BOX.left_head, BOX.right_head, BOX.ellipsis)).encode(encoding)
    except UnicodeEncodeError:
        return ASCII
    return BOX


class Row:
    """A row of WIDTH columns, empty at first. Text beyond the last column is cut off."""

    def __init__(self) -> None:
        self._cells = [(" ", PLAIN)] * WIDTH

    def put(self, column: int, text: str, colour: str = PLAIN) -> "Row":
        """Write the text from this column on, and return the row."""
        for cell, character in enumerate(text[: WIDTH - column], column):
            self._cells[cell] = (character, colour)
        return self

    def render(self, coloured: bool) -> str:
        """Return the row for the terminal, with escape codes only if `coloured`."""
        text = "".join(character for character, _ in self._cells).rstrip()
        if not coloured:
            return text
        pieces = groupby(self._cells[: len(text)], key=lambda cell: cell[1])
        return "".join(paint("".join(character for character, _ in cells), colour) for colour, cells in pieces)


def paint(text: str, colour: str) -> str:
    """Return the text in a colour. The text after it has the terminal's default again."""
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text
