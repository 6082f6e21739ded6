"""The pages with which the teacher logs in and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.web.auth import Auth, form_field
from tandem.board.web.page_templates import PageTemplates

GRADEBOOK_PATH = "/gradebook"


class LoginPages:
    """/login and /logout."""

    def __init__(self, page_templates: PageTemplates, auth: Auth) -> None:
        self._page_templates = page_templates
        self._auth = auth

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/login", self.ask, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self._auth.for_teacher(self.log_out), methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Show the form for the token, or how to log in where this connection is not secure."""
        if not self._auth.accepts_token(request):
            return self._refuse(request)
        then = _own_path(request.query_params.get("then", GRADEBOOK_PATH))
        return self._page_templates.page("login.html", self._auth.viewer(request), then=then, wrong="")

    async def log_in(self, request: Request) -> Response:
        """Check the token and open a session.

        Raises:
            HTTPException: 429 if too many wrong tokens came from this address.
        """
        if not self._auth.accepts_token(request):
            return self._refuse(request)
        then = _own_path(await form_field(request, "then"))
        token = (await form_field(request, "token")).strip()
        if not self._auth.is_token(request, token):
            wrong = "This is not the token. The board showed it when it was first started; see docs/board.md."
            return self._page_templates.page("login.html", self._auth.viewer(request), 403, then=then, wrong=wrong)
        response = RedirectResponse(then, 303)
        self._auth.log_in_teacher(request, response)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        response = RedirectResponse("/", 303)
        self._auth.log_out_teacher(request, response)
        return response

    def _refuse(self, request: Request) -> Response:
        """Return the page that says how the teacher can log in, since this connection is not secure."""
        viewer = self._auth.viewer(request)
        return self._page_templates.page("insecure_login.html", viewer, 403, was_sent=request.method == "POST")


def _own_path(path: str) -> str:
    """Return the path if it is one of this board, else the gradebook's: it must not lead to another site."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else GRADEBOOK_PATH
