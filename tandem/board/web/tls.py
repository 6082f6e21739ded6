"""HTTPS by the board itself: its certificate, and connections until their handshake is done.

A connection counts from the moment it is accepted, so that one address cannot hold all places with handshakes that it
never ends.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from uvicorn.server import ServerState

from tandem.board.web.http_connections import REQUEST_WITHIN, Config, HttpConnection
from tandem.net.host_network import host_network
from tandem.protocol.errors import TandemError

SHUTDOWN_WITHIN = 1.0  # seconds for the other side to say that it closes, too
MAX_FILE = 1_000_000  # bytes of a certificate or a key


class BadCertificate(TandemError):
    """A certificate or its key cannot be used."""


def server_context(certfile: Path, keyfile: Path) -> ssl.SSLContext:
    """What the board shows to browsers. Raises BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for option, path in (("--certfile", certfile), ("--keyfile", keyfile)):
        _check_file(option, path)
    try:
        context.load_cert_chain(certfile, keyfile, _refuse_password)
    except (OSError, ValueError) as error:
        raise BadCertificate(
            f"--certfile {certfile} and --keyfile {keyfile} cannot be used: {_reason(error)}",
            "two files in PEM, a certificate (with its chain) and its own private key",
        ) from error
    return context


def _reason(error: OSError | ValueError) -> str:
    """What is wrong with the two files, as far as OpenSSL tells it."""
    if not isinstance(error, ssl.SSLError):
        return str(error)
    is_pair = error.reason != "KEY_VALUES_MISMATCH"
    return "what is in them is not PEM, or not in this order" if is_pair else "the key is of another certificate"


def _check_file(option: str, path: Path) -> None:
    """Raise BadCertificate unless it can be read to its end: OpenSSL would read a device for ever."""
    try:
        if not path.is_file():
            reason = "it is not a file" if path.exists() else "there is no such file"
        elif path.stat().st_size > MAX_FILE:
            reason = f"it has more than {MAX_FILE:,} bytes"
        else:
            path.open("rb").close()
            return
    except OSError as error:
        reason = error.strerror or str(error)
    raise BadCertificate(f"{option} {path} cannot be used: {reason}", "a file in PEM")


def _refuse_password() -> str:
    raise ValueError("the key has a password, which the board cannot ask for")


class Handshake(asyncio.Protocol):
    """A connection until its TLS handshake is done. Then a HttpConnection takes its place."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._connection = HttpConnection(config, server_state, app_state, _loop)
        self._early = b""  # what came right behind the handshake
        self._is_lost = False
        self._is_handed_over = False
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()  # start_tls begins to read
        self._address = host_network(transport.get_extra_info("peername")[0])
        if not self._config.enter(self._address):
            self._config.leave(self._address)
            transport.abort()
            return
        self._config.handshakes.add(transport)
        self._task = self._connection.loop.create_task(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._is_handed_over:
            self._connection.connection_lost(exc)

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        assert self._config.tls
        try:
            encrypted = await self._connection.loop.start_tls(
                transport,
                self,
                self._config.tls,
                server_side=True,
                ssl_handshake_timeout=REQUEST_WITHIN,
                ssl_shutdown_timeout=SHUTDOWN_WITHIN,
            )
        except OSError:  # not TLS, too slow, or gone
            return
        finally:
            self._config.handshakes.discard(transport)
            self._config.leave(self._address)
        if encrypted is None or encrypted.is_closing() or self._is_lost:
            return
        self._is_handed_over = True
        encrypted.set_protocol(self._connection)
        self._connection.connection_made(encrypted)
        if self._early and not encrypted.is_closing():
            self._connection.data_received(self._early)
