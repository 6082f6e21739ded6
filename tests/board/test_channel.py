"""Events for many browsers: numbered, kept for those who come back, never more than a bounded number."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tandem.board.feed import channel as channels
from tandem.board.feed.channel import MAX_QUEUED_EVENTS, MAX_REPLAYED_EVENTS, Channel

LIMIT = 10.0


def told(event: bytes) -> tuple[str, str, object]:
    """An event's id, kind and data."""
    fields = dict(line.partition(": ")[::2] for line in event.decode().strip().split("\n"))
    return fields.get("id", ""), fields["event"], json.loads(fields["data"])


async def take(stream: AsyncIterator[bytes], count: int) -> list[tuple[str, str, object]]:
    return [told(await asyncio.wait_for(anext(stream), LIMIT)) for _ in range(count)]


def test_a_newcomer_gets_a_snapshot_and_then_every_change() -> None:
    async def play() -> None:
        channel = Channel(lambda: "all of it")
        stream = channel.listen("")
        assert [event[1:] for event in await take(stream, 1)] == [("snapshot", "all of it")]
        channel.publish({"text": "line\nbreak"})
        assert [event[1:] for event in await take(stream, 1)] == [("change", {"text": "line\nbreak"})]

    asyncio.run(play())


def test_who_comes_back_gets_what_it_missed_and_nothing_twice() -> None:
    async def play() -> None:
        channel = Channel(lambda: "all of it")
        channel.publish(1)
        seen = channel.last_id
        channel.publish(2)
        channel.publish(3)
        stream = channel.listen(seen)
        assert [data for _, _, data in await take(stream, 2)] == [2, 3]
        channel.publish(4)
        [(last, _, data)] = await take(stream, 1)
        assert (last, data) == (channel.last_id, 4)

    asyncio.run(play())


def test_who_has_seen_all_gets_a_sign_of_life_at_once() -> None:
    async def play() -> None:
        channel = Channel(lambda: "all of it")
        assert (await take(channel.listen(channel.last_id), 1))[0][1] == "beat"

    asyncio.run(play())


def test_what_this_channel_does_not_remember_is_a_snapshot() -> None:
    async def play() -> None:
        channel = Channel(lambda: "all of it")
        first = channel.last_id
        name = first.partition("-")[0]
        for number in range(MAX_REPLAYED_EVENTS + 1):
            channel.publish(number)
        for last in (first, "another-3", "3", "-", f"{name}-x", f"{name}-{'9' * 400}", f"{name}-²"):
            assert (await take(channel.listen(last), 1))[0][1] == "snapshot", last
        remembered = await take(channel.listen(f"{name}-1"), MAX_REPLAYED_EVENTS)
        assert [data for _, _, data in remembered] == list(range(1, MAX_REPLAYED_EVENTS + 1))

    asyncio.run(play())


def test_a_browser_that_takes_nothing_is_let_go_and_others_are_not() -> None:
    async def play() -> None:
        channel = Channel(lambda: "all of it")
        slow, quick = channel.listen(""), channel.listen("")
        await take(slow, 1)
        await take(quick, 1)
        for number in range(MAX_QUEUED_EVENTS + 5):
            channel.publish(number)
            await take(quick, 1)
        assert channel.listeners == 1
        assert len(await take(slow, MAX_QUEUED_EVENTS)) == MAX_QUEUED_EVENTS
        assert [event async for event in slow] == []

    asyncio.run(play())


def test_silence_is_broken_by_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        stream = Channel(lambda: None).listen("")
        assert [kind for _, kind, _ in await take(stream, 3)] == ["snapshot", "beat", "beat"]

    monkeypatch.setattr(channels, "HEARTBEAT_INTERVAL_S", 0.01)
    asyncio.run(play())


def test_the_end_is_for_everybody() -> None:
    async def play() -> None:
        channel = Channel(lambda: None)
        stream = channel.listen("")
        await take(stream, 1)
        assert channel.listeners == 1
        channel.close()
        assert [event async for event in stream] == []
        assert channel.listeners == 0
        assert [event async for event in channel.listen("")] == []

    asyncio.run(play())
