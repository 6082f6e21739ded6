"""`tandem serve`: its options."""

import argparse
from contextlib import nullcontext

from tandem.board.board_process import MISSING_EXTRA, board_process, is_installed
from tandem.commands.arguments import (
    argument_type,
    board_address,
    data_option,
    database_option,
    file_name,
    listen_address,
    positive_integer,
    renamed_option,
    set_example,
    set_rules,
)
from tandem.commands.combinations import Interaction
from tandem.net.networks import parse_networks
from tandem.protocol.address import SERVER_PORT
from tandem.protocol.errors import UsageError
from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.records.folder_lock import shared_lock
from tandem.server.serve import make_data_folder, serve
from tandem.server.serve_options import ERRORS, EXPLAIN, MAX_WORKERS, ServeOptions

RULES = (Interaction(("--data", "--database"), "the records are in the database, the key is in the folder"),)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem serve --listen :5550 --data tandem-data --board 127.0.0.1:8080")
    set_rules(command, *RULES)
    command.add_argument(
        "--listen",
        type=listen_address,
        default=("", SERVER_PORT),
        metavar="HOST:PORT",
        help=f"address to listen on (default: port {SERVER_PORT} on all addresses);"
        " port 0: the system chooses a free port",
    )
    data_option(command)
    database_option(command)
    command.add_argument(
        "--errors",
        choices=ERRORS,
        default=EXPLAIN,
        help="reply to a wrong message: an explanation, a close without a reply, or nothing (default: explain)",
    )
    command.add_argument(
        "--framing",
        choices=FRAMINGS,
        default=PLAIN,
        help="plain: no length; length: a length of 4 bytes before the welcome and each message,"
        " on both sides (default: plain)",
    )
    renamed_option(command, "--on-wire", "--framing")
    command.add_argument(
        "--workers",
        type=positive_integer(MAX_WORKERS),
        default=1,
        metavar="N",
        help="processes that share the port (default: 1)",
    )
    command.add_argument(
        "--proxy-from",
        type=argument_type(parse_networks),
        default=(),
        metavar="ADDRESSES",
        help="balancers, as 10.0.0.7,10.1.0.0/24, whose connections begin with a PROXY v2 header (default: none)",
    )
    command.add_argument(
        "--log",
        type=file_name,
        metavar="FILE",
        help="file for the log, which SIGHUP opens again (default: standard error)",
    )
    command.add_argument(
        "--board",
        type=board_address,
        metavar="HOST:PORT",
        help="run a board as a second process at this address (default: no board); for --behind,"
        " --certfile, --keyfile and --insecure-login run `tandem board` by itself",
    )


def run(options: argparse.Namespace) -> int:
    """Run the server until SIGTERM or Ctrl-C."""
    settings = ServeOptions(
        listen=options.listen,
        data=options.data,
        database=options.database,
        errors=options.errors,
        framing=options.framing,
        balancers=options.proxy_from,
        workers=options.workers,
        log=options.log,
    )
    if options.board and not is_installed():
        raise UsageError(*MISSING_EXTRA)
    make_data_folder(options.data)  # before the board looks for it
    board = board_process(options.board, options.data, options.database) if options.board else nullcontext()
    with shared_lock(options.data), board:
        serve(settings)
    return 0
