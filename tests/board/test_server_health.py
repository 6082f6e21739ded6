"""How the servers are doing: only what is fresh is now; trouble and the size of the records are told."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tandem.board.feed import server_health
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import MAX_AGE_S, ServerHealth
from tandem.records.sqlite.sqlite_store import FILE
from tandem.records.visits import MetricsSample
from testing.boards import numbered, with_server_health, write_records


def vitals(server: str, age: float, connections: int = 7) -> MetricsSample:
    """A sample that a server wrote so many seconds ago."""
    return MetricsSample(int((time.time() - age) * 1e6), server, 5_000_000, 5, connections, 300, 900, 9, 2000, 5000, 0)


def play(folder: Path, scene: Callable[[ServerHealth], Awaitable[None]]) -> None:
    """With a monitor that runs."""

    async def run() -> None:
        with closing(RecordsPool(folder)) as records_pool:
            server_health = ServerHealth(records_pool)
            await with_server_health(server_health, lambda: scene(server_health))

    asyncio.run(run())


async def told_next(server_health: ServerHealth, true: Callable[[Any], object]) -> Any:
    """The first for which this is so, of what browsers hear that come in."""
    while True:
        async for event in server_health.channel.listen(""):
            told = json.loads(event.decode().partition("data: ")[2])
            break
        if true(told):
            return told
        await asyncio.sleep(0.01)


def test_a_server_that_went_silent_is_not_how_it_is_now(tmp_path: Path) -> None:
    write_records(tmp_path, vitals("dead", MAX_AGE_S + 1), vitals("alive", 60), vitals("alive", 0, 3))

    async def scene(server_health: ServerHealth) -> None:
        told = await told_next(server_health, lambda told: told["vitals"])
        assert len(told["vitals"]) == 3, "the chart has its last hour"
        assert {server: each.connections for server, each in server_health.latest().items()} == {"alive": 3}

    play(tmp_path, scene)


def test_a_server_with_another_clock_is_there_while_it_writes(tmp_path: Path) -> None:
    write_records(tmp_path, vitals("slow", 70))

    async def scene(server_health: ServerHealth) -> None:
        await told_next(server_health, lambda told: told["vitals"])
        assert server_health.latest() == {}
        write_records(tmp_path, vitals("slow", 65))
        await told_next(server_health, lambda told: len(told["vitals"]) == 2)
        assert list(server_health.latest()) == ["slow"]

    play(tmp_path, scene)


def test_who_watches_is_told_of_trouble_and_of_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_health, "POLL_INTERVAL_S", 0.01)
    write_records(tmp_path, numbered(1))
    files = list(tmp_path.glob("tandem.sqlite3*"))

    async def scene(server_health: ServerHealth) -> None:
        await told_next(server_health, lambda told: not told["trouble"] and told["read_at"])
        for file in files:
            file.rename(tmp_path / f"away-{file.name}")
        (tmp_path / FILE).write_bytes(b"garbage" * 1000)
        await told_next(server_health, lambda told: told["trouble"])
        for file in files:
            (tmp_path / f"away-{file.name}").rename(file)
        await told_next(server_health, lambda told: not told["trouble"])

    play(tmp_path, scene)


def test_the_size_of_the_records_is_told_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_health, "POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr(server_health, "SIZE_INTERVAL_S", 0.01)
    monkeypatch.setattr(server_health, "HISTORY_S", 0.04)
    write_records(tmp_path, numbered(1))

    async def scene(server_health: ServerHealth) -> None:
        one = await told_next(server_health, lambda told: len(told["sizes"]) == 1)
        assert one["sizes"][0][1] == one["disk"]["records"] > 0
        first = one["sizes"][0]
        snapshot = await told_next(server_health, lambda told: len(told["sizes"]) > 1 and first not in told["sizes"])
        assert len(snapshot["sizes"]) == 4, "no more than an hour of them"

    play(tmp_path, scene)
