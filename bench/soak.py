"""The long run, by hand.

    python3 bench/soak.py --minutes 60 --samples soak.csv --picture soak.svg

Mixed load on one server for an hour or a million exchanges, whichever is first: ordinary exchanges, teams that come
again, wrong messages, resets, silent and half connections. Every ten seconds a sample of how the server is. At the
end every team that has read `Finished successfully` must be in the results. Exits with 1 if one is missing or a
client saw what it should not. Needs Linux.
"""

import argparse
import csv
import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.crowds import MANY_DESCRIPTORS, Address, connect
from bench.picture import Sample, picture
from bench.vitals import Vitals, vitals
from tandem.net.descriptors import raise_descriptor_limit
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.records.queries import open_records
from testing.processes import ROOT, wait_until
from testing.raw_sockets import encoded, message_1, message_2

WORKERS = 12
INTERVAL = 10.0  # seconds between two samples
LINGERING = 20  # silent and half connections that a worker leaves open; then the oldest goes
PATIENCE = 20.0  # seconds for what the server owes

# Share of each deed, in percent.
MIX = {"exchange": 80, "again": 4, "wrong": 6, "reset": 4, "silent": 3, "half": 3}

WRONG: list[bytes] = [
    b"hello",
    b"GET / HTTP/1.1\r\n\r\n",
    encoded(message_1())[:-1] + b",}",
    encoded(message_1(clientid="1")),
    encoded(message_1(teamname="")),
    encoded(message_1(clientid=2, secret="0" * 64)),
    str(message_1()).encode(),
]


class SoakError(Exception):
    """A client saw what no client should see."""


class Team:
    """One after the other, what teams and others do to a server; in a thread of its own."""

    def __init__(self, server: Address, number: int, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.confirmed: set[str] = set()  # who has read `Finished successfully`
        self.times: deque[float] = deque()  # seconds an exchange, since they were last taken
        self.trouble = ""
        self._server = server
        self._number = number
        self._random = random.Random(f"{seed} {number}")
        self._lingering: deque[socket.socket] = deque()
        self._over = False
        self._deeds: dict[str, Callable[[], None]] = {
            "exchange": self._exchange,
            "again": self._again,
            "wrong": self._wrong,
            "reset": self._reset,
            "silent": self._silent,
            "half": self._half,
        }
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        names, weights = list(MIX), list(MIX.values())
        try:
            while not self._over:
                [name] = self._random.choices(names, weights)
                self._deeds[name]()
                self.done[name] += 1
        except (SoakError, OSError, ValueError) as error:
            self.trouble = f"{type(error).__name__}: {error}"
        for sock in self._lingering:
            sock.close()

    def _exchange(self) -> None:
        began = time.monotonic()
        name = f"team {self._number}-{len(self.confirmed)}"
        self._finish(name)
        self.confirmed.add(name)
        self.times.append(time.monotonic() - began)

    def _again(self) -> None:
        """A team that has finished long ago, or only just."""
        if self.confirmed:
            self._finish(f"team {self._number}-{self._random.randrange(len(self.confirmed))}")

    def _finish(self, team: str) -> None:
        handover = self._visit(encoded(message_1(teamname=team)), STATUS_WAITING)
        self._visit(encoded(message_2(handover)), STATUS_FINISHED)

    def _wrong(self) -> None:
        self._visit(self._random.choice(WRONG), "error: ")

    def _reset(self) -> None:
        sock = connect(self._server)
        if self._random.random() < 0.5:
            sock.send(encoded(message_1(teamname="reset"))[: self._random.randrange(150)])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()

    def _silent(self) -> None:
        self._leave(connect(self._server))

    def _half(self) -> None:
        sock = connect(self._server)
        sock.send(encoded(message_1(teamname="half"))[: self._random.randrange(1, 140)])
        self._leave(sock)

    def _leave(self, sock: socket.socket) -> None:
        self._lingering.append(sock)
        if len(self._lingering) > LINGERING:
            self._lingering.popleft().close()

    def _visit(self, data: bytes, wanted: str) -> dict[str, Any]:
        with connect(self._server) as sock:
            sock.settimeout(PATIENCE)
            if not sock.recv(2000):
                raise SoakError("closed before the welcome")
            sock.sendall(data)
            came = b""
            while piece := sock.recv(2000):
                came += piece
        reply: dict[str, Any] = json.loads(came)
        if not reply["status"].startswith(wanted):
            raise SoakError(f"{wanted!r} was due, {reply['status']!r} came")
        return reply


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--exchanges", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--samples", type=Path, metavar="FILE.csv", default=Path("soak.csv"))
    options.add_argument("--picture", type=Path, metavar="FILE.svg", default=Path("soak.svg"))
    given = options.parse_args()
    raise_descriptor_limit(MANY_DESCRIPTORS)
    with tempfile.TemporaryDirectory(prefix="tandem-soak-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        with server(data, log) as (pid, address):
            teams = [Team(address, number, given.seed) for number in range(WORKERS)]
            try:
                samples = watch(pid, data, teams, given.minutes * 60, given.exchanges, given.samples)
            finally:
                for team in teams:
                    team.stop()
        with log.open(errors="replace") as lines:
            bugs = sum("Traceback" in line for line in lines)
        lost = missing(data, set().union(*(team.confirmed for team in teams)))
    given.picture.write_text(picture(samples, f"{samples[-1].exchanges:,} exchanges, seed {given.seed}"))
    return report(teams, samples, lost, bugs, given.seed)


@contextmanager
def server(data: Path, log: Path) -> Iterator[tuple[int, Address]]:
    """A server that writes its log into a file, for there will be millions of lines: its process id and address."""
    command = (sys.executable, "-m", "tandem", "serve", "--listen", "127.0.0.1:0", "--data", str(data))
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=stream)
    try:
        wait_until(lambda: b"listening on" in log.read_bytes() or process.poll() is not None)
        host, _, port = log.read_text().splitlines()[0].rpartition(" ")[2].rpartition(":")
        yield process.pid, (host, int(port))
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def watch(pid: int, data: Path, teams: list[Team], seconds: float, exchanges: int, path: Path) -> list[Sample]:
    """Samples until the time or the exchanges are over, or a client is in trouble; each goes to the file at once."""
    began = time.monotonic()
    samples: list[Sample] = []
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Sample.__dataclass_fields__))
        writer.writeheader()
        while True:
            time.sleep(INTERVAL)
            before = samples[-1] if samples else None
            samples.append(take(teams, time.monotonic() - began, before, vitals(pid, data)))
            writer.writerow(asdict(samples[-1]))
            file.flush()
            print(samples[-1], file=sys.stderr, flush=True)
            now = samples[-1]
            if now.seconds >= seconds or now.exchanges >= exchanges or any(team.trouble for team in teams):
                return samples


def take(teams: list[Team], seconds: float, before: Sample | None, found: Vitals) -> Sample:
    times = sorted(team.times.popleft() for team in teams for _ in range(len(team.times)))
    exchanges = sum(team.done["exchange"] for team in teams)
    return Sample(
        seconds=round(seconds, 1),
        exchanges=exchanges,
        rate=round((exchanges - before.exchanges) / (seconds - before.seconds) if before else exchanges / seconds, 1),
        p50_ms=round(statistics.median(times) * 1000, 2) if times else 0.0,
        p99_ms=round(times[len(times) * 99 // 100] * 1000, 2) if times else 0.0,
        **asdict(found),
    )


def missing(data: Path, confirmed: set[str]) -> set[str]:
    """The teams that have read `Finished successfully` and are not in the results."""
    records = open_records(data)
    try:
        return confirmed - {row.team.teamname for row in records.teams(state="finished")}
    finally:
        records.close()


def report(teams: list[Team], samples: list[Sample], lost: set[str], bugs: int, seed: int) -> int:
    done = sum((team.done for team in teams), Counter[str]())
    troubles = [team.trouble for team in teams if team.trouble]
    first, last = samples[len(samples) // 10], samples[-1]  # the first tenth is for warming up
    print(f"{last.seconds / 60:.1f} minutes, seed {seed}: {dict(done)}")
    print(
        f"memory {first.memory / 2**20:.1f} -> {last.memory / 2**20:.1f} MiB, descriptors {first.descriptors} ->",
        end="",
    )
    print(f" {last.descriptors}, threads {last.threads}, database {last.database / 2**20:.0f} MiB, most WAL", end="")
    print(f" {max(sample.wal for sample in samples) / 2**20:.1f} MiB")
    print(
        f"confirmed {sum(len(team.confirmed) for team in teams):,}, lost {len(lost)}, troubles {troubles}, bugs {bugs}"
    )
    return 1 if lost or troubles or bugs else 0


if __name__ == "__main__":
    sys.exit(main())
