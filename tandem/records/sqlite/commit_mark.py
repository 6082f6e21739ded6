"""The mark: how many commits the records are known to have, in a small file beside the database.

A write-ahead log that is deleted or emptied while no server runs leaves a database that is whole and lacks commits. The
mark tells. It is written after a commit is on disk, so the database is never behind it, and at most once in
MARK_INTERVAL_S. A mark that is missing, damaged, or of another database says nothing.
"""

import os
import re
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.data_folder import LAST_COMMIT_FILE
from tandem.records.sqlite.database_copy import how_to_restore, saved_copies
from tandem.records.sqlite.file_watch import Identity, connect_to_read, has_tables, read_identity

MARK_INTERVAL_S = 1.0
MAX_BYTES = 100
# Not through a symbolic link, and without waiting for the other end of a named pipe.
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FORM = re.compile(rb"([0-9a-f]{32}) ([0-9]{20})\n")


class ResultsGoneError(TandemError):
    """The database is missing or empty, and had commits."""


class CommitMark:
    """Writes the mark of one database."""

    def __init__(self, path: Path) -> None:
        """`path` is the main file of the database."""
        self._file = path.with_name(LAST_COMMIT_FILE)
        self._written = Identity("", 0, 0)
        self._next_s = 0.0  # time.monotonic()

    def update(self, identity: Identity, now: bool = False) -> None:
        """Write the mark if it is due, or `now`. It is a single write over the same bytes, without a wait."""
        if identity == self._written or (not now and time.monotonic() < self._next_s):
            return
        self._written, self._next_s = identity, time.monotonic() + MARK_INTERVAL_S
        with suppress(OSError):  # without a mark only the notice is lost
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | _SAFE, 0o600)
            try:
                os.write(descriptor, f"{identity.id} {identity.commits:020}\n".encode())
            finally:
                os.close(descriptor)


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
        descriptor = os.open(file, os.O_RDONLY | _SAFE)
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
