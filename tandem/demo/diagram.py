"""The exchange as a sequence diagram: arrows go in, lines for the terminal come out.

Pure: no clock, no process, no output. No meaning is in the colours alone: a changed field also has a * and a word.
"""

from textwrap import wrap

from tandem.demo.canvas import BOLD, CYAN, DIM, GREEN, MAGENTA, PLAIN, WIDTH, LineStyle, Row
from tandem.demo.changes import CHANGED, FILLED_IN, KEPT, SET_OWN, SWAPPED, changes
from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER
from tandem.protocol.message import FIELDS, Message, decode

LIFELINES = {CLIENT_1: 7, SERVER: 41, CLIENT_2: 75}  # their columns
NOTE_WIDTH = LIFELINES[SERVER] - LIFELINES[CLIENT_1] - 3  # columns for a note between two lifelines

WELCOME_ARROWS = (1, 5)
MESSAGE_1_ARROW, HANDOVER_ARROW = 2, 4

COLOURS = {FILLED_IN: GREEN, SWAPPED: MAGENTA, SET_OWN: CYAN, CHANGED: GREEN, KEPT: DIM}
MAX_NAMED = 4  # unchanged fields that are named; more are counted
EMPTY_TEXT = '""'

Note = tuple[str, str]  # a line of text, and its colour


class Diagram:
    """The diagram, from top to bottom: each method returns the next lines."""

    def __init__(self, style: LineStyle, coloured: bool) -> None:
        self._style = style
        self._coloured = coloured
        self._before = b""  # the message of the arrow before

    def heads(self, addresses: dict[str, str]) -> list[str]:
        """Return the names of the three processes, and the addresses on which they listen."""
        names, addresses_row = Row(), self._lifelines().put(4, "ms", DIM)
        for who, column in LIFELINES.items():
            names.put(column - len(who) // 2, who, BOLD)
            address = addresses.get(who, "")
            addresses_row.put(min(column - len(address) // 2, WIDTH - len(address)), address, DIM)
        return self._lines([names, addresses_row])

    def arrow(self, number: int, milliseconds: float, data: bytes) -> list[str]:
        """Return one arrow, and below it what was done to its message."""
        sender, receiver, _ = ARROWS[number]
        left = min(LIFELINES[sender], LIFELINES[receiver])
        rows = [self._arrow_row(number, milliseconds, len(data))]
        for text, colour in self._notes(number, data):
            rows.append(self._lifelines().put(left + 2, text, colour))
        return self._lines(rows)

    def _lifelines(self) -> Row:
        row = Row()
        for column in LIFELINES.values():
            row.put(column, self._style.lifeline, DIM)
        return row

    def _lines(self, rows: list[Row]) -> list[str]:
        return [row.render(self._coloured) for row in rows]

    def _arrow_row(self, number: int, milliseconds: float, size: int) -> Row:
        sender, receiver, what = ARROWS[number]
        left, right = sorted((LIFELINES[sender], LIFELINES[receiver]))
        name, weight = f" {number} {what} ", f" {size} B "
        shaft = self._style.shaft
        fill = shaft * (right - left - 4 - len(name) - len(weight))
        row = self._lifelines().put(0, f"{milliseconds:6.1f}", DIM)
        row.put(left + 1, f"{shaft * 2}{name}{fill}{weight}{shaft}").put(left + 3, name, BOLD)
        if LIFELINES[sender] < LIFELINES[receiver]:
            return row.put(right - 1, self._style.right_head)
        return row.put(left + 1, self._style.left_head)

    def _notes(self, number: int, data: bytes) -> list[Note]:
        if number in WELCOME_ARROWS:
            return []
        before, self._before = self._before, data
        message = decode(data)
        if number == MESSAGE_1_ARROW:
            return [(text, PLAIN) for text in self._fields(message, list(FIELDS))]
        if number == HANDOVER_ARROW and data == before:
            words = "the bytes of the reply, unchanged; the secret in full:"
            return [(words, PLAIN), (message.secret, COLOURS[FILLED_IN])]
        return self._changes(number, decode(before), message)

    def _changes(self, number: int, before: Message, after: Message) -> list[Note]:
        """Return what the sender did to which fields, by kind of change."""
        sender = ARROWS[number][0]
        subject = f"the {sender}" if sender == SERVER else sender
        notes: list[Note] = []
        for kind, names in changes(before, after).items():
            words = f"{'and' if notes else subject} {kind}"
            if kind == KEPT:
                notes += [(line, DIM) for line in wrap(f"{words} {_kept(names)}", NOTE_WIDTH)]
            else:
                notes.append((f"{words}:", PLAIN))
                notes += [(f"* {field}", COLOURS[kind]) for field in self._fields(after, names)]
        return notes

    def _fields(self, message: Message, names: list[str]) -> list[str]:
        """Return a line for each field: its name and its value, shortened in the middle if it is too long."""
        width = max(map(len, names))
        room = NOTE_WIDTH - len("* ") - width - 2
        values = {name: str(value) or EMPTY_TEXT for name, value in message.fields().items()}
        return [f"{name:{width}}  {self._shortened(values[name], room)}" for name in names]

    def _shortened(self, text: str, room: int) -> str:
        if len(text) <= room:
            return text
        ellipsis = self._style.ellipsis
        half = (room - len(ellipsis)) // 2
        return f"{text[:half]}{ellipsis}{text[-half:]}"


def _kept(names: list[str]) -> str:
    if len(names) > MAX_NAMED:
        return f"the other {len(names)} fields"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
