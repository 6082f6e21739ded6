"""How a process is: what Linux tells about it in /proc, and how large its database is."""

from dataclasses import dataclass
from pathlib import Path

from tandem.ground.store import FILE


@dataclass(frozen=True)
class Vitals:
    """At one moment. Sizes in bytes."""

    memory: int  # resident
    descriptors: int
    threads: int
    database: int
    wal: int


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
