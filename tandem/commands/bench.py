"""`tandem bench`: its options and its output."""

import argparse
import signal
from contextlib import nullcontext

from tandem.bench import pace, summary
from tandem.bench.bench import CTRL_C, BenchError, BenchOptions, bench
from tandem.bench.exchange import CLASSNAME
from tandem.bench.output_file import opened, write
from tandem.bench.summary import Run
from tandem.commands.arguments import (
    argument_type,
    file_name,
    positive_integer,
    positive_number,
    server_address,
    set_example,
    set_rules,
)
from tandem.commands.combinations import Interaction
from tandem.protocol.message import argument_number
from tandem.report.screen import echo_done

RULES = (
    Interaction(("--count", "--seconds"), "the run ends when the first of the two is reached"),
    Interaction(("--rate", "--concurrency"), "at most --concurrency exchanges run at a time; the next ones wait"),
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    set_example(command, "tandem bench --server 127.0.0.1:5550 --count 1000")
    set_rules(command, *RULES, repeatable=("--pid",))
    command.description = f"{command.description}; Ctrl-C ends the run and shows what was measured (exit 130)"
    command.add_argument(
        "--server",
        type=server_address,
        required=True,
        metavar="HOST:PORT",
        help="the server to test; the invented teams stay on record there, in class"
        f" {CLASSNAME}: `tandem forget --class {CLASSNAME}` removes them",
    )
    command.add_argument(
        "--concurrency",
        type=positive_integer(pace.MAX_CONCURRENCY),
        default=pace.DEFAULT_CONCURRENCY,
        metavar="N",
        help=f"exchanges at a time (default: {pace.DEFAULT_CONCURRENCY})",
    )
    command.add_argument(
        "--count", type=positive_integer(pace.MAX_COUNT), metavar="N", help="number of exchanges (default: no limit)"
    )
    command.add_argument(
        "--seconds",
        type=positive_number(pace.MAX_SECONDS),
        metavar="S",
        help=f"duration of the run (default: {pace.DEFAULT_SECONDS:g}, or until --count)",
    )
    command.add_argument(
        "--rate",
        type=positive_number(pace.MAX_RATE),
        metavar="R",
        help="exchanges a second, whether or not the server keeps up (default: as fast as the server can)",
    )
    command.add_argument(
        "--ramp", type=_ramp, default=0.0, metavar="S", help="seconds in which the load grows (default: 0)"
    )
    command.add_argument(
        "--timeout",
        type=positive_number(pace.MAX_TIMEOUT_S),
        default=pace.DEFAULT_TIMEOUT_S,
        metavar="S",
        help=f"seconds for one visit (default: {pace.DEFAULT_TIMEOUT_S:g}); visits that take longer count as failed"
        " and are left out of the percentiles",
    )
    command.add_argument(
        "--pid",
        type=positive_integer(2**31),
        action="append",
        default=[],
        metavar="PID",
        help="process of the server whose CPU time is measured, with its children (default: none)",
    )
    command.add_argument(
        "--seed", type=positive_integer(2**63), metavar="N", help="seed of the invented teams (default: random)"
    )
    command.add_argument(
        "--format", choices=("table", "json"), default="table", help="format of the output (default: table)"
    )
    command.add_argument(
        "--output", type=file_name, metavar="FILE.json", help="file for all figures as JSON (default: none)"
    )


@argument_type
def _ramp(text: str) -> float:
    try:
        found = argument_number(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= pace.MAX_SECONDS:
        raise ValueError(f"{text!r} is not a number from 0 to {pace.MAX_SECONDS:,.0f}")
    return found


def run(options: argparse.Namespace) -> int:
    """Run the load, print the figures and write the file. Return 1 if an exchange failed.

    Ctrl-C during the run ends it, and the figures are printed. A second one ends the command at once.

    Raises:
        BenchError: the run could not be made, or SIGTERM ended it.
        KeyboardInterrupt: Ctrl-C ended it.
    """
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
            _print(result, options.format)
    if result.stopped_by:
        raise BenchError(f"stopped by {result.stopped_by}")
    return 0 if result.succeeded else 1


def _print(result: Run, format: str) -> None:
    """Print the figures. After Ctrl-C end then as every other command, also if nobody reads the figures any more."""
    try:
        echo_done("the run is over", summary.render(result, format))
    finally:
        if result.stopped_by == CTRL_C:
            signal.raise_signal(signal.SIGINT)
