"""One team: its exchange drawn, every visit with its bytes. For the team that shows its secret, and for the teacher."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import hexdigits

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.feed.exchange_diagram import NARROW, WIDE, ExchangeDiagram, client_of, tell
from tandem.board.feed.follow import Follower
from tandem.board.feed.records_pool import RecordsPool
from tandem.board.feed.tiles import TeamStatus, state_of
from tandem.board.web.auth import Auth, field
from tandem.board.web.links import Links, page_number
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.live import Audience
from tandem.board.web.problem_text import Finding, recorded_findings, repaired, right_message_2
from tandem.protocol.message import NO_TEAMMATE
from tandem.protocol.printable import printable_bytes
from tandem.records.queries import Records, TeamRow, VisitRow
from tandem.records.visits import Outcome, Team

VISITS_A_PAGE = 10
MAX_VISITS = 500  # the latest; a team with more has a program that never stops


IsShown = Callable[[VisitRow, Team], bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """A visit as it is listed."""

    number: int
    visit: VisitRow
    client: str
    findings: Sequence[Finding]
    received: str  # as text, safe
    answered: str


@dataclass(frozen=True, slots=True)
class TeamPage:
    """All that a team's page shows."""

    row: TeamRow
    state: str
    words: str
    stories: Sequence[ExchangeDiagram]  # the same on wide and on narrow paper
    visits: Sequence[Shown]  # one page of them, the latest first
    page: int
    pages: int
    refused: Shown | None  # the refused visit that the team is stuck at
    repaired: str  # the message that was probably meant there
    of_others: int  # refused visits under the team's name that may be somebody else's, and are left out


class TeamPages:
    """/team for the team, /gradebook/team for the teacher."""

    def __init__(
        self,
        looks: PageTemplates,
        entrance: Auth,
        audience: Audience,
        reading: RecordsPool,
        follower: Follower,
        links: Links,
    ) -> None:
        self._looks = looks
        self._entrance = entrance
        self._audience = audience
        self._reading = reading
        self._follower = follower
        self._links = links

    def routes(self) -> list[Route]:
        return [
            Route("/team", self.own, methods=["GET"]),
            Route("/team", self.enter, methods=["POST"]),
            Route("/team/live", self.own_live),
            Route("/team/leave", self.leave, methods=["POST"]),
            Route("/gradebook/team", self._entrance.for_teacher(self.any)),
            Route("/gradebook/team/live", self._entrance.for_teacher(self.any_live)),
        ]

    async def own(self, request: Request) -> Response:
        """The team's own page, once it has shown its secret; before, the form to show it in."""
        key = self._entrance.team_of(request)
        page = page_number(request.query_params)
        sheet = (
            await self._reading.ask(lambda records: _sheet(records, records.team(key), page, _is_own)) if key else None
        )
        viewer = self._entrance.viewer(request)
        if sheet is None:
            return self._looks.page("secret.html", viewer, wrong="")
        return self._page(viewer, sheet, True, "/team/live", "/team?")

    async def own_live(self, request: Request) -> Response:
        """Tells the team's own page that something has come."""
        key = self._entrance.team_of(request)
        if key is None:
            raise HTTPException(403, "Show your team's secret first.")
        return self._audience.stream(request, self._follower.team_channel(key.classname, key.teamname))

    async def enter(self, request: Request) -> Response:
        """Takes the secret out of the form; it never stands in an address or a log."""
        secret = (await field(request, "secret")).strip().lower()
        team = await self._reading.ask(lambda records: records.team_with_secret(secret)) if _is_secret(secret) else None
        if team is None:
            self._entrance.slow_down(self._entrance.secrets, request)
            wrong = "No team on record has this secret. It is in the reply to message 1: 64 digits and letters a to f."
            return self._looks.page("secret.html", self._entrance.viewer(request), 403, wrong=wrong)
        response = RedirectResponse("/team", 303)
        self._entrance.admit_team(request, response, team.key, secret)
        return response

    async def leave(self, request: Request) -> Response:
        response = RedirectResponse("/team", 303)
        self._entrance.dismiss_team(request, response)
        return response

    async def any(self, request: Request) -> Response:
        """Any team, as a link names it."""
        query, page = request.query_params, page_number(request.query_params)
        sheet = await self._reading.ask(lambda records: _sheet(records, self._links.find(records, query), page, _every))
        if sheet is None:
            raise HTTPException(404, "This team is not on record.")
        link = self._links.team(sheet.row.key)
        viewer = self._entrance.viewer(request)
        return self._page(viewer, sheet, False, f"/gradebook/team/live?{link}", f"/gradebook/team?{link}&")

    async def any_live(self, request: Request) -> Response:
        query = request.query_params
        channel = self._follower.team_channel(query.get("class", ""), query.get("team", ""))
        return self._audience.stream(request, channel)

    def _page(self, viewer: Mapping[str, object], sheet: TeamPage, is_own: bool, stream: str, pages: str) -> Response:
        channel = self._follower.team_channel(sheet.row.team.classname, sheet.row.team.teamname)
        return self._looks.page(
            "team.html", viewer, sheet=sheet, is_own=is_own, live=stream, channel=channel, link=pages
        )


def _sheet(records: Records, row: TeamRow | None, page: int, is_shown: IsShown) -> TeamPage | None:
    """What a team's page shows; None if the team is not on record."""
    if row is None:
        return None
    visits: deque[tuple[int, VisitRow]] = deque(maxlen=MAX_VISITS)
    of_others = 0
    for number, visit in enumerate(records.visits(row.key), 1):
        if is_shown(visit, row.team):
            visits.append((number, visit))
        else:
            of_others += 1
    latest = list(visits)[::-1]
    refused_last = bool(latest) and latest[0][1].outcome is Outcome.REJECTED
    state, words = state_of(TeamStatus(row, refused_last))
    stuck_at = latest[0] if refused_last and row.finished_us is None else None
    pages = max(1, -(-len(latest) // VISITS_A_PAGE))
    page = min(page, pages)
    return TeamPage(
        row,
        state,
        words,
        [tell([visit for _, visit in visits], paper) for paper in (WIDE, NARROW)],
        [_shown(*each) for each in latest[(page - 1) * VISITS_A_PAGE : page * VISITS_A_PAGE]],
        page,
        pages,
        _shown(*stuck_at) if stuck_at else None,
        _meant(stuck_at[1], latest) if stuck_at else "",
        of_others,
    )


def _meant(refused: VisitRow, latest: Sequence[tuple[int, VisitRow]]) -> str:
    """The message that should have come: message 2 out of the latest reply to message 1, else what was repaired."""
    replies = (visit.reply for _, visit in latest if visit.outcome is Outcome.MESSAGE_1)
    return right_message_2(refused, next(replies, b"")) or repaired(refused.received)


def _every(visit: VisitRow, team: Team) -> bool:
    """For the teacher."""
    return True


def _is_own(visit: VisitRow, team: Team) -> bool:
    """For the team: whoever uses its name must not be read by it, nor read it. A refused visit is its own if all its
    numbers stand in what came: who knows them is told the team's secret anyway, by message 1."""
    if visit.outcome is not Outcome.REJECTED:
        return True
    numbers = {team.studentnr1, team.studentnr2} - set(NO_TEAMMATE)
    digits = visit.received.replace(b"\0", b"")  # in UTF-16, too, a digit is its ASCII byte, but for these
    return bool(numbers) and all(number.encode() in digits for number in numbers)


def _shown(number: int, visit: VisitRow) -> Shown:
    return Shown(
        number,
        visit,
        client_of(visit),
        recorded_findings(visit.findings, visit.received),
        printable_bytes(visit.received),
        printable_bytes(visit.reply),
    )


def _is_secret(text: str) -> bool:
    return len(text) == 64 and set(text) <= set(hexdigits)
