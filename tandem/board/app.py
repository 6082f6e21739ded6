"""Builds the board's web application: creates every part, connects them, and runs the background tasks."""

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
from tandem.board.feed.follower import Follower, TooManyFeedsError
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.server_health import ServerHealth
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError
from tandem.board.web.auth import Auth
from tandem.board.web.event_streams import MAX_STREAMS, StreamLimit
from tandem.board.web.links import Links
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.checks import CheckPages
from tandem.board.web.pages.classes import ClassPages
from tandem.board.web.pages.gradebook import GradebookPages
from tandem.board.web.pages.health import HealthPages
from tandem.board.web.pages.login import LoginPages
from tandem.board.web.pages.teams import TeamPages
from tandem.board.web.pages.visits_without_team import VisitPages
from tandem.board.web.prometheus import BoardHistograms, RequestTimer
from tandem.board.web.security import SecurityMiddleware
from tandem.board.web.sessions import SessionStore
from tandem.board.web.token_check import TokenCheck
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import StoreError

RESTART_DELAY_S = 1.0  # before a background task that has failed is started again
STATIC = Path(__file__).parent / "web" / "static"


@dataclass(frozen=True, slots=True)
class Board:
    """The application, and the parts that its server must stop."""

    app: Starlette
    follower: Follower
    server_health: ServerHealth

    def close_streams(self) -> None:
        """End every event stream. Call it before the server stops: it waits for open responses."""
        self.follower.close_streams()
        self.server_health.channel.close()


def build(
    location: DatabaseLocation,
    data: Path,
    board_store: BoardStore,
    sessions: SessionStore,
    host_names: Sequence[str] = (),
    proxied: bool = False,
    insecure_login: bool = False,
    max_streams: int = MAX_STREAMS,
) -> Board:
    """Return the application with all its parts.

    Args:
        location: Where the records are.
        data: The folder that may hold the server's key.
        board_store: The open board store.
        sessions: The open session store.
        host_names: See SecurityMiddleware.
        proxied: See SecurityMiddleware.
        insecure_login: See Auth.
        max_streams: How many browsers may watch at once.

    Raises:
        BoardStoreError: The signing key cannot be read or written.
    """
    key = board_store.signing_key()
    histograms = BoardHistograms()
    page_templates = PageTemplates()
    auth = Auth(board_store, sessions, TokenCheck(key), insecure_login)
    records_pool = RecordsPool(location, histograms.reads.observe)
    stream_limit = StreamLimit(auth, max_streams)
    class_counts = ClassCounts(records_pool)
    follower = Follower(location, board_store, page_templates, class_counts, key)
    server_health = ServerHealth(records_pool, follower.show_server)
    links = Links(key)
    pages = (
        ClassPages(page_templates, auth, stream_limit, follower, class_counts, board_store),
        TeamPages(page_templates, auth, stream_limit, records_pool, follower, links),
        CheckPages(page_templates, auth),
        LoginPages(page_templates, auth),
        GradebookPages(page_templates, auth, records_pool, follower, class_counts, board_store, links, data),
        VisitPages(page_templates, auth, records_pool),
        HealthPages(page_templates, auth, stream_limit, follower, class_counts, server_health, histograms),
    )

    @contextlib.asynccontextmanager
    async def background_tasks(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_keep_running(task)) for task in (follower, class_counts, server_health)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            follower.close()
            records_pool.close()

    error_pages = _ErrorPages(page_templates, auth)
    app = Starlette(
        routes=[*(route for page in pages for route in page.routes()), Mount("/static", _Static(directory=STATIC))],
        middleware=[
            Middleware(RequestTimer, histogram=histograms.requests),
            Middleware(SecurityMiddleware, host_names=host_names, proxied=proxied),
        ],
        exception_handlers={
            HTTPException: error_pages.http_error,
            StoreError: error_pages.unreadable_records,
            BoardStoreError: error_pages.unreadable_records,
            TooManyFeedsError: error_pages.too_many_feeds,
        },
        lifespan=background_tasks,
    )
    return Board(app, follower, server_health)


class _BackgroundTask(Protocol):
    """A part that runs until it is cancelled."""

    async def run(self) -> None: ...


async def _keep_running(task: _BackgroundTask) -> None:
    """Restart the task after a bug: without it the pages would show old data until the board is restarted."""
    while True:
        try:
            await task.run()
        except Exception:
            traceback.print_exc()
            await asyncio.sleep(RESTART_DELAY_S)


class _Static(StaticFiles):
    """Static files that a browser caches, and revalidates each time."""

    def file_response(self, *arguments: Any, **more: Any) -> Response:
        response = super().file_response(*arguments, **more)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _ErrorPages:
    """Pages that say what happened and what to try."""

    def __init__(self, page_templates: PageTemplates, auth: Auth) -> None:
        self._page_templates = page_templates
        self._auth = auth

    async def http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = "There is no such page." if error.detail == "Not Found" else error.detail
        response = self._page(request, error.status_code, text)
        response.headers.update(error.headers or {})
        return response

    async def unreadable_records(self, request: Request, error: Exception) -> Response:
        """Only the teacher reads the error itself: it holds the path of a file or the name of a database."""
        text = "The records cannot be read at the moment. Try again in a few seconds."
        is_teacher = self._auth.viewer_of_error_page(request)["is_teacher"]
        return self._page(request, 503, f"{text} {error}" if is_teacher else text)

    async def too_many_feeds(self, request: Request, error: Exception) -> Response:
        return self._page(request, 503, "Too many classes are being watched. Try again in a few seconds.")

    def _page(self, request: Request, status: int, text: str) -> Response:
        viewer = self._auth.viewer_of_error_page(request)
        return self._page_templates.page("error.html", viewer, status, code=status, text=text)
