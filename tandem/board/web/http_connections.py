"""Limits the board's connections: how many are open, in total and for one address, and how long a request may take.

Below HTTP; knows no page. Log lines that a client can cause are limited to one a second for each text.

HttpConnection subclasses a protocol class of uvicorn, which is not part of uvicorn's documented interface. The reason:
uvicorn has no limit for one address and no time limit for a request. Without the subclass one client could keep
everybody out by opening connections, or by sending requests slowly. The board also runs without a proxy in front, so
the limits cannot be left to one. tests/board/test_newest_uvicorn.py checks them with the newest uvicorn.
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

from tandem.net.networks import host_network

MAX_CONNECTIONS = 4096
REQUEST_TIMEOUT_S = 15.0  # for a whole request, with an uploaded roster
MAX_REFUSED_WITH_503 = 16  # connections beyond the limit that get a response; further ones are closed at once

FLOOD_MESSAGES = (  # the beginnings of log lines that a client can cause
    "socket.accept() out of system resource",
    "Exceeded concurrency limit.",
    "Invalid HTTP request received.",
    "ASGI callable returned without completing response.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)
FORM_LOGGER = "python_multipart.multipart"  # a client can cause every line of this logger
BAD_FORM_MESSAGE = "A form could not be parsed."
BAD_REQUEST_MESSAGE = "A request violates HTTP after its head."  # h11 has answered it with 400


class Config(uvicorn.Config):
    """The configuration of uvicorn, and the open connections.

    Args:
        app: The application.
        max_connections: How many connections may be open in total.
        max_per_address: How many connections may be open for one address.
        http: The protocol class of a new connection.
        tls: If not None, connections begin with a TLS handshake, and `http` must be Handshake.
        more: Other options of uvicorn.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_connections: int,
        max_per_address: int,
        http: type[asyncio.Protocol] | None = None,
        tls: ssl.SSLContext | None = None,
        **more: Any,
    ) -> None:
        super().__init__(app, http=http or HttpConnection, ws="none", limit_concurrency=max_connections, **more)
        self.max_connections = max_connections
        self.max_per_address = max_per_address
        self.tls = tls
        self.open_connections: Counter[str] = Counter()  # by address
        self.handshakes: set[asyncio.Transport] = set()  # connections that are not HttpConnections yet

    def add(self, address: str) -> bool:
        """Count a connection, and return whether it may stay open. Call `remove` when it is closed, in either case."""
        self.open_connections[address] += 1
        return (
            self.open_connections[address] <= self.max_per_address
            and self.open_connections.total() <= self.max_connections + MAX_REFUSED_WITH_503
        )

    def remove(self, address: str) -> None:
        """Stop counting a connection."""
        self.open_connections[address] -= 1
        if not self.open_connections[address]:
            del self.open_connections[address]


class HttpConnection(H11Protocol):
    """One connection, with a time limit for each request. It is closed at once if there are too many."""

    config: Config
    _address = ""
    _timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, or close it if there are too many."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self._address = host_network(self.client[0]) if self.client else ""
        if not self.config.add(self._address):
            transport.abort()
        self._start_timeout()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        self._cancel_timeout()
        self.config.remove(self._address)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Stop the timeout when the request is complete."""
        super().handle_events()
        if self.cycle and not self.cycle.more_body and not self.cycle.response_complete:
            self._cancel_timeout()

    def on_response_complete(self) -> None:
        """Start the timeout of the next request."""
        if not self.transport.is_closing():
            self._start_timeout()
        super().on_response_complete()

    def _start_timeout(self) -> None:
        self._cancel_timeout()
        self._timeout = self.loop.call_later(REQUEST_TIMEOUT_S, self.transport.abort)

    def _cancel_timeout(self) -> None:
        if self._timeout:
            self._timeout.cancel()
            self._timeout = None


class FloodFilter(logging.Filter):
    """Passes each of FLOOD_MESSAGES once a second at most, without its details and traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        error = record.exc_info[1] if record.exc_info else None
        if record.name == FORM_LOGGER:
            flood: str | None = BAD_FORM_MESSAGE
        elif type(error).__module__.startswith("h11"):
            flood = BAD_REQUEST_MESSAGE
        else:
            flood = _flood_message(record.getMessage())
        if flood is None:
            return True
        record.msg, record.args, record.exc_info = flood, (), None
        now = time.monotonic()
        if now < self._logged_at.get(flood, now):
            return False
        self._logged_at[flood] = now + 1
        return True


def _flood_message(text: str) -> str | None:
    return next((beginning for beginning in FLOOD_MESSAGES if text.startswith(beginning)), None)
