"""Which sockets are ready: epoll where the system has it, else what the standard library chooses.

One interface for both, the one of epoll, because it is the fastest in Python and Linux is where grounds run.
"""

import select
import selectors
import sys
from collections.abc import Sequence
from typing import Protocol

READ = 1  # EPOLLIN


class Poller(Protocol):
    """register(fd, READ), modify(fd, READ or 0), unregister(fd), and poll(seconds) -> [(fd, events)]."""

    def register(self, fd: int, events: int, /) -> None: ...

    def modify(self, fd: int, events: int, /) -> None: ...

    def unregister(self, fd: int, /) -> None: ...

    def poll(self, timeout: float, /) -> Sequence[tuple[int, int]]: ...

    def close(self) -> None: ...


def new_poller() -> Poller:
    """The best that this system has."""
    if sys.platform == "linux":
        return select.epoll()
    return _Selector()


class _Selector:
    """kqueue, poll or select behind the same interface."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, events: int, /) -> None:
        self._selector.register(fd, selectors.EVENT_READ)

    def modify(self, fd: int, events: int, /) -> None:
        if events:
            self._selector.register(fd, selectors.EVENT_READ)
        else:
            self._selector.unregister(fd)

    def unregister(self, fd: int, /) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def poll(self, timeout: float, /) -> Sequence[tuple[int, int]]:
        if not self._selector.get_map():
            return []
        return [(key.fd, READ) for key, _ in self._selector.select(timeout)]

    def close(self) -> None:
        self._selector.close()
