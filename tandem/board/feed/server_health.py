"""The health of the servers: follows their heartbeats, and the metrics samples that each writes every few seconds.

It holds the samples of the last hour, and publishes new ones on a channel. If the records are on this machine, it also
measures their size, which is known only from the start of the board, because nobody records it.
"""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from tandem.board.feed.channel import Channel
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_status import ServerStatus, listening_addresses
from tandem.board.web.display_text import visible
from tandem.records.heartbeat import heartbeat_age_s
from tandem.records.queries import Records
from tandem.records.sqlite.sqlite_store import FILE, StoreError
from tandem.records.visits import MetricsSample

POLL_INTERVAL_S = 1.0
HISTORY_S = 3600.0
MAX_AGE_S = 15.0  # three periods of a server: an older sample is not its current state
MAX_LAG_S = 10.0  # a sample of one server may be recorded so much later than a later one of another server
MAX_SAMPLES = 20_000  # an hour of more than 20 servers
SIZE_INTERVAL_S = 5.0
MAX_SILENCE_S = 3.0  # since the last heartbeat: a server beats every second, or every other one while it is idle


class ServerHealth:
    """The samples of the last hour. Run `run` as a task."""

    def __init__(
        self, records_pool: RecordsPool, on_status: Callable[[ServerStatus], None] = lambda status: None
    ) -> None:
        """Follow the servers. Each change of their status is passed to `on_status`."""
        self._on_status = on_status
        self._status = ServerStatus()
        self._heartbeat_age_s: float | None = None
        self.channel = Channel(self._snapshot)
        self._records_pool = records_pool
        self._samples: deque[MetricsSample] = deque(maxlen=MAX_SAMPLES)
        self._heard_s: dict[str, float] = {}  # server -> when it last wrote, in seconds since 1970
        self._sizes: deque[tuple[float, int]] = deque(maxlen=int(HISTORY_S / SIZE_INTERVAL_S))  # seconds, bytes
        self._next_size_s = 0.0  # time.monotonic()
        self._read_s = 0.0  # when the samples were last read: seconds since 1970
        self._read_error = ""  # why the samples cannot be read

    async def run(self) -> None:
        """Follow the samples until the task is cancelled."""
        while True:
            fresh: list[MetricsSample] = []
            sizes: list[tuple[float, int]] = []
            error_before = self._read_error
            try:
                fresh = await self._read_new()
                sizes = self._measure_size()
                self._read_s, self._read_error = time.time(), ""
            except StoreError as error:
                self._read_error = str(error)
            else:
                self._update_status()
            if fresh or sizes or self._read_error != error_before:
                self.channel.publish(self._event_data(fresh, sizes))
            await asyncio.sleep(POLL_INTERVAL_S)

    def latest(self) -> Mapping[str, MetricsSample]:
        """Return the latest sample of each server, without those of servers that wrote none within MAX_AGE_S."""
        now_s = time.time()
        return {
            sample.server: sample for sample in self._samples if abs(now_s - self._heard_s[sample.server]) <= MAX_AGE_S
        }

    def _update_status(self) -> None:
        """Pass the status of the servers on, if it has changed."""
        age_s = self._heartbeat_age_s
        is_silent = age_s is not None and age_s > MAX_SILENCE_S
        addresses, is_local = listening_addresses(self.latest())
        since_us = None
        if is_silent and age_s is not None:
            since_us = self._status.silent_since_us or int((time.time() - age_s) * 1e6)
        status = ServerStatus(addresses, is_local, since_us)
        if status != self._status:
            self._status = status
            self._on_status(status)

    def disk(self) -> dict[str, int] | None:
        """Return the bytes of the disk with the records: free, total, and taken by the records.

        Returns:
            None if the records are on another machine, or the disk cannot be read.
        """
        folder = self._records_pool.location
        if not isinstance(folder, Path):
            return None
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            return None
        files = (folder / FILE, folder / f"{FILE}-wal")
        taken = sum(file.stat().st_size for file in files if file.exists())
        return {"free": usage.free, "total": usage.total, "records": taken}

    async def _read_new(self) -> list[MetricsSample]:
        """Return the samples that were not known before."""
        now_s = time.time()
        first_s = now_s - HISTORY_S
        # The latest sample may be from the future, if the clock was set back. Samples from now on must still be read.
        since_s = max(first_s, min(self._samples[-1].ended_us / 1e6, now_s) - MAX_LAG_S) if self._samples else first_s

        def read(records: Records) -> tuple[list[MetricsSample], float | None]:
            return list(records.metrics_since(int(since_s * 1e6))), self._read_heartbeat(records)

        found, self._heartbeat_age_s = await self._records_pool.read(read)
        known = {(sample.ended_us, sample.server) for sample in self._samples}
        fresh = [sample for sample in found if (sample.ended_us, sample.server) not in known]
        while self._samples and self._samples[0].ended_us < first_s * 1e6:
            self._samples.popleft()
        self._samples.extend(fresh)
        self._mark_heard(fresh)
        return fresh

    def _read_heartbeat(self, records: Records) -> float | None:
        """Return the seconds since the last heartbeat of a server; None if there are none."""
        location = self._records_pool.location
        if isinstance(location, Path):
            return heartbeat_age_s(location)
        try:
            return records.heartbeat_age_s()
        except StoreError:  # a server of an older version has made the database
            return None

    def _mark_heard(self, fresh: list[MetricsSample]) -> None:
        """Note when each server wrote, by this machine's clock.

        A server may have another clock. Its time is used only for samples from before the board began to follow.
        """
        now_s = time.time()
        is_following = now_s < self._read_s + MAX_AGE_S
        for sample in fresh:
            self._heard_s[sample.server] = now_s if is_following else min(now_s, sample.ended_us / 1e6)
        self._heard_s = {sample.server: self._heard_s[sample.server] for sample in self._samples}

    def _measure_size(self) -> list[tuple[float, int]]:
        """Return a new size of the records, if one is due."""
        disk, now_s = self.disk(), time.monotonic()
        if disk is None or now_s < self._next_size_s:
            return []
        self._next_size_s = now_s + SIZE_INTERVAL_S
        self._sizes.append((time.time(), disk["records"]))
        return [self._sizes[-1]]

    def _snapshot(self) -> object:
        return self._event_data(list(self._samples), list(self._sizes))

    def _event_data(self, samples: list[MetricsSample], sizes: list[tuple[float, int]]) -> object:
        return {
            "now": time.time(),
            "read_at": self._read_s,
            "trouble": visible(self._read_error),
            "heard": {sample.server: self._heard_s[sample.server] for sample in samples},
            "vitals": [_as_json(sample) for sample in samples],
            "sizes": sizes,
            "disk": self.disk(),
        }


def _as_json(sample: MetricsSample) -> dict[str, object]:
    """Return what the page's script reads of a sample. Times are in microseconds."""
    return {
        "at": sample.ended_us,
        "ground": sample.server,
        "period": sample.period_us,
        "visits": sample.visits,
        "connections": sample.connections,
        "took_p50": sample.reply_p50_us,
        "took_p99": sample.reply_p99_us,
        "commits": sample.commits,
        "commit_p50": sample.commit_p50_us,
        "commit_p99": sample.commit_p99_us,
        "waiting": sample.waiting,
    }
