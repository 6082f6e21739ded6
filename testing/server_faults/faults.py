"""Causes that keep a server from writing. Each is a context manager that removes the cause at its end."""

import errno
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.records.sqlite.sqlite_store import FILE
from testing.processes import RunningServer

WAL = FILE + "-wal"
INDEX = FILE + "-shm"


@contextmanager
def locked(running: RunningServer) -> Iterator[None]:
    """Let another program hold the lock of the database."""
    other = sqlite3.connect(running.data / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def full_disk(running: RunningServer) -> Iterator[None]:
    """Fill the disk to its last block. The data folder must be on a small file system."""
    filler = running.data / "filler"
    fill(filler)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def no_writing(running: RunningServer) -> Iterator[None]:
    """Let the system refuse every byte that would make a file longer, as a quota does."""
    pid = running.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def moved_away(running: RunningServer) -> Iterator[None]:
    """Give the database another name, as somebody who tidies up."""
    yield from _renamed(running, FILE)


@contextmanager
def log_moved_away(running: RunningServer) -> Iterator[None]:
    """Give only SQLite's log another name. The newest commits are in it."""
    yield from _renamed(running, WAL)


@contextmanager
def index_moved_away(running: RunningServer) -> Iterator[None]:
    """Give only the index of SQLite's log another name. Another process would make a new one, and overwrite commits."""
    yield from _renamed(running, INDEX)


@contextmanager
def replaced(running: RunningServer) -> Iterator[None]:
    """Put another file in place of the database, as an editor or a synchronising program does."""
    path = running.data / FILE
    aside = path.with_name("aside")
    path.rename(aside)
    path.write_bytes(aside.read_bytes())
    try:
        yield
    finally:
        aside.replace(path)


def _renamed(running: RunningServer, name: str) -> Iterator[None]:
    path = running.data / name
    aside = path.with_name("aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.replace(path)


@contextmanager
def damaged(running: RunningServer) -> Iterator[None]:
    """Overwrite the database's pages with rubbish. The server notices where it has them not in memory."""
    path = running.data / FILE
    whole = path.read_bytes()
    overwrite(path, b"\xa5" * len(whole))
    try:
        yield
    finally:
        overwrite(path, whole)


def overwrite(path: Path, data: bytes) -> None:
    """Write into the file that is there. It stays the same file."""
    with path.open("r+b") as file:
        file.write(data)


def fill(filler: Path) -> None:
    """Make this file as large as its file system lets it become."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def mount(*words: str) -> None:
    """Run the command `mount`.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    subprocess.run(("mount", *words), check=True, capture_output=True, text=True)
