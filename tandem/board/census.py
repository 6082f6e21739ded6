"""How many teams each class has in each state: counting looks at every team, so the answer is kept for a while.

A page never waits for a count: it shows the last one, and the time of it.
"""

import asyncio
import time
from dataclasses import dataclass

from tandem.board.reading import Reading
from tandem.ground.records import ClassRow
from tandem.ground.store import StoreTrouble

AT_LEAST = 2.0  # seconds between two counts
SHARE = 20  # counting takes at most this part of the time: 1/20


@dataclass(frozen=True, slots=True)
class Counted:
    """One count."""

    at: float  # seconds since 1970; 0: there was none yet
    classes: tuple[ClassRow, ...] = ()

    def states(self) -> dict[str, int]:
        """Teams by state, over all classes."""
        totals: dict[str, int] = {}
        for row in self.classes:
            for state, teams in row.teams.items():
                totals[state] = totals.get(state, 0) + teams
        return totals


class Census:
    """Run `run` as a task; `counted` is the last count."""

    def __init__(self, reading: Reading) -> None:
        self.counted = Counted(0)
        self._reading = reading

    async def run(self) -> None:
        """Counts until it is cancelled."""
        while True:
            began = time.monotonic()
            try:
                classes = await self._reading.ask(lambda records: tuple(records.classes()))
                self.counted = Counted(time.time(), classes)
            except StoreTrouble:
                pass  # the follower says so, on every page
            await asyncio.sleep(max(AT_LEAST, SHARE * (time.monotonic() - began)))
