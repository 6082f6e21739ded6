"""The teacher's page of visits without a team: their messages had no class or team name that could be read."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.board.feed.records_pool import RecordsPool
from tandem.board.web.auth import Auth
from tandem.board.web.links import page_number
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.teams import VISITS_PER_PAGE, shown_visit


class VisitPages:
    """/gradebook/visits."""

    def __init__(self, page_templates: PageTemplates, auth: Auth, records_pool: RecordsPool) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._records_pool = records_pool

    def routes(self) -> list[Route]:
        """Return the routes of this page."""
        return [Route("/gradebook/visits", self._auth.for_teacher(self.without_team))]

    async def without_team(self, request: Request) -> Response:
        """Show one page of the visits, the latest first."""
        page = page_number(request.query_params)
        skip = (page - 1) * VISITS_PER_PAGE
        visits = await self._records_pool.read(
            lambda records: records.latest_visits_without_team(VISITS_PER_PAGE + 1, skip)
        )
        return self._page_templates.page(
            "visits.html",
            self._auth.viewer(request),
            visits=[shown_visit(number, visit) for number, visit in enumerate(visits[:VISITS_PER_PAGE], skip + 1)],
            page=page,
            has_more=len(visits) > VISITS_PER_PAGE,
        )
