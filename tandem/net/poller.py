"""Waits for sockets to be ready: one interface over epoll, kqueue, poll and select.

The interface is that of epoll, which is used where the system has it: it is the fastest in Python, and servers run on
Linux.
"""

import select
import selectors
import sys
import time
from collections.abc import Sequence
from typing import Protocol

READ = 1  # EPOLLIN
ONCE = 1 << 30  # EPOLLONESHOT: report one event, then none until the next `modify`


class Poller(Protocol):
    """Reports which descriptors are ready. `events` is READ, READ | ONCE or 0.

    A descriptor whose one event was reported may be closed without `unregister`.
    """

    def register(self, fd: int, events: int, /) -> None:
        """Watch a descriptor."""

    def modify(self, fd: int, events: int, /) -> None:
        """Change what is reported of a watched descriptor."""

    def unregister(self, fd: int, /) -> None:
        """Stop watching a descriptor."""

    def poll(self, timeout_s: float, /) -> Sequence[tuple[int, int]]:
        """Wait until something is ready, `timeout_s` seconds at most. Return (descriptor, events) for each."""

    def close(self) -> None:
        """Close the poller. The descriptors stay open."""


def new_poller() -> Poller:
    """Return the best poller of this system."""
    if sys.platform == "linux":
        return select.epoll()
    return _Selector()


class _Selector:
    """The same interface over kqueue, poll or select."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, events: int, /) -> None:
        self._selector.register(fd, selectors.EVENT_READ, events)

    def modify(self, fd: int, events: int, /) -> None:
        self.unregister(fd)
        if events:
            self.register(fd, events)

    def unregister(self, fd: int, /) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def poll(self, timeout_s: float, /) -> list[tuple[int, int]]:
        if not self._selector.get_map():
            time.sleep(timeout_s)  # Windows: select() refuses to wait for nothing
            return []
        ready = [key for key, _ in self._selector.select(timeout_s)]
        for key in ready:
            if key.data & ONCE:
                self._selector.unregister(key.fd)
        return [(key.fd, READ) for key in ready]

    def close(self) -> None:
        self._selector.close()
