"""Check a message: paste it, and read all that is wrong with it, as `tandem check` tells it. For everybody."""

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tandem.board.web.auth import Auth, field
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.problem_text import findings, written
from tandem.protocol.reader import MAX_MESSAGE_BYTES
from tandem.report.check import check

AT_ONCE = 2  # messages that are being read; the others wait


class CheckPages:
    """/check."""

    def __init__(self, looks: PageTemplates, entrance: Auth) -> None:
        self._looks = looks
        self._entrance = entrance
        self._threads = anyio.CapacityLimiter(AT_ONCE)

    def routes(self) -> list[Route]:
        return [
            Route("/check", self.ask, methods=["GET"]),
            Route("/check", self.answer, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        viewer = self._entrance.viewer(request)
        return self._looks.page("check.html", viewer, text="", diagnosis=None, too_long=0, most=MAX_MESSAGE_BYTES)

    async def answer(self, request: Request) -> Response:
        """A form turns the end of every line into two characters; the message that was pasted had one."""
        self._entrance.hold_up(self._entrance.checks, request)
        self._entrance.count(self._entrance.checks, request)
        text = (await field(request, "message")).replace("\r\n", "\n")
        data = text.encode(errors="replace")
        viewer = self._entrance.viewer(request)
        if len(data) > MAX_MESSAGE_BYTES:
            return self._looks.page(
                "check.html", viewer, 413, text="", diagnosis=None, too_long=len(data), most=MAX_MESSAGE_BYTES
            )
        diagnosis = await anyio.to_thread.run_sync(check, data, limiter=self._threads)
        return self._looks.page(
            "check.html",
            viewer,
            text=text,
            diagnosis=diagnosis,
            found=findings((*diagnosis.problems, *diagnosis.remarks), data),
            corrected=written(diagnosis.repaired) if diagnosis.repaired else "",
            too_long=0,
            most=MAX_MESSAGE_BYTES,
        )
