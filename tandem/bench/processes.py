"""The CPU time of a server's processes, as Linux tells it in /proc. Other systems have no such place."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


class NoSuchProcess(Exception):
    """Nothing is known of a process. Fact: its id."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU time in seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        return self.user + self.system

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(self.user - before.user, self.system - before.system)


def cpu_of(pids: Iterable[int]) -> Cpu:
    """What these processes have used so far: all their threads, and their children, running or over.

    Raises NoSuchProcess.
    """
    user = system = 0
    named = set(pids)
    for pid in named | _descendants(named):
        try:
            told = _stat(pid)
        except NoSuchProcess:
            if pid in named:
                raise
            continue  # a child that has just ended: its parent's figures have it
        times = [int(text) for text in told[11:15]]  # utime, stime, and the same of children that are over
        user += times[0] + times[2]
        system += times[1] + times[3]
    ticks = os.sysconf("SC_CLK_TCK")
    return Cpu(user / ticks, system / ticks)


def ended(pids: Iterable[int]) -> tuple[int, ...]:
    """Those of these processes that are over, whether or not their parents have taken note of it."""
    return tuple(pid for pid in sorted(set(pids)) if _is_over(pid))


def _is_over(pid: int) -> bool:
    try:
        return _stat(pid)[0] in ("Z", "X")
    except NoSuchProcess:
        return True


def _stat(pid: int) -> list[str]:
    """What stands behind the name, which may hold anything: the state first. Raises NoSuchProcess."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise NoSuchProcess(pid) from None


def _descendants(pids: set[int]) -> set[int]:
    """Their children, the children's children, and so on."""
    children: set[int] = set()
    for pid in pids:
        for file in (PROC / str(pid)).glob("task/*/children"):
            try:
                children |= set(map(int, file.read_text().split()))
            except OSError:
                continue  # a thread that has just ended
    return children | _descendants(children) if children else children
