"""`tandem board` and `tandem board token rotate`: their options. The libraries of the board are an extra."""

import argparse
import re

from tandem.board.board_process import MISSING_EXTRA, is_installed
from tandem.commands.arguments import (
    BOARD_PORT,
    DEFAULT_DATA,
    SUBCOMMAND,
    argument_type,
    board_address,
    data_option,
    database_option,
    file_name,
    folder,
    set_example,
    set_rules,
    subcommand,
)
from tandem.commands.combinations import Excludes, Interaction, Requires, RequiresValue
from tandem.protocol.errors import UsageError
from tandem.report.screen import echo_done

BEHIND_ALONE = RequiresValue(
    "--behind",
    "--listen",
    "address of this machine alone",
    "others could come past the proxy and write its headers themselves",
)
INSECURE_FOR_OTHERS = RequiresValue(
    "--insecure-login",
    "--listen",
    "address that other machines can reach, or --behind",
    "on this machine alone the login is safe already",
)
RULES = (
    Excludes(
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
        "it makes a new token in the data folder and starts no board",
    ),
    Requires("--certfile", "--keyfile", "it is the certificate's private key"),
    Requires("--keyfile", "--certfile", "it is the certificate of the key"),
    Excludes(("--behind",), ("--certfile",), "behind a proxy the proxy has the certificate"),
    Excludes(("--insecure-login",), ("--certfile",), "with HTTPS the login is safe already"),
    BEHIND_ALONE,
    INSECURE_FOR_OTHERS,
    Interaction(("--data", "--database"), "the records are in the database, the file of the board is in the folder"),
)

ROTATE_EXAMPLE = "tandem board token rotate --data tandem-data"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem board --data tandem-data")
    set_rules(command, *RULES)
    command.add_argument(
        "--listen",
        type=board_address,
        default=("127.0.0.1", BOARD_PORT),
        metavar="HOST:PORT",
        help=f"address to listen on (default: 127.0.0.1:{BOARD_PORT}, this machine alone);"
        " port 0: the system chooses a free port",
    )
    data_option(command)
    database_option(command)
    command.add_argument(
        "--behind",
        type=_host_name,
        metavar="NAME",
        help="public host name, when a reverse proxy on this machine forwards to the board (default: no proxy)",
    )
    command.add_argument(
        "--certfile", type=file_name, metavar="FILE", help="certificate for HTTPS, in PEM (default: plain HTTP)"
    )
    command.add_argument("--keyfile", type=file_name, metavar="FILE", help="private key of --certfile, in PEM")
    command.add_argument(
        "--insecure-login",
        action="store_true",
        help="accept the teacher's token over plain HTTP from other machines: anybody on the network can read it",
    )
    command.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    token = subcommand(
        command.add_subparsers(metavar="token", dest=SUBCOMMAND),
        "token",
        "manage the token that the teacher logs in with",
    )
    set_example(token, ROTATE_EXAMPLE)
    rotates = token.add_subparsers(metavar="rotate", required=True)
    rotate = subcommand(rotates, "rotate", "make a new token and print it")
    set_example(rotate, ROTATE_EXAMPLE)
    rotate.add_argument(
        "--data",
        type=folder,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help=f"data folder of the board (default: ./{DEFAULT_DATA})",
    )
    rotate.set_defaults(run=_rotate)


def run(options: argparse.Namespace) -> int:
    """Serve the board until SIGTERM or Ctrl-C."""
    if not is_installed():
        raise UsageError(*MISSING_EXTRA)
    _check_options(options)
    from tandem.board.serve_board import BoardOptions, serve_board

    settings = BoardOptions(
        listen=options.listen,
        location=options.database or options.data,
        data=options.data,
        proxied_name=options.behind,
        certificate=(options.certfile, options.keyfile) if options.certfile else None,
        insecure_login=options.insecure_login,
        until_input_ends=options.until_input_ends,
    )
    try:
        serve_board(settings)
    except KeyboardInterrupt:  # before the board handles the signal
        pass
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Raise UsageError if an option cannot be used with the address of --listen."""
    from tandem.board.web.security import is_loopback

    is_local = is_loopback(options.listen[0])
    if options.behind and not is_local:
        raise UsageError(str(BEHIND_ALONE).rstrip("."), f"--listen 127.0.0.1:{BOARD_PORT}")
    if options.insecure_login and is_local and not options.behind:
        raise UsageError(str(INSECURE_FOR_OTHERS).rstrip("."), "without --insecure-login")


@argument_type
def _host_name(text: str) -> str:
    """Read a host name: the part of an address between // and the port."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text):
        raise ValueError(f"{text!r} is not a host name: give it as board.example.org, without https:// and port")
    return text


def _rotate(options: argparse.Namespace) -> int:
    from tandem.board.gradebook.board_store import renew_token

    token = renew_token(options.data)
    return echo_done(
        "the old token is no longer valid, and a new one needs the same command again",
        [f"the teacher's token, shown this once: {token}\n"],
    )
