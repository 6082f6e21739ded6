"""Text, times and sizes as the pages show them. Pure.

Names come from the network. A page escapes them for HTML; here every character that would not be seen, or would turn
the text around it, becomes an escape that can be seen.
"""

from datetime import UTC, datetime

from tandem.exchange.message import NOBODY
from tandem.exchange.printable import printable
from tandem.ground.problems import CATALOGUE
from tandem.ground.record import Team

_JOINER = "\u200d"  # holds an emoji of several people together; steers nothing
_MASK = "•••"
_SHORTEST_NUMBER = 5  # shorter ones are found in innocent names


def visible(text: str) -> str:
    """The text with every control, direction and invisible character as an escape (\\x1b, \\u202e)."""
    if text.isprintable():
        return text
    return "".join(c if c == _JOINER else printable(c) for c in text)


def public_name(team: Team) -> str:
    """The team's name for everybody: a student number that the team put into it is masked."""
    name = team.teamname
    for number in (team.studentnr1, team.studentnr2):
        if len(number) >= _SHORTEST_NUMBER and number not in NOBODY:
            name = name.replace(number, _MASK)
    return visible(name)


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
