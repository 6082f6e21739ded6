"""Which sockets are ready, and how another thread wakes the one that waits for that.

epoll where the system has it, else what the standard library chooses. One interface for both, the one of epoll,
because it is the fastest in Python and Linux is where servers run.
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
    """register or modify(fd, READ, READ | ONCE or 0), unregister(fd), and poll(seconds) -> [(fd, events)].

    A descriptor whose one event was reported may be closed without `unregister`.
    """

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
        self._selector.register(fd, selectors.EVENT_READ, events)

    def modify(self, fd: int, events: int, /) -> None:
        self.unregister(fd)
        if events:
            self.register(fd, events)

    def unregister(self, fd: int, /) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        if not self._selector.get_map():
            time.sleep(timeout)  # Windows: select() refuses to wait for nothing
            return []
        ready = [key for key, _ in self._selector.select(timeout)]
        for key in ready:
            if key.data & ONCE:
                self._selector.unregister(key.fd)
        return [(key.fd, READ) for key in ready]

    def close(self) -> None:
        self._selector.close()


class Wakeup:
    """Wakes a poller that waits: register `fileno()` for READ, and call `drain` when it is ready."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes ready."""
        return self._receiver.fileno()

    def sender(self) -> int:
        """Return the descriptor to which a signal handler may write a byte (signal.set_wakeup_fd)."""
        return self._sender.fileno()

    def wake(self) -> None:
        """Make `fileno()` ready. May be called from any thread."""
        try:
            self._sender.send(b"!")
        except OSError:
            pass  # its buffer is full of wake-ups already, or it is closed

    def drain(self) -> None:
        """Take the wake-ups that came."""
        try:
            self._receiver.recv(4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close both descriptors."""
        self._receiver.close()
        self._sender.close()
