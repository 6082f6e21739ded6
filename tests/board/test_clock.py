"""A clock that is set back by more than a year: nobody waits until it is there again."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import SIZE_INTERVAL_S, ServerHealth
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.auth import WRONG_TOKENS, Auth
from tandem.board.web.sessions import SessionStore
from tandem.board.web.token_check import TokenCheck
from tandem.records.visits import MetricsSample
from testing.boards import write_records

YEAR_AND_MORE = 400 * 24 * 3600.0
FROM = {"type": "http", "scheme": "https", "headers": [], "query_string": b"", "client": ("192.0.2.9", 1)}


def set_back(monkeypatch: pytest.MonkeyPatch, seconds: float = YEAR_AND_MORE) -> None:
    right = time.time
    monkeypatch.setattr("time.time", lambda: right() - seconds)


def test_wrong_tokens_wait_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(BoardStore(tmp_path)) as board_store, closing(SessionStore(tmp_path)) as sessions:
        board_store.renew_token()
        auth = Auth(board_store, sessions, TokenCheck(b"key"))
        for _ in range(WRONG_TOKENS[0]):
            assert not auth.is_token(Request(FROM), "wrong")
        set_back(monkeypatch)
        with pytest.raises(HTTPException) as refused:
            auth.is_token(Request(FROM), "wrong")
        assert refused.value.headers
        assert int(refused.value.headers["Retry-After"]) <= WRONG_TOKENS[1]


def test_a_limit_is_over_when_its_time_is(tmp_path: Path) -> None:
    now = 1000.0
    with closing(BoardStore(tmp_path)) as board_store, closing(SessionStore(tmp_path)) as sessions:
        board_store.renew_token()
        auth = Auth(board_store, sessions, TokenCheck(b"key"), clock=lambda: now)
        for _ in range(WRONG_TOKENS[0]):
            auth.is_token(Request(FROM), "wrong")
        with pytest.raises(HTTPException):
            auth.is_token(Request(FROM), "wrong")
        now += WRONG_TOKENS[1]
        assert not auth.is_token(Request(FROM), "wrong")


def test_the_health_page_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vitals(connections: int) -> MetricsSample:
        return MetricsSample(int(time.time() * 1e6), "one", 5_000_000, 5, connections, 300, 900, 9, 2000, 5000, 0)

    async def look(server_health: ServerHealth) -> None:
        """One round of the monitor's work."""
        running = asyncio.create_task(server_health.run())
        await asyncio.sleep(0)
        while not server_health.latest() or server_health.latest()["one"].connections != wanted:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with closing(RecordsPool(tmp_path)) as records_pool:
        server_health = ServerHealth(records_pool)
        write_records(tmp_path, vitals(wanted := 1))
        asyncio.run(asyncio.wait_for(look(server_health), 20))
        set_back(monkeypatch)
        assert server_health.latest() == {}, "what was written in the future is not how it is now"
        write_records(tmp_path, vitals(wanted := 2))
        asyncio.run(asyncio.wait_for(look(server_health), 20))
        monkeypatch.setattr("tandem.board.feed.server_health.SIZE_INTERVAL_S", 0.0)
        begin = time.monotonic() + SIZE_INTERVAL_S
        monkeypatch.setattr("time.monotonic", lambda: begin)
        assert server_health._measure_size(), "the size of the records is taken again"
