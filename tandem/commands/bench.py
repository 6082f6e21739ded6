"""`tandem bench`"""

import argparse
from pathlib import Path

from tandem.bench import pace, summary
from tandem.bench.bench import BenchOptions, BenchTrouble, bench
from tandem.commands.arguments import address, number, whole
from tandem.report.screen import complain, show


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--server", type=address, required=True, metavar="HOST:PORT", help="whom to load")
    command.add_argument(
        "--concurrency",
        type=whole(pace.MOST_CONCURRENCY),
        default=pace.CONCURRENCY,
        metavar="N",
        help=f"exchanges at a time ({pace.CONCURRENCY})",
    )
    command.add_argument("--count", type=whole(pace.MOST_COUNT), metavar="N", help="exchanges in all")
    command.add_argument(
        "--seconds",
        type=number(pace.MOST_SECONDS),
        metavar="S",
        help=f"how long ({pace.SECONDS:g}, or until --count)",
    )
    command.add_argument(
        "--rate",
        type=number(pace.MOST_RATE),
        metavar="R",
        help="exchanges a second, whether or not the server keeps up (as fast as it can)",
    )
    command.add_argument(
        "--ramp", type=number(pace.MOST_SECONDS), default=0.0, metavar="S", help="time in which the load grows (0)"
    )
    command.add_argument(
        "--timeout",
        type=number(pace.LONGEST_TIMEOUT),
        default=pace.TIMEOUT,
        metavar="S",
        help=f"for one visit ({pace.TIMEOUT:g})",
    )
    command.add_argument(
        "--pid",
        type=whole(2**31),
        action="append",
        default=[],
        metavar="PID",
        help="a process of the server: its CPU time is measured, its children's included",
    )
    command.add_argument("--seed", type=whole(2**63), metavar="N", help="for the teams that are made up")
    command.add_argument("--format", choices=("table", "json"), default="table", help="how to show it (table)")
    command.add_argument("--output", type=Path, metavar="FILE.json", help="all figures, as JSON, to a file")
    command.add_argument("--picture", type=Path, metavar="FILE.svg", help="how the latency is distributed, drawn")


def run(options: argparse.Namespace) -> int:
    seconds = pace.SECONDS if options.seconds is None and options.count is None else options.seconds
    asked = BenchOptions(
        server=options.server,
        pace=pace.Pace(options.concurrency, options.count, seconds, options.rate, options.ramp),
        timeout=options.timeout,
        pids=tuple(options.pid),
        seed=options.seed,
        output=options.output,
        picture=options.picture,
    )
    try:
        made = bench(asked)
    except BenchTrouble as trouble:
        return complain(str(trouble))
    show(summary.shown(made, options.format))
    return 0 if made.went_well else 1
