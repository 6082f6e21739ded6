"""How the ground is doing: live charts for the teacher, figures for Prometheus, a sign of life for anybody."""

import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.follow import Follower
from tandem.board.feed.server_health import Monitor
from tandem.board.web.auth import Auth
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.live import Audience
from tandem.board.web.prometheus import metrics

METRICS = "text/plain; version=0.0.4; charset=utf-8"


class HealthPages:
    """/health, /metrics and /healthz."""

    def __init__(
        self,
        looks: PageTemplates,
        entrance: Auth,
        audience: Audience,
        follower: Follower,
        census: ClassCounts,
        monitor: Monitor,
    ) -> None:
        self._looks = looks
        self._entrance = entrance
        self._audience = audience
        self._follower = follower
        self._census = census
        self._monitor = monitor

    def routes(self) -> list[Route]:
        teacher = self._entrance.for_teacher
        return [
            Route("/health", teacher(self.charts)),
            Route("/health/live", teacher(self.live)),
            Route("/metrics", self.metrics),
            Route("/healthz", self.sign_of_life),
        ]

    async def charts(self, request: Request) -> Response:
        return self._looks.page("health.html", self._entrance.viewer(request), trouble=self._follower.trouble)

    async def live(self, request: Request) -> Response:
        return self._audience.stream(request, self._monitor.channel)

    async def metrics(self, request: Request) -> Response:
        """For a program with the header Authorization: Bearer TOKEN."""
        if not self._entrance.is_teacher(request):
            raise HTTPException(
                401, "Send the teacher's token: Authorization: Bearer TOKEN.", {"WWW-Authenticate": "Bearer"}
            )
        board = {
            "tandem_board_watching": float(self._follower.listeners),
            "tandem_board_read_age_seconds": time.time() - self._follower.read_at,
            "tandem_board_records_readable": float(not self._follower.trouble),
        }
        teams = self._census.counted.states()
        return PlainTextResponse(
            metrics(self._monitor.latest(), teams, board, self._monitor.disk()), media_type=METRICS
        )

    async def sign_of_life(self, request: Request) -> Response:
        """Whether the board runs and can read the records; says no more to strangers."""
        readable = not self._follower.trouble
        return JSONResponse({"board": "ok", "records": "ok" if readable else "unreadable"}, 200 if readable else 503)
