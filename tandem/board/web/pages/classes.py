"""The class, for the projector: the list of classes, one class, and what happens in it while it happens."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.feed.class_counts import ClassCounts, states
from tandem.board.feed.class_feed import ClassFeed
from tandem.board.feed.follow import Follower
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.auth import Auth
from tandem.board.web.page_templates import PageTemplates
from tandem.board.web.pages.live import Audience
from tandem.diagnosis.rules import MAX_LENGTHS

MAX_CLASSES = 200  # that are listed; others are found by name


class ClassPages:
    """/ and /class."""

    def __init__(
        self,
        looks: PageTemplates,
        entrance: Auth,
        audience: Audience,
        follower: Follower,
        census: ClassCounts,
        book: BoardStore,
    ) -> None:
        self._looks = looks
        self._entrance = entrance
        self._audience = audience
        self._follower = follower
        self._census = census
        self._book = book

    def routes(self) -> list[Route]:
        return [
            Route("/", self.classes),
            Route("/class", self.one),
            Route("/class/live", self.live),
        ]

    async def classes(self, request: Request) -> Response:
        """Those with a roster first: the others may be anything that somebody sent."""
        rostered = self._book.rostered()
        counted = self._census.counted
        others = sorted(name for name in counted.classes if name not in rostered)
        return self._looks.page(
            "classes.html",
            self._entrance.viewer(request),
            rostered=rostered,
            others=others[:MAX_CLASSES],
            more=max(0, len(others) - MAX_CLASSES),
            seen={name: states(counted.classes.get(name, ())) for name in (*rostered, *others[:MAX_CLASSES])},
            counted_at=int(counted.at * 1e6),
            trouble=self._follower.trouble,
        )

    async def one(self, request: Request) -> Response:
        """Under one address, however its name was typed."""
        room = await self._room(request)
        if room.classname != request.query_params.get("name"):
            return RedirectResponse(f"/class?{urlencode({'name': room.classname})}", 303)
        return self._looks.page("class.html", self._entrance.viewer(request), room=room)

    async def live(self, request: Request) -> Response:
        """The stream of changes, from the id on that the page or the browser names."""
        room = await self._room(request)
        return self._audience.stream(request, room.channel)

    async def _room(self, request: Request) -> ClassFeed:
        room = await self._follower.room(request.query_params.get("name", ""))
        if room is None:
            longest = MAX_LENGTHS["classname"]
            raise HTTPException(
                404, f"A class's name has 1 to {longest} bytes, and no control character: type it again."
            )
        return room
