"""The health of the servers: live charts for the teacher, metrics for Prometheus, a health check for balancers."""

import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.follower import Follower
from tandem.board.feed.server_health import ServerHealth
from tandem.board.web.auth import Auth
from tandem.board.web.event_streams import StreamLimit
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.prometheus import CONTENT_TYPE, BoardHistograms, metrics_text


class HealthPages:
    """/health, /metrics and /healthz."""

    def __init__(
        self,
        page_templates: PageTemplates,
        auth: Auth,
        stream_limit: StreamLimit,
        follower: Follower,
        class_counts: ClassCounts,
        server_health: ServerHealth,
        histograms: BoardHistograms,
    ) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._stream_limit = stream_limit
        self._follower = follower
        self._class_counts = class_counts
        self._server_health = server_health
        self._histograms = histograms

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        teacher = self._auth.for_teacher
        return [
            Route("/health", teacher(self.charts)),
            Route("/health/live", teacher(self.live)),
            Route("/metrics", self.metrics),
            Route("/healthz", self.health_check),
        ]

    async def charts(self, request: Request) -> Response:
        """Show the charts."""
        return self._page_templates.page(
            "health.html", self._auth.viewer(request), read_error=self._follower.read_error
        )

    async def live(self, request: Request) -> Response:
        """Stream new figures to the charts."""
        return self._stream_limit.stream(request, self._server_health.channel)

    async def metrics(self, request: Request) -> Response:
        """Return all metrics to a program with the header Authorization: Bearer TOKEN.

        Raises:
            HTTPException: 401 without the teacher's token; 403 if tokens are not accepted over this connection.
        """
        if not self._auth.is_teacher(request):
            raise HTTPException(
                401, "Send the teacher's token: Authorization: Bearer TOKEN.", {"WWW-Authenticate": "Bearer"}
            )
        board = {
            "tandem_board_watching": float(self._follower.listeners),
            "tandem_board_read_age_seconds": time.time() - self._follower.read_s,
            "tandem_board_records_readable": float(not self._follower.read_error),
        }
        teams = self._class_counts.latest.by_state()
        samples, disk = self._server_health.latest(), self._server_health.disk()
        text = metrics_text(samples, teams, board, disk, self._histograms)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    async def health_check(self, request: Request) -> Response:
        """Return whether the board can read the records, without further details: the page is public."""
        is_readable = not self._follower.read_error
        records = "ok" if is_readable else "unreadable"
        return JSONResponse({"board": "ok", "records": records}, 200 if is_readable else 503)
