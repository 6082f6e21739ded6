"""The line of a message that a problem is in, with a caret under the byte, and the line as it should be.

Takes any bytes. What it returns is safe to show on a terminal.
"""

import unicodedata
from typing import NamedTuple

from tandem.diagnosis.problem import CUT, Edit, Problem
from tandem.protocol.printable import encodable, printable_bytes

_BEFORE, _AFTER = 60, 36  # characters of a long line that are shown around the mark
_MAX_CHAR_BYTES = 4


class Excerpt(NamedTuple):
    """A part of a message with the place of a problem in it."""

    line: int  # from 1
    column: int  # in characters, from 1
    shown: str
    mark: str  # blanks, and a caret under the place
    corrected: str | None  # None: only the sender knows


def excerpt(data: bytes, problem: Problem) -> Excerpt | None:
    """Return the excerpt for a problem found in `data`; None if it has no offset."""
    if problem.offset is None or not data:
        return None
    at = min(problem.offset, len(data))
    start = data.rfind(b"\n", 0, at) + 1
    before, after = _window(data[start:at], data[at : _end_of_line(data, at)])
    mark = " " * width(before) + "^"
    line = data.count(b"\n", 0, start) + 1
    column = len(data[start:at].decode(errors="surrogateescape")) + 1
    return Excerpt(line, column, before + after, mark, _corrected(data, start, at, problem.edits))


def as_encoded(place: Excerpt, encoding: str | None) -> Excerpt:
    """Return an excerpt as it is printed in an encoding: the mark is under the place, also behind escapes."""
    before = encodable(split_at_mark(place)[0], encoding)
    return place._replace(shown=encodable(place.shown, encoding), mark=" " * width(before) + "^")


def split_at_mark(excerpt: Excerpt) -> tuple[str, str, str]:
    """Return the text before the mark, the character over it with its combining characters, and the rest.

    The character is a blank if the mark is at the end of the line.
    """
    text, columns = excerpt.shown, len(excerpt.mark) - 1
    start = next(index for index in range(len(text) + 1) if index == len(text) or width(text[: index + 1]) > columns)
    end = start + 1
    while end < len(text) and not width(text[end]):
        end += 1
    return text[:start], text[start:end] or " ", text[end:]


def _end_of_line(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


def _window(before: bytes, after: bytes) -> tuple[str, str]:
    """Return the text before and after a place, cut to what fits on a screen."""
    left = printable_bytes(before[-_MAX_CHAR_BYTES * (_BEFORE + 1) :])
    right = printable_bytes(after.rstrip(b"\r")[: _MAX_CHAR_BYTES * (_AFTER + 1)])
    if len(left) > _BEFORE:
        left = CUT + left[len(CUT) - _BEFORE :]
    if len(right) > _AFTER:
        right = right[: _AFTER - len(CUT)] + CUT
    return left, right


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _corrected(data: bytes, start: int, at: int, edits: tuple[Edit, ...]) -> str | None:
    """Return the line that begins at `start`, with all of the edits that begin in it."""
    end = _end_of_line(data, at)
    here = sorted(edit for edit in edits if start <= edit.start <= end)
    if not here:
        return None
    pivot = min(at, here[0].start)
    result, done = b"", pivot
    for edit in here:
        if len(result) > _MAX_CHAR_BYTES * (_AFTER + 1):
            break
        result += data[done : edit.start] + edit.text.encode(errors="replace")
        done = max(done, edit.end)
    result += data[done : _end_of_line(data, done)]
    return "".join(_window(data[start:pivot], result)) or None
