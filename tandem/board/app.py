"""The board as one web application: its parts, who gets which, and what runs beside the pages."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.follow import Follower, TooManyFeedsError
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import Monitor
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError
from tandem.board.web.auth import Auth
from tandem.board.web.links import Links
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.checks import CheckPages
from tandem.board.web.pages.classes import ClassPages
from tandem.board.web.pages.gradebook import GradebookPages
from tandem.board.web.pages.health import HealthPages
from tandem.board.web.pages.live import MAX_STREAMS, Audience
from tandem.board.web.pages.login import LoginPages
from tandem.board.web.pages.teams import TeamPages
from tandem.board.web.security import SecurityMiddleware
from tandem.board.web.sessions import Sessions
from tandem.board.web.token import TokenCheck
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import StoreError

AFTER_BUG = 1.0  # seconds until what failed is begun again
STATIC = Path(__file__).parent / "web" / "static"


@dataclass(frozen=True, slots=True)
class Board:
    """The application, and what its server has to end."""

    app: Starlette
    follower: Follower
    monitor: Monitor

    def hang_up(self) -> None:
        """Ends every stream, so that the server can stop."""
        self.follower.hang_up()
        self.monitor.channel.close()


def build(
    where: DatabaseLocation,
    data: Path,
    book: BoardStore,
    sessions: Sessions,
    names: Sequence[str] = (),
    proxied: bool = False,
    allows_clear: bool = False,
    streams: int = MAX_STREAMS,
) -> Board:
    """`where`: the records; `data`: the folder with the ground's key, if it is here.

    `names`, `proxied`: see SecurityMiddleware.

    `allows_clear`: see Auth. `streams`: how many browsers may watch at once.
    """
    key = book.signing_key()
    looks = PageTemplates()
    entrance = Auth(book, sessions, TokenCheck(key), allows_clear)
    reading = RecordsPool(where)
    audience = Audience(entrance, streams)
    census = ClassCounts(reading)
    follower = Follower(where, book, looks, census, key)
    monitor = Monitor(reading)
    links = Links(key)
    pages = (
        ClassPages(looks, entrance, audience, follower, census, book),
        TeamPages(looks, entrance, audience, reading, follower, links),
        CheckPages(looks, entrance),
        LoginPages(looks, entrance),
        GradebookPages(looks, entrance, reading, follower, census, book, links, data),
        HealthPages(looks, entrance, audience, follower, census, monitor),
    )

    @contextlib.asynccontextmanager
    async def beside(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_keep_running(part)) for part in (follower, census, monitor)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            follower.close()
            reading.close()

    refusals = _Refusals(looks, entrance)
    app = Starlette(
        routes=[*(route for page in pages for route in page.routes()), Mount("/static", _Static(directory=STATIC))],
        middleware=[Middleware(SecurityMiddleware, names=names, proxied=proxied)],
        exception_handlers={
            HTTPException: refusals.plain,
            StoreError: refusals.no_records,
            BoardStoreError: refusals.no_records,
            TooManyFeedsError: refusals.crowded,
        },
        lifespan=beside,
    )
    return Board(app, follower, monitor)


class _Part(Protocol):
    """What runs beside the pages."""

    async def run(self) -> None: ...


async def _keep_running(part: _Part) -> None:
    """Until it is cancelled: a bug of ours must not leave the pages as they are for ever."""
    while True:
        try:
            await part.run()
        except Exception:
            traceback.print_exc()
            await asyncio.sleep(AFTER_BUG)


class _Static(StaticFiles):
    """A browser keeps them, and asks each time whether they are still the same."""

    def file_response(self, *arguments: Any, **more: Any) -> Response:
        response = super().file_response(*arguments, **more)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _Refusals:
    """What a browser gets in the place of a page: what happened, and what to try."""

    def __init__(self, looks: PageTemplates, entrance: Auth) -> None:
        self._looks = looks
        self._entrance = entrance

    async def plain(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = "There is no such page." if error.detail == "Not Found" else error.detail
        response = self._page(request, error.status_code, words)
        response.headers.update(error.headers or {})
        return response

    async def no_records(self, request: Request, error: Exception) -> Response:
        """The path of a database is nothing for strangers."""
        words = "The records cannot be read just now: try again in a moment."
        is_teacher = self._entrance.refused_viewer(request)["is_teacher"]
        return self._page(request, 503, f"{words} {error}" if is_teacher else words)

    async def crowded(self, request: Request, error: Exception) -> Response:
        return self._page(request, 503, "Too many classes are being looked at: try again in a moment.")

    def _page(self, request: Request, status: int, words: str) -> Response:
        viewer = self._entrance.refused_viewer(request)
        return self._looks.page("refused.html", viewer, status, code=status, words=words)
