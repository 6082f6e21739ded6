"""Processes of the lab, from /proc: what they use, and ending those that nobody else ends."""

import ctypes
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessUse:
    """One process: its place in the tree, and its use of memory and CPU."""

    pid: int
    parent: int
    memory_bytes: int
    cpu_s: float


@dataclass(frozen=True)
class Use:
    """The use of all processes of a program together."""

    processes: int
    memory_bytes: int
    cpu_s: float  # of those that run; what ended is forgotten


def read_processes() -> list[ProcessUse]:
    """Return all processes of this process namespace."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found.append(parse_stat(Path("/proc", name, "stat").read_text(errors="replace")))
            except (OSError, ValueError, IndexError):
                pass  # it ended
    return found


def parse_stat(text: str) -> ProcessUse:
    """Read the content of /proc/PID/stat. The name in parentheses may contain anything."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    return ProcessUse(
        pid=int(before.partition(" ")[0]),
        parent=int(fields[1]),
        memory_bytes=int(fields[21]) * _PAGE,
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
    )


def use_of(root: int, processes: Iterable[ProcessUse]) -> Use:
    """Return what a process and its descendants use."""
    every = list(processes)
    below = descendants(root, every)
    own = [each for each in every if each.pid in below]
    return Use(len(own), sum(each.memory_bytes for each in own), sum(each.cpu_s for each in own))


def descendants(root: int, processes: Iterable[ProcessUse]) -> set[int]:
    """Return the ids of a process and all below it."""
    every = list(processes)
    below = {root}
    while more := {each.pid for each in every if each.parent in below} - below:
        below |= more
    return below


def adopt_orphans() -> None:
    """Make this process the parent of every process below it whose parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans(known: set[int]) -> None:
    """End all children of this process but the known ones, and theirs in turn, and wait until they are gone.

    A process whose parent ends becomes a child of the lab: the lab is the first process of its namespace, or asked
    for that (`adopt_orphans`).
    """
    own = os.getpid()
    while orphans := [each.pid for each in read_processes() if each.parent == own and each.pid not in known]:
        for pid in orphans:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass  # it ended
