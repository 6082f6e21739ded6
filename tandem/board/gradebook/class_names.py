"""The names of classes: INF2A and inf2a are one class. The one rule for addresses, rosters, and what teams wrote.

Knows no class; says only when two names mean the same, and keeps things by class.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def folded(classname: str) -> str:
    """The same for every spelling of one class: only the case of its letters does not count."""
    return classname.casefold()


class ByClass(Mapping[str, Value]):
    """Something of each class, found under every spelling of its name. The names are as they were first given."""

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
