"""Connections that ask for nothing, and too many of them: the pages are still there for everybody else."""

import asyncio
import contextlib
import errno
import http.client
import logging
import resource
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from uvicorn.server import ServerState

from tandem.board.web import http_connections
from tandem.board.web.http_connections import (
    BAD_FORM_MESSAGE,
    FLOOD_MESSAGES,
    FORM_LOGGER,
    Config,
    FloodFilter,
    HttpConnection,
)
from tandem.net.descriptors import SPARE_DESCRIPTORS
from testing.boards import with_limits
from testing.processes import LIMIT, process, wait_until

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def play(
    use: Callable[[Callable[[], Awaitable[Streams]]], Awaitable[None]], most: int = 9, most_of_one: int = 9
) -> None:
    """Uses a server of these bounds, given what connects to it."""

    async def run() -> None:
        config = Config(PlainTextResponse("fine"), most, most_of_one, log_config=None, access_log=False)
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: HttpConnection(config, state, {}), "127.0.0.1", 0
        )
        async with server, contextlib.AsyncExitStack() as opened:

            async def connect() -> Streams:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                opened.callback(writer.close)
                return reader, writer

            await asyncio.wait_for(use(connect), LIMIT)
        while state.connections:
            await asyncio.sleep(0)
        assert not config.open_connections, "all have been counted out again"

    asyncio.run(run())


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed, or torn down."""
    came = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1000):
            came += piece
    return came


async def ask(streams: Streams) -> bytes:
    """The head of the answer to one request."""
    streams[1].write(REQUEST)
    return await streams[0].readuntil(b"\r\n\r\n")


@pytest.mark.parametrize("sent", [b"", REQUEST[:-2], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"])
def test_who_sends_no_whole_request_is_let_go(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "REQUEST_TIMEOUT_S", 0.05)

    async def use(connect: Callable[[], Awaitable[Streams]]) -> None:
        reader, writer = await connect()
        writer.write(sent)
        await rest(reader)

    play(use)


def test_the_time_begins_anew_with_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(connect: Callable[[], Awaitable[Streams]]) -> None:
        streams = await connect()
        assert b"200 OK" in await ask(streams)
        await streams[0].readexactly(len("fine"))
        monkeypatch.setattr(http_connections, "REQUEST_TIMEOUT_S", 0.05)
        assert b"200 OK" in await ask(streams)
        streams[1].write(REQUEST[:-2])
        assert await rest(streams[0]) == b"fine"

    play(use)


def test_one_address_has_so_many_and_no_more() -> None:
    async def use(connect: Callable[[], Awaitable[Streams]]) -> None:
        first = [await connect() for _ in range(3)]
        assert await rest((await connect())[0]) == b""
        for streams in first:
            assert b"200 OK" in await ask(streams)

    play(use, most_of_one=3)


def test_over_the_most_a_page_says_so() -> None:
    async def use(connect: Callable[[], Awaitable[Streams]]) -> None:
        for _ in range(2 + http_connections.MAX_REFUSED_WITH_503):
            last = await connect()
        assert await rest((await connect())[0]) == b""
        assert b"503" in await ask(last)

    play(use, most=2, most_of_one=100)


def test_a_flood_is_one_line_a_second_and_all_else_is_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limit = FloodFilter()

    def passes(words: str) -> tuple[bool, logging.LogRecord]:
        trouble = OSError(errno.EMFILE, "Too many open files")
        record = logging.LogRecord("asyncio", logging.ERROR, "", 1, words, (), (OSError, trouble, None))
        return limit.filter(record), record

    flood = f"{FLOOD_MESSAGES[0]}\nsocket: <socket.socket>"
    passed, record = passes(flood)
    assert (passed, record.getMessage(), record.exc_info) == (True, FLOOD_MESSAGES[0], None)
    assert not passes(flood)[0]
    assert passes(FLOOD_MESSAGES[1])[0], "each has its own second"
    now += 1
    assert passes(flood)[0]
    for _ in range(2):
        passed, record = passes("a bug")
        assert (passed, record.getMessage()) == (True, "a bug")
        assert record.exc_info


def test_it_asks_for_as_many_descriptors_as_it_may_have(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    board = ("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(tmp_path))
    with process(*board, before=with_limits("-Sn 128")) as started:
        started.wait_for("listening on")
        soft, _ = resource.prlimit(started.pid, resource.RLIMIT_NOFILE)
    wanted = http_connections.MAX_CONNECTIONS + SPARE_DESCRIPTORS
    assert soft == (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))


def test_one_client_does_not_keep_the_pages_from_the_others(tmp_path: Path) -> None:
    board = ("-m", "tandem", "board", "--listen", "127.0.0.1:0", "--data", str(tmp_path))
    with process(*board, before=with_limits("-n 256")) as started, contextlib.ExitStack() as opened:
        place = started.wait_for("listening on").rpartition("/")[2]
        host, _, port = place.rpartition(":")
        for _ in range(300):
            opened.enter_context(socket.create_connection((host, int(port)), timeout=LIMIT))

        def status() -> int:
            asking = http.client.HTTPConnection(host, int(port), timeout=LIMIT, source_address=("127.0.0.2", 0))
            with contextlib.closing(asking):
                asking.request("GET", "/")
                return asking.getresponse().status

        wait_until(lambda: status() == 200)
        assert "Traceback" not in started.err
        assert started.err.count("\n") < 20


def test_whatever_is_wrong_with_forms_is_one_line_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    limit = FloodFilter()
    records = [logging.LogRecord(FORM_LOGGER, logging.WARNING, "", 1, f"Found {at}", (), None) for at in range(3)]
    assert [limit.filter(record) for record in records] == [True, False, False]
    assert records[0].getMessage() == BAD_FORM_MESSAGE
