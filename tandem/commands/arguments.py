"""The parser of all commands, the options that several commands have, and the types of arguments.

A type raises ArgumentTypeError, whose text becomes the one line that the user sees.
"""

import argparse
import difflib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tandem.commands.combinations import Rule, options_in, violated_rule
from tandem.protocol.address import SERVER_PORT, parse_address, parse_listen_address
from tandem.protocol.message import argument_number, argument_text
from tandem.protocol.printable import printable
from tandem.records.database import parse_database
from tandem.report.names import name_shown_as
from tandem.report.screen import echo, flush, write_error

DEFAULT_DATA = Path("tandem-data")
BOARD_PORT = 8080
PYTHON = "py" if os.name == "nt" else "python3"  # in commands that are shown for another machine
SUBCOMMAND = "subcommand"  # the destination of the name of a subcommand
DATABASE_VARIABLE = "TANDEM_DATABASE"
VARIABLES = (DATABASE_VARIABLE,)  # of the environment, which count as options

HOW_TO_WRITE_A_NAME = (
    r"in any letter case, unless that fits several names; an escape in it, such as \x20, as it is shown"
)

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """An argument parser with one-line errors. An option has one name, without abbreviations, and is given once."""

    def __init__(self, prog: str | None = None, **settings: Any) -> None:
        super().__init__(prog, **(settings | {"allow_abbrev": False}))
        self.rules: tuple[Rule, ...] = ()
        self.repeatable: tuple[str, ...] = ()
        self.examples: tuple[str, ...] = ()
        self.renamed: dict[str, str] = {}  # old names of options that still work, with a warning: the new ones

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read the arguments, then refuse options that cannot be combined."""
        args = [self._with_current_name(argument) for argument in (sys.argv[1:] if args is None else args)]
        parsed, rest = super().parse_known_args(args, namespace)
        below = getattr(parsed, SUBCOMMAND, None)
        variables = [name for name in VARIABLES if os.environ.get(name)]
        given = [*options_in(args), *variables, *([below] if below else [])]
        wrong = violated_rule(given, self.rules, self.repeatable)
        if wrong:
            self.error(wrong)
        self._check_spelling([name for name in options_in(rest) if name not in self._option_string_actions])
        return parsed, rest

    def _check_spelling(self, unknown: list[str]) -> None:
        """End the program if there is an unknown option, with the option that was probably meant."""
        if unknown:
            near = difflib.get_close_matches(unknown[0], self._option_string_actions, n=1)
            self.error(f"there is no option {unknown[0]}" + (f": did you mean {near[0]}?" if near else ""))

    def _with_current_name(self, argument: str) -> str:
        """Return the argument; if it is an option by its old name, by its new one, after a warning."""
        old, equals, value = argument.partition("=")
        new = self.renamed.get(old)
        if new is None:
            return argument
        write_error(f"{self.prog}: {old} is now called {new}; the old name will be removed in the next version\n")
        return new + equals + value

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Read the value of `--option=--`, which argparse of Python 3.11 takes for the end of the options."""
        if not (action.option_strings and arg_strings == ["--"]):
            return super()._get_values(action, arg_strings)
        value = self._get_value(action, "--")
        self._check_value(action, value)
        return value

    def format_help(self) -> str:
        """Return the help, with the examples below it."""
        examples = "".join(f"  {line}\n" for line in self.examples)
        return super().format_help() + (f"\nexample{'s' * (len(self.examples) > 1)}:\n{examples}" if examples else "")

    def print_help(self, file: Any = None) -> None:
        """Write the help to standard output. Raises OutputError or BrokenPipeError, unlike argparse."""
        echo([self.format_help()])

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the program. Raises OutputError or BrokenPipeError if the output cannot be written."""
        if status == 0:
            flush()
        write_error(message or "")
        sys.exit(status)

    def error(self, message: str) -> NoReturn:
        """End the program with one line on standard error and exit code 2."""
        see = f"{' see' if message.endswith('?') else '; see'} {self.prog} --help"
        self.exit(2, f"{self.prog}: {printable(message)}{see}\n")


def set_rules(command: argparse.ArgumentParser, *rules: Rule, repeatable: tuple[str, ...] = ()) -> None:
    """Set the rules for the options of a command together. They are the epilog of its help."""
    command.epilog = " ".join(map(str, rules))
    if isinstance(command, Parser):
        command.rules, command.repeatable = rules, repeatable


def set_example(command: argparse.ArgumentParser, *lines: str) -> None:
    """Set the examples of a command: complete command lines, shown below its help."""
    if isinstance(command, Parser):
        command.examples = lines


def renamed_option(command: argparse.ArgumentParser, old: str, new: str) -> None:
    """Accept the old name of an option, with a warning."""
    if isinstance(command, Parser):
        command.renamed[old] = new


def subcommand(commands: Any, name: str, words: str) -> argparse.ArgumentParser:
    """Add a command below a command. `commands` is the result of add_subparsers."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    return command


def data_option(command: argparse.ArgumentParser) -> None:
    """Add --data."""
    command.add_argument(
        "--data",
        type=folder,
        default=DEFAULT_DATA,
        metavar="DIR",
        help=f"data folder of the server (default: ./{DEFAULT_DATA})",
    )


def database_option(
    command: argparse.ArgumentParser, words: str = "PostgreSQL URL of the records: postgresql://USER@HOST/NAME"
) -> None:
    """Add --database, whose default is the variable TANDEM_DATABASE. `words` are for the help."""
    command.add_argument(
        "--database",
        type=_database,
        default=os.environ.get(DATABASE_VARIABLE) or "",
        metavar="URL",
        help=f"{words} (default: ${DATABASE_VARIABLE}, else SQLite in DIR)",
    )


def argument_type(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Make a type for argparse from a function that raises ValueError. The user sees the message of the error."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


@argument_type
def folder(text: str) -> Path:
    """Read the name of a folder."""
    if not text.strip():
        raise ValueError("it is empty: give the name of a folder")
    return Path(text)


@argument_type
def server_address(text: str) -> tuple[str, int]:
    """Read the HOST:PORT of a server to connect to."""
    return parse_address(argument_text(text), SERVER_PORT)


@argument_type
def listen_address(text: str) -> tuple[str, int]:
    """Read the HOST:PORT on which a server listens."""
    return parse_listen_address(argument_text(text), SERVER_PORT)


@argument_type
def board_address(text: str) -> tuple[str, int]:
    """Read the HOST:PORT on which a board listens."""
    return parse_listen_address(argument_text(text), BOARD_PORT)


@argument_type
def text(given: str) -> str:
    r"""Read the name of a class or team, or a student number, as it is or as it is shown (Team\x20)."""
    if not given:
        raise ValueError("it is empty")
    try:
        found = name_shown_as(argument_text(given))
        found.encode()  # fails for an escape of half a character (\ud800)
    except ValueError:
        raise ValueError("it is not UTF-8 text") from None
    return found


@argument_type
def _database(text: str) -> str:
    return parse_database(text) if text else ""


@argument_type
def file_name(text: str) -> Path:
    """Read the name of a file."""
    if not text.strip():
        raise ValueError("it is empty: give the name of a file")
    if text == "-":
        raise ValueError("- stands for no stream here: give the name of a file, or ./- for a file of this name")
    return Path(text)


def positive_integer(most: int) -> Callable[[str], int]:
    """Make a type that reads a whole number from 1 to `most`."""

    @argument_type
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 20 or not 1 <= int(text) <= most:
            raise ValueError(f"{text!r} is not a whole number from 1 to {most:,}")
        return int(text)

    return read


def positive_number(most: float) -> Callable[[str], float]:
    """Make a type that reads a number above 0, up to `most`."""

    @argument_type
    def read(text: str) -> float:
        try:
            found = argument_number(text)
        except ValueError:
            found = -1.0
        if not 0 < found <= most:
            raise ValueError(f"{text!r} is not a number above 0, up to {most:,.0f}")
        return found

    return read
