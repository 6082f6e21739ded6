"""A copy of the records, made while the ground runs."""

import errno
import os
import secrets
import sqlite3
from contextlib import suppress
from pathlib import Path

from tandem.ground.store import FILE, StoreTrouble, check_version

PATIENCE = 30.0  # seconds to wait for a running ground's commits


def backup(folder: Path, target: Path) -> int:
    """Writes the whole database, as it is at one moment, to a new file for its owner alone; returns its bytes.

    The key is not in it. To restore, while no ground runs on DIR: delete DIR/tandem.sqlite3-wal and -shm, if they
    are there, and copy the file to DIR/tandem.sqlite3. What has the name is whole: it is a draft until then.
    """
    source = _open(folder)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.draft")
    try:
        _check_absent(target)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft)
        _check_absent(target)
        return draft.rename(target).stat().st_size
    except OSError as error:
        raise StoreTrouble(f"the backup {target} cannot be written: {error.strerror}") from None
    except sqlite3.Error as error:
        raise StoreTrouble(f"the backup {target} could not be made: {error}") from None
    finally:
        source.close()
        with suppress(OSError):  # what cannot be made need not be removed
            draft.unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """The whole database to a file, on disk when this returns."""
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all in the one file, nothing beside it
    finally:
        copy.close()
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _check_absent(target: Path) -> None:
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    if not path.exists():
        raise StoreTrouble(f"there are no results in {folder}: no ground has run with --data {folder}")
    try:
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        check_version(database, path)
    except sqlite3.Error as error:
        raise StoreTrouble(f"{path} cannot be used: {error}") from None
    return database
