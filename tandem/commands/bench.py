"""`tandem bench`"""

import argparse
from contextlib import nullcontext

from tandem.bench import pace, summary
from tandem.bench.bench import BenchOptions, bench
from tandem.bench.output_file import opened, write
from tandem.commands.arguments import address, combine, file_name, number, reader, whole
from tandem.commands.combinations import Together
from tandem.report.screen import finish, show

RULES = (
    Together(("--count", "--seconds"), "whichever is reached first ends the run"),
    Together(("--rate", "--concurrency"), "no more than so many are under way; an exchange that is due waits its turn"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    combine(command, *RULES, repeatable=("--pid",))
    command.add_argument("--server", type=address, required=True, metavar="HOST:PORT", help="whom to load")
    command.add_argument(
        "--concurrency",
        type=whole(pace.MAX_CONCURRENCY),
        default=pace.DEFAULT_CONCURRENCY,
        metavar="N",
        help=f"exchanges at a time ({pace.DEFAULT_CONCURRENCY})",
    )
    command.add_argument("--count", type=whole(pace.MAX_COUNT), metavar="N", help="exchanges in all")
    command.add_argument(
        "--seconds",
        type=number(pace.MAX_SECONDS),
        metavar="S",
        help=f"how long ({pace.DEFAULT_SECONDS:g}, or until --count)",
    )
    command.add_argument(
        "--rate",
        type=number(pace.MAX_RATE),
        metavar="R",
        help="exchanges a second, whether or not the server keeps up (as fast as it can)",
    )
    command.add_argument("--ramp", type=_ramp, default=0.0, metavar="S", help="time in which the load grows (0)")
    command.add_argument(
        "--timeout",
        type=number(pace.MAX_TIMEOUT_S),
        default=pace.DEFAULT_TIMEOUT_S,
        metavar="S",
        help=f"for one visit ({pace.DEFAULT_TIMEOUT_S:g}); what takes longer has failed, and is not among the times",
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
    command.add_argument("--output", type=file_name, metavar="FILE.json", help="all figures, as JSON, to a file")


@reader
def _ramp(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= pace.MAX_SECONDS:
        raise ValueError(f"{text!r} is not a number from 0 to {pace.MAX_SECONDS:,.0f}")
    return found


def run(options: argparse.Namespace) -> int:
    seconds = pace.DEFAULT_SECONDS if options.seconds is None and options.count is None else options.seconds
    asked = BenchOptions(
        server=options.server,
        pace=pace.Pace(options.concurrency, options.count, seconds, options.rate, options.ramp),
        timeout_s=options.timeout,
        pids=tuple(options.pid),
        seed=options.seed,
    )
    with opened(options.output) if options.output else nullcontext():
        result = bench(asked)
        try:
            if options.output:
                write(options.output, "".join(summary.as_json(result)))
        finally:  # a full disk must not lose the result
            show(summary.render(result, options.format))
            finish()
    return 0 if result.succeeded else 1
