"""One run of the load against one server: what is measured, and how.

The load is a program in C, bench/peers/load.c: a load in Python costs more than the servers and measures itself. Every
run uses teams that no other run has.
"""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import PEERS, ContenderError, Running, built, pinned
from bench.vitals import cpu_time, vitals

COUNT = 8_000  # exchanges that are measured
MAX_COUNT = 1_000_000  # of load.c
MAX_CONCURRENCY = 4_096
CONCURRENCY = 64
WARM_UP = 500  # exchanges that are not measured
TIME_LIMIT = 60  # seconds for one run of the load
TAG_BITS = 31


@dataclass(frozen=True)
class Result:
    """The figures of one server in one run."""

    rate: float  # exchanges a second
    p50: float  # ms for an exchange, from connecting to the end of the second visit
    p99: float
    user: float  # µs of CPU for an exchange, of all processes and threads of the server
    system: float
    memory: int  # bytes, resident in the server at the end
    finished: int
    failed: int

    @property
    def cpu(self) -> float:
        return self.user + self.system


@dataclass(frozen=True)
class Load:
    """The program, and how it is run."""

    program: Path
    cpu: int | None  # that it is pinned to
    count: int = COUNT
    concurrency: int = CONCURRENCY

    def measure(self, server: Running) -> Result:
        """Load the server, after a warm-up. Raises ContenderError."""
        self.warm_up(server)
        before = cpu_time(server.pid)
        told = self._run(server, self.count)
        after = cpu_time(server.pid)
        cpu = (after.total - before.total) * 1e6 / told["finished"]
        user, system = after.user - before.user, after.system - before.system
        user_share = user / ((user + system) or 1.0)
        return Result(
            rate=told["finished"] / told["seconds"],
            p50=told["p50_ms"],
            p99=told["p99_ms"],
            user=cpu * user_share,
            system=cpu * (1.0 - user_share),
            memory=vitals(server.pid, server.folder).memory,
            finished=told["finished"],
            failed=told["failed"],
        )

    def warm_up(self, server: Running) -> None:
        self._run(server, WARM_UP)

    def _run(self, server: Running, count: int) -> dict[str, Any]:
        """The report of the load."""
        numbers = count, self.concurrency, secrets.randbits(TAG_BITS), TIME_LIMIT
        command = [*pinned(self.cpu), str(self.program), server.address, *map(str, numbers)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ContenderError(f"the load on {server.name} did not run: {done.stderr.strip()}")
        told: dict[str, Any] = json.loads(done.stdout)
        if not told["finished"]:
            raise ContenderError(f"no exchange with {server.name} finished: {told['first_failure']}")
        return told


def build_load(folder: Path, cpu: int | None, count: int = COUNT, concurrency: int = CONCURRENCY) -> Load:
    """The load, built into the folder. Raises ContenderError."""
    return Load(built(PEERS / "load.c", folder), cpu, count, concurrency)
