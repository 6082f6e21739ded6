"""`tandem explain`: its arguments, its input and its output."""

import argparse
import sys

from tandem.commands.arguments import argument_type, set_example
from tandem.commands.check import END_OF_INPUT
from tandem.explain.answer import NOTHING_FITS, WHAT_TO_GIVE, answer
from tandem.explain.matching import find
from tandem.protocol.errors import TandemError
from tandem.report.screen import echo, write_error

STANDARD_INPUT = "-"
MAX_TEXT_BYTES = 65_536


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(
        command,
        'tandem explain "[Errno 98] Address already in use"',
        "tandem explain secret-missing",
        'tandem explain "it works on one laptop, not on two"',
    )
    command.add_argument(
        "text",
        type=_text,
        metavar="TEXT",
        help="an error, its number, a traceback, a status, the id of a problem, or a symptom in own words;"
        f" {STANDARD_INPUT} reads it from standard input",
    )
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the output (default: text)"
    )


@argument_type
def _text(given: str) -> str:
    if not given.strip():
        raise ValueError("it is empty: give the last line of the error, for example")
    return given


def run(options: argparse.Namespace) -> int:
    """Show the entry that fits a text best. Return 0.

    Raises:
        TandemError: nothing fits, or the text cannot be used.
    """
    text = _standard_input() if options.text == STANDARD_INPUT else options.text
    if len(text.encode(errors="surrogateescape")) > MAX_TEXT_BYTES:
        raise TandemError(f"the text has more than {MAX_TEXT_BYTES:,} bytes", "the last lines of the error")
    found = find(text)
    if not found:
        raise TandemError(NOTHING_FITS, WHAT_TO_GIVE)
    return echo([answer(found, options.format)])


def _standard_input() -> str:
    """Return the text on standard input.

    Raises:
        TandemError: it cannot be read.
    """
    if sys.stdin is None:
        raise TandemError("standard input is closed", "the text as an argument")
    try:
        if sys.stdin.isatty():
            write_error(f"paste the error, then {END_OF_INPUT}\n")
        data = sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise TandemError(f"standard input cannot be read: {error.strerror}", "the text as an argument") from None
    return data.decode(errors="surrogateescape")
