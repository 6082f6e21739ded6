"""A stream of events as an answer: what one browser gets of a channel for as long as it listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tandem.board.feed.channel import Channel
from tandem.board.web.auth import Auth, address
from tandem.net.host_network import host_network

MAX_STREAMS = 2_000  # browsers that watch at once
MAX_OF_ONE = 200  # of one address, which many classes may share: beyond, who has watched longest makes room
GOODBYE = 1.0  # seconds for the end of a stream that makes room; its browser comes back by itself
TEACHER = "the teacher"  # is not counted by address

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # no proxy may collect events


class Audience:
    """All browsers that watch: never so many that the other pages find no place."""

    def __init__(self, entrance: Auth, most: int = MAX_STREAMS) -> None:
        self._entrance = entrance
        self._most = most
        self._watching = 0
        self._crowds: dict[str, list[_Stream]] = {}  # by address; who has watched longest stands first

    def stream(self, request: Request, channel: Channel) -> Response:
        """From the event on that the browser saw last: by its header when it comes back, by the address at first."""
        if self._watching >= self._most:
            raise HTTPException(503, "Too many browsers are watching.")
        last_id = request.headers.get("last-event-id") or request.query_params.get("from", "")
        who = TEACHER if self._entrance.is_logged_in(request) else host_network(address(request))
        return _Stream(channel.listen(last_id, self._entrance.still_counts(request)), self, who)

    def enter(self, stream: "_Stream") -> None:
        self._watching += 1
        crowd = self._crowds.setdefault(stream.who, [])
        crowd.append(stream)
        if len(crowd) > MAX_OF_ONE and stream.who != TEACHER:
            crowd.pop(0).make_room()

    def leave(self, stream: "_Stream") -> None:
        self._watching -= 1
        crowd = self._crowds[stream.who]
        if stream in crowd:
            crowd.remove(stream)
        if not crowd:
            del self._crowds[stream.who]


class _Stream(StreamingResponse):
    """Counts for as long as it lasts."""

    def __init__(self, events: AsyncIterator[bytes], audience: Audience, who: str) -> None:
        super().__init__(events, media_type="text/event-stream", headers=HEADERS)
        self.who = who
        self._audience = audience
        self._limit = asyncio.timeout(None)

    def make_room(self) -> None:
        """Ends it soon, also where the browser does not take what it is sent."""
        self._limit.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._audience.enter(self)
        try:
            async with self._limit:
                await super().__call__(scope, receive, send)
        except TimeoutError:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._audience.leave(self)
