"""The last part of a restore: moves files that are ready into their place, and can be done again.

A restore that is ready to be finished is the folder PENDING in a data folder, with the files to be put in place in NEW
and those that were there before in OLD. A restore that was killed is finished by the next tandem command.
"""

import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from tandem.records.folder_lock import not_in_use
from tandem.records.sqlite.sqlite_store import StoreError

PENDING = "restore.pending"
NEW, OLD = "new", "old"
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite may keep beside a database


def finish_restore(folder: Path) -> None:
    """Finish a restore that was interrupted. Call it before anything in the folder is opened. Raise StoreError."""
    if not os.path.isdir(folder / PENDING):
        return
    refusal = StoreError(
        f"a restore into {folder} is running, or was interrupted while a server ran", "stop the server, then try again"
    )
    with not_in_use(folder, refusal):
        try:
            put_in_place(folder)
        except OSError as error:
            raise StoreError(f"an interrupted restore in {folder} cannot be finished: {error.strerror}") from None


def put_in_place(folder: Path) -> Path | None:
    """Do what is left of a restore; return where the old files are, if there were any.

    The caller has the folder alone. Every step may have been done before: what is in NEW is not in place yet.
    """
    pending = folder / PENDING
    if not pending.is_dir():
        return None
    for path in sorted((pending / NEW).iterdir()):
        _replace(folder, path, pending / OLD)
    aside = None
    if (pending / OLD).is_dir() and any((pending / OLD).iterdir()):
        aside = _unused(folder, f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        (pending / OLD).rename(aside)
    done = folder / draft_name()  # a folder is removed file by file: from here on it is not the pending one
    pending.rename(done)
    sync_folder(folder)
    shutil.rmtree(done, ignore_errors=True)
    return aside


def draft_name() -> str:
    """Name a folder that the next restore removes, should this one be killed."""
    return f"restore.{secrets.token_hex(4)}.draft"


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Put one file in place. What was there is in the folder `old` before: no database meets another's log."""
    for name in (new.name, *(f"{new.name}{suffix}" for suffix in BESIDE)):
        if os.path.lexists(folder / name):
            os.replace(folder / name, old / name)
    sync_folder(old)
    sync_folder(folder)
    os.replace(new, folder / new.name)
    sync_folder(folder)


def _unused(folder: Path, name: str) -> Path:
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}"
    return path


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on disk. Windows cannot open a folder, and needs no such wait."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
