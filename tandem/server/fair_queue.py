"""A queue that serves its sources in turn, so that a source with much work does not delay one with little. Pure."""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """Takes items of one source after the other, and those of one source in their order."""

    def __init__(self) -> None:
        self._by_source: dict[str, deque[Item]] = {}  # the source whose turn is next comes first

    def put(self, source: str, item: Item) -> None:
        """Append an item to those of its source."""
        waiting = self._by_source.get(source)
        if waiting is None:
            self._by_source[source] = deque((item,))
        else:
            waiting.append(item)

    def take(self) -> Item:
        """Remove and return the first item of the source whose turn it is.

        Raises:
            StopIteration: the queue is empty.
        """
        source = next(iter(self._by_source))
        waiting = self._by_source.pop(source)
        item = waiting.popleft()
        if waiting:
            self._by_source[source] = waiting  # its next turn comes after all others
        return item
