"""The error texts in error_texts.txt, each with the entry that fits: `=== ENTRY`, then the text.

Every third one was set aside while the matching was tuned. The texts are of Python 3.8 to 3.13 on Linux, macOS and
Windows, of other languages, and of students.
"""

from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_suffix(".txt")
_MARK = "=== "


class ErrorText(NamedTuple):
    """A text that a student may give, and the id of the entry that should come first."""

    text: str
    entry: str


def error_texts() -> list[ErrorText]:
    """Return all of them."""
    found = []
    for block in f"\n{_FILE.read_text(encoding='utf-8')}".split(f"\n{_MARK}")[1:]:
        entry, _, text = block.partition("\n")
        found.append(ErrorText(text.rstrip("\n"), entry))
    return found


def tuned(texts: list[ErrorText]) -> list[ErrorText]:
    """Return the texts that the matching was tuned with."""
    return [text for place, text in enumerate(texts) if place % 3 != 2]


def set_aside(texts: list[ErrorText]) -> list[ErrorText]:
    """Return every third text."""
    return texts[2::3]
