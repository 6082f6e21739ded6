"""`tandem key rotate`"""

import argparse

from tandem.commands.arguments import data_option, reader, subcommand
from tandem.keys.keyring import rotate
from tandem.report.screen import show

WEEK = 168.0  # hours
MAX_HOURS = 87_600.0


def add_options(command: argparse.ArgumentParser) -> None:
    below = subcommand(command.add_subparsers(metavar="rotate", required=True), "rotate", "make a new key")
    data_option(below)
    below.add_argument(
        "--valid",
        type=_hours,
        default=WEEK,
        metavar="HOURS",
        help=f"how long secrets made before still count ({WEEK:g})",
    )


def run(options: argparse.Namespace) -> int:
    rotate(options.data, options.valid * 3600)
    return show(
        [
            f"a new key is in {options.data / 'key'}; it counts from the ground's next start\n"
            f"secrets made before count for {options.valid:g} hours more\n"
        ]
    )


@reader
def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= MAX_HOURS:
        raise ValueError(f"{text!r} is not a number of hours from 0 to {MAX_HOURS:.0f}")
    return hours
