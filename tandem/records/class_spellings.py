"""Finds the spellings of a class, which differ in letter case: INF2A and inf2a are one class. Pure, but for its SQL."""

from collections.abc import Iterable

MAX_CLASSES = 10_000  # that are compared

# The names of all classes on record, each found by one search of the index, not by reading every team.
CLASS_NAMES = """
    WITH RECURSIVE class (name) AS (
        SELECT min(classname) FROM team
        UNION ALL
        SELECT (SELECT min(classname) FROM team WHERE classname > class.name) FROM class WHERE name IS NOT NULL)
    SELECT name FROM class WHERE name IS NOT NULL LIMIT :limit
"""


def spellings(classname: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that are spellings of a class."""
    folded = classname.casefold()
    return [name for name in names if name.casefold() == folded]
