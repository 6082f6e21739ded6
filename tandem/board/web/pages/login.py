"""The teacher comes in, and goes."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.web.auth import Auth, field
from tandem.board.web.page_templates import PageTemplates

HOME = "/gradebook"


class LoginPages:
    """/login and /logout."""

    def __init__(self, looks: PageTemplates, entrance: Auth) -> None:
        self._looks = looks
        self._entrance = entrance

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.ask, methods=["GET"]),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", self._entrance.for_teacher(self.leave), methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        if not self._entrance.takes_token(request):
            return self._refuse(request)
        then = _own_path(request.query_params.get("then", HOME))
        return self._looks.page("login.html", self._entrance.viewer(request), then=then, wrong="")

    async def enter(self, request: Request) -> Response:
        if not self._entrance.takes_token(request):
            return self._refuse(request)
        then = _own_path(await field(request, "then"))
        token = (await field(request, "token")).strip()
        if not self._entrance.is_token(request, token):
            wrong = "That is not the token. It was shown when the board was first started; see docs/board.md."
            return self._looks.page("login.html", self._entrance.viewer(request), 403, then=then, wrong=wrong)
        response = RedirectResponse(then, 303)
        self._entrance.admit_teacher(request, response)
        return response

    async def leave(self, request: Request) -> Response:
        response = RedirectResponse("/", 303)
        self._entrance.dismiss_teacher(request, response)
        return response

    def _refuse(self, request: Request) -> Response:
        """The page that says how a teacher can log in, because over this connection it cannot be done."""
        viewer = self._entrance.viewer(request)
        return self._looks.page("clear.html", viewer, 403, was_sent=request.method == "POST")


def _own_path(path: str) -> str:
    """A path of this board; anything else would send the teacher to another site."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else HOME
