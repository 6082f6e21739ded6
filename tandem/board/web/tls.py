"""HTTPS by the board itself: loads the certificate, and handles connections until their TLS handshake is complete.

A connection is counted from its accept, so one address cannot use up all connections with unfinished handshakes.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from uvicorn.server import ServerState

from tandem.board.web.http_connections import REQUEST_TIMEOUT_S, Config, HttpConnection
from tandem.net.networks import host_network
from tandem.protocol.errors import TandemError

TLS_SHUTDOWN_TIMEOUT_S = 1.0  # to wait for the client's close_notify
MAX_FILE_BYTES = 1_000_000  # of a certificate or a key


class CertificateError(TandemError):
    """A certificate or its key cannot be used."""


def server_context(certfile: Path, keyfile: Path) -> ssl.SSLContext:
    """Return the TLS context of the board.

    Raises:
        CertificateError: A file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for option, path in (("--certfile", certfile), ("--keyfile", keyfile)):
        _check_file(option, path)
    try:
        context.load_cert_chain(certfile, keyfile, _refuse_password)
    except (OSError, ValueError) as error:
        raise CertificateError(
            f"--certfile {certfile} and --keyfile {keyfile} cannot be used: {_reason(error)}",
            "two files in PEM, a certificate (with its chain) and its own private key",
        ) from error
    return context


def _reason(error: OSError | ValueError) -> str:
    """Return what is wrong with the two files, as far as OpenSSL reports it."""
    if not isinstance(error, ssl.SSLError):
        return str(error)
    is_pair = error.reason != "KEY_VALUES_MISMATCH"
    return "what is in them is not PEM, or not in this order" if is_pair else "the key is of another certificate"


def _check_file(option: str, path: Path) -> None:
    """Raise CertificateError unless this is a readable file of limited size: OpenSSL would read a device for ever."""
    try:
        if not path.is_file():
            reason = "it is not a file" if path.exists() else "there is no such file"
        elif path.stat().st_size > MAX_FILE_BYTES:
            reason = f"it has more than {MAX_FILE_BYTES:,} bytes"
        else:
            path.open("rb").close()
            return
    except OSError as error:
        reason = error.strerror or str(error)
    raise CertificateError(f"{option} {path} cannot be used: {reason}", "a file in PEM")


def _refuse_password() -> str:
    raise ValueError("the key has a password, which the board cannot ask for")


class Handshake(asyncio.Protocol):
    """A connection until its TLS handshake is complete. Then an HttpConnection handles it."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._connection = HttpConnection(config, server_state, app_state, _loop)
        self._early_data = b""  # came together with the end of the handshake
        self._is_lost = False
        self._is_handed_over = False
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection and begin the handshake, or close the connection if there are too many."""
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()  # start_tls begins to read
        self._address = host_network(transport.get_extra_info("peername")[0])
        if not self._config.add(self._address):
            self._config.remove(self._address)
            transport.abort()
            return
        self._config.handshakes.add(transport)
        self._task = self._connection.loop.create_task(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        """Store decrypted bytes that come before the HttpConnection is in place."""
        self._early_data += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the HttpConnection, if there is one already."""
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
                ssl_handshake_timeout=REQUEST_TIMEOUT_S,
                ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT_S,
            )
        except OSError:  # not TLS, too slow, or closed by the client
            return
        finally:
            self._config.handshakes.discard(transport)
            self._config.remove(self._address)
        if encrypted is None or encrypted.is_closing() or self._is_lost:
            return
        self._is_handed_over = True
        encrypted.set_protocol(self._connection)
        self._connection.connection_made(encrypted)
        if self._early_data and not encrypted.is_closing():
            self._connection.data_received(self._early_data)
