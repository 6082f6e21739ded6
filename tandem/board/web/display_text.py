"""Text, times and sizes as the pages show them. Pure.

Names come from the network. A page escapes them for HTML; here every character that would not be seen, or would turn
the text around it, becomes an escape that can be seen; and what could be a student number or an address is masked on
the pages for everybody.
"""

import re
import unicodedata
from datetime import UTC, datetime

from tandem.diagnosis.problems import CATALOGUE
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable
from tandem.records.visits import Team

_JOINER = "\u200d"
_OF_EMOJI = re.compile("[\u200d\ufe00-\ufe0f]")  # hold the parts of an emoji together; steer nothing
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U000e0100-\U000e01ef]")  # printable, to Python
_MASK = "•••"
LONG_NAME = 10  # characters; shorter names are not cut
ENDING = 4  # characters
_SHORTEST_NUMBER = 5  # shorter ones are found in innocent names
_BETWEEN = r"(?:[^\w:]|_)?"  # one sign that may split a number; a colon splits times and addresses
_YEARS = r"20\d\d[-/]20\d\d(?!\d)"  # 2026-2027, as in the names of classes
_PERSONAL = (
    re.compile(rf"(?<!\d)(?!{_YEARS})\d(?:{_BETWEEN}\d){{5,}}"),  # a student number, whoever's, however it is split
    re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)"),  # IPv4
    re.compile(r"(?<![\w:])(?=:*[0-9a-f])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE),  # IPv6
)


def visible(text: str) -> str:
    """The text with every control, direction and invisible character as an escape (\\x1b, \\u202e).

    A blank text is escaped whole; what holds an emoji together stays where it does so.
    """
    if text.isspace():
        return "".join(map(_escape, text))
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text, ["", *text[:-1]], [*text[1:], ""]))


def public(text: str) -> str:
    """A name for everybody: what could be a student number or an address is masked."""
    for personal in _PERSONAL:
        text = personal.sub(_MASK, text)
    return visible(text)


def is_public(text: str) -> bool:
    """Whether nothing of a name has to be masked: then it may stand in an address, too."""
    return not any(personal.search(text) for personal in _PERSONAL)


def public_name(team: Team) -> str:
    """The team's name for everybody: its own numbers are masked even if they are shorter than what `public` masks."""
    name = team.teamname
    for number in (team.studentnr1, team.studentnr2):
        if len(number) >= _SHORTEST_NUMBER and number not in NO_TEAMMATE:
            name = re.sub(_BETWEEN.join(map(re.escape, number)), _MASK, name)
    return public(name)


def _visible(character: str, before: str, behind: str) -> str:
    """One character, seen between two others."""
    if _OF_EMOJI.match(character):
        joins = _is_of_emoji(before) and (character != _JOINER or _is_of_emoji(behind))
        return character if joins else _escape(character)
    return _escape(character) if _UNSEEN.match(character) else printable(character)


def _is_of_emoji(character: str) -> bool:
    """A picture, the tone of a skin, or the choice of how a picture looks."""
    return character == "\ufe0f" or (character != "" and unicodedata.category(character) in ("So", "Sk"))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def halves(name: str) -> tuple[str, str]:
    """A name for a place that may be too narrow: what may be cut, and the end, which tells it from others.

    Only plain letters stand apart from what is before them: Arabic ones join, and an emoji can be several characters.
    """
    is_plain = len(name) > LONG_NAME and name[-ENDING - 1 :].isascii()
    return (name[:-ENDING], name[-ENDING:]) if is_plain else (name, "")


def problem_title(id: str) -> str:
    """A problem in a few words; the id itself if it is none of this version's."""
    return CATALOGUE[id].title if id in CATALOGUE else visible(id)


def local(microseconds: int) -> datetime:
    """A time of the records in this machine's time zone."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone()


def clock(microseconds: int) -> str:
    """14:03:07"""
    return f"{local(microseconds):%H:%M:%S}"


def fine_clock(microseconds: int) -> str:
    """14:03:07.123"""
    return f"{local(microseconds):%H:%M:%S.%f}"[:-3]


def day_and_clock(microseconds: int) -> str:
    """2026-11-23 14:03:07 CET"""
    return f"{local(microseconds):%Y-%m-%d %H:%M:%S %Z}"


def short(microseconds: int) -> str:
    """23 Nov 14:03"""
    return f"{local(microseconds):%d %b %H:%M}"


def minute(microseconds: int) -> str:
    """2026-11-23T14:03, as a form's field for a time wants it."""
    return f"{local(microseconds):%Y-%m-%dT%H:%M}"


def read_minute(text: str) -> int:
    """The way back from `minute`. Raises ValueError."""
    return int(datetime.fromisoformat(text).astimezone().timestamp() * 1_000_000)


def duration(microseconds: int) -> str:
    """0.4 ms, 1.3 s"""
    return f"{microseconds / 1000:.1f} ms" if microseconds < 1_000_000 else f"{microseconds / 1e6:.1f} s"


def size(bytes: int) -> str:
    """812 bytes, 1.4 MB"""
    if bytes < 10_000:
        return f"{bytes:,} byte{'' if bytes == 1 else 's'}"
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if bytes >= factor:
            return f"{bytes / factor:.1f} {unit}"
    return f"{bytes / 1e3:.0f} kB"


def hex_dump(data: bytes) -> str:
    """Sixteen bytes a line: offset, hex, and what of it is ASCII."""
    lines = []
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{start:04x}  {piece.hex(' '):47}  {text}")
    return "\n".join(lines)
