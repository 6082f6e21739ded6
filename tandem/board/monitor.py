"""How the grounds are doing: follows what they write about themselves every few seconds, for the health page.

Keeps the last hour; a channel tells every browser what is new. Knows the disk, where the records are on this machine.
"""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from tandem.board.channel import Channel
from tandem.board.reading import Reading
from tandem.ground.record import Vitals
from tandem.ground.store import FILE, StoreTrouble

PACE = 1.0  # seconds between two looks
KEPT = 3600.0  # seconds
LATE = 10.0  # seconds by which one ground's vitals may come behind another's
MOST_KEPT = 20_000  # rows: an hour of more than 20 grounds


class Monitor:
    """Run `run` as a task."""

    def __init__(self, reading: Reading) -> None:
        self.channel = Channel(self._snapshot)
        self._reading = reading
        self._vitals: deque[Vitals] = deque(maxlen=MOST_KEPT)

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            try:
                await self._look()
            except StoreTrouble:
                pass  # the follower says so, on every page
            await asyncio.sleep(PACE)

    def latest(self) -> Mapping[str, Vitals]:
        """The last that each ground wrote, in the last hour."""
        return {vitals.ground: vitals for vitals in self._vitals}

    def disk(self) -> dict[str, int] | None:
        """Bytes that are free and in all where the records are, and what they take; None: on another machine."""
        folder = self._reading.where
        if not isinstance(folder, Path):
            return None
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            return None
        files = (folder / FILE, folder / f"{FILE}-wal")
        taken = sum(file.stat().st_size for file in files if file.exists())
        return {"free": usage.free, "total": usage.total, "records": taken}

    async def _look(self) -> None:
        begin = time.time() - KEPT
        since = max(begin, self._vitals[-1].at / 1e6 - LATE) if self._vitals else begin
        found = await self._reading.ask(lambda records: list(records.vitals_since(int(since * 1e6))))
        known = {(vitals.at, vitals.ground) for vitals in self._vitals}
        fresh = [vitals for vitals in found if (vitals.at, vitals.ground) not in known]
        while self._vitals and self._vitals[0].at < begin * 1e6:
            self._vitals.popleft()
        if fresh:
            self._vitals.extend(fresh)
            self.channel.publish(self._told(fresh))

    def _snapshot(self) -> object:
        return self._told(list(self._vitals))

    def _told(self, vitals: list[Vitals]) -> object:
        return {"vitals": [asdict(each) for each in vitals], "disk": self.disk()}
