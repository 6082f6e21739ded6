"""`tandem serve`"""

import argparse
from contextlib import nullcontext

from tandem.board.beside import MISSING, board_beside, is_installed
from tandem.commands.arguments import (
    address,
    board_address,
    combine,
    data_option,
    database_option,
    file_name,
    reader,
    whole,
)
from tandem.commands.combinations import Together
from tandem.net.proxy_header import parse_networks
from tandem.protocol.address import SERVER_PORT
from tandem.protocol.errors import UsageError
from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.records.folder_lock import in_use
from tandem.server.serve import make_data_folder, serve
from tandem.server.serve_options import ERRORS, EXPLAIN, MAX_WORKERS, ServeOptions

RULES = (Together(("--data", "--database"), "the records are in the database, the key is in the folder"),)


def add_options(command: argparse.ArgumentParser) -> None:
    combine(command, *RULES)
    command.add_argument(
        "--listen",
        type=address,
        default=("", SERVER_PORT),
        metavar="HOST:PORT",
        help=f"where to listen (port {SERVER_PORT} on all addresses; port 0 takes a free one)",
    )
    data_option(command)
    database_option(command)
    command.add_argument(
        "--errors",
        choices=ERRORS,
        default=EXPLAIN,
        help="what a wrong message gets: an explanation, a close without a word, or silence (explain)",
    )
    command.add_argument(
        "--on-wire", choices=FRAMINGS, default=PLAIN, help="length: the welcome goes out behind its length (plain)"
    )
    command.add_argument(
        "--workers", type=whole(MAX_WORKERS), default=1, metavar="N", help="processes that share the port (1)"
    )
    command.add_argument(
        "--proxy-from",
        type=reader(parse_networks),
        default=(),
        metavar="ADDRESSES",
        help="balancers, as 10.0.0.7,10.1.0.0/24: their connections begin with a PROXY v2 header, all others never",
    )
    command.add_argument(
        "--log", type=file_name, metavar="FILE", help="where the log goes; SIGHUP opens it again (standard error)"
    )
    command.add_argument(
        "--board", type=board_address, metavar="HOST:PORT", help="run a board beside it, as a process of its own"
    )


def run(options: argparse.Namespace) -> int:
    told = ServeOptions(
        listen=options.listen,
        data=options.data,
        database=options.database,
        errors=options.errors,
        on_wire=options.on_wire,
        balancers=options.proxy_from,
        workers=options.workers,
        log=options.log,
    )
    if options.board and not is_installed():
        raise UsageError(*MISSING)
    make_data_folder(options.data)  # before the board looks for it
    board = board_beside(options.board, options.data, options.database) if options.board else nullcontext()
    with in_use(options.data), board:
        serve(told)
    return 0
