"""`tandem check`: its options and its output."""

import argparse
import os
import sys
from pathlib import Path

from tandem.commands.arguments import file_name, set_example
from tandem.protocol.errors import TandemError
from tandem.protocol.printable import printable
from tandem.records.path_kind import DEVICE, PIPE, path_kind, reason
from tandem.report import check
from tandem.report.screen import echo, has_colours, write_error

END_OF_INPUT = "Ctrl-Z, Enter" if os.name == "nt" else "Ctrl-D"
MAX_FILE_BYTES = 65_536  # read from a file; a message has at most 8,192


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem check message.json")
    command.add_argument(
        "file", nargs="?", type=file_name, metavar="FILE", help="file with the message (default: standard input)"
    )
    command.add_argument(
        "--format", choices=("text", "json"), default="text", help="format of the output (default: text)"
    )


def run(options: argparse.Namespace) -> int:
    """Check one message. Return 0 if no problem is found, else 1."""
    if options.file is None and sys.stdin is None:
        raise TandemError("standard input is closed", "a file with one message in it")
    try:
        if options.file is None:
            if sys.stdin.isatty():
                write_error(f"paste the message, then {END_OF_INPUT}\n")
            data = sys.stdin.buffer.read(MAX_FILE_BYTES)
        else:
            data = _content(options.file)
    except OSError as error:
        source = options.file or "standard input"
        why = reason(options.file, error) if options.file else error.strerror
        raise TandemError(f"{source} cannot be read: {why}", "a file with one message in it") from None
    colour = has_colours()
    text, accepted = check.check_report(data, options.format, colour, sys.stdout.encoding)
    echo([text])
    return 0 if accepted else 1


def _content(path: Path) -> bytes:
    """Return the beginning of a file. A pipe is read until its writer closes it, and a terminal until it ends.

    Raises:
        OSError: it cannot be read.
        TandemError: it is a device, such as /dev/zero, whose bytes are no message.
    """
    kind = path_kind(path)
    if kind == PIPE and sys.stderr is not None and sys.stderr.isatty():
        write_error(
            f"{printable(str(path))} is a pipe: waiting until a program has written the message and closed it\n"
        )
    with path.open("rb") as file:
        if kind == DEVICE and not file.isatty():
            raise TandemError(f"{path} cannot be read: it is a device", "a file with one message in it")
        return file.read(MAX_FILE_BYTES)
