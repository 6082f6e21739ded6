"""`tandem serve`"""

import argparse
from contextlib import nullcontext

from tandem.board.beside import MISSING, board_beside, is_installed
from tandem.commands.arguments import address, board_address, data_option, database_option, reader, whole
from tandem.exchange.address import GROUND_PORT
from tandem.exchange.framing import PLAIN, WAYS
from tandem.ground.options import ERRORS, EXPLAIN, MOST_WORKERS, ServeOptions
from tandem.ground.proxy import parse_networks
from tandem.ground.serve import ServeTrouble, make_data_folder, serve
from tandem.report.screen import complain


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--listen",
        type=address,
        default=("", GROUND_PORT),
        metavar="HOST:PORT",
        help=f"where to listen (port {GROUND_PORT} on all addresses; port 0 takes a free one)",
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
        "--on-wire", choices=WAYS, default=PLAIN, help="length: the welcome goes out behind its length (plain)"
    )
    command.add_argument(
        "--workers", type=whole(MOST_WORKERS), default=1, metavar="N", help="processes that share the port (1)"
    )
    command.add_argument(
        "--proxy-from",
        type=reader(parse_networks),
        default=(),
        metavar="ADDRESSES",
        help="balancers, as 10.0.0.7,10.1.0.0/24: their connections begin with a PROXY v2 header, all others never",
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
    )
    if options.board and not is_installed():
        return complain(MISSING, code=2)
    try:
        make_data_folder(options.data)  # before the board looks for it
        with board_beside(options.board, options.data, options.database) if options.board else nullcontext():
            serve(told)
    except ServeTrouble as trouble:
        return complain(str(trouble))
    return 0
