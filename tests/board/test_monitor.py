"""How the grounds are doing: only what is fresh is now; trouble and the size of the records are told."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tandem.board.feed import server_health
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import FRESH, Monitor
from tandem.records.sqlite.sqlite_store import FILE
from tandem.records.visits import MetricsSample
from testing.boards import keep, numbered
from testing.processes import LIMIT


def vitals(server: str, age: float, connections: int = 7) -> MetricsSample:
    """What a ground wrote so many seconds ago."""
    return MetricsSample(int((time.time() - age) * 1e6), server, 5_000_000, 5, connections, 300, 900, 9, 2000, 5000, 0)


def play(folder: Path, scene: Callable[[Monitor], Awaitable[None]]) -> None:
    """With a monitor that runs."""

    async def run() -> None:
        reading = RecordsPool(folder)
        monitor = Monitor(reading)
        task = asyncio.create_task(monitor.run())
        try:
            async with asyncio.timeout(LIMIT):
                await scene(monitor)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            reading.close()

    asyncio.run(run())


async def told_next(monitor: Monitor, true: Callable[[Any], object]) -> Any:
    """The first for which this is so, of what browsers hear that come in."""
    while True:
        async for event in monitor.channel.listen(""):
            told = json.loads(event.decode().partition("data: ")[2])
            break
        if true(told):
            return told
        await asyncio.sleep(0.01)


def test_a_ground_that_went_silent_is_not_how_it_is_now(tmp_path: Path) -> None:
    keep(tmp_path, vitals("dead", FRESH + 1), vitals("alive", 60), vitals("alive", 0, 3))

    async def scene(monitor: Monitor) -> None:
        told = await told_next(monitor, lambda told: told["vitals"])
        assert len(told["vitals"]) == 3, "the chart has its last hour"
        assert {server: each.connections for server, each in monitor.latest().items()} == {"alive": 3}

    play(tmp_path, scene)


def test_a_ground_with_another_clock_is_there_while_it_writes(tmp_path: Path) -> None:
    keep(tmp_path, vitals("slow", 70))

    async def scene(monitor: Monitor) -> None:
        await told_next(monitor, lambda told: told["vitals"])
        assert monitor.latest() == {}
        keep(tmp_path, vitals("slow", 65))
        await told_next(monitor, lambda told: len(told["vitals"]) == 2)
        assert list(monitor.latest()) == ["slow"]

    play(tmp_path, scene)


def test_who_watches_is_told_of_trouble_and_of_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_health, "PACE", 0.01)
    keep(tmp_path, numbered(1))
    files = list(tmp_path.glob("tandem.sqlite3*"))

    async def scene(monitor: Monitor) -> None:
        await told_next(monitor, lambda told: not told["trouble"] and told["read_at"])
        for file in files:
            file.rename(tmp_path / f"away-{file.name}")
        (tmp_path / FILE).write_bytes(b"garbage" * 1000)
        await told_next(monitor, lambda told: told["trouble"])
        for file in files:
            (tmp_path / f"away-{file.name}").rename(file)
        await told_next(monitor, lambda told: not told["trouble"])

    play(tmp_path, scene)


def test_the_size_of_the_records_is_told_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_health, "PACE", 0.01)
    monkeypatch.setattr(server_health, "SIZES_PACE", 0.01)
    monkeypatch.setattr(server_health, "KEPT", 0.04)
    keep(tmp_path, numbered(1))

    async def scene(monitor: Monitor) -> None:
        one = await told_next(monitor, lambda told: len(told["sizes"]) == 1)
        assert one["sizes"][0][1] == one["disk"]["records"] > 0
        first = one["sizes"][0]
        snapshot = await told_next(monitor, lambda told: len(told["sizes"]) > 1 and first not in told["sizes"])
        assert len(snapshot["sizes"]) == 4, "no more than an hour of them"

    play(tmp_path, scene)
