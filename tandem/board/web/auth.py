"""Authentication: reads and sets the cookies of the teacher and of teams, checks forms, limits tries.

`Auth.for_teacher` is the only place that makes a page the teacher's: it wraps the page's function, and checks the
cookie and, for a form, the form token. Knows no page.
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
from tandem.board.web.security import is_secure
from tandem.board.web.sessions import SESSION_HOURS, SessionKind, SessionStore
from tandem.board.web.token_check import TokenCheck
from tandem.records.queries import TeamKey

Endpoint = Callable[[Request], Awaitable[Response]]

TEACHER_COOKIE = "tandem_teacher"
TEAM_COOKIE = "tandem_team"

# Limits for one address: tries at once, seconds until one more.
WRONG_TOKENS = (10, 30.0)
WRONG_SECRETS = (40, 2.0)  # higher: a class may share one address
RIGHT_SECRETS = (400, 1.0)  # each writes a session to the disk
CHECKS = (60, 1.0)

TOKEN_NOT_ACCEPTED = (
    "The board does not accept the teacher's token over this connection, because others on the network could read it."
    " The page /login says what to do."
)


class Auth:
    """Decides what a request may see.

    Args:
        board_store: Holds the hash of the teacher's token.
        sessions: The open sessions.
        token_check: Compares tokens.
        insecure_login: Accept the teacher's token over plain HTTP from other machines.
        clock: Monotonic seconds for the limits, which must not depend on changes of the system time.
    """

    def __init__(
        self,
        board_store: BoardStore,
        sessions: SessionStore,
        token_check: TokenCheck,
        insecure_login: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board_store = board_store
        self._sessions = sessions
        self._token_check = token_check
        self._insecure_login = insecure_login
        self._clock = clock
        self.token_limiter = RateLimiter(*WRONG_TOKENS)
        self.secret_limiter = RateLimiter(*WRONG_SECRETS)
        self.session_limiter = RateLimiter(*RIGHT_SECRETS)
        self.check_limiter = RateLimiter(*CHECKS)

    def accepts_token(self, request: Request) -> bool:
        """Return whether the teacher's token is accepted over this connection."""
        return self._insecure_login or is_secure(request.scope)

    def is_teacher(self, request: Request) -> bool:
        """Return whether the request is the teacher's, by its cookie or by the header Authorization: Bearer TOKEN.

        Raises:
            HTTPException: See `is_token`.
        """
        if request.cookies.get(TEACHER_COOKIE, ""):
            return self.is_logged_in(request)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.is_token(request, token.strip())

    def is_logged_in(self, request: Request) -> bool:
        """Return whether the request has the cookie of a teacher's session."""
        cookie = request.cookies.get(TEACHER_COOKIE, "")
        if not cookie or not self.accepts_token(request):
            return False
        opened_by = self._sessions.credential_hash(SessionKind.TEACHER, cookie)
        return opened_by is not None and self._token_check.is_token(opened_by, self._board_store.token_hash())

    def session_check(self, request: Request) -> Callable[[], bool]:
        """Return a function for an event stream that returns whether the session or token of its request is valid.

        Anonymous viewers have no session that could end.
        """
        if not (request.cookies or "authorization" in request.headers):
            return lambda: True
        opened_by = self._identity(request)

        def is_same() -> bool:
            try:
                return self._identity(request) == opened_by
            except BoardStoreError:  # unknown, so the stream ends
                return False

        return is_same

    def _identity(self, request: Request) -> tuple[bool, TeamKey | None, str]:
        """Return what must not change while a stream is open. A program's stream lasts until a new token is made."""
        token = self._board_store.token_hash() if "authorization" in request.headers else ""
        return self.is_logged_in(request), self.team_of(request), token

    def is_token(self, request: Request, token: str) -> bool:
        """Return whether this is the teacher's token. A right token is never limited.

        Raises:
            HTTPException: 403 if tokens are not accepted over this connection; 429 if the token is wrong and too many
                wrong ones came from this address.
        """
        if not self.accepts_token(request):
            raise HTTPException(403, TOKEN_NOT_ACCEPTED)
        is_right = self._token_check.is_token(hash_token(token), self._board_store.token_hash())
        if not is_right:
            self.limit(self.token_limiter, request)
        return is_right

    def viewer(self, request: Request) -> dict[str, object]:
        """Return what the frame of every page shows of its viewer, by the cookie."""
        is_teacher = self.is_logged_in(request)
        return {
            "is_teacher": is_teacher,
            "path": request.url.path,
            "form_token": self._token_check.form_token(request.cookies.get(TEACHER_COOKIE, "")) if is_teacher else "",
        }

    def viewer_of_error_page(self, request: Request) -> dict[str, object]:
        """Return the viewer, as an anonymous one if the board store cannot be read."""
        try:
            return self.viewer(request)
        except BoardStoreError:
            return {"is_teacher": False, "path": request.url.path, "form_token": ""}

    def for_teacher(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint, restricted to the teacher and to the board's own forms."""

        async def teacher_only(request: Request) -> Response:
            if not self.is_teacher(request):
                if request.method != "GET":
                    raise HTTPException(403, "Only the teacher may send this form: log in, then send it again.")
                then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?then={quote(then)}", 303)
            try:
                if request.method == "POST" and not await self._is_own_form(request):
                    raise HTTPException(403, "This form is out of date: reload the page, then send the form again.")
                return await endpoint(request)
            finally:
                await request.close()  # removes uploaded files

        return teacher_only

    def log_in_teacher(self, request: Request, response: Response) -> None:
        """Open a session and set its cookie. Call it only after `is_token` returned True."""
        cookie = self._sessions.open(SessionKind.TEACHER, self._board_store.token_hash())
        self._set_cookie(request, response, TEACHER_COOKIE, cookie, SESSION_HOURS[SessionKind.TEACHER], "/")

    def log_out_teacher(self, request: Request, response: Response) -> None:
        """End the session and delete its cookie."""
        self._sessions.end(request.cookies.get(TEACHER_COOKIE, ""))
        response.delete_cookie(TEACHER_COOKIE, "/", httponly=True, samesite="strict")

    def log_in_team(self, request: Request, response: Response, team: TeamKey, secret: str) -> None:
        """Open a session and set its cookie. Call it only with the right secret of the team.

        Raises:
            HTTPException: 429 if too many sessions were opened from this address.
        """
        self.limit(self.session_limiter, request)
        facts = base64.urlsafe_b64encode(json.dumps(team).encode()).decode()
        cookie = self._sessions.open(SessionKind.TEAM, hash_token(secret), facts)
        self._set_cookie(request, response, TEAM_COOKIE, cookie, SESSION_HOURS[SessionKind.TEAM], "/team")

    def log_out_team(self, request: Request, response: Response) -> None:
        """End the session and delete its cookie."""
        self._sessions.end(request.cookies.get(TEAM_COOKIE, ""))
        response.delete_cookie(TEAM_COOKIE, "/team", httponly=True, samesite="strict")

    def team_of(self, request: Request) -> TeamKey | None:
        """Return the team whose page the request may see; None without a session.

        The session store knows the hash of the whole cookie, so the team in it is as the board wrote it.
        """
        cookie = request.cookies.get(TEAM_COOKIE, "")
        if not cookie or self._sessions.credential_hash(SessionKind.TEAM, cookie) is None:
            return None
        return TeamKey(*json.loads(base64.urlsafe_b64decode(cookie.partition(".")[2])))

    def check_limit(self, limiter: RateLimiter, request: Request) -> None:
        """Check the limit of the request's address without counting a try.

        Raises:
            HTTPException: 429 if the address must wait.
        """
        wait_s = limiter.wait_s(address(request), self._clock())
        if wait_s:
            text = f"Too many tries from this address: wait {wait_s:.0f} s, then try again."
            raise HTTPException(429, text, {"Retry-After": f"{wait_s:.0f}"})

    def limit(self, limiter: RateLimiter, request: Request) -> None:
        """Count a try of the request's address.

        Raises:
            HTTPException: 429 if the address must wait; then the try is not counted.
        """
        self.check_limit(limiter, request)
        limiter.count_try(address(request), self._clock())

    async def _is_own_form(self, request: Request) -> bool:
        token = (await request.form(max_files=1, max_fields=20)).get("form_token")
        cookie = request.cookies.get(TEACHER_COOKIE, "")
        return isinstance(token, str) and self._token_check.is_own_form(token, cookie)

    def _set_cookie(self, request: Request, response: Response, name: str, value: str, hours: int, path: str) -> None:
        is_secure = request.url.scheme == "https"
        response.set_cookie(name, value, hours * 3600, path=path, secure=is_secure, httponly=True, samesite="strict")


def address(request: Request) -> str:
    """Return the IP address of the client, or "" if it is unknown."""
    return request.client.host if request.client else ""


async def form_field(request: Request, name: str) -> str:
    """Return a text field of the form in the request, or "" if it has none of that name."""
    value = (await request.form(max_files=1, max_fields=20)).get(name)
    return value if isinstance(value, str) else ""
