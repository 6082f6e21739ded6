"""`tandem watch`: its options."""

import argparse
import sys

from tandem.commands.arguments import file_name, listen_address, server_address, set_example
from tandem.protocol.framing import FRAMINGS, PLAIN
from tandem.report.screen import has_colours
from tandem.watch.watch import WatchOptions, watch
from tandem.watch.watch_lines import FORMATS, TEXT


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(
        command,
        "tandem watch --listen 5549 --to 192.0.2.1:5550",
        "tandem watch --listen 5549 --to 192.0.2.1:5550 --capture visit.pcapng",
    )
    command.add_argument(
        "--listen", type=listen_address, required=True, metavar="[HOST:]PORT", help="where the clients connect instead"
    )
    command.add_argument(
        "--to", type=server_address, required=True, metavar="HOST:PORT", help="the server to pass everything on to"
    )
    command.add_argument(
        "--framing",
        choices=FRAMINGS,
        default=PLAIN,
        help=f"whether both sides send a length before each message (default: {PLAIN})",
    )
    command.add_argument(
        "--format",
        choices=FORMATS,
        default=TEXT,
        help=f"format of the output; json is one object a line (default: {TEXT})",
    )
    command.add_argument(
        "--capture",
        type=file_name,
        metavar="FILE",
        help="also write what passes to a new file that Wireshark opens (pcapng); it has the student numbers",
    )


def run(options: argparse.Namespace) -> int:
    """Pass connections on until Ctrl-C, which ends the command with exit code 130."""
    colour = has_colours()
    watch(
        WatchOptions(
            options.listen,
            options.to,
            options.framing,
            options.format,
            options.capture,
            colour,
            sys.stdout.encoding,
        )
    )
    return 0
