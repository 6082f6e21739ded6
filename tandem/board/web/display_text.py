r"""Converts text, times and sizes to what pages show. Pure.

Names come from the network. The templates escape them for HTML, report/names.py escapes what cannot be seen. On public
pages this module masks possible student numbers and addresses.
"""

import re
import unicodedata
from datetime import UTC, datetime

from tandem.diagnosis.problem import CATALOGUE
from tandem.protocol.message import NO_TEAMMATE
from tandem.records.visits import Team
from tandem.report.names import visible as visible
from tandem.report.names import visible_name as visible_name

_MASK = "•••"
MAX_UNSPLIT_CHARS = 10  # longer names are split for narrow places
TAIL_CHARS = 4  # of a split name, which are never cut off
_MIN_NUMBER_DIGITS = 5  # shorter student numbers are also found in harmless names
_SEPARATOR = r"(?:[^\w:]|_)?"  # one character inside a number; a colon separates times and addresses
_YEARS = r"20\d\d[-/]20\d\d(?!\d)"  # 2026-2027, as in the names of classes
_PERSONAL = (
    re.compile(rf"(?<!\d)(?!{_YEARS})\d(?:{_SEPARATOR}\d){{5,}}"),  # a student number, with or without separators
    re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)"),  # IPv4
    re.compile(r"(?<![\w:])(?=:*[0-9a-f])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE),  # IPv6
)


class ClockChangeError(ValueError):
    """A time of the day that the change to or from summer time skips, or that comes twice. str() says which."""

    def __init__(self, wanted: datetime, is_skipped: bool) -> None:
        what = "does not exist" if is_skipped else "comes twice"
        super().__init__(
            f"{wanted:%H:%M} on {wanted:%Y-%m-%d} {what} in the time zone of the board's machine:"
            " its clock is changed in that hour. Choose a time before or after it."
        )


def public(text: str) -> str:
    """Return a name for public pages: possible student numbers and addresses are masked."""
    for personal in _PERSONAL:
        text = personal.sub(_MASK, text)
    return visible_name(text)


def is_public(text: str) -> bool:
    """Return whether `public` masks nothing, so that the name may be part of a URL."""
    return not any(personal.search(text) for personal in _PERSONAL)


def public_name(team: Team) -> str:
    """Return the team's name for public pages. The team's student numbers are masked from 5 digits, others from 6."""
    name = team.teamname
    for number in (team.studentnr1, team.studentnr2):
        if len(number) >= _MIN_NUMBER_DIGITS and number not in NO_TEAMMATE:
            for form in {number, unicodedata.normalize("NFC", number), unicodedata.normalize("NFD", number)}:
                name = re.sub(_SEPARATOR.join(map(re.escape, form)), _MASK, name, flags=re.IGNORECASE)
    return public(name)


def split_name(name: str) -> tuple[str, str]:
    """Return a name as the part that may be cut off in a narrow place, and its end, which tells it from similar names.

    Only a name that ends in ASCII is split: Arabic letters join, and one emoji can be several characters.
    """
    is_split = len(name) > MAX_UNSPLIT_CHARS and name[-TAIL_CHARS - 1 :].isascii()
    return (name[:-TAIL_CHARS], name[-TAIL_CHARS:]) if is_split else (name, "")


def problem_title(id: str) -> str:
    """Return the title of a problem, or the id itself if this version does not know it."""
    return CATALOGUE[id].title if id in CATALOGUE else visible(id)


def local(microseconds: int) -> datetime:
    """Convert microseconds since 1970 to this machine's time zone."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone()


def clock(microseconds: int) -> str:
    """Return a time as 14:03:07."""
    return f"{local(microseconds):%H:%M:%S}"


def fine_clock(microseconds: int) -> str:
    """Return a time as 14:03:07.123."""
    return f"{local(microseconds):%H:%M:%S.%f}"[:-3]


def day_and_clock(microseconds: int) -> str:
    """Return a time as 2026-11-23 14:03:07 CET."""
    return f"{local(microseconds):%Y-%m-%d %H:%M:%S %Z}"


def short(microseconds: int) -> str:
    """Return a time as 23 Nov 14:03."""
    return f"{local(microseconds):%d %b %H:%M}"


def minute(microseconds: int) -> str:
    """Return a time as 2026-11-23T14:03, the value of an HTML datetime-local field."""
    return f"{local(microseconds):%Y-%m-%dT%H:%M}"


def read_minute(text: str) -> int:
    """Return the microseconds since 1970 of a text that `minute` made.

    Raises:
        ClockChangeError: A change of this machine's clock skips this time, or makes it come twice.
        ValueError: The text is not a time.
        OverflowError: The time is out of range.
    """
    wanted = datetime.fromisoformat(text).replace(tzinfo=None)
    moments = {wanted.replace(fold=fold).astimezone().timestamp() for fold in (0, 1)}
    real = [moment for moment in moments if datetime.fromtimestamp(moment) == wanted]
    if len(real) != 1:
        raise ClockChangeError(wanted, is_skipped=not real)
    return int(real[0] * 1_000_000)


def duration(microseconds: int) -> str:
    """Return a duration as 0.4 ms or 1.3 s."""
    return f"{microseconds / 1000:.1f} ms" if microseconds < 1_000_000 else f"{microseconds / 1e6:.1f} s"


def size(bytes: int) -> str:
    """Return a size as 812 bytes or 1.4 MB."""
    if bytes < 10_000:
        return f"{bytes:,} byte{'' if bytes == 1 else 's'}"
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if bytes >= factor:
            return f"{bytes / factor:.1f} {unit}"
    return f"{bytes / 1e3:.0f} kB"


def hex_dump(data: bytes) -> str:
    """Return the bytes as lines of offset, hexadecimal and printable ASCII, 16 bytes a line."""
    lines = []
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{start:04x}  {piece.hex(' '):47}  {text}")
    return "\n".join(lines)
