"""A clock that is set back by more than a year: nobody waits until it is there again."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import SIZES_PACE, Monitor
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.auth import TOKENS, Auth
from tandem.board.web.sessions import Sessions
from tandem.board.web.token import TokenCheck
from tandem.records.visits import MetricsSample
from testing.boards import keep

YEAR_AND_MORE = 400 * 24 * 3600.0
FROM = {"type": "http", "scheme": "https", "headers": [], "query_string": b"", "client": ("192.0.2.9", 1)}


def set_back(monkeypatch: pytest.MonkeyPatch, seconds: float = YEAR_AND_MORE) -> None:
    right = time.time
    monkeypatch.setattr("time.time", lambda: right() - seconds)


def test_wrong_tokens_wait_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(BoardStore(tmp_path)) as book, closing(Sessions(tmp_path)) as sessions:
        book.renew_token()
        entrance = Auth(book, sessions, TokenCheck(b"key"))
        for _ in range(TOKENS[0]):
            assert not entrance.is_token(Request(FROM), "wrong")
        set_back(monkeypatch)
        with pytest.raises(HTTPException) as refused:
            entrance.is_token(Request(FROM), "wrong")
        assert refused.value.headers
        assert int(refused.value.headers["Retry-After"]) <= TOKENS[1]


def test_a_limit_is_over_when_its_time_is(tmp_path: Path) -> None:
    now = 1000.0
    with closing(BoardStore(tmp_path)) as book, closing(Sessions(tmp_path)) as sessions:
        book.renew_token()
        entrance = Auth(book, sessions, TokenCheck(b"key"), clock=lambda: now)
        for _ in range(TOKENS[0]):
            entrance.is_token(Request(FROM), "wrong")
        with pytest.raises(HTTPException):
            entrance.is_token(Request(FROM), "wrong")
        now += TOKENS[1]
        assert not entrance.is_token(Request(FROM), "wrong")


def test_the_health_page_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vitals(connections: int) -> MetricsSample:
        return MetricsSample(int(time.time() * 1e6), "one", 5_000_000, 5, connections, 300, 900, 9, 2000, 5000, 0)

    async def look(monitor: Monitor) -> None:
        """One round of the monitor's work."""
        running = asyncio.create_task(monitor.run())
        await asyncio.sleep(0)
        while not monitor.latest() or monitor.latest()["one"].connections != wanted:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with closing(RecordsPool(tmp_path)) as reading:
        monitor = Monitor(reading)
        keep(tmp_path, vitals(wanted := 1))
        asyncio.run(asyncio.wait_for(look(monitor), 20))
        set_back(monkeypatch)
        assert monitor.latest() == {}, "what was written in the future is not how it is now"
        keep(tmp_path, vitals(wanted := 2))
        asyncio.run(asyncio.wait_for(look(monitor), 20))
        monkeypatch.setattr("tandem.board.feed.server_health.SIZES_PACE", 0.0)
        begin = time.monotonic() + SIZES_PACE
        monkeypatch.setattr("time.monotonic", lambda: begin)
        assert monitor._measure(), "the size of the records is taken again"
