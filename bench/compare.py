"""The ground beside its peers, from one run: python3 -m bench.compare

Every round runs every server once, fresh, in an order that moves on by one, so that what else happens on the machine
falls on all alike. The ratio is the median of the ratios to limit.c in the same round: a C server that only moves the
bytes. Where the load is nearly always busy, rate and latency say more about the load; compare the CPU time.

`--same-cpu` puts server and load on one CPU, which spreads least. Else the server has the first, the load the last.
`--ground NAME=FOLDER` adds the ground of another copy of the project, for a comparison of before and after.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import (
    GROUND,
    LIMIT,
    ROOT,
    Contender,
    ContenderTrouble,
    Running,
    c_compiler,
    ground,
    limit,
    peer,
    pinned,
    running,
)
from bench.crowds import CROWDS, crowd, open_many_files
from bench.vitals import vitals
from tandem.bench import pace
from tandem.commands.arguments import Parser, number, reader, whole
from tandem.exchange.printable import printable

PEERS = ("asyncio_streams", "asyncio_protocol", "threads", "uvloop_protocol")
ALL = (LIMIT, GROUND, *PEERS)
MOST_ROUNDS = 1000
CPUS = sorted(os.sched_getaffinity(0))
WARM_UP = 500  # exchanges that are not measured
HEAD = (
    "| server | exchanges/s (min-max) | p50 ms | p99 ms | server CPU µs/exchange: user + system = total (min-max) "
    "| × limit's CPU (min-max) | server / load busy | RSS MiB | failed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)
IDLE = "10,000 silent connections"  # a crowd
IDLE_HEAD = "| server | resident bytes a connection |\n|---|--:|"


@dataclass(frozen=True)
class Result:
    """What one server did in one round."""

    rate: float
    p50: float  # ms, as all times
    p99: float
    user: float  # µs of CPU an exchange
    system: float
    busy: float  # the load's share of its CPU
    memory: int  # bytes, resident in the server at the end
    finished: int
    failed: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


def main() -> int:
    given = _options()
    open_many_files()  # which the servers inherit
    with tempfile.TemporaryDirectory(prefix="tandem-compare-") as folder:
        try:
            contenders = _contenders(given.only or _all_there_is(), given.ground, Path(folder))
            for concurrency in given.concurrency:
                print(f"\nConcurrency {concurrency}, {given.rounds} rounds of {given.seconds:g} s\n", flush=True)
                print(HEAD)
                _print_rows(contenders, _rounds(contenders, concurrency, given))
            if given.idle:
                print(f"\n{IDLE}\n\n{IDLE_HEAD}", flush=True)
                for contender in contenders:
                    print(f"| {contender.name} | {idle_bytes(contender):,.0f} |", flush=True)
        except ContenderTrouble as trouble:
            print(f"bench.compare: {printable(str(trouble))}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("bench.compare: stopped by Ctrl-C", file=sys.stderr)
            return 1
    return 0


def _print_rows(contenders: Sequence[Contender], results: dict[str, list[Result]]) -> None:
    for contender in contenders:
        print(row(contender.name, results[contender.name], results.get(LIMIT)), flush=True)


def _options() -> argparse.Namespace:
    options = Parser("bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=whole(MOST_ROUNDS), default=5)
    options.add_argument(
        "--seconds", type=number(pace.MOST_SECONDS), default=5.0, help="of load for each server in each round (5)"
    )
    options.add_argument(
        "--concurrency",
        type=whole(pace.MOST_CONCURRENCY),
        nargs="+",
        default=[pace.CONCURRENCY],
        help=f"exchanges at a time ({pace.CONCURRENCY})",
    )
    options.add_argument(
        "--same-cpu",
        type=_cpu,
        nargs="?",
        const=CPUS[0],
        metavar="CPU",
        help="server and load on this one, or the first",
    )
    options.add_argument("--idle", action="store_true", help="memory for connections that say nothing, too")
    options.add_argument("--only", type=_names, metavar="NAMES", help="such as limit,tandem")
    options.add_argument(
        "--ground", type=_copy, action="append", default=[], metavar="NAME=FOLDER", help="another copy's ground"
    )
    given = options.parse_args()
    if len(dict(given.ground)) < len(given.ground):
        options.error("argument --ground: two of them have the same name")
    return given


@reader
def _names(text: str) -> Sequence[str]:
    names = text.split(",")
    for name in names:
        if name not in ALL:
            raise ValueError(f"{name!r} is none of {','.join(ALL)}")
    return list(dict.fromkeys(names))


@reader
def _copy(text: str) -> tuple[str, Path]:
    """The name and the folder of another copy of the project."""
    name, _, folder = text.partition("=")
    if not name or name in ALL:
        raise ValueError(f"{name!r} cannot be a ground's name: give NAME=FOLDER, NAME none of {','.join(ALL)}")
    if not folder or not Path(folder).is_dir():
        raise ValueError(f"{folder!r} is no folder")
    return name, Path(folder)


@reader
def _cpu(text: str) -> int:
    if not text.isdecimal() or int(text) not in CPUS:
        raise ValueError(f"{text!r} is no CPU of this machine; there are {', '.join(map(str, CPUS))}")
    return int(text)


def _all_there_is() -> Sequence[str]:
    """Every server; the limit only where it can be built."""
    if c_compiler() is None:
        print("no C compiler is here: without the limit there are no ratios; gcc would build it", file=sys.stderr)
        return [name for name in ALL if name != LIMIT]
    return ALL


def _contenders(names: Sequence[str], others: Sequence[tuple[str, Path]], folder: Path) -> list[Contender]:
    return [*(_contender(name, folder) for name in names), *(ground(name, home) for name, home in others)]


def _contender(name: str, folder: Path) -> Contender:
    if name == LIMIT:
        return limit(folder)
    return ground() if name == GROUND else peer(name)


def _rounds(contenders: Sequence[Contender], concurrency: int, given: argparse.Namespace) -> dict[str, list[Result]]:
    """By name, a result a round."""
    results: dict[str, list[Result]] = defaultdict(list)
    on, load_on = (CPUS[0], CPUS[-1]) if given.same_cpu is None else (given.same_cpu, given.same_cpu)
    for turn in range(given.rounds):
        shift = turn % len(contenders)
        for contender in (*contenders[shift:], *contenders[:shift]):
            with running(contender, on) as server:
                results[contender.name].append(measured(server, load_on, concurrency, given.seconds))
        told_so_far = ", ".join(f"{name} {found[-1].cpu:.0f}" for name, found in results.items())
        print(f"round {turn + 1}: CPU µs/exchange: {told_so_far}", file=sys.stderr, flush=True)
    return results


def measured(server: Running, cpu: int | None, concurrency: int, seconds: float) -> Result:
    """One run of the load, on this CPU, after a warm-up."""
    _load(server, cpu, "--concurrency", str(concurrency), "--count", str(WARM_UP))
    told = _load(server, cpu, "--concurrency", str(concurrency), "--seconds", str(seconds))
    times, server_cpu = told["times_us"]["exchange"], told["server_cpu_us"]
    return Result(
        rate=told["exchanges_per_second"],
        p50=times["p50"] / 1000,
        p99=times["p99"] / 1000,
        user=server_cpu["user"],
        system=server_cpu["system"],
        busy=told["load_busy"],
        memory=vitals(server.pid, server.folder).memory,
        finished=told["finished"],
        failed=told["failed"],
    )


def _load(server: Running, cpu: int | None, *options: str) -> dict[str, Any]:
    """What `tandem bench` tells."""
    command = [sys.executable, "-S", "-m", "tandem", "bench", "--server", server.address, "--pid", str(server.pid)]
    done = subprocess.run(
        [*pinned(cpu), *command, *options, "--format", "json"], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if not done.stdout:
        raise ContenderTrouble(f"the load on {server.name} did not run")
    told: dict[str, Any] = json.loads(done.stdout)
    if not told["finished"]:
        raise ContenderTrouble(f"no exchange with {server.name} finished: {told['failures']}")
    if told["ended_pids"]:
        raise ContenderTrouble(f"{server.name} ended while it was measured")
    return told


def idle_bytes(contender: Contender) -> float:
    """Resident memory of the server for each of 10,000 connections that are greeted and say nothing."""
    with running(contender) as server:
        before = vitals(server.pid, server.folder).memory
        host, _, port = server.address.rpartition(":")
        with crowd(IDLE, (host, int(port))):
            return (vitals(server.pid, server.folder).memory - before) / CROWDS[IDLE].many


def row(name: str, results: Sequence[Result], limits: Sequence[Result] | None) -> str:
    """One line of the table: medians over the rounds; the ratio is taken within each round first."""

    def median(of: str) -> float:
        middle: float = statistics.median(getattr(result, of) for result in results)
        return middle

    failed, finished = sum(result.failed for result in results), sum(result.finished for result in results)
    rates = [result.rate for result in results]
    cpus = [result.cpu for result in results]
    ratio = "-"
    if limits:
        ratios = [result.cpu / least.cpu for result, least in zip(results, limits, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return (
        f"| {name} | {median('rate'):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) "
        f"| {median('p50'):.1f} | {median('p99'):.1f} "
        f"| {median('user'):.0f} + {median('system'):.0f} = {median('cpu'):.0f} ({min(cpus):.0f}-{max(cpus):.0f}) "
        f"| {ratio} | {median('rate') * median('cpu') / 1e6:.0%} / {median('busy'):.0%} "
        f"| {median('memory') / 2**20:.1f} | {failed:,} of {failed + finished:,} |"
    )


if __name__ == "__main__":
    sys.exit(main())
