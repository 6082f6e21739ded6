"""`tandem key rotate`: its options and its output."""

import argparse

from tandem.commands.arguments import argument_type, data_option, set_example, subcommand
from tandem.keys.keyring import rotate
from tandem.protocol.message import argument_number
from tandem.report.screen import echo_done

DEFAULT_HOURS = 168.0  # hours
MAX_HOURS = 87_600.0


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    below = subcommand(command.add_subparsers(metavar="rotate", required=True), "rotate", "make a new key")
    set_example(command, "tandem key rotate --data tandem-data")
    set_example(below, "tandem key rotate --data tandem-data --valid 24")
    data_option(below)
    below.add_argument(
        "--valid",
        type=_hours,
        default=DEFAULT_HOURS,
        metavar="HOURS",
        help=f"how long earlier secrets stay valid (default: {DEFAULT_HOURS:g})",
    )


def run(options: argparse.Namespace) -> int:
    """Make a new key."""
    keyring = rotate(options.data, options.valid * 3600)
    new_key = f"a new key is in {options.data / 'key'}"
    return echo_done(
        new_key,
        [
            f"{new_key}: the server uses it after its next start\n",
            f"earlier secrets stay valid for {options.valid:g} hours more\n"
            if keyring.old
            else "there was no key: earlier secrets are invalid, and their teams must send message 1 again\n",
        ],
    )


@argument_type
def _hours(text: str) -> float:
    try:
        hours = argument_number(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= MAX_HOURS:
        raise ValueError(f"{text!r} is not a number of hours from 0 to {MAX_HOURS:.0f}")
    return hours
