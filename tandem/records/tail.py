"""Follows the visits as they are recorded: each once, none missed, whichever server wrote it.

The visits of one server become visible in the order of their ids. Several servers at one database take their ids at
the same time and commit in any order: a visit may appear after visits with higher ids. So every id is read again for
as long as a lower one may still appear.
"""

import time
from collections.abc import Callable

from tandem.records.queries import Arrival, Records

MAX_UNCOMMITTED = 10_000  # visits that servers may be writing when a tail starts


class Tail:
    """Starts after the last recorded visit.

    Create the tail first and read the teams second, or updates in between are lost.
    """

    def __init__(self, records: Records, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._clock = clock
        skip = MAX_UNCOMMITTED if records.visibility_delay_s else 0
        self._complete_id = records.last_visit_id(skip)  # every visit up to it is visible
        self._seen = dict.fromkeys(records.visit_ids_since(self._complete_id), clock())  # later ids: seen since

    def visits(self) -> list[Arrival]:
        """Return the visits that have appeared since the last call, by id."""
        now = self._clock()
        # After `forget` SQLite may give the highest ids again.
        self._complete_id = min(self._complete_id, self._records.last_visit_id())
        fresh = {id for id in self._records.visit_ids_since(self._complete_id) if id not in self._seen}
        found = [visit for visit in self._records.visits_since(min(fresh) - 1) if visit.id in fresh] if fresh else []
        self._seen |= dict.fromkeys(sorted(fresh), now)
        self._advance(now - self._records.visibility_delay_s)
        return found

    def _advance(self, long_ago: float) -> None:
        """Raise the complete id to where no lower id can still appear."""
        for id in sorted(self._seen):
            if self._seen[id] > long_ago:
                break
            self._complete_id = id
            del self._seen[id]
