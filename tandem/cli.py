"""The command line: parses it, runs one command, prints its error, returns its exit code.

Exit codes: 0 done, 1 it did not work, 2 wrong usage, 130 stopped by Ctrl-C.

Each command is a file in commands/ with `add_options(command)` and `run(options)`, imported only when it is given:
`results` does not wait for the import of the server. Errors that a user can act on are TandemErrors: a command raises
them and prints none. The data folder of every command is checked here, before the command opens a file in it. Knows no
other option of a command.
"""

import argparse
import difflib
import os
import sys
from importlib import import_module

from tandem import __version__
from tandem.backup.pending_restore import finish_restore
from tandem.commands.arguments import Parser, set_example
from tandem.net.descriptors import require_descriptors
from tandem.protocol.errors import TandemError
from tandem.records.data_folder import check_data_folder, check_is_folder
from tandem.report.screen import echo, flush, print_error

STOPPED = 130  # the exit code after Ctrl-C, as shells have it

COMMANDS = {
    "demo": "run the whole exchange on this machine and show it",
    "doctor": "look at this machine, and test the way to the other one",
    "init": "ask for the team's details, write TEAM.json, and print the commands for both machines",
    "client": "run client 1 or client 2; `tandem client --help` shows its options",  # run by __main__
    "serve": "run the server",
    "board": "show the records as live web pages",
    "results": "print the results: one row a team",
    "backup": "copy all data but the key to one file, also while the server runs",
    "restore": "restore a backup into a data folder while no server runs",
    "forget": "remove personal data for good",
    "key": "manage the key that signs secrets",
    "check": "check a message without a server; exit 0 if no problem is found (only the server can check a secret)",
    "watch": "pass connections on to a server, and show and check what passes",
    "explain": "show what an error, its number or a status means, and what to do",
    "examine": "run a submission, both clients on hosts of their own, and say what holds (Linux)",
    "bench": "run many exchanges with a server and measure them",
}
HELP = "help"  # `tandem help serve` is `tandem serve --help`
MAKES_PRIVATE = ("serve", "board", "restore")  # they put files in the data folder, and set its mode to 0700
WITHOUT_FOLDER = ("results",)  # with --database they use no data folder


def main(arguments: list[str]) -> int:
    """Run one command, and print its error. Return the exit code."""
    _open_closed_streams()
    try:
        arguments = _help_asked_for(arguments)
        options = _parser(arguments).parse_args(arguments)
        require_descriptors()
        _open_data_folder(arguments[0], options)
        done: int = options.run(options)
        flush()
    except TandemError as error:
        return print_error(str(error), error.exit_code)
    except BrokenPipeError:  # the reader has closed the pipe, as in `tandem results | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as stop:  # with a text if the command has changed something already
        return print_error(": ".join(("stopped by Ctrl-C", *stop.args)), code=STOPPED)
    except MemoryError:
        return print_error("there is not enough memory: raise the limit (ulimit -v), or end other programs")
    return done


def _open_data_folder(command: str, options: argparse.Namespace) -> None:
    """Check the data folder of a command, print what is wrong with it, and finish an interrupted restore.

    Raises:
        TandemError: the folder cannot be used.
    """
    if "data" not in options or (command in WITHOUT_FOLDER and options.database):
        return
    check_is_folder(options.data)
    warnings = check_data_folder(options.data, makes_private=command in MAKES_PRIVATE)
    if not getattr(options, "until_input_ends", False):  # else the server that started this board has printed them
        for warning in warnings:
            print_error(warning)
    finish_restore(options.data)


def _open_closed_streams() -> None:
    """Open the null device on the closed ones of the descriptors 0 to 2, so that no socket or file gets their number.

    Otherwise output for standard error would go to a student, or into the database. Standard output stays closed for
    commands: it is opened for reading, so that writing to it is the error that it would be.
    """
    for descriptor, mode in ((0, os.O_RDWR), (1, os.O_RDONLY), (2, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # gets the lowest free number: this one
    if sys.stdout is None:  # closed at the start
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - until the end
    if sys.stderr is None:  # otherwise print would use standard output
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """Return a parser that knows the names of all commands, and the options of the given one."""
    parser = Parser(prog="tandem", description="A networking assignment as real software: clients, server, results.")
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version")
    set_example(parser, "tandem demo", "tandem help serve")
    _check_command(parser, arguments)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        command = commands.add_parser(name, help=words, description=words)
        if arguments[:1] == [name]:
            module = import_module(f"tandem.commands.{name}")
            module.add_options(command)
            command.set_defaults(run=module.run)
            parser.repeatable = command.repeatable  # the parser of all commands sees the options first
    return parser


def _help_asked_for(arguments: list[str]) -> list[str]:
    """Return the arguments, with `help COMMAND` written as `COMMAND --help`."""
    if arguments[:1] != [HELP]:
        return arguments
    return [*(word for word in arguments[1:] if word != HELP), "--help"]


def _check_command(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """End the program if the first argument is neither a command nor an option of `tandem` itself."""
    first = arguments[0] if arguments else HELP
    if first in COMMANDS or first == HELP or first in ("-h", "--help", "-V", "--version"):
        return
    if first.startswith("-"):
        parser.error(f"there is no option {first} before the command: write tandem COMMAND {first}")
    near = difflib.get_close_matches(first.lower(), COMMANDS, n=1)
    if near:
        parser.error(f"there is no command {first!r}: did you mean {near[0]}?")
    parser.error(f"there is no command {first!r}: choose from {', '.join(COMMANDS)}")


class _Version(argparse.Action):
    """Prints the version and ends the program."""

    def __call__(self, parser: argparse.ArgumentParser, *others: object) -> None:
        echo([f"tandem {__version__}\n"])
        parser.exit()
