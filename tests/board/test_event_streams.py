"""Streams to many browsers: who finds a place, who makes room, and that all are counted out again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from tandem.board.feed import channel as channels
from tandem.board.feed.channel import Channel
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError, renew_token
from tandem.board.web import event_streams
from tandem.board.web.auth import TEACHER_COOKIE, Auth
from tandem.board.web.event_streams import StreamLimit
from tandem.board.web.sessions import SessionKind, SessionStore
from tandem.board.web.token_check import TokenCheck
from testing.processes import LIMIT

ADMISSION = TokenCheck(b"key")
MOST = 6
Watch = Callable[..., Awaitable["Browser"]]


class Browser:
    """One that watches. It takes what it is sent unless it is told to hang."""

    def __init__(self, stream_limit: StreamLimit, address: str, cookie: str, channel: Channel | None = None) -> None:
        headers = [(b"cookie", f"{TEACHER_COOKIE}={cookie}".encode())] if cookie else []
        scope = {"type": "http", "scheme": "https", "headers": headers, "query_string": b"", "client": (address, 1)}
        response: Response = stream_limit.stream(Request(scope), channel or Channel(lambda: None))
        self.sent: list[Message] = []
        self.is_taking = asyncio.Event()
        self.is_taking.set()
        self.begun = asyncio.Event()
        self.goes = asyncio.Event()
        self.task = asyncio.create_task(response({"type": "http", "asgi": {}}, self._receive, self._send))

    async def _receive(self) -> Message:
        await self.goes.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.begun.set()
        await self.is_taking.wait()
        self.sent.append(message)

    @property
    def is_told_the_end(self) -> bool:
        return self.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def play(folder: Path, scene: Callable[[Watch, str], Awaitable[None]]) -> None:
    """Plays with an audience of six places, and what opens a browser there; a teacher's cookie."""
    board_store, sessions = BoardStore(folder), SessionStore(folder)
    board_store.renew_token()
    stream_limit = StreamLimit(Auth(board_store, sessions, ADMISSION), MOST)

    @asynccontextmanager
    async def all_gone() -> AsyncIterator[list[Browser]]:
        browsers: list[Browser] = []
        yield browsers
        for browser in browsers:
            browser.is_taking.set()
            browser.goes.set()
        await asyncio.gather(*(browser.task for browser in browsers))
        for _ in range(MOST):
            browsers.append(Browser(stream_limit, "192.0.2.99", ""))
            await browsers[-1].begun.wait()
        for browser in browsers:
            browser.goes.set()
        await asyncio.gather(*(browser.task for browser in browsers))

    async def run() -> None:
        async with asyncio.timeout(LIMIT), all_gone() as browsers:

            async def watch(
                address: str = "192.0.2.9", cookie: str = "", takes: bool = True, channel: Channel | None = None
            ) -> Browser:
                browser = Browser(stream_limit, address, cookie, channel)
                browsers.append(browser)
                if not takes:
                    browser.is_taking.clear()
                await browser.begun.wait()
                return browser

            await scene(watch, sessions.open(SessionKind.TEACHER, board_store.token_hash()))

    with closing(board_store), closing(sessions):
        asyncio.run(run())


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "MAX_STREAMS_PER_ADDRESS", 3)
    monkeypatch.setattr(event_streams, "CLOSE_TIMEOUT_S", 0.05)


def test_of_one_address_who_has_watched_longest_makes_room(tmp_path: Path) -> None:
    async def scene(watch: Watch, cookie: str) -> None:
        other = await watch("192.0.2.10")
        mine = [await watch() for _ in range(5)]
        await asyncio.gather(mine[0].task, mine[1].task)
        assert [browser.task.done() for browser in (other, *mine)] == [False, True, True, False, False, False]
        assert mine[0].is_told_the_end

    play(tmp_path, scene)


def test_also_one_that_takes_nothing_makes_room(tmp_path: Path) -> None:
    async def scene(watch: Watch, cookie: str) -> None:
        stuck = await watch(takes=False)
        for _ in range(3):
            await watch()
        await stuck.task
        assert stuck.sent == []

    play(tmp_path, scene)


def test_the_teacher_is_not_counted_by_address_but_with_all(tmp_path: Path) -> None:
    async def scene(watch: Watch, cookie: str) -> None:
        teachers = [await watch(cookie=cookie) for _ in range(MOST - 1)]
        last = await watch(cookie="wrong")
        for more in (cookie, ""):
            with pytest.raises(HTTPException, match="503"):
                await watch(cookie=more)
        assert not any(browser.task.done() for browser in (*teachers, last))

    play(tmp_path, scene)


@pytest.mark.parametrize("by_a_beat", [False, True], ids=["an event", "a beat"])
def test_a_new_token_ends_what_the_one_before_opened_and_nothing_else(
    tmp_path: Path, by_a_beat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "HEARTBEAT_INTERVAL_S", 0.05 if by_a_beat else 3600)

    async def scene(watch: Watch, cookie: str) -> None:
        channel = Channel(lambda: "all")
        teacher, other = await watch(cookie=cookie, channel=channel), await watch(channel=channel)
        renew_token(tmp_path)
        if not by_a_beat:
            channel.publish("new")
        await teacher.task
        assert channel.listeners == 1
        assert b"new" not in b"".join(message.get("body", b"") for message in teacher.sent)
        assert not other.task.done()

    play(tmp_path, scene)


@pytest.mark.parametrize("by_a_beat", [False, True], ids=["an event", "a beat"])
def test_logging_out_ends_what_was_open_and_nothing_else(
    tmp_path: Path, by_a_beat: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "HEARTBEAT_INTERVAL_S", 0.05 if by_a_beat else 3600)

    async def scene(watch: Watch, cookie: str) -> None:
        channel = Channel(lambda: "all")
        with closing(SessionStore(tmp_path)) as sessions:
            shown = sessions.credential_hash(SessionKind.TEACHER, cookie)
            assert shown
            other = await watch(cookie=sessions.open(SessionKind.TEACHER, shown), channel=channel)
            teacher = await watch(cookie=cookie, channel=channel)
            sessions.end(cookie)
        if not by_a_beat:
            channel.publish("new")
        await teacher.task
        assert b"new" not in b"".join(message.get("body", b"") for message in teacher.sent)
        assert not other.task.done()

    play(tmp_path, scene)


def test_a_book_that_cannot_be_read_ends_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(board_store: BoardStore) -> str:
        raise BoardStoreError("the file is locked")

    async def scene(watch: Watch, cookie: str) -> None:
        channel = Channel(lambda: "all")
        teacher = await watch(cookie=cookie, channel=channel)
        with monkeypatch.context() as locked:
            locked.setattr(BoardStore, "token_hash", fail)
            channel.publish("new")
            await teacher.task

    play(tmp_path, scene)
