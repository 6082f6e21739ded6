"""The CPU time of processes, read from /proc. Only Linux has /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


class NoSuchProcessError(Exception):
    """There is no process with this id, or no /proc.

    Attributes:
        pid: The id.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.pid = pid


@dataclass(frozen=True, slots=True)
class CpuTime:
    """CPU time in seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """User and system time together."""
        return self.user + self.system

    def since(self, before: "CpuTime") -> "CpuTime":
        """Return what was used after `before`."""
        return CpuTime(self.user - before.user, self.system - before.system)


def cpu_of(pids: Iterable[int]) -> CpuTime:
    """Return what these processes have used so far, with their threads and their children, running or ended.

    Raises:
        NoSuchProcessError: One of them does not exist.
    """
    user = system = 0
    named = set(pids)
    for pid in named | _descendants(named):
        try:
            stat = _stat(pid)
        except NoSuchProcessError:
            if pid in named:
                raise
            continue  # a child that has just ended: it is in its parent's figures
        times = [int(text) for text in stat[11:15]]  # utime, stime, and both of the children that have ended
        user += times[0] + times[2]
        system += times[1] + times[3]
    ticks = os.sysconf("SC_CLK_TCK")
    return CpuTime(user / ticks, system / ticks)


def ended_processes(pids: Iterable[int]) -> tuple[int, ...]:
    """Return those of these processes that have ended, zombies included."""
    return tuple(pid for pid in sorted(set(pids)) if _has_ended(pid))


def _has_ended(pid: int) -> bool:
    try:
        return _stat(pid)[0] in ("Z", "X")
    except NoSuchProcessError:
        return True


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, the state first. The name may contain spaces and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise NoSuchProcessError(pid) from None


def _descendants(pids: set[int]) -> set[int]:
    """Return their children, the children's children, and so on."""
    children: set[int] = set()
    for pid in pids:
        for file in (PROC / str(pid)).glob("task/*/children"):
            try:
                children |= set(map(int, file.read_text().split()))
            except OSError:
                continue  # a thread that has just ended
    return children | _descendants(children) if children else children
