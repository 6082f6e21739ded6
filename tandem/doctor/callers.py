"""Connections to a doctor that listens: each is greeted at once, and their lines are read side by side.

So a silent connection, such as that of a client 1 that came too early, does not delay a doctor behind it. Knows nothing
of what a line means.
"""

import selectors
import socket
import time
from dataclasses import dataclass

from tandem.doctor.greeting import LINE_TIMEOUT_S, MAX_LINE_BYTES, greeting
from tandem.doctor.machine import ip_of

POLL_S = 0.5  # between two looks at the clock; Windows lets Ctrl-C interrupt no longer wait
ACCEPT_BACKOFF_S = 0.1
MAX_CALLERS = 100  # connected at a time; the oldest has to go


@dataclass(eq=False)
class Caller:
    """One connection, and the line that it sends."""

    connection: socket.socket
    host: str  # its address; of IPv6 with the zone
    until: float  # time.monotonic()
    line: bytes = b""
    has_ended: bool = False  # nothing more will come

    @property
    def is_complete(self) -> bool:
        """Whether the line is to be judged."""
        return self.has_ended or self.line.endswith(b"\n") or time.monotonic() >= self.until


class Callers:
    """All connections whose lines are not complete. Call `close` at the end; the listener stays open."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._waiting: list[Caller] = []
        self._selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)

    def complete(self) -> list[Caller]:
        """Wait up to POLL_S. Return the callers to judge, whose connections you must close."""
        for key, _ in self._selector.select(POLL_S):
            if key.fileobj is self._listener:
                self._accept()
            else:
                _read(key.data)
        done = [caller for caller in self._waiting if caller.is_complete]
        done += [caller for caller in self._waiting[:-MAX_CALLERS] if caller not in done]
        for caller in done:
            self._waiting.remove(caller)
            self._selector.unregister(caller.connection)
        return done

    def close(self) -> None:
        """Close the connections that are left."""
        self._selector.close()
        for caller in self._waiting:
            caller.connection.close()

    def _accept(self) -> None:
        """Greet the next connection."""
        try:
            connection, address = self._listener.accept()
        except BlockingIOError:
            return  # it has gone again
        except OSError:  # this process may not open more files
            time.sleep(ACCEPT_BACKOFF_S)
            return
        try:
            connection.setblocking(False)
            connection.sendall(greeting())
            host = ip_of(address or connection.getpeername())  # macOS has none for a connection that was reset
        except OSError:
            connection.close()
            return
        self._waiting.append(Caller(connection, host, time.monotonic() + LINE_TIMEOUT_S))
        self._selector.register(connection, selectors.EVENT_READ, self._waiting[-1])


def _read(caller: Caller) -> None:
    try:
        came = caller.connection.recv(MAX_LINE_BYTES - len(caller.line))
    except BlockingIOError:
        return
    except OSError:
        came = b""
    caller.line += came
    caller.has_ended = not came or len(caller.line) >= MAX_LINE_BYTES
