"""Server-sent events to many browsers: each event is made once and numbered; who comes back gets what it missed.

An event's id is the channel's own name and a number. A browser that names an id of this channel, and not too old a
one, gets what came after it; every other gets a snapshot, which stands for everything before. Runs in one event loop;
knows nothing of what the events say.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable

REMEMBERED = 500  # events for those who come back
MAX_UNSENT = 200  # events for one browser that does not take them: then it is let go, and comes back by itself
BEAT = 5.0  # seconds of silence after which a browser hears that the line is alive

_HEARTBEAT = b"event: beat\ndata: null\n\n"


class Channel:
    """Events about one thing. `snapshot()` gives the data that stands for all of it."""

    def __init__(self, snapshot: Callable[[], object]) -> None:
        self._snapshot = snapshot
        self._name = secrets.token_hex(6)
        self._closed = False
        self._last = 0
        self._events: deque[bytes] = deque(maxlen=REMEMBERED)  # the last of them, up to number _last
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    @property
    def last_id(self) -> str:
        """The id of the latest event."""
        return f"{self._name}-{self._last}"

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def publish(self, data: object) -> None:
        """Tells everybody."""
        self._last += 1
        event = self._event("change", data)
        self._events.append(event)
        for listener in list(self._listeners):
            self._hand(listener, event)

    def close(self) -> None:
        """Ends every browser's stream, now and from now on; they come back by themselves, to another channel."""
        self._closed = True
        for listener in list(self._listeners):
            self._let_go(listener)

    async def listen(self, last_id: str, may_go_on: Callable[[], bool] = lambda: True) -> AsyncIterator[bytes]:
        """What one browser gets that has seen everything up to `last_id` ("": nothing), for as long as it may."""
        if self._closed:
            return
        listener: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            for event in self._since(last_id):
                yield event
            while True:
                try:
                    event_or_end = await asyncio.wait_for(listener.get(), BEAT)
                except TimeoutError:
                    event_or_end = _HEARTBEAT
                if event_or_end is None or not may_go_on():
                    return
                yield event_or_end
        finally:
            self._listeners.discard(listener)

    def _since(self, last_id: str) -> list[bytes]:
        name, _, number = last_id.rpartition("-")
        if name == self._name and number.isascii() and number.isdigit():
            missed = self._last - int(number[:18])
            if 0 <= missed <= len(self._events):
                return list(self._events)[len(self._events) - missed :] or [_HEARTBEAT]
        return [self._event("snapshot", self._snapshot())]

    def _event(self, kind: str, data: object) -> bytes:
        return f"id: {self.last_id}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode("ascii")

    def _hand(self, listener: asyncio.Queue[bytes | None], event: bytes) -> None:
        if listener.qsize() < MAX_UNSENT:
            listener.put_nowait(event)
        else:
            self._let_go(listener)

    def _let_go(self, listener: asyncio.Queue[bytes | None]) -> None:
        """The end stands behind what it has not taken yet: a slow browser goes on from there."""
        self._listeners.discard(listener)
        listener.put_nowait(None)
