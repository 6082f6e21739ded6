"""Compares names of classes: INF2A and inf2a are one class, in URLs, on rosters and in messages. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def folded(classname: str) -> str:
    """Return a text that is the same for all spellings of a class's name, which differ in letter case."""
    return classname.casefold()


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
