"""Responses that are streams of server-sent events, and the limits on how many are open.

Knows sessions and addresses, not what the events say.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tandem.board.feed.channel import Channel
from tandem.board.web.auth import Auth, address
from tandem.net.networks import host_network

MAX_STREAMS = 2_000
MAX_STREAMS_PER_ADDRESS = 200  # several classes may share one address; beyond, the oldest stream is evicted
CLOSE_TIMEOUT_S = 1.0  # to send the end of an evicted stream
TEACHER_VIEWER = "the teacher"  # the key of teachers' streams, which have no limit by address

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies must not buffer events


class StreamLimit:
    """Limits the open streams, so that connections are left for the other pages."""

    def __init__(self, auth: Auth, max_streams: int = MAX_STREAMS) -> None:
        self._auth = auth
        self._max_streams = max_streams
        self._count = 0
        self._streams: dict[str, list[_Stream]] = {}  # by address, the oldest first

    def stream(self, request: Request, channel: Channel) -> Response:
        """Return a stream of the channel's events after the last one that the browser has.

        A browser that reconnects names that event in Last-Event-ID, a page that opens its first stream in the query.

        Raises:
            HTTPException: 503 if too many streams are open.
        """
        if self._count >= self._max_streams:
            raise HTTPException(503, "Too many browsers are watching. Try again in a few seconds.")
        last_id = request.headers.get("last-event-id") or request.query_params.get("from", "")
        viewer = TEACHER_VIEWER if self._auth.is_logged_in(request) else host_network(address(request))
        return _Stream(channel.listen(last_id, self._auth.session_check(request)), self, viewer)

    def add(self, stream: "_Stream") -> None:
        """Count a stream. Beyond MAX_STREAMS_PER_ADDRESS the oldest one of the same address is evicted."""
        self._count += 1
        streams = self._streams.setdefault(stream.viewer, [])
        streams.append(stream)
        if len(streams) > MAX_STREAMS_PER_ADDRESS and stream.viewer != TEACHER_VIEWER:
            streams.pop(0).evict()

    def remove(self, stream: "_Stream") -> None:
        """Stop counting a stream."""
        self._count -= 1
        streams = self._streams[stream.viewer]
        if stream in streams:
            streams.remove(stream)
        if not streams:
            del self._streams[stream.viewer]


class _Stream(StreamingResponse):
    """A stream that is counted while it is open."""

    def __init__(self, events: AsyncIterator[bytes], stream_limit: StreamLimit, viewer: str) -> None:
        super().__init__(events, media_type="text/event-stream", headers=STREAM_HEADERS)
        self.viewer = viewer
        self._stream_limit = stream_limit
        self._limit = asyncio.timeout(None)

    def evict(self) -> None:
        """End the stream soon, even if the browser does not read it. The browser reconnects by itself."""
        self._limit.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._stream_limit.add(self)
        try:
            async with self._limit:
                await super().__call__(scope, receive, send)
        except TimeoutError:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stream_limit.remove(self)
