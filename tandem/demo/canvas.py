"""One row of the picture: text put at columns, each piece in its colour, later pieces over earlier ones.

Knows terminals and nothing of the exchange: how wide a row may be, which signs and colours there are.
"""

from dataclasses import dataclass
from itertools import groupby

WIDTH = 79  # columns; the 80th stays free, because some terminals begin a new line there

PLAIN, BOLD, DIM = "", "1", "2"
GREEN, MAGENTA, CYAN = "32", "35", "36"  # readable on light and on dark


@dataclass(frozen=True, slots=True)
class Signs:
    """What lines are drawn with."""

    life: str
    shaft: str
    to_left: str
    to_right: str
    omission: str


BOX = Signs("│", "─", "◄", "►", "…")
ASCII = Signs("|", "-", "<", ">", "...")


def signs_for(encoding: str) -> Signs:
    """Box-drawing characters if the encoding has them, else ASCII."""
    try:
        "".join((BOX.life, BOX.shaft, BOX.to_left, BOX.to_right, BOX.omission)).encode(encoding)
    except UnicodeEncodeError:
        return ASCII
    return BOX


class Row:
    """A row as wide as the picture, empty at first. What does not fit in is left out."""

    def __init__(self) -> None:
        self._cells = [(" ", PLAIN)] * WIDTH

    def put(self, column: int, text: str, colour: str = PLAIN) -> "Row":
        """Writes the text from this column on, and returns the row."""
        for at, character in enumerate(text[: WIDTH - column], column):
            self._cells[at] = (character, colour)
        return self

    def line(self, coloured: bool) -> str:
        """The row for the terminal; without escape codes unless `coloured`."""
        text = "".join(character for character, _ in self._cells).rstrip()
        if not coloured:
            return text
        pieces = groupby(self._cells[: len(text)], key=lambda cell: cell[1])
        return "".join(paint("".join(character for character, _ in cells), colour) for colour, cells in pieces)


def paint(text: str, colour: str) -> str:
    """The text in a colour, and everything after it as before."""
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text
