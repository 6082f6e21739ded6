"""Compares names of classes: INF2A and inf2a are one class everywhere. Pure, but for its SQL."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from tandem.records.readable_order import name_order

Value = TypeVar("Value")

MAX_CLASSES = 10_000  # that are compared

# The names of all classes on record, each found by one search of the index, not by reading every team.
CLASS_NAMES = """
    WITH RECURSIVE class (name) AS (
        SELECT min(classname) FROM team
        UNION ALL
        SELECT (SELECT min(classname) FROM team WHERE classname > class.name) FROM class WHERE name IS NOT NULL)
    SELECT name FROM class WHERE name IS NOT NULL LIMIT :limit
"""


def folded(name: str) -> str:
    """Return a text that is the same for all spellings of a name, which differ in letter case."""
    return name.casefold()


def spellings(name: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that are spellings of a name."""
    wanted = folded(name)
    return [each for each in names if folded(each) == wanted]


def distinct_classes(names: Iterable[str]) -> list[str]:
    """Return one spelling of each class, the first one, in the order of name_order."""
    return sorted(ByClass((name, None) for name in names), key=name_order)


class ByClass(Mapping[str, Value]):
    """A mapping from classes to values that finds every spelling of a name. It lists the first spelling of each."""

    def __init__(self, items: Iterable[tuple[str, Value]] = ()) -> None:
        self._items: dict[str, tuple[str, Value]] = {}
        for classname, value in items:
            first, _ = self._items.get(folded(classname), (classname, value))
            self._items[folded(classname)] = first, value

    def __getitem__(self, classname: str) -> Value:
        return self._items[folded(classname)][1]

    def __iter__(self) -> Iterator[str]:
        return (classname for classname, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)
