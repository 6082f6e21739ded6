"""What several commands' options have in common, and how the words on a command line are read.

Each reader raises ArgumentTypeError, whose text becomes the one line that the user sees.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tandem.exchange.address import GROUND_PORT, parse_address
from tandem.exchange.printable import printable
from tandem.ground.database import parse_database

DATA = Path("tandem-data")
BOARD_PORT = 8080

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)}; see {self.prog} --help\n")


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
        default=os.environ.get("TANDEM_DATABASE") or "",
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
    return parse_address(text, GROUND_PORT)


@reader
def board_address(text: str) -> tuple[str, int]:
    """Where a board is."""
    return parse_address(text, BOARD_PORT)


@reader
def _database(text: str) -> str:
    return parse_database(text) if text else ""


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
