"""Connections to the board: how many may be open, in all and from one address, and how long one may send no request.

Below HTTP; knows no page. Nobody can take so many that the others find no place, and what the server writes about it
is written once a second, not once a connection.
"""

import asyncio
import logging
import ssl
import time
from collections import Counter
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tandem.net.host_network import host_network

MAX_CONNECTIONS = 4096
REQUEST_WITHIN = 15.0  # seconds for a whole request, a roster's file with it
BEYOND = 16  # connections over the most that are told so; those after them are closed

FLOODS = (  # how what a client can make the server say begins
    "socket.accept() out of system resource",
    "Exceeded concurrency limit.",
    "Invalid HTTP request received.",
    "ASGI callable returned without completing response.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)
FORMS = "python_multipart.multipart"  # the logger of what reads forms: all it says is about what a client sent
BAD_FORM = "A form that cannot be read."


class Config(uvicorn.Config):
    """A server's settings, and the connections that are open. `most`: in all; `most_of_one`: of one address.

    `http`: what a connection is; with `tls` it begins with a handshake.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        most_of_one: int,
        http: type[asyncio.Protocol] | None = None,
        tls: ssl.SSLContext | None = None,
        **more: Any,
    ) -> None:
        super().__init__(app, http=http or HttpConnection, ws="none", limit_concurrency=most, **more)
        self.most = most
        self.most_of_one = most_of_one
        self.tls = tls
        self.open: Counter[str] = Counter()  # connections, by address
        self.handshakes: set[asyncio.Transport] = set()  # connections that are no HttpConnection yet

    def enter(self, address: str) -> bool:
        """Count a connection; whether it may stay. Call `leave` when it is closed, in either case."""
        self.open[address] += 1
        return self.open[address] <= self.most_of_one and self.open.total() <= self.most + BEYOND

    def leave(self, address: str) -> None:
        self.open[address] -= 1
        if not self.open[address]:
            del self.open[address]


class HttpConnection(H11Protocol):
    """One connection. It has some time for each request, and is closed at once where there are too many."""

    config: Config
    _address = ""
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._address = host_network(self.client[0]) if self.client else ""
        if not self.config.enter(self._address):
            transport.abort()
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self.config.leave(self._address)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle and not self.cycle.more_body and not self.cycle.response_complete:
            self._wait_no_more()

    def on_response_complete(self) -> None:
        if not self.transport.is_closing():
            self._wait_for_request()
        super().on_response_complete()

    def _wait_for_request(self) -> None:
        self._wait_no_more()
        self._end = self.loop.call_later(REQUEST_WITHIN, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._end:
            self._end.cancel()
            self._end = None


class OnceASecond(logging.Filter):
    """Of what a flood makes the server say, each sentence once a second, and no traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        flood = BAD_FORM if record.name == FORMS else _flood_in(record.getMessage())
        if flood is None:
            return True
        record.msg, record.args, record.exc_info = flood, (), None
        now = time.monotonic()
        if now < self._said.get(flood, now):
            return False
        self._said[flood] = now + 1
        return True


def _flood_in(said: str) -> str | None:
    return next((words for words in FLOODS if said.startswith(words)), None)
