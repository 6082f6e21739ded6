"""Follows the visits as they are recorded: each once, none missed, whichever ground wrote it.

One ground's visits become visible in the order of their ids. Several grounds at one database take their ids at once
and commit in any order: a visit may appear when higher ids were seen already. So every id is looked at again for
as long as a lower one may still come.
"""

import time
from collections.abc import Callable

from tandem.records.queries import Arrival, Records

IN_HAND = 10_000  # visits, at most, that grounds may be writing when a tail begins


class Tail:
    """Begins behind the visits that are on record now. Look at the teams after it was made, not before."""

    def __init__(self, records: Records, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        self._settled = records.last_visit_id(but=IN_HAND if records.lateness else 0)  # below it, none will come
        self._seen = dict.fromkeys(records.visit_ids_since(self._settled), clock())  # above it: since when

    def visits(self) -> list[Arrival]:
        """The visits that have appeared since the last call, by id."""
        now = self._clock()
        self._settled = min(self._settled, self._records.last_visit_id())  # forgotten ones may give their ids again
        fresh = {id for id in self._records.visit_ids_since(self._settled) if id not in self._seen}
        found = [visit for visit in self._records.visits_since(min(fresh) - 1) if visit.id in fresh] if fresh else []
        self._seen |= dict.fromkeys(sorted(fresh), now)
        self._settle(now - self._records.lateness)
        return found

    def _settle(self, long_ago: float) -> None:
        """Moves the mark up to where no lower id can still come."""
        for id in sorted(self._seen):
            if self._seen[id] > long_ago:
                break
            self._settled = id
            del self._seen[id]
