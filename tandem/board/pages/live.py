"""A stream of events as an answer: what one browser gets of a channel for as long as it listens."""

from collections import Counter

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tandem.board.brake import network
from tandem.board.channel import Channel
from tandem.board.entrance import address

MOST_STREAMS = 2_000  # browsers that watch at once
MOST_OF_ONE = 200  # of one address: a whole class may share it

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # no proxy may collect events


class Audience:
    """All browsers that watch: never so many that the other pages find no place."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._watching: Counter[str] = Counter()  # by address

    def stream(self, request: Request, channel: Channel) -> Response:
        """From the event on that the browser saw last: by its header when it comes back, by the address at first."""
        who = network(address(request))
        if self._watching.total() >= self._most:
            raise HTTPException(503, "Too many browsers are watching.")
        if self._watching[who] >= MOST_OF_ONE:
            raise HTTPException(429, "Too many browsers are watching from this address.")
        last_id = request.headers.get("last-event-id") or request.query_params.get("from", "")
        return _Stream(channel, last_id, self._watching, who)


class _Stream(StreamingResponse):
    """Counts for as long as it lasts."""

    def __init__(self, channel: Channel, last_id: str, watching: Counter[str], who: str) -> None:
        super().__init__(channel.listen(last_id), media_type="text/event-stream", headers=HEADERS)
        self._watching = watching
        self._who = who
        watching[who] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watching[self._who] -= 1
            if not self._watching[self._who]:
                del self._watching[self._who]
