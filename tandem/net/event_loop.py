"""An event loop: one thread, one clock, files and timers. Knows nothing of what they are for."""

import heapq
import selectors
import time
from collections.abc import Callable
from itertools import count
from typing import Any

Call = Callable[[], None]


class EventLoop:
    """Calls back when a file is ready or a time has come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Call]] = []  # a heap: when it is due, its number, the call
        self._numbers = count()
        self._begun = time.monotonic()
        self.late_s = 0.0  # by which the latest of all calls came after its time

    def now_s(self) -> float:
        """Return the seconds since the loop was made."""
        return time.monotonic() - self._begun

    def after(self, delay_s: float, call: Call) -> None:
        """Call once, `delay_s` seconds from now. Calls that are due at the same time run in the order they were set."""
        heapq.heappush(self._timers, (self.now_s() + delay_s, next(self._numbers), call))

    def every(self, period_s: float, call: Call) -> None:
        """Call again and again, with a pause of `period_s` seconds."""

        def again() -> None:
            call()
            self.after(period_s, again)

        self.after(period_s, again)

    def watch(self, file: Any, readable: Call | None, writable: Call | None = None) -> None:
        """Call when a file is ready. Replaces what was asked for this file before; without calls it is left alone."""
        events = (selectors.EVENT_READ if readable else 0) | (selectors.EVENT_WRITE if writable else 0)
        known = self._selector.get_map().get(file)
        if not events:
            if known:
                self._selector.unregister(file)
        elif known:
            self._selector.modify(file, events, (readable, writable))
        else:
            self._selector.register(file, events, (readable, writable))

    def run(self, until: Callable[[], bool]) -> None:
        """Run until `until()`, which is asked after every turn."""
        while not until():
            self._turn()

    def close(self) -> None:
        """Close the loop. The files stay open."""
        self._selector.close()

    def _turn(self) -> None:
        wait_s = max(0.0, self._timers[0][0] - self.now_s()) if self._timers else None
        for key, events in self._selector.select(wait_s):
            for event, ready in zip((selectors.EVENT_READ, selectors.EVENT_WRITE), key.data, strict=True):
                if events & event and ready and self._is_current(key):
                    ready()
        now_s = self.now_s()
        while self._timers and self._timers[0][0] <= now_s:
            due_s, _, call = heapq.heappop(self._timers)
            self.late_s = max(self.late_s, now_s - due_s)
            call()

    def _is_current(self, key: selectors.SelectorKey) -> bool:
        """Return whether the file is still watched: a call of the same turn may have closed it."""
        current = self._selector.get_map().get(key.fileobj)
        return current is not None and current.data == key.data
