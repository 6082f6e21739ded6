"""What several commands' options have in common, and how the words on a command line are read.

Each reader raises ArgumentTypeError, whose text becomes the one line that the user sees.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tandem.commands.combinations import Rule, options_in, wrong_combination
from tandem.protocol.address import SERVER_PORT, parse_address
from tandem.protocol.message import is_unicode
from tandem.protocol.printable import printable
from tandem.records.database import parse_database
from tandem.report.screen import finish, show, write_error

DATA = Path("tandem-data")
BOARD_PORT = 8080
SUBCOMMAND = "subcommand"  # where a command that has others below it keeps which one was meant
DATABASE_VARIABLE = "TANDEM_DATABASE"
VARIABLES = (DATABASE_VARIABLE,)  # of the environment, that count as options

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line. An option has one name, and is given once."""

    def __init__(self, prog: str | None = None, **settings: Any) -> None:
        super().__init__(prog, **(settings | {"allow_abbrev": False}))
        self.rules: tuple[Rule, ...] = ()
        self.repeatable: tuple[str, ...] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Read the arguments, then refuse options that do not go together."""
        parsed, rest = super().parse_known_args(args, namespace)
        below = getattr(parsed, SUBCOMMAND, None)
        variables = [name for name in VARIABLES if os.environ.get(name)]
        given = [*options_in(args or ()), *variables, *([below] if below else [])]
        wrong = wrong_combination(given, self.rules, self.repeatable)
        if wrong:
            self.error(wrong)
        return parsed, rest

    def print_help(self, file: Any = None) -> None:
        """Unlike argparse's own, raises OutputError or BrokenPipeError if it cannot be written."""
        show([self.format_help()])

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the program. Raises OutputError or BrokenPipeError if the help could not be written."""
        if status == 0:
            finish()
        write_error(message or "")
        sys.exit(status)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


def combine(command: argparse.ArgumentParser, *rules: Rule, repeatable: tuple[str, ...] = ()) -> None:
    """Set which options of a command do not go together; --help says it."""
    command.epilog = " ".join(map(str, rules))
    if isinstance(command, Parser):
        command.rules, command.repeatable = rules, repeatable


def subcommand(commands: Any, name: str, words: str) -> argparse.ArgumentParser:
    """A command below a command: `commands` is what add_subparsers returned."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    return command


def data_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=folder, default=DATA, metavar="DIR", help=f"where the ground keeps what it knows (./{DATA})"
    )


def database_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--database",
        type=_database,
        default=os.environ.get(DATABASE_VARIABLE) or "",
        metavar="URL",
        help="what a ground knows is in PostgreSQL: postgresql://USER@HOST/NAME (or TANDEM_DATABASE; a file in --data)",
    )


def reader(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A function that raises ValueError, as argparse wants it: the error's own words are shown."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


@reader
def folder(text: str) -> Path:
    """A folder's name."""
    if not text:
        raise ValueError("it is empty, and the name of a folder is wanted")
    return Path(text)


@reader
def address(text: str) -> tuple[str, int]:
    """Where a ground is."""
    return parse_address(text, SERVER_PORT)


@reader
def board_address(text: str) -> tuple[str, int]:
    """Where a board is."""
    return parse_address(text, BOARD_PORT)


@reader
def text(given: str) -> str:
    """A name or a number that somebody is looked up by."""
    if not given:
        raise ValueError("it is empty")
    if not is_unicode(given):
        raise ValueError("it is not UTF-8 text")
    return given


@reader
def _database(text: str) -> str:
    return parse_database(text) if text else ""


@reader
def file_name(text: str) -> Path:
    """A file to write."""
    if not text:
        raise ValueError("it is empty, and a file's name is wanted")
    return Path(text)


def whole(most: int) -> Callable[[str], int]:
    """Reads a whole number from 1 on."""

    @reader
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 20 or not 1 <= int(text) <= most:
            raise ValueError(f"{text!r} is not a whole number from 1 to {most:,}")
        return int(text)

    return read


def number(most: float) -> Callable[[str], float]:
    """Reads a number above 0."""

    @reader
    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 < found <= most:
            raise ValueError(f"{text!r} is not a number above 0, up to {most:,.0f}")
        return found

    return read
