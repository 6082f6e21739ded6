"""The order of names in every table and on every page: Team 2 before Team 10, and É beside E. Pure.

The database sorts by code points, by which it reads page by page. What fits on a few pages is sorted again by this key.
"""

import re
import unicodedata
from functools import lru_cache

from tandem.records.visits import Team

NameOrder = tuple[tuple[tuple[int, int, str], ...], str]

_PIECES = re.compile(r"(\d{1,18})|(\D+)")


@lru_cache(4_096)  # a page of 1,000 tiles is sorted again after each visit
def name_order(name: str) -> NameOrder:
    """Return a sort key: letters without case and accents, digits as numbers, numbers before letters.

    Only names that differ in nothing but letter case have the same key.
    """
    folded = name.casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    pieces = ((0, int(number), "") if number else (1, 0, text) for number, text in _PIECES.findall(letters))
    return tuple(pieces), folded


def team_order(team: Team) -> tuple[NameOrder, NameOrder, Team]:
    """Return a sort key of teams: by class in any letter case, then by name."""
    return name_order(team.classname), name_order(team.teamname), team
