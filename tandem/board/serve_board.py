"""The board as a process: opens its socket, runs until a signal, or until the server that started it has gone."""

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

import uvicorn

from tandem.board.app import Board, build
from tandem.board.gradebook.board_store import BoardStore
from tandem.board.web.http_connections import FORMS, MAX_CONNECTIONS, Config, HttpConnection, OnceASecond
from tandem.board.web.pages.live import MAX_STREAMS
from tandem.board.web.security import is_loopback, names_for
from tandem.board.web.sessions import Sessions
from tandem.board.web.tls import Handshake, server_context
from tandem.net.descriptors import max_connections
from tandem.net.line_writer import say
from tandem.protocol.address import show_address
from tandem.protocol.errors import TandemError
from tandem.records.folder_lock import in_use
from tandem.records.rows import DatabaseLocation

BACKLOG = 1024
STOP_WITHIN = 3  # seconds for the answers that are in hand; a server waits for its board a little longer
PIECE = 65_536  # bytes of standard input at once; they mean nothing


class BoardError(TandemError):
    """The board cannot start."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What a board has to be told."""

    listen: tuple[str, int]
    where: DatabaseLocation  # the records: a data folder, or a database's URL
    data: Path  # where the board keeps its own, and where the ground's key may be
    proxied_name: str | None = None  # the name under which a proxy on this machine is reached
    certificate: tuple[Path, Path] | None = None  # certificate and key, for HTTPS by the board itself
    insecure_login: bool = False  # the teacher's token may come over plain HTTP from other machines
    until_input_ends: bool = False  # stop when standard input ends


def serve_board(options: BoardOptions) -> None:
    """Runs a board until SIGTERM or Ctrl-C. Raises TandemError if it cannot start."""
    _check_data(options)
    tls = server_context(*options.certificate) if options.certificate else None
    with (
        _open_listener(*options.listen) as listener,
        in_use(options.data),
        closing(BoardStore(options.data)) as book,
        closing(Sessions(options.data)) as sessions,
    ):
        _serve(options, listener, book, sessions, tls)


def _check_data(options: BoardOptions) -> None:
    """Raise BoardError if there is no such folder: a board of a folder with a typing error would stay empty."""
    if options.where == options.data and not options.data.is_dir():
        raise BoardError(
            f"there is no folder {options.data}",
            "the --data of the server whose results are to be shown, or start that server first",
        )


def _serve(
    options: BoardOptions, listener: socket.socket, book: BoardStore, sessions: Sessions, tls: ssl.SSLContext | None
) -> None:
    if not options.until_input_ends:  # the server that started it has said so
        for warning in book.warnings:
            _say(warning)
    _show_first_token(book, options.data)
    host = listener.getsockname()[0]
    names = names_for(host, options.proxied_name)
    proxied = options.proxied_name is not None
    most = max_connections(MAX_CONNECTIONS)
    streams = min(MAX_STREAMS, most // 2)
    board = build(options.where, options.data, book, sessions, names, proxied, options.insecure_login, streams)
    # All that a proxy passes on comes from one address.
    server = _Server(board, most, most if proxied else most // 2, tls)
    logging.basicConfig(format="%(message)s", handlers=[_Said()])
    for name in ("asyncio", "uvicorn.error", FORMS):
        logging.getLogger(name).addFilter(OnceASecond())
    if options.until_input_ends:
        threading.Thread(target=_when_input_ends, args=(server.hang_up,), daemon=True).start()
        if sys.platform != "win32":
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a terminal may stop a group in the background that writes
    _tell_who_can_read(options, is_loopback(host))
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn takes them, and gives them back when it has stopped
        signal.signal(number, lambda *_: server.hang_up())
    asyncio.run(_run(server, listener, "https" if tls else "http"))


def _tell_who_can_read(options: BoardOptions, is_local: bool) -> None:
    """Say what others on the network may see and do, if they may."""
    if options.insecure_login:
        _say("--insecure-login: everybody on the network can read the teacher's token when a teacher logs in")
    elif not is_local and not options.certificate:
        _say("anybody on this network can open it; over plain HTTP a teacher can log in on this machine alone")
    elif not is_local:
        _say("anybody on this network can open it")


class _Server(uvicorn.Server):
    """Ends the streams when it stops: they would go on for ever."""

    config: Config

    def __init__(self, board: Board, most: int, most_of_one: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            Config(
                board.app,
                most,
                most_of_one,
                Handshake if tls else HttpConnection,
                tls,
                log_config=None,
                access_log=False,  # addresses of pages are nobody's business
                server_header=False,
                proxy_headers=False,  # Guard believes a proxy where one was told of
                timeout_graceful_shutdown=STOP_WITHIN,
            )
        )
        self._board = board

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._board.hang_up()
        for transport in list(self.config.handshakes):
            transport.abort()
        await super().shutdown(sockets)

    def hang_up(self) -> None:
        """Stop soon. May be called from any thread, and before it runs."""
        self.should_exit = True


async def _run(server: _Server, listener: socket.socket, scheme: str) -> None:
    _say(f"listening on {scheme}://{show_address(*listener.getsockname()[:2])}")
    await server.serve(sockets=[listener])


def _show_first_token(book: BoardStore, data: Path) -> None:
    token = book.make_first_token()
    if token:
        _say(f"the teacher's token, shown this once: {token}")
        _say(f"a new one: tandem board token rotate --data {data}")


def _when_input_ends(act: Callable[[], None]) -> None:
    """Call `act` at the end of standard input, for a thread that may be left waiting when the process ends.

    Descriptor 0 is read without a buffer: the interpreter aborts if it ends while a thread holds a buffer's lock.
    """
    try:
        while sys.stdin and os.read(0, PIECE):  # None: it was closed before the start, and 0 may be another file
            pass
    except OSError:  # a terminal that has gone
        pass
    act()


def _say(words: str) -> None:
    say(words, "tandem board")


class _Said(logging.Handler):
    """Writes what libraries log as the rest is written: nothing that becomes of standard error holds up the board."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(self.format(record))


def _open_listener(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BoardError(
            f"cannot listen on {show_address(host, port)}: {reason}",
            "another port, or an address that this machine has",
        ) from error
    return listener
