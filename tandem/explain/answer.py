"""The answer of `tandem explain` as text and as JSON."""

import json
import textwrap
from collections.abc import Sequence

from tandem.explain.entries import ENTRIES, PAGE, Entry

WIDTH = 100
LABELS = {"see": "You see", "why": "Why", "do": "Do", "says": "It says", "try": "Try"}


def answer(ids: Sequence[str], format: str) -> str:
    """Return the first entry in full and the others by title. `ids` has at least one."""
    first, *others = (ENTRIES[id] for id in ids)
    return _as_json(first, others) if format == "json" else _as_text(first, others)


def _as_text(first: Entry, others: Sequence[Entry]) -> str:
    lines = [f"{first.title} ({first.id})", ""]
    for name, text in first.texts.items():
        lines += textwrap.wrap(
            f"{LABELS[name]}: {text}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    lines += ["", f"More: {first.place}"]
    if others:
        lines += ["", "Others that may fit; show one with tandem explain ID:"]
        lines += [f"  {entry.id:<20} {entry.title}" for entry in others]
    return "\n".join(lines) + "\n"


def _as_json(first: Entry, others: Sequence[Entry]) -> str:
    found = {"id": first.id, "title": first.title, **first.texts, "page": first.place}
    beside = [{"id": entry.id, "title": entry.title, "page": entry.place} for entry in others]
    return json.dumps({"found": found, "others": beside}, ensure_ascii=False, indent=2) + "\n"


NOTHING_FITS = "nothing fits"
WHAT_TO_GIVE = f"the last line of the error as it stands, its number, or the whole status; or search {PAGE}"
