"""How many teams each class has in each state: counting looks at every team, so the answer is kept for a while.

A page never waits for a count: it shows the last one, and the time of it. From it, too, is known how teams have written
the name of a class.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from tandem.board.feed.records_pool import RecordsPool
from tandem.board.gradebook.class_names import ByClass, folded
from tandem.records.queries import ClassRow
from tandem.records.sqlite.sqlite_store import StoreError

AT_LEAST = 2.0  # seconds between two counts
SHARE = 20  # counting takes at most this part of the time: 1/20
MAX_SPELLINGS = 10  # of one class, those that most teams write; teams with another one are not read


@dataclass(frozen=True, slots=True)
class Counted:
    """One count."""

    at: float = 0  # seconds since 1970; 0: there was none yet
    classes: ByClass[Sequence[ClassRow]] = field(default_factory=ByClass)  # a row a spelling, that of most teams first

    def spellings(self, classname: str) -> list[str]:
        """How teams have written the name of a class, what most of them write first."""
        return [row.classname for row in self.classes.get(classname, ())[:MAX_SPELLINGS]]

    def states(self) -> Counter[str]:
        """Teams by state, over all classes."""
        return states(chain.from_iterable(self.classes.values()))


def states(rows: Iterable[ClassRow]) -> Counter[str]:
    """Teams by state."""
    totals = Counter[str]()
    for row in rows:
        totals.update(row.teams)
    return totals


def by_class(rows: Iterable[ClassRow]) -> ByClass[Sequence[ClassRow]]:
    """The rows of each class, the one of most teams first."""
    found: dict[str, list[ClassRow]] = {}
    for row in rows:
        found.setdefault(folded(row.classname), []).append(row)
    for spellings in found.values():
        spellings.sort(key=lambda row: -sum(row.teams.values()))
    return ByClass((spellings[0].classname, spellings) for spellings in found.values())


NOT_COUNTED = Counted()


class ClassCounts:
    """Run `run` as a task; `counted` is the last count."""

    def __init__(self, reading: RecordsPool) -> None:
        self.counted = NOT_COUNTED
        self._reading = reading

    async def run(self) -> None:
        """Counts until it is cancelled."""
        while True:
            began = time.monotonic()
            try:
                classes = await self._reading.ask(lambda records: by_class(records.classes()))
                self.counted = Counted(time.time(), classes)
            except StoreError:
                pass  # the follower says so, on every page
            await asyncio.sleep(max(AT_LEAST, SHARE * (time.monotonic() - began)))
