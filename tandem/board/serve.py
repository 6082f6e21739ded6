"""The board as a process: opens its socket, runs until a signal, or until whoever started it has gone."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from tandem.board.app import Board, build
from tandem.board.book import Book, BookTrouble
from tandem.board.connections import FORMS, Config, OnceASecond, most_connections
from tandem.board.guard import is_loopback, names_for
from tandem.board.pages.live import MOST_STREAMS
from tandem.exchange.address import show_address
from tandem.ground.rows import Where

BACKLOG = 1024
STOP_WITHIN = 5  # seconds for the answers that are in hand


class BoardTrouble(Exception):
    """The board cannot start; the text says why and what to try."""


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """What a board has to be told."""

    listen: tuple[str, int]
    where: Where  # the records: a data folder, or a database's URL
    data: Path  # where the board keeps its own, and where the ground's key may be
    proxied_name: str | None = None  # the name under which a proxy on this machine is reached
    until_input_ends: bool = False  # stop when standard input ends


def serve_board(options: BoardOptions) -> None:
    """Runs a board until SIGTERM or Ctrl-C. Raises BoardTrouble if it cannot start."""
    _check_data(options)
    with _open_listener(*options.listen) as listener:
        try:
            book = Book(options.data)
        except BookTrouble as trouble:
            raise BoardTrouble(str(trouble)) from trouble
        try:
            _serve(options, listener, book)
        finally:
            book.close()


def _check_data(options: BoardOptions) -> None:
    """Raise BoardTrouble if there is no such folder: a board of a folder with a typing error would stay empty."""
    if options.where == options.data and not options.data.is_dir():
        raise BoardTrouble(
            f"there is no folder {options.data}: give the --data of the server whose results are to be shown,"
            " or start that server first"
        )


def _serve(options: BoardOptions, listener: socket.socket, book: Book) -> None:
    if not options.until_input_ends:  # the server that started it has said so
        for warning in book.warnings:
            _say(warning)
    _show_first_token(book, options.data)
    host = listener.getsockname()[0]
    names = names_for(host, options.proxied_name)
    proxied = options.proxied_name is not None
    most = most_connections()
    board = build(options.where, options.data, book, names, proxied, streams=min(MOST_STREAMS, most // 2))
    server = _Server(board, most, most if proxied else most // 2)  # all that a proxy passes on comes from one address
    logging.basicConfig(format="tandem board: %(message)s")
    for name in ("asyncio", "uvicorn.error", FORMS):
        logging.getLogger(name).addFilter(OnceASecond())
    if options.until_input_ends:
        threading.Thread(target=_stop_when_input_ends, daemon=True).start()
    if not is_loopback(host) and options.proxied_name is None:
        _say("anybody on this network can open it, and what teachers type goes over the network as it is")
    asyncio.run(_run(server, listener))


class _Server(uvicorn.Server):
    """Ends the streams when it stops: they would go on for ever."""

    def __init__(self, board: Board, most: int, most_of_one: int) -> None:
        super().__init__(
            Config(
                board.app,
                most,
                most_of_one,
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
        await super().shutdown(sockets)

    def hang_up(self) -> None:
        """For a signal outside of uvicorn's own time."""
        self.should_exit = True


async def _run(server: _Server, listener: socket.socket) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn takes them, and gives them back when it has stopped
        signal.signal(number, lambda *_: server.hang_up())
    _say(f"listening on http://{show_address(*listener.getsockname()[:2])}")
    await server.serve(sockets=[listener])


def _show_first_token(book: Book, data: Path) -> None:
    token = book.make_first_token()
    if token:
        _say(f"the teacher's token, shown this once: {token}")
        _say(f"a new one: tandem board token rotate --data {data}")


def _stop_when_input_ends() -> None:
    sys.stdin.buffer.read()
    signal.raise_signal(signal.SIGTERM)


def _say(words: str) -> None:
    print(f"tandem board: {words}", file=sys.stderr, flush=True)


def _open_listener(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BoardTrouble(
            f"cannot listen on {show_address(host, port)}: {reason}."
            " Try: another port, or an address that this machine has"
        ) from error
    return listener
