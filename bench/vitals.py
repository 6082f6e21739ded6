"""Figures of a process from Linux's /proc, and the size of its database."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tandem.bench.processes import cpu_of
from tandem.records.sqlite.sqlite_store import FILE


@dataclass(frozen=True)
class Vitals:
    """At one moment. Sizes in bytes."""

    memory: int  # resident
    descriptors: int
    threads: int
    database: int
    wal: int


@dataclass(frozen=True)
class CpuTime:
    """CPU time in seconds of a process, its threads and its children so far.

    `total` is exact. `user` and `system` are counted in hundredths of a second: they serve to divide it.
    """

    total: float
    user: float
    system: float


def vitals(pid: int, data: Path) -> Vitals:
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Vitals(
        memory=int(told["VmRSS"].split()[0]) * 1024,
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(told["Threads"]),
        database=size(data / FILE),
        wal=size(data / f"{FILE}-wal"),
    )


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def cpu_time(pid: int) -> CpuTime:
    """Read the CPU time of a process and its running children. Raises NoSuchProcess."""
    counted = cpu_of([pid])
    return CpuTime(sum(map(_cpu_clock, _with_children(pid))), counted.user, counted.system)


def _cpu_clock(pid: int) -> float:
    """CPU time of a process, ended threads included, from the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime((~pid << 3) | 2)


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _with_children(int(child))
