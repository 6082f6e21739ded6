r"""Shows names from the network so that no two look alike. Pure.

A character that is invisible or changes the direction of text becomes an escape (\x1b, \u202e). So does one that makes
a name look like another one: a blank at its end, two blanks, a letter of several code points where Unicode has one for
it (NFD), a backslash that looks like the beginning of an escape. `name_shown_as` turns what is shown into the name.
"""

import re
import unicodedata

from tandem.diagnosis.excerpt import width
from tandem.protocol.printable import printable

CUT = ".."  # stands for the middle of a name that was cut out
MIN_TAIL_COLUMNS = 3  # of a cut name, which tell it from names with the same beginning

_JOINER = "\u200d"
_EMOJI_JOINERS = re.compile("[\u200d\ufe00-\ufe0f]")  # join the parts of an emoji
_INVISIBLE = re.compile(  # invisible, although Python calls them printable
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
)
_ESCAPE = re.compile(r"\\(?:[nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")
_BLANKS = re.compile("^ +| +$|(?<= ) +")
_LETTERS = re.compile(r"(?s:.)(?:(?!\w|\s)[^\x00-\x7f]|[\u1161-\u11ff])*")  # a character and the marks that join it
_MARKS = re.compile("^[\u200d\ufe00-\ufe0f\u0300-\u036f]+")  # of a character that was cut off


def visible(text: str) -> str:
    r"""Return the text with every control, direction and invisible character as an escape (\x1b, \u202e).

    A text of white space only is escaped as a whole. Characters that join the parts of an emoji stay there.
    """
    if text.isspace():
        return "".join(map(_escape, text))
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text, ["", *text[:-1]], [*text[1:], ""]))


def visible_name(name: str) -> str:
    r"""Return a name as `visible` does, and what makes it look like another one as an escape (Team\x20, Zoe\u0308)."""
    name = _ESCAPE.sub(lambda match: _escape("\\") + match[0][1:], name)
    if name.isascii():
        return _BLANKS.sub(_escaped, visible(name))
    shown = visible(name)
    if not unicodedata.is_normalized("NFC", shown):
        shown = "".join(map(_composed, _LETTERS.findall(shown)))
    return _BLANKS.sub(_escaped, shown)


def name_shown_as(shown: str) -> str:
    r"""Return the name that `visible_name` shows as this text: each escape becomes its character.

    Raises:
        ValueError: an escape stands for no character (\U00110000).
    """
    return _ESCAPE.sub(lambda match: match[0].encode().decode("unicode_escape"), shown)


class NameShortener:
    """Cuts names to a number of columns of a terminal: visibly, and never two of them to the same text."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # what is shown -> the name
        self._counts: dict[str, int] = {}  # what would be shown -> the names for which it was taken

    def cut(self, name: str, columns: int) -> str:
        """Return the name, without its middle if it is too long. Remembers only names with CUT in what is shown."""
        is_short = width(name) <= columns
        if is_short and CUT not in name:
            return name
        shown = first = name if is_short else _without_middle(name, columns, CUT)
        while self._names.setdefault(shown, name) != name:
            self._counts[first] = number = self._counts.get(first, 1) + 1
            shown = _without_middle(name, columns, f"{CUT}{number}{CUT}")
        return shown


def _without_middle(name: str, columns: int, mark: str) -> str:
    """Return the beginning of a name, a mark, and its end."""
    room = max(0, columns - width(mark))
    tail = _MARKS.sub("", _fitting(name[::-1], max(min(MIN_TAIL_COLUMNS, room), room // 3))[::-1])
    return _fitting(name, room - width(tail)) + mark + tail


def _fitting(text: str, columns: int) -> str:
    """Return the beginning of a text that fits in so many columns."""
    end = 0
    while end < len(text) and width(text[: end + 1]) <= columns:
        end += 1
    return text[:end]


def _composed(letter: str) -> str:
    """Return a letter with its marks as it is, unless Unicode has another form for it."""
    if unicodedata.is_normalized("NFC", letter):
        return letter
    return _escape(letter) if len(letter) == 1 else letter[0] + "".join(map(_escape, letter[1:]))


def _escaped(match: re.Match[str]) -> str:
    return "".join(map(_escape, match[0]))


def _visible(character: str, before: str, after: str) -> str:
    """Return one character between two others as text that can be seen."""
    if _EMOJI_JOINERS.match(character):
        is_joining = _is_emoji_part(before) and (character != _JOINER or _is_emoji_part(after))
        return character if is_joining else _escape(character)
    return _escape(character) if _INVISIBLE.match(character) else printable(character)


def _is_emoji_part(character: str) -> bool:
    """Return whether this is a pictogram, a skin tone or a variation selector."""
    return character == "\ufe0f" or (character != "" and unicodedata.category(character) in ("So", "Sk"))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
