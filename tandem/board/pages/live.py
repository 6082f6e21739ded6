"""A stream of events as an answer: what one browser gets of a channel for as long as it listens."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tandem.board.channel import Channel
from tandem.board.follow import Follower

MOST_LISTENERS = 2_000  # browsers that watch at once

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # no proxy may collect events


def live(request: Request, follower: Follower, channel: Channel) -> Response:
    """From the event on that the browser saw last: by its header when it comes back, by the address at first."""
    if follower.listeners >= MOST_LISTENERS:
        raise HTTPException(503, "Too many browsers are watching.")
    last_id = request.headers.get("last-event-id") or request.query_params.get("from", "")
    return StreamingResponse(channel.listen(last_id), media_type="text/event-stream", headers=HEADERS)
