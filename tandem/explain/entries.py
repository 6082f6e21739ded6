"""The entries of docs/mistakes.md by id: the mistakes of the first part, and the problems of the catalogue."""

import re
from dataclasses import dataclass
from string import Formatter

from tandem.diagnosis.problem import CATALOGUE, Kind, Problem
from tandem.explain.mistakes import MISTAKES, Mistake

PAGE = "docs/mistakes.md"
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the page, in plain text. `texts` are its paragraphs by name, in the order of the page."""

    id: str
    title: str
    heading: str  # on the page
    texts: dict[str, str]

    @property
    def place(self) -> str:
        """The page and the anchor."""
        return f"{PAGE}#{anchor(self.heading)}"


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def heading(mistake: Mistake) -> str:
    """Return the heading of a mistake on the page."""
    return f"{mistake.number}. {mistake.title}"


def _of_mistake(mistake: Mistake) -> Entry:
    texts = {"see": mistake.see, "why": mistake.why, "do": mistake.do}
    plain = {name: _LINK.sub(r"\1", " ".join(text.split())) for name, text in texts.items()}
    return Entry(mistake.id, mistake.title, heading(mistake), plain)


def _of_kind(kind: Kind) -> Entry:
    """Return the entry of a problem. Facts, which only a message has, are left out: `...`."""
    facts = dict.fromkeys((name for _, name, _, _ in Formatter().parse(kind.what + kind.help) if name), "...")
    problem = Problem(kind.id, facts=facts)
    return Entry(kind.id, kind.title, kind.title, {"says": problem.what, "try": problem.help})


ENTRIES = {
    **{mistake.id: _of_mistake(mistake) for mistake in MISTAKES},
    **{kind.id: _of_kind(kind) for kind in CATALOGUE.values()},
}
