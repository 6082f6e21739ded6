"""One reader for all browsers: everybody in the same room, rooms bounded, nothing missed when it begins anew."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tandem.board.feed import follower as follower_module
from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.follower import Follower, TooManyFeedsError
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.page_templates import PageTemplates
from tandem.records.sqlite.sqlite_store import FILE
from tandem.records.visits import Team
from testing.boards import numbered, refused, team, with_secret, write_records
from testing.processes import LIMIT
from testing.visits import message_1, message_2

LOOKS = PageTemplates()


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[Follower]:
    """A follower that has read its records."""
    board_store = BoardStore(folder)
    records_pool = RecordsPool(folder)
    follower = Follower(folder, board_store, LOOKS, ClassCounts(records_pool), b"key")
    task = asyncio.create_task(follower.run())
    try:
        await until(lambda: not follower.read_error)
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        follower.close()
        records_pool.close()
        board_store.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not true():
            await asyncio.sleep(0.01)


def play(folder: Path, scene: Callable[[Follower], Awaitable[None]]) -> None:
    async def run() -> None:
        async with following(folder) as follower:
            await scene(follower)

    asyncio.run(run())


def test_who_comes_at_the_same_time_is_in_the_same_room(tmp_path: Path) -> None:
    write_records(tmp_path, numbered(1))

    async def scene(follower: Follower) -> None:
        feeds = await asyncio.gather(*(follower.feed("INF2A") for _ in range(5)))
        assert feeds[0] is not None
        assert len({id(feed) for feed in feeds}) == 1

    play(tmp_path, scene)


def test_a_change_reaches_the_room_and_the_teams_page(tmp_path: Path) -> None:
    write_records(tmp_path, numbered(1), numbered(2))

    async def scene(follower: Follower) -> None:
        feed = await follower.feed("INF2A")
        assert feed is not None
        mine, other = follower.team_channel("INF2A", "Team 1"), follower.team_channel("INF2A", "Team 2")
        before = mine.last_id, other.last_id
        write_records(tmp_path, with_secret(message_2(team(1)), 1), refused(3, "not-swapped", 5))
        await until(lambda: mine.last_id != before[0])
        await until(lambda: [tile.state.name for tile in feed.class_tiles.tiles] == ["FINISHED", "WAITING", "STUCK"])
        assert other.last_id == before[1]

    play(tmp_path, scene)


def test_nothing_is_missed_when_it_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.05)
    monkeypatch.setattr(follower_module, "POLL_INTERVAL_S", 0.0)
    write_records(tmp_path, numbered(1))

    async def scene(follower: Follower) -> None:
        channel = follower.team_channel("INF2A", "Team 1")
        for number in range(20):
            before = channel.last_id
            write_records(tmp_path, message_1(team(1), number))
            await until(lambda before=before: channel.last_id != before)  # type: ignore[misc]

    play(tmp_path, scene)


def test_rooms_are_bounded_and_the_longest_idle_one_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MAX_FEEDS", 2)
    write_records(tmp_path, *(message_1(Team(name, "Team1", "1111111", "2222222")) for name in "ABCD"))

    async def scene(follower: Follower) -> None:
        first, second = await follower.feed("A"), await follower.feed("B")
        assert first is not None
        assert second is not None
        assert await follower.feed("x" * 65) is None
        assert await follower.feed("A") is not None
        streams = []
        for name in "CD":
            feed = await follower.feed(name)
            assert feed is not None
            streams.append(feed.channel.listen(""))
            await anext(streams[-1])
        assert [event async for event in first.channel.listen("")] == [], "it was left: come in again"
        assert follower.listeners == 2
        with pytest.raises(TooManyFeedsError):
            await follower.feed("A")
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert await follower.feed("A") is not None

    play(tmp_path, scene)


def test_an_empty_class_becomes_live_with_its_first_team_in_whatever_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.1)
    write_records(tmp_path, numbered(1))

    async def scene(follower: Follower) -> None:
        feed = await follower.feed("new")
        assert feed is not None
        assert feed.is_empty
        stream = feed.channel.listen(feed.channel.last_id)
        await anext(stream)
        write_records(tmp_path, message_1(team(2, "Early Bird", "NEW")))
        change = await anext(stream)
        assert b"Early Bird" in change
        assert b'"nobody": ""' in change
        assert await follower.feed("NEW") is feed
        await follower.refresh()
        assert not feed.is_empty, "it stays, although no count has told of its spelling"
        await stream.aclose()

    play(tmp_path, scene)


def test_empty_classes_keep_nobody_out_and_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MAX_FEEDS", 2)
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.05)
    write_records(tmp_path, numbered(1))

    async def scene(follower: Follower) -> None:
        empty = [await follower.feed(name) for name in ("none", "nobody")]
        streams = [feed.channel.listen("") for feed in empty if feed]
        for stream in streams:
            await anext(stream)
        assert await follower.feed("INF2A") is not None
        with pytest.raises(StopAsyncIteration):
            await anext(streams[0])
        await streams[1].aclose()  # type: ignore[attr-defined]
        await until(lambda: not follower.feed_count)

    play(tmp_path, scene)


def test_channels_of_teams_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MAX_TEAM_CHANNELS", 2)
    write_records(tmp_path, numbered(1))

    async def scene(follower: Follower) -> None:
        channel = follower.team_channel("INF2A", "Team 1")
        stream = channel.listen("")
        await anext(stream)
        for number in range(10):
            follower.team_channel("INF2A", str(number))
        assert follower.team_channel("INF2A", "Team 1") is channel
        assert follower.listeners == 1
        await stream.aclose()  # type: ignore[attr-defined]

    play(tmp_path, scene)


def test_an_open_page_is_told_that_the_records_cannot_be_read_and_when_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.1)
    monkeypatch.setattr(follower_module, "RETRY_DELAY_S", 0.05)
    write_records(tmp_path, numbered(1))
    files = list(tmp_path.glob("tandem.sqlite3*"))

    async def scene(follower: Follower) -> None:
        feed = await follower.feed("INF2A")
        assert feed is not None
        stream = feed.channel.listen("")
        assert b'"trouble": ""' in await anext(stream)
        for file in files:
            file.rename(tmp_path / f"away-{file.name}")
        (tmp_path / FILE).write_bytes(b"garbage" * 1000)
        told = (await anext(stream)).decode()
        assert re.search(r"cannot be read at the moment\. This page shows them as of \d\d:\d\d:\d\d\.", told)
        assert str(tmp_path) not in told
        for file in files:
            (tmp_path / f"away-{file.name}").rename(file)
        assert b'"trouble": ""' in await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    play(tmp_path, scene)


def test_a_class_that_is_opened_while_the_records_cannot_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RELOAD_INTERVAL_S", 0.1)
    write_records(tmp_path, numbered(1))

    lines: list[str] = []
    monkeypatch.setattr(follower_module, "report", lambda words, prefix: lines.append(words))

    async def scene(follower: Follower) -> None:
        assert lines == []  # that nothing has been read yet is no line
        for file in tmp_path.glob("tandem.sqlite3*"):
            file.unlink()
        await until(lambda: follower.read_error != "")
        assert lines == [f"the records cannot be read: {follower.read_error}"]
        feed = await follower.feed("other")
        assert feed is not None
        assert "cannot be read" in feed.pieces()["trouble"]
        assert feed.pieces()["nobody"] == ""  # whether a team has come is not known

    play(tmp_path, scene)
