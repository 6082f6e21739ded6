"""The flood campaign, run by hand.

    python3 bench/flood.py --seconds 20

One crowd after the other misbehaves on a fresh server; meanwhile ordinary teams exchange, one after the other, and
each is timed from its first connect to its last byte. Prints a line a crowd, and last what refused messages cost the
disk. Exits with 1 if an exchange failed or took a second or longer. Needs Linux, and 10,500 files a process.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.crowds import CROWDS, crowd
from bench.vitals import vitals
from tandem.protocol.message import STATUS_FINISHED
from testing.processes import RunningServer, running_server
from testing.raw_sockets import encoded, message_1, message_2, visit

LIMIT = 1.0  # seconds for an exchange
REFUSED = 10_000  # messages whose traces on the disk are measured
ROW = "{:<38} {:>9} {:>8} {:>8} {:>9} {:>9} {:>7} {:>7}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=20.0, help="of exchanges for each crowd")
    options.add_argument("--only", metavar="WORDS", default="", help="crowds with these words in their name")
    options.add_argument("--seed", type=int, default=int(time.time()), help="for the pauses between two exchanges")
    given = options.parse_args()
    print(f"seed {given.seed}, {given.seconds:g} s a crowd; times in ms, memory in MiB, descriptors of the server")
    print(ROW.format("crowd", "exchanges", "median", "worst", "MiB", "MiB with", "fds", "with"), flush=True)
    slow = False
    for name in CROWDS:
        if given.only in name:
            slow |= measure(name, given.seconds, random.Random(given.seed)) >= LIMIT
    print(disk_of_refused())
    return 1 if slow else 0


def measure(name: str, seconds: float, rng: random.Random) -> float:
    """Prints the line of one crowd; returns the worst exchange."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-flood-") as folder,
        running_server(Path(folder) / "data") as running,
    ):
        exchange(running, "the first")
        before = vitals(running.process.pid, running.data)
        with crowd(name, (running.host, running.port)):
            times = exchanges(running, seconds, rng)
            during = vitals(running.process.pid, running.data)
    print(
        ROW.format(
            name,
            len(times),
            f"{statistics.median(times) * 1000:.1f}",
            f"{max(times) * 1000:.1f}",
            f"{before.memory / 2**20:.1f}",
            f"{during.memory / 2**20:.1f}",
            before.descriptors,
            during.descriptors,
        ),
        flush=True,
    )
    return max(times)


def exchanges(running: RunningServer, seconds: float, rng: random.Random) -> Sequence[float]:
    """The duration of each."""
    times: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        exchange(running, f"ordinary {len(times)}")
        times.append(time.monotonic() - began)
        time.sleep(rng.uniform(0, 0.02))
    return times


def exchange(running: RunningServer, team: str) -> None:
    handover = visit(running.host, running.port, encoded(message_1(teamname=team)))
    reply = visit(running.host, running.port, encoded(message_2(handover)))
    assert reply["status"] == STATUS_FINISHED, reply


def disk_of_refused() -> str:
    """The growth of the database by 10,000 refused messages from one address."""
    with (
        tempfile.TemporaryDirectory(prefix="tandem-flood-") as folder,
        running_server(Path(folder) / "data") as running,
    ):
        before = vitals(running.process.pid, running.data)
        began = time.monotonic()
        for _ in range(REFUSED):
            visit(running.host, running.port, encoded(message_1(clientid=7)))
        took = time.monotonic() - began
        exchange(running, "the last")
        after = vitals(running.process.pid, running.data)
        grown = after.database + after.wal - before.database - before.wal
    return f"{REFUSED:,} refused messages from one address in {took:.0f} s: {grown:,} bytes of database and its log"


if __name__ == "__main__":
    sys.exit(main())
