"""Waits for sockets to be ready: one interface over epoll, kqueue, poll and select.

The interface is that of epoll, which is used where the system has it: it is the fastest in Python, and servers run on
Linux.
"""

import select
import selectors
import socket
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


class Wakeup:
    """Wakes a poller that waits: register `fileno()` for READ, and call `drain` when it is ready."""

    def __init__(self) -> None:
        """Open a pair of sockets. Call `close` at the end."""
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes ready."""
        return self._receiver.fileno()

    def sender_fileno(self) -> int:
        """Return the descriptor to which a signal may write a byte (signal.set_wakeup_fd)."""
        return self._sender.fileno()

    def wake(self) -> None:
        """Make `fileno()` ready. Any thread may call it."""
        try:
            self._sender.send(b"!")
        except OSError:
            pass  # its buffer is full of wake-ups already, or it is closed

    def drain(self) -> None:
        """Discard the wake-ups that came."""
        try:
            self._receiver.recv(4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close both descriptors."""
        self._receiver.close()
        self._sender.close()


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
