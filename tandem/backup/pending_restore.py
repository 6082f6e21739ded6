"""The last step of a restore: moves the new files into place. It is idempotent.

A pending restore is the folder PENDING in a data folder, with the new files in NEW and the previous ones in OLD. If the
process is killed, the next tandem command finishes the restore.
"""

import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from tandem.records.data_folder import SIDE_FILES
from tandem.records.folder_lock import exclusive_lock
from tandem.records.sqlite.sqlite_store import StoreError

PENDING = "restore.pending"
NEW, OLD = "new", "old"


def finish_restore(folder: Path) -> None:
    """Finish an interrupted restore. Call it before a file in the folder is opened.

    Raises:
        StoreError: a server runs over the folder, a file cannot be moved, or PENDING is not from a restore.
    """
    if not os.path.lexists(folder / PENDING):
        return
    refusal = StoreError(
        f"a restore into {folder} is running, or was interrupted while a server ran", "stop the server, then try again"
    )
    with exclusive_lock(folder, refusal):
        try:
            move_into_place(folder)
        except OSError as error:
            raise StoreError(f"an interrupted restore in {folder} cannot be finished: {error.strerror}") from None


def move_into_place(folder: Path) -> Path | None:
    """Finish a pending restore. Return the folder of the previous files, if there were any.

    The caller must hold the exclusive lock. Each step may have been done before: files in NEW are not yet in place.

    Raises:
        OSError: a file cannot be moved. Call it again.
        StoreError: PENDING is not from a restore.
    """
    pending = folder / PENDING
    if not os.path.lexists(pending):
        return None
    if not (pending / NEW).is_dir():  # a restore makes it before it commits
        raise StoreError(
            f"{pending} is not from a restore: there is no folder {NEW} in it; nothing was changed", "move it away"
        )
    for path in sorted((pending / NEW).iterdir()):
        _replace(folder, path, pending / OLD)
    previous_files = None
    if (pending / OLD).is_dir() and any((pending / OLD).iterdir()):
        previous_files = _unused(folder, f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        (pending / OLD).rename(previous_files)
    done = folder / draft_name()  # removing a folder is not atomic: rename it first
    pending.rename(done)
    sync_folder(folder)
    shutil.rmtree(done, ignore_errors=True)
    return previous_files


def draft_name() -> str:
    """Return a new name for a draft folder, which the next restore removes if this process is killed."""
    return f"restore.{secrets.token_hex(4)}.draft"


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Move one file into place, after the previous ones are in `old`: no database meets the log of another."""
    for name in (new.name, *(f"{new.name}{suffix}" for suffix in SIDE_FILES)):
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
    """Wait until the names in the folder are on disk. Windows cannot open a folder, and does not need it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
