"""Watches the three files of one SQLite database: the main file, its write-ahead log (-wal) and its index (-shm).

In this file "log" is the write-ahead log, never the log of the server.

SQLite does not notice when one of them is deleted, replaced or overwritten while it is in use. It keeps writing to
files without a name, and the last connection that closes may copy a log into a main file that it does not belong to.
This module detects it, and closes a connection without more damage. Knows no table but `identity`.

Three kinds of facts are compared:

- Which file has the name: device and inode (os.stat).
- Whether another process changed a file: size and time of change. The table `identity` tells a valid change (another
  worker, a checkpoint, `forget`) from a foreign one.
- The table `identity`: a random id of the database, the number of commits, and how many of them are known to be in
  the main file. The main file must have the same id. Its number of commits must be at least the number known to be in
  it, and at most the number that the database has together with its write-ahead log. An older copy in its place, or a
  log of another time, breaks one of these.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tandem.protocol.errors import TandemError
from tandem.records.path_kind import path_kind

try:
    import fcntl
except ImportError:  # Windows, where files that are open cannot be deleted or replaced
    fcntl = None  # type: ignore[assignment]

LOCK_TIMEOUT_S = 2.0  # to wait for the lock of another process, or for files that it is making
RETRY_S = 0.01  # between two tries
MAX_READS = 5  # of the main file, while another process may be copying its log into it

# Bytes that SQLite locks for as long as a connection is in use: in the main file and in the log's index.
_MAIN_LOCK = (0x40000002, 510)
_INDEX_LOCK = (128, 1)

# SQLite's errors for damaged files. Its other errors (no memory, no descriptor, not readable) do not mean damage.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)

_COUNT = "UPDATE identity SET commits = commits + 1, checkpointed = max(checkpointed, ?)"
_COMMITS = "SELECT commits FROM identity"
_IDENTITY = "SELECT id, commits, checkpointed FROM identity"
_HAS_IDENTITY = "SELECT count(*) FROM sqlite_master WHERE name = 'identity'"

STOP_AND_START = "stop every server on this folder (SIGTERM: it saves what it has), then start again"


class DamagedFilesError(TandemError, sqlite3.DatabaseError):
    """A file was deleted, replaced or overwritten, or the files do not belong together."""


class Identity(NamedTuple):
    """The row of the table `identity`: which database it is, and how many commits it has."""

    id: str  # random, made with the database; "" before schema version 3
    commits: int
    checkpointed: int  # commits that are known to be in the main file


class _Status(NamedTuple):
    """The facts of os.stat about a file. A missing file has zeros."""

    device: int = 0
    inode: int = 0
    size: int = 0
    modified: int = 0  # nanoseconds
    changed: int = 0

    @property
    def exists(self) -> bool:
        return self.inode != 0

    def is_same_file(self, other: "_Status") -> bool:
        return self[:2] == other[:2]


class DatabaseFiles:
    """The files of a database that this process writes. Use it in one thread only.

    Call `check_unused`, then connect and migrate, then `opened`. For each transaction call `check`, BEGIN IMMEDIATE,
    `count`, COMMIT and `committed`. Call `close` at the end. Each method may raise sqlite3.Error; then no result of
    the transaction may be confirmed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = _names_of(path)
        self._reader: sqlite3.Connection | None = None  # see `close`
        self._opened = self._statuses()
        self._main, self._log, self._index = self._opened  # as they were seen last
        self._in_main = self._last = self._counted = 0  # commits: in the main file, our last one, the one in hand

    def check_unused(self) -> None:
        """Raise DamagedFilesError if another process uses a deleted or replaced log or index of this database.

        Do not call it while this process has the database open: closing a file drops SQLite's locks on it.
        """
        check_main(self._path)
        until = time.monotonic() + LOCK_TIMEOUT_S
        while self._others_use_lost_files():
            if time.monotonic() >= until:
                raise DamagedFilesError(
                    f"a running server uses a {self._path.name}-wal or -shm that was deleted or replaced",
                    STOP_AND_START,
                )
            time.sleep(RETRY_S)

    def opened(self, database: sqlite3.Connection) -> None:
        """Remember the files that a connection has just opened. Its schema must be today's."""
        if self._reader is None:
            self._reader = connect_to_read(self._path)
            self._reader.execute(_COMMITS).fetchone()  # takes the lock
        self._opened = self._statuses()
        self._main, self._log, self._index = self._opened
        self._in_main = self._last = 0
        self._compare_with_main()
        [(self._last,)] = database.execute(_COMMITS)

    def check(self) -> tuple[_Status, _Status]:
        """Return the status of main file and log.

        Raises:
            DamagedFilesError: a file was deleted or replaced, or the index was cut, on which SQLite would crash.
        """
        statuses = self._statuses()
        for name, now, then in zip(self._names, statuses, self._opened, strict=True):
            if not now.is_same_file(then):
                done = "replaced" if now.exists else "deleted or moved"
                raise DamagedFilesError(
                    f"{name} was {done} while the server runs: nothing more is confirmed", self._help(name)
                )
        main, log, index = statuses
        if index.size < self._index.size:
            raise DamagedFilesError(
                f"{self._names[2]} was overwritten while the server runs: nothing more is confirmed",
                "stop every server on this folder, delete this file, and start again: no confirmed result is lost",
            )
        self._index = index
        return main, log

    def count(self, database: sqlite3.Connection) -> None:
        """Check what happened since the last transaction, and count this one. Call it first in each transaction."""
        main, log = self.check()
        [(commits,)] = database.execute(_COMMITS)
        was_changed = main != self._main or (commits == self._last and log != self._log)
        if was_changed or commits < self._last:
            self._compare_with_main()
            self._main, self._log = main, log
        database.execute(_COUNT, (self._in_main,))
        self._counted = commits + 1

    def committed(self) -> None:
        """Check the files after COMMIT. If this raises, the transaction must not be confirmed."""
        main, log = self.check()
        self._last = self._counted
        if main != self._main:  # SQLite has copied its log into it, as it does every thousand pages
            self._compare_with_main()
        self._main, self._log = main, log

    def compare(self) -> None:
        """Raise DamagedFilesError if main file and log do not belong together, or are not the opened ones."""
        self.check()
        self._compare_with_main()

    def close(self, database: sqlite3.Connection) -> None:
        """Close the connection. Its log goes into the main file if the files are intact and nobody else uses them.

        SQLite does that when the last connection closes, and deletes the log: over damaged files it would destroy
        confirmed results. So a second, read-only connection stays open as long as the first. If it closes last, all
        files stay unchanged.
        """
        if self._reader is None:
            database.close()
            return
        if self._may_checkpoint(database):
            self._reader.close()
        database.close()
        self._reader.close()
        self._reader = None

    def _help(self, name: str) -> str:
        if name == self._names[0]:
            return "put the same file back; or stop the server, restore a backup, and start the server again"
        return STOP_AND_START

    def _may_checkpoint(self, database: sqlite3.Connection) -> bool:
        _, log, index = self._statuses()
        if not index.is_same_file(self._index) or index.size < self._index.size:
            return False
        try:
            if log.is_same_file(self._opened[1]):
                self._compare_with_main()
                return True
            return log.size == 0 and self._checkpoint_deleted_log(database)
        except sqlite3.Error:
            return False

    def _checkpoint_deleted_log(self, database: sqlite3.Connection) -> bool:
        """Copy a deleted log, which is still open here, into the main file. Return whether it was safe to do.

        It is not if another process has written to a new log meanwhile: the shared index belongs to that log.
        """
        if read_identity(self._path, main_only=True).commits < self._in_main:
            return False
        database.execute("PRAGMA wal_checkpoint").fetchone()
        return True

    def _compare_with_main(self) -> None:
        """Raise DamagedFilesError if main file and log on disk are not the ones of this connection."""
        self._in_main = check_log(self._path, self._in_main, self._last)

    def _statuses(self) -> tuple[_Status, _Status, _Status]:
        main, log, index = map(_status, self._names)
        return main, log, index

    def _others_use_lost_files(self) -> bool:
        main, log, index = self._names
        if not _is_locked(main, *_MAIN_LOCK):
            return False
        return not (os.path.exists(log) and _is_locked(index, *_INDEX_LOCK))


def check_log(path: Path, in_main: int = 0, last: int = 0) -> int:
    """Return how many commits the main file has.

    Args:
        path: the main file.
        in_main: commits that the main file alone is known to have.
        last: commits that main file and log together are known to have.

    Raises:
        DamagedFilesError: main file and log do not belong together.
    """
    for number in range(MAX_READS):
        if number:
            time.sleep(RETRY_S)  # another process may be copying the log into the main file
        try:
            both = read_identity(path)
            main = read_identity(path, main_only=True)
            if main.commits > both.commits:
                both = read_identity(path)
        except DamagedFilesError:
            raise
        except sqlite3.DatabaseError as error:
            if not _says_damage(error):
                raise
            why = str(error)
            continue
        if _belong_together(main, both) and main.commits >= in_main and both.commits >= last:
            return main.commits
        known = max(in_main, both.checkpointed)
        why = f"it has {main.commits:,} commits, had {known:,}, and has {both.commits:,} with its write-ahead log"
    raise DamagedFilesError(
        f"it and {path.name}-wal do not belong together, or one is damaged ({why}). Was a copy put there by hand?"
        " Nothing was changed",
        "stop every server on this folder and put the right files back; or, to go on with the copy, delete"
        f" {path.name}-wal and -shm: what was confirmed after the copy is lost then",
    )


def _says_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether SQLite says that the files are damaged. It calls a file that was cut a short read."""
    return error.sqlite_errorcode & 0xFF in _DAMAGE or error.sqlite_errorcode == sqlite3.SQLITE_IOERR_SHORT_READ


def _belong_together(main: Identity, both: Identity) -> bool:
    return main.id in ("", both.id) and both.checkpointed <= main.commits <= both.commits


def read_identity(path: Path, main_only: bool = False) -> Identity:
    """Read the identity with the log, or from the main file alone. Leaves no lock, and changes nothing."""
    with _opened(path, main_only) as database:
        if not database.execute(_HAS_IDENTITY).fetchone()[0]:
            return Identity("", 0, 0)
        rows = database.execute(_IDENTITY).fetchall()
        if len(rows) != 1 or [type(value) for value in rows[0]] != [str, int, int]:
            raise DamagedFilesError(
                f"{path} was changed by another program: its table identity is damaged", "restore a backup"
            )
        return Identity(*rows[0])


def count_commit(database: sqlite3.Connection) -> None:
    """Count a transaction of a command other than the server, so that an earlier copy is older."""
    if database.execute(_HAS_IDENTITY).fetchone()[0]:
        database.execute(_COUNT, (0,))


@contextmanager
def _opened(path: Path, main_only: bool) -> Iterator[sqlite3.Connection]:
    database = connect_to_read(path, "&immutable=1" if main_only else "")  # immutable: without log and locks
    try:
        yield database
    finally:
        database.close()


def check_main(path: Path) -> None:
    """Raise DamagedFilesError if there is a log without a main file, or if the main file is something else than a file.

    SQLite would delete the log, and wait for ever for a named pipe.
    """
    if path.exists() and not path.is_file():
        raise DamagedFilesError(f"{path} is {path_kind(path)}, not a file", "move it away")
    main, log, _ = _names_of(path)
    log_size = _status(log).size  # first: of a new database the main file is there before the log
    if log_size and not _status(main).size:
        raise DamagedFilesError(
            f"{path} is missing or empty, and its write-ahead log {path.name}-wal is there. Nothing was changed",
            f"put the right file back; or, to begin anew or with a backup, delete {path.name}-wal and -shm first",
        )


def _names_of(path: Path) -> tuple[str, str, str]:
    """Return the names of main file, log and index. SQLite keeps the others beside the file that a link leads to."""
    main = os.path.realpath(path)
    return main, f"{main}-wal", f"{main}-shm"


def connect_to_read(path: Path, options: str = "", timeout: float = LOCK_TIMEOUT_S) -> sqlite3.Connection:
    """Open a read-only connection: it never copies a log into the main file. `timeout` is in seconds."""
    check_main(path)
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro{options}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )


def _status(name: str) -> _Status:
    try:
        found = os.stat(name)
    except OSError:
        return _Status()
    return _Status(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _is_locked(name: str, start: int, length: int) -> bool:
    """Return whether another process has a lock on these bytes of a file."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(name, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)
