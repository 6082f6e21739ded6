"""The page of one team: its exchange as a diagram, and every visit with its bytes.

The team opens it with its secret, the teacher from the gradebook.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from string import hexdigits

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.feed.exchange_diagram import NARROW, WIDE, ExchangeDiagram, client_of, draw
from tandem.board.feed.follower import Follower
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.tiles import state_of
from tandem.board.web.auth import Auth, form_field
from tandem.board.web.event_streams import StreamLimit
from tandem.board.web.links import Links, page_number
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.problem_text import Finding, recorded_findings, repaired, right_message_2
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable_bytes
from tandem.records.queries import Records, TeamRow, VisitRow
from tandem.records.visits import Outcome, Team

VISITS_PER_PAGE = 10
MAX_VISITS = 500  # the latest ones; a team with more has a program that never stops


VisitFilter = Callable[[VisitRow, Team], bool]


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit as the page lists it."""

    number: int
    visit: VisitRow
    client: str
    findings: Sequence[Finding]
    received: str  # as printable text
    reply: str  # as printable text


@dataclass(frozen=True, slots=True)
class TeamPage:
    """Everything that the page of a team shows."""

    row: TeamRow
    state: str
    state_text: str
    diagrams: Sequence[ExchangeDiagram]  # the same diagram in each layout
    visits: Sequence[ShownVisit]  # one page of them, the latest first
    page: int
    pages: int
    refused: ShownVisit | None  # the latest visit, if the team is stuck
    repaired: str  # the message that was probably meant in it
    hidden_visits: int  # refused visits under the team's name that may be another team's, and are not shown


class TeamPages:
    """/team for the team, /gradebook/team for the teacher."""

    def __init__(
        self,
        page_templates: PageTemplates,
        auth: Auth,
        stream_limit: StreamLimit,
        records_pool: RecordsPool,
        follower: Follower,
        links: Links,
    ) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._stream_limit = stream_limit
        self._records_pool = records_pool
        self._follower = follower
        self._links = links

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/team", self.own_page, methods=["GET"]),
            Route("/team", self.log_in, methods=["POST"]),
            Route("/team/live", self.own_page_stream),
            Route("/team/leave", self.log_out, methods=["POST"]),
            Route("/gradebook/team", self._auth.for_teacher(self.any_page)),
            Route("/gradebook/team/live", self._auth.for_teacher(self.any_page_stream)),
        ]

    async def own_page(self, request: Request) -> Response:
        """Show the page of the team that is logged in, or the form for a secret."""
        key = self._auth.team_of(request)
        page = page_number(request.query_params)
        viewer = self._auth.viewer(request)
        team_page = None
        if key:
            team_page = await self._records_pool.read(
                lambda records: _read_team_page(records, records.team(key), page, _is_own_visit)
            )
        if team_page is None:
            return self._page_templates.page("secret.html", viewer, wrong="")
        return self._page(viewer, team_page, True, "/team/live", "/team?")

    async def own_page_stream(self, request: Request) -> Response:
        """Stream an event after each visit of the team that is logged in.

        Raises:
            HTTPException: 403 if no team is logged in.
        """
        key = self._auth.team_of(request)
        if key is None:
            raise HTTPException(403, "Enter your team's secret first.")
        return self._stream_limit.stream(request, self._follower.team_channel(key.classname, key.teamname))

    async def log_in(self, request: Request) -> Response:
        """Check a secret and open a session. The secret is never part of a URL or a log line.

        Raises:
            HTTPException: 429 if too many secrets came from this address.
        """
        secret = (await form_field(request, "secret")).strip().lower()
        team = None
        if _is_secret(secret):
            team = await self._records_pool.read(lambda records: records.team_with_secret(secret))
        if team is None:
            self._auth.limit(self._auth.secret_limiter, request)
            wrong = "No team on record has this secret. It is in the reply to message 1: 64 digits and letters a to f."
            return self._page_templates.page("secret.html", self._auth.viewer(request), 403, wrong=wrong)
        response = RedirectResponse("/team", 303)
        self._auth.log_in_team(request, response, team.key, secret)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session of the team."""
        response = RedirectResponse("/team", 303)
        self._auth.log_out_team(request, response)
        return response

    async def any_page(self, request: Request) -> Response:
        """Show the page of the team that the URL names.

        Raises:
            HTTPException: 404 if the team is not on record.
        """
        query, page = request.query_params, page_number(request.query_params)
        team_page = await self._records_pool.read(
            lambda records: _read_team_page(records, self._links.find(records, query), page, _any_visit)
        )
        if team_page is None:
            raise HTTPException(404, "This team is not on record.")
        link = self._links.team(team_page.row.key)
        viewer = self._auth.viewer(request)
        return self._page(viewer, team_page, False, f"/gradebook/team/live?{link}", f"/gradebook/team?{link}&")

    async def any_page_stream(self, request: Request) -> Response:
        """Stream an event after each visit of the team that the URL names."""
        query = request.query_params
        channel = self._follower.team_channel(query.get("class", ""), query.get("team", ""))
        return self._stream_limit.stream(request, channel)

    def _page(
        self, viewer: Mapping[str, object], team_page: TeamPage, is_own: bool, stream: str, pages: str
    ) -> Response:
        channel = self._follower.team_channel(team_page.row.team.classname, team_page.row.team.teamname)
        return self._page_templates.page(
            "team.html", viewer, team_page=team_page, is_own=is_own, live=stream, channel=channel, link=pages
        )


def _read_team_page(records: Records, row: TeamRow | None, page: int, is_shown: VisitFilter) -> TeamPage | None:
    """Read what the page of a team shows; None if the team is not on record."""
    if row is None:
        return None
    visits: deque[tuple[int, VisitRow]] = deque(maxlen=MAX_VISITS)
    hidden_visits = 0
    for number, visit in enumerate(records.visits(row.key), 1):
        if is_shown(visit, row.team):
            visits.append((number, visit))
        else:
            hidden_visits += 1
    latest = list(visits)[::-1]
    refused_last = bool(latest) and latest[0][1].outcome is Outcome.REJECTED
    is_stuck = refused_last and row.finished_us is None
    state, state_text = state_of(replace(row, stuck=is_stuck))  # visits that are not shown do not count
    stuck_at = _refusal_to_explain(latest) if is_stuck else None
    pages = max(1, -(-len(latest) // VISITS_PER_PAGE))
    page = min(page, pages)
    return TeamPage(
        row,
        state,
        state_text,
        [draw([visit for _, visit in visits], layout) for layout in (WIDE, NARROW)],
        [shown_visit(*each) for each in latest[(page - 1) * VISITS_PER_PAGE : page * VISITS_PER_PAGE]],
        page,
        pages,
        shown_visit(*stuck_at) if stuck_at else None,
        _expected_message(stuck_at[1], latest) if stuck_at else "",
        hidden_visits,
    )


def _refusal_to_explain(latest: Sequence[tuple[int, VisitRow]]) -> tuple[int, VisitRow]:
    """Return the latest refused visit. If it only handed message 1's refusal on, return the refusal before it."""
    refused = (each for each in latest if each[1].outcome is Outcome.REJECTED and not each[1].is_handed_on)
    return next(refused, latest[0])


def _expected_message(refused: VisitRow, latest: Sequence[tuple[int, VisitRow]]) -> str:
    """Return what should have come: message 2 made from the latest reply to message 1, else the repaired message."""
    replies = (visit.reply for _, visit in latest if visit.outcome is Outcome.MESSAGE_1)
    return right_message_2(refused, next(replies, b"")) or repaired(refused.received)


def _any_visit(visit: VisitRow, team: Team) -> bool:
    """Show every visit, for the teacher."""
    return True


def _is_own_visit(visit: VisitRow, team: Team) -> bool:
    """Show a refused visit to the team only if the message contains all of the team's student numbers.

    Others may use the team's name, and their messages must not be shown to the team. A sender who knows all numbers can
    get the team's secret with message 1 anyway.
    """
    if visit.outcome is not Outcome.REJECTED:
        return True
    numbers = {team.studentnr1, team.studentnr2} - set(NO_TEAMMATE)
    digits = visit.received.replace(b"\0", b"")  # a digit in UTF-16 is its ASCII byte and a zero byte
    return bool(numbers) and all(number.encode() in digits for number in numbers)


def shown_visit(number: int, visit: VisitRow) -> ShownVisit:
    """Return a visit as a page lists it."""
    return ShownVisit(
        number,
        visit,
        client_of(visit),
        recorded_findings(visit.findings, visit.received),
        printable_bytes(visit.received),
        printable_bytes(visit.reply),
    )


def _is_secret(text: str) -> bool:
    return len(text) == 64 and set(text) <= set(hexdigits)
