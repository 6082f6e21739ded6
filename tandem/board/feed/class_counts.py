"""Counts the teams of each class by state, every few seconds.

A count reads every team, so pages show the latest count and its time, and never wait for one. A count also holds the
spellings of each class's name.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from tandem.board.feed.records_pool import RecordsPool
from tandem.records.class_spellings import ByClass, folded
from tandem.records.queries import ClassRow
from tandem.records.readable_order import name_order
from tandem.records.sqlite.sqlite_store import StoreError

MIN_INTERVAL_S = 2.0  # between two counts
PAUSE_FACTOR = 20  # a pause is at least so many times as long as the count before it
MAX_SPELLINGS = 10  # of one class, the most frequent ones; teams with other spellings are not read


@dataclass(frozen=True, slots=True)
class TeamCounts:
    """One count."""

    counted_s: float = 0  # seconds since 1970; 0: nothing has been counted
    classes: ByClass[Sequence[ClassRow]] = field(default_factory=ByClass)  # a row a spelling, the most frequent first

    def spellings(self, classname: str) -> list[str]:
        """Return the spellings of a class's name that teams have sent, the most frequent first."""
        return [row.classname for row in self.classes.get(classname, ())[:MAX_SPELLINGS]]

    def by_state(self) -> Counter[str]:
        """Return the number of teams in each state, over all classes."""
        return count_states(chain.from_iterable(self.classes.values()))


def count_states(rows: Iterable[ClassRow]) -> Counter[str]:
    """Return the number of teams in each state."""
    totals = Counter[str]()
    for row in rows:
        totals.update(row.teams)
    return totals


def by_class(rows: Iterable[ClassRow]) -> ByClass[Sequence[ClassRow]]:
    """Group the rows by class, in the order of the names; of each class those with the most teams first."""
    found: dict[str, list[ClassRow]] = {}
    for row in rows:
        found.setdefault(folded(row.classname), []).append(row)
    for spellings in found.values():
        spellings.sort(key=lambda row: -sum(row.teams.values()))
    named = [(spellings[0].classname, spellings) for spellings in found.values()]
    return ByClass(sorted(named, key=lambda item: name_order(item[0])))


NO_COUNTS = TeamCounts()


class ClassCounts:
    """The latest count. Run `run` as a task."""

    def __init__(self, records_pool: RecordsPool) -> None:
        self.latest = NO_COUNTS
        self._records_pool = records_pool

    async def run(self) -> None:
        """Count until the task is cancelled."""
        while True:
            started_s = time.monotonic()
            try:
                classes = await self._records_pool.read(lambda records: by_class(records.classes()))
                self.latest = TeamCounts(time.time(), classes)
            except StoreError:
                pass  # the Follower reports it on every page
            await asyncio.sleep(max(MIN_INTERVAL_S, PAUSE_FACTOR * (time.monotonic() - started_s)))
