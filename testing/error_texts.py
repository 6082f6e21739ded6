"""The error texts in error_texts.txt, each with the entry that fits: `=== ENTRY`, then the text.

They are of Python 3.8 to 3.13 on Linux, macOS and Windows, of other languages, and of students. Those that are marked
`set aside` were not used to tune the matching.
"""

from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_suffix(".txt")
_MARK = "=== "
_SET_ASIDE = ", set aside"


class ErrorText(NamedTuple):
    """A text that a student may give."""

    text: str
    entry: str  # the id of the entry that should come first
    set_aside: bool


def error_texts() -> list[ErrorText]:
    """Return all of them."""
    found = []
    for block in f"\n{_FILE.read_text(encoding='utf-8')}".split(f"\n{_MARK}")[1:]:
        heading, _, text = block.partition("\n")
        entry, mark, _ = heading.partition(_SET_ASIDE)
        found.append(ErrorText(text.rstrip("\n"), entry, bool(mark)))
    return found
