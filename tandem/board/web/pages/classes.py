"""The public pages for the projector: the list of classes, and one class with its live state."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tandem.board.feed.class_counts import ClassCounts, count_states
from tandem.board.feed.class_feed import ClassFeed
from tandem.board.feed.follower import NOT_READ_YET, Follower
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.auth import Auth
from tandem.board.web.event_streams import StreamLimit
from tandem.board.web.page_templates import PageTemplates
from tandem.diagnosis.rules import MAX_LENGTHS

MAX_LISTED_CLASSES = 200  # classes without a roster; others are found by name


class ClassPages:
    """/ and /class."""

    def __init__(
        self,
        page_templates: PageTemplates,
        auth: Auth,
        stream_limit: StreamLimit,
        follower: Follower,
        class_counts: ClassCounts,
        board_store: BoardStore,
    ) -> None:
        self._page_templates = page_templates
        self._auth = auth
        self._stream_limit = stream_limit
        self._follower = follower
        self._class_counts = class_counts
        self._board_store = board_store

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/", self.classes),
            Route("/class", self.one),
            Route("/class/live", self.live),
        ]

    async def classes(self, request: Request) -> Response:
        """List the classes, those with a roster first: the others may be any text that somebody sent."""
        roster_sizes = self._board_store.roster_sizes()
        latest = self._class_counts.latest
        others = [name for name in latest.classes if name not in roster_sizes]
        listed = (*roster_sizes, *others[:MAX_LISTED_CLASSES])
        return self._page_templates.page(
            "classes.html",
            self._auth.viewer(request),
            roster_sizes=roster_sizes,
            others=others[:MAX_LISTED_CLASSES],
            not_listed=max(0, len(others) - MAX_LISTED_CLASSES),
            states={name: count_states(latest.classes.get(name, ())) for name in listed},
            counted_us=int(latest.counted_s * 1e6),
            read_error="" if self._follower.read_error == NOT_READ_YET else self._follower.read_error,
        )

    async def one(self, request: Request) -> Response:
        """Show a class. Other spellings of its name are redirected to one URL."""
        feed = await self._feed(request)
        if feed.classname != request.query_params.get("name"):
            return RedirectResponse(f"/class?{urlencode({'name': feed.classname})}", 303)
        return self._page_templates.page("class.html", self._auth.viewer(request), feed=feed)

    async def live(self, request: Request) -> Response:
        """Stream the changes of a class."""
        feed = await self._feed(request)
        return self._stream_limit.stream(request, feed.channel)

    async def _feed(self, request: Request) -> ClassFeed:
        feed = await self._follower.feed(request.query_params.get("name", ""))
        if feed is None:
            max_bytes = MAX_LENGTHS["classname"]
            raise HTTPException(
                404,
                f"The name of a class has 1 to {max_bytes} bytes and no control characters. Check it and try again.",
            )
        return feed
