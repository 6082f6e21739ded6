"""The page that checks a pasted message as `tandem check` does. Public; stores nothing."""

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.board.web.auth import Auth, form_field
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.problem_text import findings, indented_json
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.report.check import check

MAX_PARALLEL_CHECKS = 2  # others wait


class CheckPages:
    """/check."""

    def __init__(self, page_templates: PageTemplates, auth: Auth) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._threads = anyio.CapacityLimiter(MAX_PARALLEL_CHECKS)

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/check", self.ask, methods=["GET"]),
            Route("/check", self.answer, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Show the form."""
        viewer = self._auth.viewer(request)
        return self._page_templates.page(
            "check.html", viewer, text="", diagnosis=None, too_long=0, max_bytes=MAX_MESSAGE_BYTES
        )

    async def answer(self, request: Request) -> Response:
        r"""Show what is wrong with the message in the form. A form sends \r\n where the pasted text had \n.

        Raises:
            HTTPException: 429 if too many messages came from this address.
        """
        self._auth.limit(self._auth.check_limiter, request)
        text = (await form_field(request, "message")).replace("\r\n", "\n")
        data = text.encode(errors="replace")
        viewer = self._auth.viewer(request)
        if len(data) > MAX_MESSAGE_BYTES:
            return self._page_templates.page(
                "check.html", viewer, 413, text="", diagnosis=None, too_long=len(data), max_bytes=MAX_MESSAGE_BYTES
            )
        diagnosis = await anyio.to_thread.run_sync(check, data, limiter=self._threads)
        return self._page_templates.page(
            "check.html",
            viewer,
            text=text,
            diagnosis=diagnosis,
            found=findings((*diagnosis.problems, *diagnosis.remarks), data),
            corrected=indented_json(diagnosis.repaired) if diagnosis.repaired else "",
            too_long=0,
            max_bytes=MAX_MESSAGE_BYTES,
        )
