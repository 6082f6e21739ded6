"""Who comes in where: cookies read and given, forms checked, too many wrong tries held up.

The one place where a page for the teacher becomes one: `for_teacher` stands before the handler, asks for the
cookie, and for every form for the token that shows that it is ours.
"""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tandem.board.gradebook.board_store import BoardStore, BoardStoreError, hash_token
from tandem.board.web.rate_limit import RateLimiter
from tandem.board.web.security import is_private
from tandem.board.web.sessions import HOURS, SessionKind, Sessions
from tandem.board.web.token import TokenCheck
from tandem.records.queries import TeamKey

Handler = Callable[[Request], Awaitable[Response]]

TEACHER_COOKIE = "tandem_teacher"
TEAM_COOKIE = "tandem_team"

TOKENS = (10, 30.0)  # wrong tokens of one address at once; seconds until one more
SECRETS = (40, 2.0)  # wrong secrets: a class may share one address
OPENED = (400, 1.0)  # right secrets: each is a write to the disk
CHECKS = (60, 1.0)  # messages to check

IN_THE_CLEAR = (
    "The board takes no teacher's token over this connection: everybody on the way could read it."
    " The page /login says what to do."
)


class Auth:
    """Opens the board's doors. `allows_clear`: the teacher may come over plain HTTP from another machine.

    `clock`: seconds that only ever grow, for the limits. A limit must not last for a year because the time was set.
    """

    def __init__(
        self,
        book: BoardStore,
        sessions: Sessions,
        admission: TokenCheck,
        allows_clear: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._sessions = sessions
        self._admission = admission
        self._allows_clear = allows_clear
        self._clock = clock
        self.tokens = RateLimiter(*TOKENS)
        self.secrets = RateLimiter(*SECRETS)
        self.opened = RateLimiter(*OPENED)
        self.checks = RateLimiter(*CHECKS)

    def takes_token(self, request: Request) -> bool:
        """Whether a teacher's token may come over this connection."""
        return self._allows_clear or is_private(request.scope)

    def is_teacher(self, request: Request) -> bool:
        """By the cookie, or as a program by the header Authorization: Bearer TOKEN. Raises as `is_token` does."""
        if request.cookies.get(TEACHER_COOKIE, ""):
            return self.is_logged_in(request)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.is_token(request, token.strip())

    def is_logged_in(self, request: Request) -> bool:
        """By the cookie alone: never raises 403 or 429."""
        cookie = request.cookies.get(TEACHER_COOKIE, "")
        if not cookie or not self.takes_token(request):
            return False
        shown = self._sessions.shown(SessionKind.TEACHER, cookie)
        return shown is not None and self._admission.is_token(shown, self._book.token_hash())

    def still_counts(self, request: Request) -> Callable[[], bool]:
        """For a stream: says whether what opened it still counts. An anonymous viewer has nothing that could end."""
        if not (request.cookies or "authorization" in request.headers):
            return lambda: True
        opened_by = self._standing(request)

        def is_same() -> bool:
            try:
                return self._standing(request) == opened_by
            except BoardStoreError:  # nobody knows
                return False

        return is_same

    def _standing(self, request: Request) -> tuple[bool, TeamKey | None, str]:
        """Who a viewer is. A program has its token, and stays as long as no other is made."""
        token = self._book.token_hash() if "authorization" in request.headers else ""
        return self.is_logged_in(request), self.team_of(request), token

    def is_token(self, request: Request, token: str) -> bool:
        """Whether it is the teacher's. Raises 429 for a wrong one, if too many came from its address.

        Raises 403 where no token may come.
        """
        if not self.takes_token(request):
            raise HTTPException(403, IN_THE_CLEAR)
        right = self._admission.is_token(hash_token(token), self._book.token_hash())
        if not right:
            self.slow_down(self.tokens, request)
        return right

    def viewer(self, request: Request) -> dict[str, object]:
        """What every page's frame shows of who looks at it, by the cookie alone."""
        is_teacher = self.is_logged_in(request)
        return {
            "is_teacher": is_teacher,
            "path": request.url.path,
            "form_token": self._admission.form_token(request.cookies.get(TEACHER_COOKIE, "")) if is_teacher else "",
        }

    def refused_viewer(self, request: Request) -> dict[str, object]:
        """The viewer of a refusal: never raises, whatever the refusal is about."""
        try:
            return self.viewer(request)
        except BoardStoreError:
            return {"is_teacher": False, "path": request.url.path, "form_token": ""}

    def for_teacher(self, handler: Handler) -> Handler:
        """The handler, for the teacher alone."""

        async def guarded(request: Request) -> Response:
            if not self.is_teacher(request):
                if request.method != "GET":
                    raise HTTPException(403, "This needs the teacher's token: log in, and send the form again.")
                then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?then={quote(then)}", 303)
            try:
                if request.method == "POST" and not await self._is_own_form(request):
                    raise HTTPException(403, "This form is out of date: load the page again, and send it again.")
                return await handler(request)
            finally:
                await request.close()  # a file that was uploaded

        return guarded

    def admit_teacher(self, request: Request, response: Response) -> None:
        """Begin a session. Call it when the token was right."""
        cookie = self._sessions.open(SessionKind.TEACHER, self._book.token_hash())
        self._give(request, response, TEACHER_COOKIE, cookie, HOURS[SessionKind.TEACHER], "/")

    def dismiss_teacher(self, request: Request, response: Response) -> None:
        """End the session, here and in the browser."""
        self._sessions.end(request.cookies.get(TEACHER_COOKIE, ""))
        response.delete_cookie(TEACHER_COOKIE, "/", httponly=True, samesite="strict")

    def admit_team(self, request: Request, response: Response, team: TeamKey, secret: str) -> None:
        """Begin a session. Call it when the secret was right. Raises 429 where too many were opened."""
        self.slow_down(self.opened, request)
        facts = base64.urlsafe_b64encode(json.dumps(team).encode()).decode()
        cookie = self._sessions.open(SessionKind.TEAM, hash_token(secret), facts)
        self._give(request, response, TEAM_COOKIE, cookie, HOURS[SessionKind.TEAM], "/team")

    def dismiss_team(self, request: Request, response: Response) -> None:
        """End the session, here and in the browser."""
        self._sessions.end(request.cookies.get(TEAM_COOKIE, ""))
        response.delete_cookie(TEAM_COOKIE, "/team", httponly=True, samesite="strict")

    def team_of(self, request: Request) -> TeamKey | None:
        """Whose page the browser may see. Its session is over the whole cookie, so the facts in it are ours."""
        cookie = request.cookies.get(TEAM_COOKIE, "")
        if not cookie or self._sessions.shown(SessionKind.TEAM, cookie) is None:
            return None
        return TeamKey(*json.loads(base64.urlsafe_b64decode(cookie.partition(".")[2])))

    def hold_up(self, brake: RateLimiter, request: Request) -> None:
        """Raises 429 for an address that has to wait."""
        seconds = brake.wait(address(request), self._clock())
        if seconds:
            words = f"Too many tries from this address: wait {seconds:.0f} s, then try again."
            raise HTTPException(429, words, {"Retry-After": f"{seconds:.0f}"})

    def count(self, brake: RateLimiter, request: Request) -> None:
        brake.count(address(request), self._clock())

    def slow_down(self, brake: RateLimiter, request: Request) -> None:
        """For what was wrong. What is right is never slowed down: others behind its address may have been wrong."""
        self.hold_up(brake, request)
        self.count(brake, request)

    async def _is_own_form(self, request: Request) -> bool:
        given = (await request.form(max_files=1, max_fields=20)).get("form_token")
        cookie = request.cookies.get(TEACHER_COOKIE, "")
        return isinstance(given, str) and self._admission.is_own_form(given, cookie)

    def _give(self, request: Request, response: Response, name: str, value: str, hours: int, path: str) -> None:
        is_secure = request.url.scheme == "https"
        response.set_cookie(name, value, hours * 3600, path=path, secure=is_secure, httponly=True, samesite="strict")


def address(request: Request) -> str:
    return request.client.host if request.client else ""


async def field(request: Request, name: str) -> str:
    """A text field of the form that was sent; "" if it is not there."""
    value = (await request.form(max_files=1, max_fields=20)).get(name)
    return value if isinstance(value, str) else ""
