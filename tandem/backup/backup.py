"""Makes a backup: one file with all data of a folder but the key, while servers and boards run.

Each database is copied as it is at one moment, checked, and stripped of what must not leave the folder. The backup
gets its name when it is complete and on disk. It replaces no other file.
"""

import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tandem import __version__
from tandem.backup.archive import KeyReference, Manifest, StoredFile, write_archive
from tandem.backup.pending_restore import sync_folder
from tandem.keys.keyring import KEY_VARIABLE, KeyFileError, has_key, load_keyring
from tandem.records.folder_lock import shared_lock
from tandem.records.path_kind import path_kind
from tandem.records.sqlite.data_file import (
    RECORDS,
    SQL_ERRORS,
    DataFile,
    check_integrity,
    count,
)
from tandem.records.sqlite.database_copy import LOCK_TIMEOUT_S, copy_database
from tandem.records.sqlite.file_watch import check_log
from tandem.records.sqlite.sqlite_store import StoreError, no_results, store_error

NEW_NAME = "the name of a new file"
ARCHIVE = "backup.zip"  # its name until it is complete


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """A backup that was made."""

    size: int
    manifest: Manifest
    missing: Sequence[str]  # files that the folder lacks
    key_error: str  # why the key cannot be read; "" if it can, or there is none


def make_backup(folder: Path, target: Path, kinds: Sequence[DataFile]) -> BackupSummary:
    """Write a backup of the folder to a new file, for its owner alone.

    The draft is in a folder of its own beside the target. A process that is killed leaves it there.

    Raises:
        StoreError: the folder cannot be read, or the file cannot be written. Then no file is left.
    """
    present = _present(folder, kinds)
    draft = target.parent / f"backup.{secrets.token_hex(4)}.draft"
    try:
        _check_absent(target)
        draft.mkdir(mode=0o700)
        with shared_lock(folder):
            key, key_error = name_key(folder)
            stored = [_store(folder, draft, kind) for kind in present]
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(f"tandem {__version__}", made_at, stored, key)
        _write(draft, manifest)
        size = (draft / ARCHIVE).stat().st_size
        _publish(draft / ARCHIVE, target)
        return BackupSummary(size, manifest, [kind.name for kind in kinds if kind not in present], key_error)
    except OSError as error:
        raise StoreError(f"the backup {target} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _present(folder: Path, kinds: Sequence[DataFile]) -> list[DataFile]:
    try:
        present = [kind for kind in kinds if (folder / kind.name).exists()]
    except OSError as error:
        raise StoreError(f"the data folder {folder} cannot be read: {error.strerror}") from None
    if not present:
        raise no_results(str(folder), f"--data {folder}")
    return present


def name_key(folder: Path) -> tuple[KeyReference | None, str]:
    """Return the key of the folder, if there is one, and why it cannot be read, or ""."""
    if not has_key(folder):
        return None, ""
    kept_in = KEY_VARIABLE if KEY_VARIABLE in os.environ else str((folder / "key").absolute())
    try:
        return KeyReference(fingerprint(load_keyring(folder).key), kept_in), ""
    except KeyFileError as error:
        return None, str(error)


def fingerprint(key: bytes) -> str:
    """Return a name for a key that reveals nothing of it."""
    return hashlib.sha256(b"tandem key fingerprint 1" + key).hexdigest()[:16]


def _store(folder: Path, draft: Path, kind: DataFile) -> StoredFile:
    """Copy one database to the draft, and check the copy."""
    try:
        return _copy(folder, draft / kind.name, kind)
    except SQL_ERRORS as error:
        raise store_error(f"{folder / kind.name} could not be copied", error) from None


def _copy(folder: Path, copied: Path, kind: DataFile) -> StoredFile:
    os.close(os.open(copied, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    uri = f"{(folder / kind.name).absolute().as_uri()}?mode=rw"  # never make a new one
    if kind is RECORDS:
        check_log(folder / kind.name)
    with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_S)) as source:
        copy_database(source, copied)
    with closing(sqlite3.connect(copied, isolation_level=None)) as copy:
        check_integrity(copy, kind, folder)
        kind.leave_out(copy)
        [schema] = copy.execute("PRAGMA user_version").fetchone()
        return StoredFile(kind.name, schema, count(copy, kind))


def _write(draft: Path, manifest: Manifest) -> None:
    """Write the archive, on disk when this returns."""
    descriptor = os.open(draft / ARCHIVE, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        write_archive(file, manifest, draft)
        file.flush()
        os.fsync(file.fileno())


def _publish(draft: Path, target: Path) -> None:
    """Give the complete file its name."""
    try:
        os.link(draft, target)  # unlike a rename, it never replaces a file
    except FileExistsError:
        _check_absent(target)
        raise
    except OSError:  # a file system without links
        _check_absent(target)
        draft.rename(target)
    sync_folder(target.parent)


def _check_absent(target: Path) -> None:
    if not target.name:
        raise StoreError(f"the backup {target} cannot be written: that is a folder", NEW_NAME)
    if os.path.lexists(target):
        raise StoreError(
            f"the backup {target} cannot be written: that is {path_kind(target)}, and a backup replaces nothing",
            NEW_NAME,
        )
