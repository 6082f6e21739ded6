"""Copies a database: for a backup, or to save one whose files were deleted or damaged under a running server.

The open connection still reads deleted files, and it has the latest pages in memory. A saved copy gets its name when it
is complete, checked and on disk.
"""

import os
import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

LOCK_TIMEOUT_S = 30.0  # to wait for the lock of another program
_SAVED = ".saved-"  # in the name of a saved copy


class NotSavedError(Exception):
    """No copy could be saved. str() says why."""


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database, as it is at one moment, to an empty file without write-ahead log or index.

    Raises:
        sqlite3.Error: the copy failed, or another program kept the source locked for LOCK_TIMEOUT_S.
    """
    until = time.monotonic() + LOCK_TIMEOUT_S

    def check_time(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")

    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy, progress=check_time)
        copy.execute("PRAGMA journal_mode = DELETE")


def save_copy(database: sqlite3.Connection, path: Path, commits: int) -> Path:
    """Copy the database of an open connection beside `path`, its main file. Return the copy.

    Several workers save the same content under the same name.

    Args:
        database: the connection. It must not be in a transaction.
        path: the name of the main file, which may be gone.
        commits: how many commits the copy must have.

    Raises:
        NotSavedError: not all of it can be read any more, or the copy cannot be written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.draft")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy_database(database, draft)
        name, has = _check_copy(draft)
        if has < commits:
            raise NotSavedError(f"{has:,} of {commits:,} commits can be read")
        saved = path.with_name(f"{path.name}{_SAVED}{name[:8]}-{has}")
        draft.replace(saved)
    except (OSError, sqlite3.Error) as error:
        raise NotSavedError(getattr(error, "strerror", None) or str(error)) from None
    finally:
        draft.unlink(missing_ok=True)
    return saved


def _check_copy(path: Path) -> tuple[str, int]:
    """Return the id of a copied database and the number of its commits. Raises sqlite3.Error if it is damaged."""
    with closing(sqlite3.connect(path)) as copy:
        [(found,)] = copy.execute("PRAGMA quick_check(1)")
        if found != "ok":
            raise sqlite3.DatabaseError("what is left of it is damaged")
        [(name, commits)] = copy.execute("SELECT id, commits FROM identity")
        return name, commits


def saved_copies(path: Path) -> list[Path]:
    """Return the copies beside a main file, the one saved last at the end."""
    return sorted(path.parent.glob(f"{path.name}{_SAVED}*"), key=lambda copy: copy.stat().st_mtime)


def how_to_restore(path: Path, copy: Path) -> str:
    """Return the advice for a saved copy."""
    return (
        f"stop every server and board on this folder, then `tandem restore --replace --data {path.parent} {copy}`;"
        " delete the copy when it is not needed any more"
    )
