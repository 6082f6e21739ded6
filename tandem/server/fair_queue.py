"""A queue that serves its sources in turn, so that a source with much work does not hold up one with little. Pure."""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Put items under a source; take them one source after the other, those of one source in their order."""

    def __init__(self) -> None:
        self._by_source: dict[str, deque[Item]] = {}  # in the order in which the sources get their turn

    def put(self, source: str, item: Item) -> None:
        """Append an item to those of its source."""
        waiting = self._by_source.get(source)
        if waiting is None:
            self._by_source[source] = deque((item,))
        else:
            waiting.append(item)

    def take(self) -> Item:
        """Remove and return the first item of the source whose turn it is. Raises StopIteration if there is none."""
        source = next(iter(self._by_source))
        waiting = self._by_source.pop(source)
        item = waiting.popleft()
        if waiting:
            self._by_source[source] = waiting  # its next turn comes after all others
        return item
