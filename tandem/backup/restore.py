"""Restores a backup into a data folder, all files or none, while nothing else uses it.

The files are unpacked and checked in a draft folder inside the data folder. Renaming the draft to PENDING is the
commit point: before it the folder is unchanged; after it pending_restore.py moves files, which is idempotent. The
previous files are kept in a folder of their own.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem.backup.archive import Backup, KeyReference, open_backup
from tandem.backup.backup import fingerprint
from tandem.backup.pending_restore import NEW, OLD, PENDING, draft_name, move_into_place, sync_folder
from tandem.keys.keyring import KEY_VARIABLE, KeyFileError, has_key, load_keyring
from tandem.keys.secret import verify
from tandem.records.data_folder import make_private_folder
from tandem.records.folder_lock import exclusive_lock
from tandem.records.sqlite.data_file import (
    RECORDS,
    SQL_ERRORS,
    Counts,
    DataFile,
    check_integrity,
    check_schema,
    count,
)
from tandem.records.sqlite.sqlite_store import WAITING, StoreError, store_error
from tandem.records.visits import Team

MAX_LISTED = 10  # teams
SQLITE_LOCKS, SQLITE_LOCKS_SIZE = 1 << 30, 512  # SQLite locks these bytes of a file (its file format, "lock-byte page")


@dataclass(frozen=True, slots=True)
class KeyReport:
    """Whether the key in the folder matches the restored records."""

    place: str  # a path, or the name of a variable
    wanted: KeyReference | None  # the key of the backup, if it names one
    found: str  # the fingerprint of the key in place; "" if there is none
    fits: bool  # it is the key of the backup, or the keyring still holds that one
    error: str  # why the key cannot be used, or ""
    invalidated: int  # teams that wait for message 2 with a secret that the key does not accept
    named: Sequence[str]  # the first of them, CLASS/TEAM


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """The result of a restore."""

    made_at: str
    rows: dict[str, Counts]  # by file name
    kept: Sequence[str]  # existing files that the backup lacks, which stay unchanged
    previous_files: Path | None  # folder of the previous files; None: there were none
    locked: bool  # False: the file system has no locks, so a running server was not detected
    key: KeyReport | None  # None: no records were restored


def restore(source: Path, folder: Path, kinds: Sequence[DataFile], replace: bool) -> RestoreSummary:
    """Restore a backup into a data folder. Make a missing folder.

    Args:
        source: the backup.
        folder: the data folder.
        kinds: the kinds of files to restore.
        replace: move existing files out of the way.

    Raises:
        StoreError: the backup or the folder cannot be used. Then the folder is unchanged.
        KeyboardInterrupt: Ctrl-C, with a text if the restore is committed.
    """
    refusal = StoreError(f"a server, a board or another restore is using {folder}", "stop it, then restore")
    with closing(open_backup(source, kinds)) as backup, _made(folder), exclusive_lock(folder, refusal) as locked:
        try:
            move_into_place(folder)  # finish an interrupted restore
            if locked:
                _remove_drafts(folder)
            _check_replaceable(folder, backup.kinds, replace)
            _check_room(folder, backup.size)
            rows, key = _prepare(backup, source, folder)
            previous_files = move_into_place(folder)
        except OSError as error:
            raise StoreError(f"{source} cannot be restored into {folder}: {error.strerror or error}") from None
        except SQL_ERRORS as error:
            raise store_error(f"{source} cannot be restored into {folder}", error) from None
        except KeyboardInterrupt:
            if not os.path.lexists(folder / PENDING):
                raise  # nothing was changed
            raise KeyboardInterrupt(f"the next command over {folder} completes the restore") from None
    kept = [kind.name for kind in kinds if kind not in backup.kinds and (folder / kind.name).exists()]
    return RestoreSummary(backup.made_at, rows, kept, previous_files, locked, key)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make the data folder, for its owner alone. If the block fails, remove a new folder again."""
    try:
        is_new = not folder.exists()
        make_private_folder(folder)
    except OSError as error:
        raise StoreError(f"the data folder {folder} cannot be made: {error.strerror}") from None
    try:
        yield
    except BaseException:
        if is_new:
            try:
                folder.rmdir()
            except OSError:
                pass  # not empty: another process uses it
        raise


def _remove_drafts(folder: Path) -> None:
    """Remove the drafts of killed restores."""
    for draft in folder.glob("restore.*.draft"):
        shutil.rmtree(draft, ignore_errors=True)


def _check_replaceable(folder: Path, kinds: Sequence[DataFile], replace: bool) -> None:
    there = [kind.name for kind in kinds if os.path.lexists(folder / kind.name)]
    if there and not replace:
        raise StoreError(
            f"{folder} has {' and '.join(there)} already",
            f"--replace: the backup takes their place, and they are kept in {folder}/before-restore-DATE",
        )


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise StoreError(f"the backup needs {size:,} bytes in {folder}, where {free:,} are free")


def _prepare(backup: Backup, source: Path, folder: Path) -> tuple[dict[str, Counts], KeyReport | None]:
    """Unpack and check all files, and commit: after this, move_into_place finishes the restore."""
    draft = folder / draft_name()
    try:
        for made in (draft, draft / NEW, draft / OLD):
            made.mkdir(mode=0o700)
        rows = {kind.name: _unpack(backup, kind, draft / NEW, source) for kind in backup.kinds}
        key = _report_key(folder, draft / NEW / RECORDS.name, backup.key) if RECORDS in backup.kinds else None
        for kind in backup.kinds:
            _check_closed(folder / kind.name)
        _commit(draft, folder)
        return rows, key
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _unpack(backup: Backup, kind: DataFile, folder: Path, source: Path) -> Counts:
    """Unpack one file, check it, and bring it to today's schema."""
    path = folder / kind.name
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    backup.extract(kind, path)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            check_integrity(database, kind, source)
            kind.migrate(database)
            check_schema(database, kind, source)
            foreign = kind.find_foreign(database)
            if foreign:
                raise StoreError(f"{kind.name} in {source} is not one that tandem made: {foreign} has a foreign value")
            kind.leave_out(database)
            return count(database, kind)
    except SQL_ERRORS as error:
        raise store_error(f"{kind.name} in {source} is damaged", error) from None


def _report_key(folder: Path, records: Path, wanted: KeyReference | None) -> KeyReport:
    """Compare the key in place with the secrets of the teams that wait for message 2."""
    place = KEY_VARIABLE if KEY_VARIABLE in os.environ else str(folder / "key")
    keys, error = [], ""
    try:
        keys = load_keyring(folder).valid_keys(time.time()) if has_key(folder) else []
    except KeyFileError as unusable:
        error = str(unusable)
    invalidated, named = _invalidated(records, keys)
    found = [fingerprint(key) for key in keys]
    fits = bool(wanted and wanted.fingerprint in found)
    return KeyReport(place, wanted, found[0] if found else "", fits, error, invalidated, named)


def _invalidated(records: Path, keys: Sequence[bytes]) -> tuple[int, list[str]]:
    """Count the teams that wait for message 2 with a secret of none of the keys, and list the first ones."""
    query = """SELECT CAST(classname AS TEXT), CAST(teamname AS TEXT), CAST(studentnr1 AS TEXT),
        CAST(studentnr2 AS TEXT), CAST(secret AS TEXT) FROM team WHERE state = ? ORDER BY classname, teamname"""
    total, named = 0, list[str]()
    with closing(sqlite3.connect(records)) as database:
        for *team, secret in database.execute(query, (WAITING,)):
            if not verify(secret, Team(*team), keys):
                total += 1
                if len(named) < MAX_LISTED:
                    named.append(f"{team[0]}/{team[1]}")
    return total, named


def _check_closed(path: Path) -> None:
    """Raise StoreError if another program has a database open. It may not hold the lock of the folder.

    The file is not opened as a database, because SQLite would change the files beside it. Windows has no such locks,
    and does not move an open file.
    """
    try:
        import fcntl
    except ImportError:
        return
    try:
        file = path.open("r+b")
    except OSError:
        return  # missing, or not readable
    with file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SQLITE_LOCKS_SIZE, SQLITE_LOCKS)
        except (BlockingIOError, PermissionError):
            raise StoreError(
                f"{path} is in use", "stop the server and the board that run over it, then restore"
            ) from None
        except OSError:
            pass  # this file system has no such locks


def _commit(draft: Path, folder: Path) -> None:
    """Make the draft the pending restore: the commit point."""
    for path in (draft / NEW).iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    if os.name == "posix" and os.geteuid() == 0:  # restored by root: the server must be able to read it as before
        owner = folder.stat()
        for path in (draft, *draft.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    for made in (draft / NEW, draft / OLD, draft):
        sync_folder(made)
    draft.rename(folder / PENDING)
    sync_folder(folder)
