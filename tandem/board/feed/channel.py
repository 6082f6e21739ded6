"""Sends server-sent events to many browsers. Each event is made once and has a number.

The id of an event is the channel's random name and the number. A browser that names a recent id of this channel gets
the events after it. Every other browser gets a snapshot, which replaces all earlier events. Runs in one event loop;
knows nothing of what the events mean.
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable

MAX_REPLAYED_EVENTS = 500  # for browsers that reconnect
MAX_QUEUED_EVENTS = 200  # for a browser that does not read; beyond, it is disconnected and reconnects by itself
HEARTBEAT_INTERVAL_S = 1.5  # of silence, after which a browser gets a heartbeat

_HEARTBEAT = b"event: beat\ndata: null\n\n"


class Channel:
    """Events about one subject. `snapshot()` returns the data that replaces all earlier events."""

    def __init__(self, snapshot: Callable[[], object]) -> None:
        self._snapshot = snapshot
        self._name = secrets.token_hex(6)
        self._closed = False
        self._last = 0
        self._events: deque[bytes] = deque(maxlen=MAX_REPLAYED_EVENTS)  # the latest ones; the last has number _last
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    @property
    def last_id(self) -> str:
        """Return the id of the latest event."""
        return f"{self._name}-{self._last}"

    @property
    def listeners(self) -> int:
        """Return the number of browsers that listen."""
        return len(self._listeners)

    def publish(self, data: object) -> None:
        """Send an event to every listener."""
        self._last += 1
        event = self._event("change", data)
        self._events.append(event)
        for listener in list(self._listeners):
            self._enqueue(listener, event)

    def close(self) -> None:
        """End every stream, and every later one at once. Browsers reconnect by themselves, to another channel."""
        self._closed = True
        for listener in list(self._listeners):
            self._disconnect(listener)

    async def listen(self, last_id: str, may_continue: Callable[[], bool] = lambda: True) -> AsyncIterator[bytes]:
        """Yield the events for one browser.

        Args:
            last_id: The id of the last event that the browser has; "" for none.
            may_continue: Called before each event; the stream ends when it returns False.
        """
        if self._closed:
            return
        listener: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            for event in self._since(last_id):
                yield event
            while True:
                try:
                    event_or_end = await asyncio.wait_for(listener.get(), HEARTBEAT_INTERVAL_S)
                except TimeoutError:
                    event_or_end = _HEARTBEAT
                if event_or_end is None or not may_continue():
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

    def _enqueue(self, listener: asyncio.Queue[bytes | None], event: bytes) -> None:
        if listener.qsize() < MAX_QUEUED_EVENTS:
            listener.put_nowait(event)
        else:
            self._disconnect(listener)

    def _disconnect(self, listener: asyncio.Queue[bytes | None]) -> None:
        """End a stream after its queued events. A slow browser reconnects and continues after them."""
        self._listeners.discard(listener)
        listener.put_nowait(None)
