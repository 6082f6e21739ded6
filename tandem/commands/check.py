"""`tandem check`"""

import argparse
import os
import sys
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.report import check
from tandem.report.screen import show

MAX_FILE = 65_536  # bytes of a file that are read; a message has at most 8,192


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the message (standard input)")
    command.add_argument("--format", choices=("text", "json"), default="text", help="how to show it (text)")


def run(options: argparse.Namespace) -> int:
    if options.file is None and sys.stdin is None:
        raise TandemError("standard input is closed", "a file with one message in it")
    try:
        if options.file is None:
            data = sys.stdin.buffer.read(MAX_FILE)
        else:
            with options.file.open("rb") as file:
                data = file.read(MAX_FILE)
    except OSError as error:
        source = options.file or "standard input"
        raise TandemError(f"{source} cannot be read: {error.strerror}", "a file with one message in it") from None
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text, accepted = check.main_text(data, options.format, colour)
    show([text])
    return 0 if accepted else 1
