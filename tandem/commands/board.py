"""`tandem board`, and `tandem board token rotate`. Its libraries are there only with tandem[board]."""

import argparse
import re
from pathlib import Path

from tandem.board.board_process import MISSING_EXTRA, is_installed
from tandem.commands.arguments import (
    BOARD_PORT,
    SUBCOMMAND,
    board_address,
    combine,
    data_option,
    database_option,
    folder,
    reader,
    subcommand,
)
from tandem.commands.combinations import Apart, Needs, Together
from tandem.report.screen import print_error, show

RULES = (
    Apart(
        (
            "--listen",
            "--database",
            "--behind",
            "--certfile",
            "--keyfile",
            "--insecure-login",
            "--until-input-ends",
        ),
        ("token",),
        "a new token is made in the board's folder, and no board is started",
    ),
    Needs("--certfile", "--keyfile", "it is the certificate's private key"),
    Needs("--keyfile", "--certfile", "it is the certificate of the key"),
    Apart(("--behind",), ("--certfile",), "behind a proxy the proxy has the certificate"),
    Apart(("--insecure-login",), ("--certfile",), "with HTTPS the login is safe already"),
    Together(("--data", "--database"), "the records are in the database, what the board keeps is in the folder"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    combine(command, *RULES)
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
        "--behind",
        type=_host_name,
        metavar="NAME",
        help="public host name, when a reverse proxy on this machine forwards to the board",
    )
    command.add_argument("--certfile", type=Path, metavar="FILE", help="serve HTTPS with this certificate (PEM)")
    command.add_argument("--keyfile", type=Path, metavar="FILE", help="the private key of --certfile (PEM)")
    command.add_argument(
        "--insecure-login",
        action="store_true",
        help="take the teacher's token over plain HTTP from other machines, too: everybody on the network can read it",
    )
    command.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    token = subcommand(
        command.add_subparsers(metavar="token", dest=SUBCOMMAND), "token", "what the teacher logs in with"
    )
    rotates = token.add_subparsers(metavar="rotate", required=True)
    rotate = subcommand(rotates, "rotate", "make a new token, and show it")
    rotate.add_argument("--data", type=folder, default=argparse.SUPPRESS, metavar="DIR", help="the board's --data")
    rotate.set_defaults(run=_rotate)


def run(options: argparse.Namespace) -> int:
    if not is_installed():
        return print_error(MISSING_EXTRA, code=2)
    wrong = _wrong_usage(options)
    if wrong:
        return print_error(wrong, code=2)
    from tandem.board.serve_board import BoardError, BoardOptions, serve_board

    told = BoardOptions(
        listen=options.listen,
        location=options.database or options.data,
        data=options.data,
        proxied_name=options.behind,
        certificate=(options.certfile, options.keyfile) if options.certfile else None,
        insecure_login=options.insecure_login,
        until_input_ends=options.until_input_ends,
    )
    try:
        serve_board(told)
    except BoardError as trouble:
        return print_error(str(trouble))
    except KeyboardInterrupt:  # so early that the board has not begun to listen for it
        pass
    return 0


def _wrong_usage(options: argparse.Namespace) -> str:
    """Return what is wrong with the options beside --listen; "" if nothing is."""
    from tandem.board.web.security import is_loopback

    is_local = is_loopback(options.listen[0])
    if options.behind and not is_local:
        return (
            "--behind needs a --listen address of this machine alone, as 127.0.0.1:8080:"
            " others could come past the proxy and write its headers themselves"
        )
    if options.insecure_login and is_local and not options.behind:
        return "--insecure-login changes nothing here: on this machine alone the login is safe already"
    return ""


@reader
def _host_name(text: str) -> str:
    """A public name as it stands in an address, without the rest of it."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text):
        raise ValueError(f"{text!r} is not a host name: give it as board.example.org, without https:// and port")
    return text


def _rotate(options: argparse.Namespace) -> int:
    from tandem.board.gradebook.board_store import BoardStoreError, renew_token

    try:
        token = renew_token(options.data)
    except BoardStoreError as trouble:
        return print_error(str(trouble))
    return show([f"the teacher's token, shown this once: {token}\n"])
