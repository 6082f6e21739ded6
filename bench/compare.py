"""The server beside its peers, from one run.

    python3 -m bench.compare

Every round runs every server once, fresh, in an order that moves on by one, so that what else happens on the machine
falls on all alike. A ratio is the median of the ratios in the same round: to limit.c, a C server that only moves the
bytes, and to the peer on asyncio's streams, which records nothing. A line below each table says whether the aims are
met.

`--same-cpu` puts server and load on one CPU, which spreads least. Else the server has the first, the load the last.
`--server-from FOLDER` adds the server of another copy of the project, for a comparison of before and after.
`--idle` adds what 10,000 idle connections cost.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from bench.contenders import LIMIT, TANDEM, Contender, ContenderError, limit, our_server, peer, running
from bench.crowds import MANY_DESCRIPTORS
from bench.idle import cost_beside_idle, cost_verdict, idle_bytes, memory_verdict
from bench.measure import CONCURRENCY, COUNT, MAX_CONCURRENCY, MAX_COUNT, Load, Result, build_load
from tandem.commands.arguments import Parser, argument_type, positive_integer
from tandem.net.descriptors import raise_descriptor_limit
from tandem.protocol.printable import printable

STREAMS = "asyncio_streams"
UVLOOP = "uvloop_protocol"
PEERS = ("epoll_bare", UVLOOP, "asyncio_protocol", STREAMS, "threads")
ALL = (LIMIT, TANDEM, *PEERS)
MAX_ROUNDS = 1000
IDLE_ROUNDS = 10
CPUS = sorted(os.sched_getaffinity(0))
MAX_OF_LIMIT = 2.1  # the aims: the server's CPU time for an exchange by the limit's, and by that of asyncio's streams
MAX_OF_STREAMS = 0.7
HEAD = (
    "| server | exchanges/s (min-max) | p50 ms | p99 ms | CPU µs/exchange: user + system = total (min-max) "
    "| × limit (min-max) | × asyncio streams (min-max) | RSS MiB | failed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)
Results = dict[str, list[Result]]  # by server, one a round


@dataclass(frozen=True)
class Ratios:
    """One server's CPU time by another's in the same round."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


def main() -> int:
    given = _options()
    raise_descriptor_limit(MANY_DESCRIPTORS)  # which the servers inherit
    with tempfile.TemporaryDirectory(prefix="tandem-compare-") as folder:
        try:
            _compare(given, Path(folder))
        except ContenderError as trouble:
            print(f"bench.compare: {printable(str(trouble))}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("bench.compare: stopped by Ctrl-C", file=sys.stderr)
            return 1
    return 0


def _compare(given: argparse.Namespace, folder: Path) -> None:
    """Prints a table for each concurrency, then what idle connections cost."""
    ours = [our_server(name, home) for name, home in given.server_from]
    contenders = [*(_contender(name, folder) for name in given.only or _all_there_is()), *ours]
    cpu, load_cpu = (CPUS[0], CPUS[-1]) if given.same_cpu is None else (given.same_cpu, given.same_cpu)
    load = build_load(folder, load_cpu, given.count)
    durable = [contender for contender in contenders if contender.name == TANDEM or contender in ours]
    for concurrency in given.concurrency:
        print(f"\nConcurrency {concurrency}, {given.rounds} rounds of {given.count:,} exchanges\n", flush=True)
        results = measure_rounds(contenders, cpu, replace(load, concurrency=concurrency), given.rounds)
        print(HEAD)
        for contender in contenders:
            print(row(contender.name, results))
        print()
        for contender in durable:
            print(verdict(contender.name, results), flush=True)
    if given.idle:
        _print_idle(contenders, durable, cpu, load, given.idle)


def _print_idle(
    contenders: Sequence[Contender], durable: Sequence[Contender], cpu: int, load: Load, rounds: int
) -> None:
    print("\n| server | resident bytes an idle connection |\n|---|--:|")
    sizes = {}
    for contender in contenders:
        sizes[contender.name] = idle_bytes(contender, cpu, load)
        print(f"| {contender.name} | {sizes[contender.name]:,.0f} |", flush=True)
    print()
    for contender in durable:
        print(memory_verdict(contender.name, sizes[contender.name]))
        print(cost_verdict(contender.name, cost_beside_idle(contender, cpu, load, rounds)), flush=True)


def _options() -> argparse.Namespace:
    options = Parser("bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.repeatable = ("--server-from",)
    options.add_argument("--rounds", type=positive_integer(MAX_ROUNDS), default=5, help="(5)")
    options.add_argument(
        "--count",
        type=positive_integer(MAX_COUNT),
        default=COUNT,
        help=f"exchanges with each server in each round ({COUNT:,})",
    )
    options.add_argument(
        "--concurrency",
        type=positive_integer(MAX_CONCURRENCY),
        nargs="+",
        default=[CONCURRENCY],
        help=f"exchanges at a time ({CONCURRENCY})",
    )
    options.add_argument(
        "--same-cpu",
        type=_cpu,
        nargs="?",
        const=CPUS[0],
        metavar="CPU",
        help="server and load on this one, or the first",
    )
    options.add_argument(
        "--idle",
        type=positive_integer(MAX_ROUNDS),
        nargs="?",
        const=IDLE_ROUNDS,
        metavar="ROUNDS",
        help=f"what idle connections cost, too ({IDLE_ROUNDS})",
    )
    options.add_argument("--only", type=_names, metavar="NAMES", help="such as limit,tandem")
    options.add_argument(
        "--server-from",
        type=_copy,
        action="append",
        default=[],
        metavar="FOLDER",
        help="the server of another copy of the project, too; it is called by the folder's name",
    )
    given = options.parse_args()
    if len(dict(given.server_from)) < len(given.server_from):
        options.error("argument --server-from: two folders have the same name")
    return given


@argument_type
def _names(text: str) -> Sequence[str]:
    names = text.split(",")
    for name in names:
        if name not in ALL:
            raise ValueError(f"{name!r} is none of {','.join(ALL)}")
    return list(dict.fromkeys(names))


@argument_type
def _copy(text: str) -> tuple[str, Path]:
    """The name and the path of the folder of another copy of the project."""
    folder = Path(text).resolve()
    if not text or not folder.is_dir():
        raise ValueError(f"{text!r} is not a folder")
    if folder.name in ALL:
        raise ValueError(f"{text!r} has the name of a server that is compared: {','.join(ALL)}; rename the folder")
    return folder.name, folder


@argument_type
def _cpu(text: str) -> int:
    if not text.isdecimal() or int(text) not in CPUS:
        raise ValueError(f"{text!r} is no CPU of this machine; there are {', '.join(map(str, CPUS))}")
    return int(text)


def _all_there_is() -> Sequence[str]:
    """Every server; uvloop only where it is installed."""
    if find_spec("uvloop") is None:
        fix = "pip install --require-hashes -r bench/requirements.txt"
        print(f"uvloop is not installed: left out; {fix}", file=sys.stderr)
        return [name for name in ALL if name != UVLOOP]
    return ALL


def _contender(name: str, folder: Path) -> Contender:
    if name == LIMIT:
        return limit(folder)
    return our_server() if name == TANDEM else peer(name)


def measure_rounds(contenders: Sequence[Contender], cpu: int, load: Load, rounds: int) -> Results:
    """Every server on this CPU, once a round."""
    results: Results = defaultdict(list)
    for turn in range(rounds):
        shift = turn % len(contenders)
        for contender in (*contenders[shift:], *contenders[:shift]):
            with running(contender, cpu) as server:
                results[contender.name].append(load.measure(server))
        told_so_far = ", ".join(f"{name} {found[-1].cpu:.0f}" for name, found in results.items())
        print(f"round {turn + 1}: CPU µs/exchange: {told_so_far}", file=sys.stderr, flush=True)
    return results


def ratios(name: str, base: str, results: Results) -> Ratios | None:
    """The server's CPU time by that of the base, taken within each round; None if the base was not measured."""
    if base not in results:
        return None
    found = [result.cpu / least.cpu for result, least in zip(results[name], results[base], strict=True)]
    return Ratios(statistics.median(found), min(found), max(found))


def row(name: str, results: Results) -> str:
    """One line of the table: medians over the rounds."""

    def median(of: str) -> float:
        middle: float = statistics.median(getattr(result, of) for result in results[name])
        return middle

    failed, finished = (sum(getattr(result, of) for result in results[name]) for of in ("failed", "finished"))
    rates = [result.rate for result in results[name]]
    cpus = [result.cpu for result in results[name]]
    return (
        f"| {name} | {median('rate'):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) "
        f"| {median('p50'):.1f} | {median('p99'):.1f} "
        f"| {median('user'):.0f} + {median('system'):.0f} = {median('cpu'):.0f} ({min(cpus):.0f}-{max(cpus):.0f}) "
        f"| {ratios(name, LIMIT, results) or '-'} | {ratios(name, STREAMS, results) or '-'} "
        f"| {median('memory') / 2**20:.1f} | {failed:,} of {failed + finished:,} |"
    )


def verdict(name: str, results: Results) -> str:
    """Whether a server of ours meets both aims."""
    of_limit, of_streams = ratios(name, LIMIT, results), ratios(name, STREAMS, results)
    if of_limit is None or of_streams is None:
        return f"no verdict on {name}: {LIMIT} and {STREAMS} were not both measured"
    failed = sum(result.failed for result in results[name])
    passes = of_limit.median <= MAX_OF_LIMIT and of_streams.median <= MAX_OF_STREAMS and not failed
    return (
        f"{'pass' if passes else 'fail'}: {name} costs {of_limit} times the limit (at most {MAX_OF_LIMIT}) "
        f"and {of_streams} times asyncio's streams (at most {MAX_OF_STREAMS}), {failed:,} exchanges failed"
    )


if __name__ == "__main__":
    sys.exit(main())
