"""Whether an exchange costs the same with a million teams on record.

    python3 -m bench.teams

Fills a data folder through the store, two visits a team, 300 teams a class. Then every round loads a server with an
empty folder and one with the full folder, both pinned to one CPU with the load, and compares the CPU time of an
exchange. The last line of the comparison says whether the aim is met. At the end, the time and the greatest memory of
`tandem results`: of one class, and of all.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

from bench.compare import CPUS, MAX_ROUNDS
from bench.contenders import ROOT, Contender, ContenderError, our_server, running
from bench.measure import COUNT, MAX_COUNT, Load, build_load
from bench.pairs import Pairs, measure_pairs, ratio_of
from tandem.commands.arguments import Parser, positive_integer
from tandem.keys.keyring import load_keyring
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING, Message, message_1, message_2
from tandem.records.sqlite.sqlite_store import FILE, SqliteStore
from tandem.records.visits import Outcome, RightVisit, Team

TEAMS = 1_000_000
MAX_TEAMS = 10_000_000
CLASS = 300  # teams in it
BATCH = 10_000  # records in a transaction
TIMES = 5  # that one class's results are asked for
ROUNDS = 12
MAX_RATIO = 1.10  # the aim
# A tandem command that tells its memory at the end. (What the system tells of a child counts its parent in.)
COMMAND = """
import sys
from tandem.cli import main
code = main(sys.argv[1:])
print(*(line for line in open("/proc/self/status") if "VmHWM" in line), file=sys.stderr)
sys.exit(code)
"""


def main() -> int:
    options = Parser("bench.teams", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--teams", type=positive_integer(MAX_TEAMS), default=TEAMS, help=f"({TEAMS:,})")
    options.add_argument("--rounds", type=positive_integer(MAX_ROUNDS), default=ROUNDS, help=f"({ROUNDS})")
    options.add_argument(
        "--count",
        type=positive_integer(MAX_COUNT),
        default=COUNT,
        help=f"exchanges with each in each round ({COUNT:,})",
    )
    options.add_argument("--cpu", type=int, default=CPUS[0], help="for server and load both (the first)")
    options.add_argument("--seed", type=int, default=1, help="for the numbers and secrets (1)")
    options.add_argument("--data", type=Path, help="fill this folder and keep it, or use it as it was kept")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-teams-") as place:
        folder = given.data or Path(place)
        if not (folder / FILE).exists():
            fill(folder, given.teams, Random(given.seed))
        try:
            compare(folder, build_load(Path(place), given.cpu, given.count), given)
            show_results(folder, given.teams)
        except ContenderError as trouble:
            print(f"bench.teams: {trouble}", file=sys.stderr)
            return 1
    return 0


def fill(folder: Path, teams: int, random: Random) -> None:
    """Keeps the visits of so many teams that have finished."""
    began = time.monotonic()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    load_keyring(folder)  # without its key the server would not start over these teams
    with closing(SqliteStore(folder)) as store:
        now = time.time_ns() // 1000
        visits = (visit for number in range(teams) for visit in _visits(number, now + number * 1000, random))
        for batch in _batches(visits, BATCH):
            store.write(batch)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{teams:,} teams, {size / 2**20:,.0f} MiB, filled in {time.monotonic() - began:.0f} s", flush=True)


def classname(number: int) -> str:
    """The class of the team with this number."""
    return f"CLASS {number // CLASS:05}"


def compare(full: Path, load: Load, given: argparse.Namespace) -> None:
    """Prints the CPU time of an exchange without and with the teams, and the verdict."""
    names = "no teams", f"{given.teams:,} teams"
    empty, filled = our_server(names[0]), our_server(names[1], data=full)

    def cost(contender: Contender) -> float:
        with running(contender, given.cpu) as server:
            return load.measure(server).cpu

    pairs = measure_pairs(given.rounds, lambda: cost(empty), lambda: cost(filled))
    for name, costs in zip(names, zip(*pairs, strict=True), strict=True):
        print(f"{name}: {statistics.median(costs):.0f} µs CPU an exchange ({min(costs):.0f}-{max(costs):.0f})")
    print(verdict(pairs), flush=True)


def verdict(pairs: Pairs) -> str:
    """Whether the exchange costs the same: the median of the ratios is judged."""
    ratio = ratio_of(pairs)
    passes = "pass" if ratio.median <= MAX_RATIO else "fail"
    return f"{passes}: with the teams by without {ratio}, at most {MAX_RATIO:.2f}, {len(pairs)} rounds"


def show_results(folder: Path, teams: int) -> None:
    """Prints what `tandem results` takes, Python's start included."""
    options = ("--class", classname(teams // 2), "--format", "json")
    _print_runs(f"results of one class of {CLASS}", [_results(folder, options) for _ in range(TIMES)])
    for format in ("csv", "json"):
        _print_runs(f"results of all as {format}", [_results(folder, ("--format", format))])


def _print_runs(what: str, runs: Sequence[tuple[float, int]]) -> None:
    times, memory = zip(*runs, strict=True)
    print(f"{what}: {statistics.median(times):.2f} s, at most {max(memory) / 1024:.0f} MiB of memory", flush=True)


def _results(folder: Path, options: Iterable[str]) -> tuple[float, int]:
    return _run(("results", "--data", str(folder), *options))


def _run(arguments: Iterable[str]) -> tuple[float, int]:
    """Seconds, and the greatest resident memory in KiB."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-S", "-c", COMMAND, *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
    if done.returncode or not peak:
        raise ContenderError(f"tandem {' '.join(arguments)}: {done.stderr}")
    return took, int(peak[1])


def _visits(number: int, at: int, random: Random) -> Iterator[RightVisit]:
    """Both visits of one team, as a server records them."""
    numbers = str(random.randrange(1_000_000, 5_500_000)), str(random.randrange(5_500_000, 10_000_000))
    team = Team(classname(number), f"team {number:07}", *numbers)
    first = message_1(*numbers, team.classname, team.teamname, "127.0.0.1")
    secret = f"{random.getrandbits(256):064x}"
    reply = Message(*numbers, team.classname, 1, team.teamname, first.ip, secret, STATUS_WAITING)
    yield _visit(Outcome.MESSAGE_1, at, first, reply, team)
    second = message_2(reply, "127.0.0.1")
    last = Message(*numbers[::-1], team.classname, 2, team.teamname, second.ip, secret, STATUS_FINISHED)
    yield _visit(Outcome.MESSAGE_2, at + 500, second, last, team)


def _visit(outcome: Outcome, at: int, came: Message, reply: Message, team: Team) -> RightVisit:
    received, answered = came.encode(), reply.encode()
    return RightVisit(
        team.classname,
        team.teamname,
        team.pair,
        at,
        200,
        came.ip,
        40_000,
        outcome,
        received,
        len(received),
        answered,
        "[]",
        team.studentnr1,
        team.studentnr2,
        reply.secret,
        came.ip,
    )


def _batches(visits: Iterator[RightVisit], size: int) -> Iterator[list[RightVisit]]:
    while batch := list(islice(visits, size)):
        yield batch


if __name__ == "__main__":
    sys.exit(main())
