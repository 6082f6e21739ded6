"""The mark beside the database, read: how many commits the records are known to have, and what is missing of them.

A write-ahead log that is deleted or emptied while no server runs leaves a database that is whole and lacks commits. The
mark tells. The store writes it after a commit is on disk (sqlite_store.py), so the database is never behind it. A mark
that is missing, damaged, or of another database says nothing.
"""

import os
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.data_folder import LAST_COMMIT_FILE
from tandem.records.sqlite.database_copy import how_to_restore, saved_copies
from tandem.records.sqlite.file_watch import connect_to_read, has_tables, read_identity

MAX_BYTES = 100
# Not through a symbolic link, and without waiting for the other end of a named pipe.
SAFE_OPEN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FORM = re.compile(rb"([0-9a-f]{32}) ([0-9]{20})\n")


class ResultsGoneError(TandemError):
    """The database is missing or empty, and had commits."""


def find_missing(path: Path) -> TandemError | None:
    """Return what a database lacks of the commits that it had, or None. Changes nothing.

    Args:
        path: its main file, which may be missing.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    mark = _read(path.with_name(LAST_COMMIT_FILE))  # before the database: a server may be committing
    if mark is None:
        return None
    name, commits, at = mark
    if _is_empty(path):
        return ResultsGoneError(
            f"the results are gone: {path} is missing or empty, and had {commits:,} commits at {at}", _help(path)
        )
    found = read_identity(path)
    if found.id != name or found.commits >= commits:
        return None
    return TandemError(
        f"results are missing: {path} has {found.commits:,} commits, and had {commits:,} at {at}. Its write-ahead log"
        f" {path.name}-wal was deleted, emptied or cut, or an older copy was put in its place",
        _help(path),
    )


def describe_saved(path: Path) -> TandemError | None:
    """Return the notice of a copy that a server saved when the files of its database were deleted, or None."""
    copies = saved_copies(path)
    if not copies:
        return None
    return TandemError(
        f"{copies[-1]} is what a server saved when files of its database were deleted or damaged",
        "delete it, unless results are missing that are in it (docs/backup.md)",
    )


def _is_empty(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return True
    with closing(connect_to_read(path)) as database:
        return not has_tables(database)


def _help(path: Path) -> str:
    copies = saved_copies(path)
    if copies:
        return how_to_restore(path, copies[-1])
    return (
        "stop the server and restore a backup that has them; or let the teams that are missing run both clients again"
    )


def _read(file: Path) -> tuple[str, int, str] | None:
    """Return the id of the database, its commits, and when the mark was written."""
    try:
        descriptor = os.open(file, os.O_RDONLY | SAFE_OPEN)
    except OSError:
        return None
    try:
        found = _FORM.fullmatch(os.read(descriptor, MAX_BYTES))
        written_s = os.fstat(descriptor).st_mtime
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if not found:
        return None
    at = datetime.fromtimestamp(written_s, UTC).isoformat(sep=" ", timespec="seconds")
    return found[1].decode(), int(found[2]), at
