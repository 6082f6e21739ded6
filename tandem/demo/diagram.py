"""The exchange as a sequence diagram: what happened goes in, lines for the terminal come out.

Pure: no clock, no process, no output. Nothing is in the colours alone: what was changed has a * and a word.
"""

from textwrap import wrap

from tandem.demo.canvas import BOLD, CYAN, DIM, GREEN, MAGENTA, PLAIN, WIDTH, Row, Signs
from tandem.demo.changes import CHANGED, FILLED_IN, KEPT, OWN, SWAPPED, changes
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.protocol.message import FIELDS, Message, decode

LIVES = {CLIENT_1: 7, SERVER: 41, CLIENT_2: 75}  # the columns of the life lines
NOTE = LIVES[SERVER] - LIVES[CLIENT_1] - 3  # columns that a note has between two of them

WELCOMES = (1, 5)
MESSAGE_1, HANDOVER = 2, 4

COLOURS = {FILLED_IN: GREEN, SWAPPED: MAGENTA, OWN: CYAN, CHANGED: GREEN, KEPT: DIM}
FEW = 4  # so many kept fields are named, more are counted
EMPTY = '""'

Note = tuple[str, str]  # a line of text, and its colour


class Diagram:
    """Grows downwards: each method returns the lines that are new."""

    def __init__(self, signs: Signs, coloured: bool) -> None:
        self._signs = signs
        self._coloured = coloured
        self._before = b""  # the message as it last travelled

    def heads(self, addresses: dict[str, str]) -> list[str]:
        """Who takes part, and where they listen."""
        names, places = Row(), self._life_lines().put(4, "ms", DIM)
        for who, column in LIVES.items():
            names.put(column - len(who) // 2, who, BOLD)
            address = addresses.get(who, "")
            places.put(min(column - len(address) // 2, WIDTH - len(address)), address, DIM)
        return self._lines([names, places])

    def arrow(self, number: int, milliseconds: float, data: bytes) -> list[str]:
        """One arrow, and under it what was done to the message that it carries."""
        sender, receiver, _ = ARROWS[number]
        left = min(LIVES[sender], LIVES[receiver])
        rows = [self._arrow_row(number, milliseconds, len(data))]
        for text, colour in self._notes(number, data):
            rows.append(self._life_lines().put(left + 2, text, colour))
        return self._lines(rows)

    def _life_lines(self) -> Row:
        row = Row()
        for column in LIVES.values():
            row.put(column, self._signs.life, DIM)
        return row

    def _lines(self, rows: list[Row]) -> list[str]:
        return [row.line(self._coloured) for row in rows]

    def _arrow_row(self, number: int, milliseconds: float, size: int) -> Row:
        sender, receiver, what = ARROWS[number]
        left, right = sorted((LIVES[sender], LIVES[receiver]))
        name, weight = f" {number} {what} ", f" {size} B "
        shaft = self._signs.shaft
        fill = shaft * (right - left - 4 - len(name) - len(weight))
        row = self._life_lines().put(0, f"{milliseconds:6.1f}", DIM)
        row.put(left + 1, f"{shaft * 2}{name}{fill}{weight}{shaft}").put(left + 3, name, BOLD)
        if LIVES[sender] < LIVES[receiver]:
            return row.put(right - 1, self._signs.to_right)
        return row.put(left + 1, self._signs.to_left)

    def _notes(self, number: int, data: bytes) -> list[Note]:
        if number in WELCOMES:
            return []
        before, self._before = self._before, data
        message = decode(data)
        if number == MESSAGE_1:
            return [(text, PLAIN) for text in self._fields(message, list(FIELDS))]
        if number == HANDOVER and data == before:
            words = "the very bytes of the reply, nothing added; the secret in full:"
            return [(words, PLAIN), (message.secret, COLOURS[FILLED_IN])]
        return self._changes(number, decode(before), message)

    def _changes(self, number: int, before: Message, after: Message) -> list[Note]:
        """Who did what to which fields, deed by deed."""
        sender = ARROWS[number][0]
        subject = f"the {sender}" if sender == SERVER else sender
        notes: list[Note] = []
        for deed, names in changes(before, after).items():
            words = f"{'and' if notes else subject} {deed}"
            if deed == KEPT:
                notes += [(line, DIM) for line in wrap(f"{words} {_kept(names)}", NOTE)]
            else:
                notes.append((f"{words}:", PLAIN))
                notes += [(f"* {field}", COLOURS[deed]) for field in self._fields(after, names)]
        return notes

    def _fields(self, message: Message, names: list[str]) -> list[str]:
        """A line a field: its name and its value, shortened in the middle where there is no room."""
        width = max(map(len, names))
        room = NOTE - len("* ") - width - 2
        values = {name: str(value) or EMPTY for name, value in message.fields().items()}
        return [f"{name:{width}}  {self._shortened(values[name], room)}" for name in names]

    def _shortened(self, text: str, room: int) -> str:
        if len(text) <= room:
            return text
        omission = self._signs.omission
        half = (room - len(omission)) // 2
        return f"{text[:half]}{omission}{text[-half:]}"


def _kept(names: list[str]) -> str:
    if len(names) > FEW:
        return f"the other {len(names)} fields"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
