"""`tandem board`, and `tandem board token rotate`. Its libraries are there only with tandem[board]."""

import argparse

from tandem.board.beside import MISSING, is_installed
from tandem.commands.arguments import BOARD_PORT, board_address, data_option, database_option, folder, subcommand
from tandem.report.screen import complain, show


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--listen",
        type=board_address,
        default=("127.0.0.1", BOARD_PORT),
        metavar="HOST:PORT",
        help=f"where to listen (127.0.0.1:{BOARD_PORT}: this machine alone; port 0 takes a free one)",
    )
    data_option(command)
    database_option(command)
    command.add_argument(
        "--behind", metavar="NAME", help="a proxy on this machine stands before it, and is reached under this name"
    )
    command.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    token = subcommand(command.add_subparsers(metavar="token"), "token", "what the teacher logs in with")
    rotates = token.add_subparsers(metavar="rotate", required=True)
    rotate = subcommand(rotates, "rotate", "make a new token, and show it")
    rotate.add_argument("--data", type=folder, default=argparse.SUPPRESS, metavar="DIR", help="the board's --data")
    rotate.set_defaults(run=_rotate)


def run(options: argparse.Namespace) -> int:
    if not is_installed():
        return complain(MISSING, code=2)
    from tandem.board.serve import BoardOptions, BoardTrouble, serve_board

    where = options.database or options.data
    try:
        serve_board(BoardOptions(options.listen, where, options.data, options.behind, options.until_input_ends))
    except BoardTrouble as trouble:
        return complain(str(trouble))
    return 0


def _rotate(options: argparse.Namespace) -> int:
    from tandem.board.book import BookTrouble, renew_token

    try:
        token = renew_token(options.data)
    except BookTrouble as trouble:
        return complain(str(trouble))
    return show([f"the teacher's token, shown this once: {token}\n"])
