"""The commands: which there are, and which one is meant.

Exit codes: 0 done, 1 it did not work, 2 wrong usage, 130 stopped by Ctrl-C.

Each is a file in commands/ with `add_options(command)` and `run(options)`, imported only when it is meant: `results`
need not wait for what makes a ground.
"""

import argparse
import os
import sys
from importlib import import_module

from tandem import __version__
from tandem.backup.pending_restore import finish_restore
from tandem.commands.arguments import Parser
from tandem.protocol.errors import TandemError
from tandem.report.screen import finish, print_error, show

STOPPED = 130  # the exit code after Ctrl-C, as shells have it

COMMANDS = {
    "demo": "show the whole exchange on this machine, as it happens",
    "client": "be client 1 or client 2; `tandem client --help` has its options",  # __main__ starts it, without this
    "serve": "run a testing ground",
    "board": "show what is on record as live web pages",
    "results": "what a ground has recorded: one row a team",
    "backup": "copy everything but the key to one file, also while the server runs",
    "restore": "put a backup back into a data folder, while no server runs",
    "forget": "remove personal data for good",
    "key": "what secrets are made with",
    "check": "what is wrong with a message; exit 0 if it would be accepted",
    "bench": "make many exchanges with a server, and measure them",
}


def main(arguments: list[str]) -> int:
    """Runs one command. Returns the exit code."""
    _open_closed_streams()
    try:
        options = _parser(arguments).parse_args(arguments)
        if "data" in options:
            finish_restore(options.data)
        done: int = options.run(options)
        finish()
    except TandemError as error:
        return print_error(str(error), error.exit_code)
    except BrokenPipeError:  # nobody reads on, as in `tandem results | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return print_error("stopped by Ctrl-C", code=STOPPED)
    except MemoryError:
        return print_error("there is not enough memory: raise the limit (ulimit -v), or end other programs")
    return done


def _open_closed_streams() -> None:
    """Open the null device on the descriptors 0 to 2 that are closed, so that no socket and no file gets such a number.

    Else what is meant for standard error would go to a student, or into the database.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
    if sys.stdout is None:  # closed before we began: nobody wants to read it
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as long as we live
    if sys.stderr is None:  # print would take standard output in its place
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """Knows all commands by name, and the options of the one that is meant."""
    parser = Parser(prog="tandem", description="A networking assignment as real software: clients, ground, results.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words)
        if arguments[:1] == [name]:
            meant = import_module(f"tandem.commands.{name}")
            meant.add_options(command)
            command.set_defaults(run=meant.run)
    return parser


class _Version(argparse.Action):
    """Shows the version, and ends the program."""

    def __call__(self, parser: argparse.ArgumentParser, *others: object) -> None:
        show([f"tandem {__version__}\n"])
        parser.exit()
