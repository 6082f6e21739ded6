"""How the grounds are doing: follows what they write about themselves every few seconds, for the health page.

Keeps the last hour; a channel tells every browser what is new, and why nothing can be read. Knows the disk, where the
records are on this machine; how large they were it knows from when it began, nobody writes that down.
"""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path

from tandem.board.feed.channel import Channel
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.web.display_text import visible
from tandem.records.sqlite.sqlite_store import FILE, StoreError
from tandem.records.visits import METRICS_COLUMNS, MetricsSample

PACE = 1.0  # seconds between two looks
KEPT = 3600.0  # seconds
FRESH = 15.0  # seconds, three periods of a ground: what it wrote longer ago is not how it is now
LATE = 10.0  # seconds by which one ground's vitals may come behind another's
MAX_KEPT = 20_000  # rows: an hour of more than 20 grounds
SIZES_PACE = 5.0  # seconds between two sizes of the records


class Monitor:
    """Run `run` as a task."""

    def __init__(self, reading: RecordsPool) -> None:
        self.channel = Channel(self._snapshot)
        self._reading = reading
        self._vitals: deque[MetricsSample] = deque(maxlen=MAX_KEPT)
        self._heard: dict[str, float] = {}  # when each ground told the last time: seconds since 1970
        self._sizes: deque[tuple[float, int]] = deque(maxlen=int(KEPT / SIZES_PACE))  # when, bytes
        self._measure_at = 0.0  # when the next size is due: time.monotonic()
        self._read_at = 0.0  # seconds since 1970
        self._trouble = ""  # why nothing can be read

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            fresh: list[MetricsSample] = []
            sizes: list[tuple[float, int]] = []
            before = self._trouble
            try:
                fresh = await self._look()
                sizes = self._measure()
                self._read_at, self._trouble = time.time(), ""
            except StoreError as trouble:
                self._trouble = str(trouble)
            if fresh or sizes or self._trouble != before:
                self.channel.publish(self._told(fresh, sizes))
            await asyncio.sleep(PACE)

    def latest(self) -> Mapping[str, MetricsSample]:
        """The last that each ground wrote; a ground that has been silent for longer than FRESH is not there."""
        now = time.time()
        return {vitals.server: vitals for vitals in self._vitals if abs(now - self._heard[vitals.server]) <= FRESH}

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

    async def _look(self) -> list[MetricsSample]:
        """What is new."""
        now = time.time()
        begin = now - KEPT
        # The latest may be from the future: the clock was set back. What is written from now on still counts.
        since = max(begin, min(self._vitals[-1].ended_us / 1e6, now) - LATE) if self._vitals else begin
        found = await self._reading.ask(lambda records: list(records.metrics_since(int(since * 1e6))))
        known = {(vitals.ended_us, vitals.server) for vitals in self._vitals}
        fresh = [vitals for vitals in found if (vitals.ended_us, vitals.server) not in known]
        while self._vitals and self._vitals[0].ended_us < begin * 1e6:
            self._vitals.popleft()
        self._vitals.extend(fresh)
        self._hear(fresh)
        return fresh

    def _hear(self, fresh: list[MetricsSample]) -> None:
        """Grounds may have another clock: by it counts only what was written before the board began to look."""
        now = time.time()
        is_following = now < self._read_at + FRESH
        for vitals in fresh:
            self._heard[vitals.server] = now if is_following else min(now, vitals.ended_us / 1e6)
        self._heard = {vitals.server: self._heard[vitals.server] for vitals in self._vitals}

    def _measure(self) -> list[tuple[float, int]]:
        """How large the records are, when it is time to know it again."""
        disk, now = self.disk(), time.monotonic()
        if disk is None or now < self._measure_at:
            return []
        self._measure_at = now + SIZES_PACE
        self._sizes.append((time.time(), disk["records"]))
        return [self._sizes[-1]]

    def _snapshot(self) -> object:
        return self._told(list(self._vitals), list(self._sizes))

    def _told(self, vitals: list[MetricsSample], sizes: list[tuple[float, int]]) -> object:
        return {
            "now": time.time(),
            "read_at": self._read_at,
            "trouble": visible(self._trouble),
            "heard": {each.server: self._heard[each.server] for each in vitals},
            "vitals": [dict(zip(METRICS_COLUMNS, astuple(each), strict=True)) for each in vitals],
            "sizes": sizes,
            "disk": self.disk(),
        }
