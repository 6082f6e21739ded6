"""Runs the board as a process: opens its socket, and serves until a signal or the end of standard input."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from tandem.board.app import Board, build
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.event_streams import MAX_STREAMS
from tandem.board.web.http_connections import FORM_LOGGER, MAX_CONNECTIONS, Config, FloodFilter, HttpConnection
from tandem.board.web.security import host_names_for, is_loopback
from tandem.board.web.sessions import SessionStore
from tandem.board.web.tls import Handshake, server_context
from tandem.net.descriptors import max_connections
from tandem.net.line_writer import report
from tandem.net.listeners import open_listener
from tandem.net.process_signals import ignore_signals
from tandem.protocol.address import show_address
from tandem.protocol.errors import TandemError
from tandem.records.folder_lock import shared_lock
from tandem.records.rows import DatabaseLocation

STOP_TIMEOUT_S = 3  # for responses that have begun; less than board_process.STOP_TIMEOUT_S
READ_SIZE_BYTES = 65_536  # of standard input, whose content is ignored


class BoardError(TandemError):
    """The board cannot start."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """The options of a board."""

    listen: tuple[str, int]  # host and port
    location: DatabaseLocation  # of the records: a data folder, or the URL of a database
    data: Path  # the folder with the board's own file; it may hold the server's key
    proxied_name: str | None = None  # public host name, when a reverse proxy on this machine forwards to the board
    certificate: tuple[Path, Path] | None = None  # certificate and key, for HTTPS by the board itself
    insecure_login: bool = False  # accept the teacher's token over plain HTTP from other machines
    until_input_ends: bool = False  # stop when standard input ends


def serve_board(options: BoardOptions) -> None:
    """Run a board until SIGTERM or Ctrl-C.

    Raises:
        TandemError: The board cannot start.
    """
    _check_data(options)
    tls = server_context(*options.certificate) if options.certificate else None
    host, port = options.listen
    with (
        open_listener(host or "0.0.0.0", port) as listener,
        shared_lock(options.data),
        closing(BoardStore(options.data)) as board_store,
        closing(SessionStore(options.data)) as sessions,
    ):
        _serve(options, listener, board_store, sessions, tls)


def _check_data(options: BoardOptions) -> None:
    """Raise BoardError if there is no such folder: with a typing error in its name the board would stay empty.

    Beside a database the folder is made for the board's own file. Folders above it that are made, too, are reported.
    """
    if options.location == options.data and not options.data.is_dir():
        raise BoardError(
            f"there is no folder {options.data}",
            "the --data of the server whose results are to be shown, or start that server first",
        )
    if not options.data.parent.exists():
        _log(f"there is no folder {options.data.parent}: it is made, with the data folder {options.data} in it")


def _serve(
    options: BoardOptions,
    listener: socket.socket,
    board_store: BoardStore,
    sessions: SessionStore,
    tls: ssl.SSLContext | None,
) -> None:
    _show_first_token(board_store, options.data)
    host = listener.getsockname()[0]
    host_names = host_names_for(host, options.proxied_name)
    proxied = options.proxied_name is not None
    connections = max_connections(MAX_CONNECTIONS)
    max_streams = min(MAX_STREAMS, connections // 2)
    board = build(
        options.location, options.data, board_store, sessions, host_names, proxied, options.insecure_login, max_streams
    )
    # Behind a proxy every connection comes from one address.
    server = _Server(board, connections, connections if proxied else connections // 2, tls)
    logging.basicConfig(format="%(message)s", handlers=[_LogLines()])
    for name in ("asyncio", "uvicorn.error", FORM_LOGGER):
        logging.getLogger(name).addFilter(FloodFilter())
    if options.until_input_ends:
        threading.Thread(target=_call_when_input_ends, args=(server.stop_soon,), daemon=True).start()
        if sys.platform != "win32":
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a terminal may stop a group in the background that writes
    _log_access_warning(options, is_loopback(host))
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn takes them, and gives them back when it has stopped
        signal.signal(number, lambda *_: server.stop_soon())
    try:
        asyncio.run(_run(server, listener, "https" if tls else "http"))
    finally:
        ignore_signals()


def _log_access_warning(options: BoardOptions, is_local: bool) -> None:
    """Log who can open the board and read its traffic, unless only this machine can."""
    if options.insecure_login:
        _log("--insecure-login: everybody on the network can read the teacher's token when a teacher logs in")
    elif not is_local and not options.certificate:
        _log("everybody on the network can open the board; over plain HTTP the teacher can log in on this machine only")
    elif not is_local:
        _log("everybody on the network can open the board")


class _Server(uvicorn.Server):
    """Ends the event streams when it stops: uvicorn would wait for them."""

    config: Config

    def __init__(self, board: Board, max_connections: int, max_per_address: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            Config(
                board.app,
                max_connections,
                max_per_address,
                Handshake if tls else HttpConnection,
                tls,
                log_config=None,
                access_log=False,  # it would hold names of teams
                server_header=False,
                proxy_headers=False,  # SecurityMiddleware reads them, if there is a proxy
                timeout_graceful_shutdown=STOP_TIMEOUT_S,
            )
        )
        self._board = board

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._board.close_streams()
        for transport in list(self.config.handshakes):
            transport.abort()
        await super().shutdown(sockets)

    def stop_soon(self) -> None:
        """Make `serve` return soon. Thread-safe; may be called before `serve`."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order after any number of signals. uvicorn would abort responses at the second Ctrl-C."""
        self.stop_soon()


async def _run(server: _Server, listener: socket.socket, scheme: str) -> None:
    _log(f"listening on {scheme}://{show_address(*listener.getsockname()[:2])}")
    await server.serve(sockets=[listener])


def _show_first_token(board_store: BoardStore, data: Path) -> None:
    token = board_store.make_first_token()
    if token:
        _log(f"the teacher's token, shown this once: {token}")
        _log(f"to make a new token: tandem board token rotate --data {data}")


def _call_when_input_ends(act: Callable[[], None]) -> None:
    """Call `act` at the end of standard input. Run it in a daemon thread: the process may end while it waits.

    It reads descriptor 0 without a buffer: the interpreter aborts if it ends while a thread holds a buffer's lock.
    """
    try:
        while sys.stdin and os.read(
            0, READ_SIZE_BYTES
        ):  # None: it was closed before the start, and 0 may be another file
            pass
    except OSError:  # the terminal has been closed
        pass
    act()


def _log(words: str) -> None:
    report(words, "tandem board")


class _LogLines(logging.Handler):
    """Writes log records of libraries through `line_writer`: a blocked standard error must not block the board."""

    def emit(self, record: logging.LogRecord) -> None:
        _log(self.format(record))
