"""The lock of a data folder: servers and boards hold it shared while they run, a restore holds it exclusively.

It is flock() on the folder itself. No file is left behind, the system releases it however a process ends, and the
workers of a server share the lock that their supervisor took. Windows and some network file systems have no such
lock: there a restore relies on the locks of SQLite, and Windows does not move an open file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tandem.records.sqlite.sqlite_store import StoreError


@contextmanager
def shared_lock(folder: Path) -> Iterator[None]:
    """Hold the folder shared while the block runs, so that no restore changes it. Make a missing folder.

    A folder that cannot be made or opened is not locked: the caller fails on it with a better message.

    Raises:
        StoreError: a restore is running.
    """
    refusal = StoreError(f"a restore into {folder} is running", "the same command when it is done")
    with _locked(folder, shared=True, refusal=refusal):
        yield


@contextmanager
def exclusive_lock(folder: Path, refusal: StoreError) -> Iterator[bool]:
    """Hold the folder exclusively while the block runs. Yield False where the file system has no such lock.

    Raises:
        StoreError: `refusal`, because a server, a board or another restore holds it.
    """
    with _locked(folder, shared=False, refusal=refusal) as locked:
        yield locked


@contextmanager
def _locked(folder: Path, shared: bool, refusal: StoreError) -> Iterator[bool]:
    descriptor = _open(folder)
    if descriptor is None:
        yield False
        return
    try:
        yield _flock(descriptor, shared, refusal)
    finally:
        os.close(descriptor)  # and the lock with it, unless a worker has it still


def _open(folder: Path) -> int | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return None


def _flock(descriptor: int, shared: bool, refusal: StoreError) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise refusal from None
    except OSError:  # this file system has no such lock
        return False
    return True
