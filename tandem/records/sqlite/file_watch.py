"""Watches the three files of one SQLite database: the main file, its write-ahead log (-wal) and its index (-shm).

In this file "log" is the write-ahead log, never the log of the server.

SQLite does not notice when one of them is deleted, replaced or overwritten while it is in use. It keeps writing to
files without a name, and the last connection that closes may copy a log into a main file that it does not belong to.
This module detects it, saves what the open connection still has, and closes it without more damage. Knows no table but
`identity`.

Four kinds of facts are compared:

- Which file has the name: device and inode (os.stat).
- Whether another process changed a file: size and time of change. The table `identity` tells a valid change (another
  worker, a checkpoint, `forget`) from a foreign one.
- How long the log must be: the index has the number of its frames. SQLite would go on behind the end of a log that was
  cut, and the next start would not read what is there.
- The table `identity`: a random id of the database, the number of commits, and how many of them are known to be in
  the main file. The main file must have the same id. Its number of commits must be at least the number known to be in
  it, and at most the number that the database has together with its write-ahead log. An older copy in its place, or a
  log of another time, breaks one of these.
"""

import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tandem.protocol.errors import TandemError
from tandem.records.path_kind import path_kind
from tandem.records.sqlite.database_copy import NotSavedError, how_to_restore, save_copy

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

# The index begins with its version, an unused word, a counter, two flags, the size of a page and the number of frames
# in the log, in the byte order of the machine. The log has 32 bytes, then 24 bytes and a page for each frame.
_INDEX_HEAD = struct.Struct("=3I2BHI")
_LOG_HEAD_BYTES, _FRAME_HEAD_BYTES = 32, 24

# SQLite's errors for damaged files. Its other errors (no memory, no descriptor, not readable) do not mean damage.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)

_COUNT = "UPDATE identity SET commits = commits + 1, checkpointed = max(checkpointed, ?)"
_COMMITS = "SELECT commits FROM identity"
_IDENTITY = "SELECT id, commits, checkpointed FROM identity"
_HAS_IDENTITY = "SELECT count(*) FROM sqlite_master WHERE name = 'identity'"

STOP_AND_START = "stop every server on this folder (SIGTERM), then start again"


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
    """The files of a database that this process writes. Never use it in two threads at once.

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
        self._id = ""
        # Descriptors. That of the folder tells whether it was deleted or only moved. That of the index must not be
        # closed before the database: closing a file drops SQLite's locks on it.
        self._folder: int | None = None
        self._index_file: int | None = None
        self._rescued: tuple[str, DamagedFilesError] | None = None  # the last damage, and what was done about it
        self._copy: Path | None = None  # that was saved because of it

    @property
    def identity(self) -> Identity:
        """Return the identity of the database with the last commit that is known."""
        return Identity(self._id, self._last, self._in_main)

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
        [(self._id, self._last, _)] = database.execute(_IDENTITY)
        if self._folder is None and fcntl is not None:
            self._folder = os.open(self._path.parent, os.O_RDONLY)
            self._index_file = os.open(self._names[2], os.O_RDONLY)
        if self._copy:  # the files are there again, with all that was committed
            self._copy.unlink(missing_ok=True)
        self._rescued = self._copy = None

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
                "stop every server on this folder, delete this file, and start again",
            )
        self._index = index
        return main, log

    def count(self, database: sqlite3.Connection) -> None:
        """Check what happened since the last transaction, and count this one. Call it first in each transaction."""
        main, log = self.check()
        self._check_log_length()
        [(commits,)] = database.execute(_COMMITS)
        was_changed = main != self._main or (commits == self._last and log != self._log)
        if was_changed or commits < self._last:
            self._compare_with_main()
            self._main, self._log = main, log
        if commits < self._in_main:
            raise sqlite3.OperationalError("another server has saved its commits in the main file, which is read anew")
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
        self._check_log_length()
        self._compare_with_main()

    def rescue(self, database: sqlite3.Connection, damage: DamagedFilesError) -> DamagedFilesError:
        """Save what was confirmed, once for each damage. Return the error that says where it is and what to do.

        The connection must not be in a transaction. It still has the deleted files open.
        """
        if self._rescued and self._rescued[0] == damage.what:
            return self._rescued[1]
        try:
            told = self._save(database, damage)
        except (NotSavedError, sqlite3.Error) as error:
            told = DamagedFilesError(f"{damage.what}. Not all that was confirmed could be saved: {error}", damage.help)
        self._rescued = damage.what, told
        return told

    def close(self, database: sqlite3.Connection) -> None:
        """Close the connection. Its log goes into the main file if the files are intact and nobody else uses them.

        SQLite does that when the last connection closes, and deletes the log: over damaged files it would destroy
        confirmed results. So a second, read-only connection stays open as long as the first. If it closes last, all
        files stay unchanged.

        Raises:
            DamagedFilesError: the files were damaged since the last check. What could be saved is saved.
        """
        before = self._rescued
        if self._reader and self._is_intact(database):
            self._reader.close()
        database.close()
        if self._reader:
            self._reader.close()
            self._reader = None
        for descriptor in (self._folder, self._index_file):
            if descriptor is not None:
                os.close(descriptor)
        self._folder = self._index_file = None
        if self._rescued and self._rescued != before:
            raise self._rescued[1]

    def _is_intact(self, database: sqlite3.Connection) -> bool:
        """Compare the files for the last time. Save what is at risk."""
        try:
            self.compare()
            return True
        except DamagedFilesError as error:
            self.rescue(database, error)
        except sqlite3.Error:
            pass
        return False

    def _save(self, database: sqlite3.Connection, damage: DamagedFilesError) -> DamagedFilesError:
        main, log, index = self._statuses()
        has_main, has_log, has_index = map(_Status.is_same_file, (main, log, index), self._opened)
        is_cut = has_index and index.size < self._index.size
        is_whole = has_main and has_log and main.size >= self._main.size and log.size >= self._log.size
        if is_whole and (is_cut or not has_index):
            return DamagedFilesError(f"{damage.what}. All that was confirmed is in the other two files", damage.help)
        if log.size and not has_log and self._is_complete():
            return DamagedFilesError(damage.what, STOP_AND_START)
        if is_cut:
            raise NotSavedError(f"{self._names[2]} was overwritten")  # SQLite would crash on it
        if has_main and not has_log and not log.size and self._checkpoint_deleted_log(database):
            return DamagedFilesError(f"{damage.what}. All that was confirmed is in {self._path} now", STOP_AND_START)
        if not self._make_folder():
            return damage  # it was moved, with the files in it
        self._copy = save_copy(database, self._path, self._last)
        return DamagedFilesError(
            f"{damage.what}. All that was confirmed is saved in {self._copy}", how_to_restore(self._path, self._copy)
        )

    def _is_complete(self) -> bool:
        """Return whether the files that have the names now are copies with everything."""
        try:
            check_log(self._path, self._in_main, self._last)
            return read_identity(self._path).id == self._id
        except sqlite3.Error:
            return False

    def _make_folder(self) -> bool:
        """Make the folder again if it was deleted. Return False if it was moved: then its name is left free."""
        if self._path.parent.exists():
            return True
        if self._folder is None or os.fstat(self._folder).st_nlink:
            return False
        try:
            self._path.parent.mkdir(mode=0o700)
        except OSError as error:
            raise NotSavedError(error.strerror) from None
        return True

    def _help(self, name: str) -> str:
        if name == self._names[0]:
            return "put the same file back; or stop the server, restore a backup, and start the server again"
        return STOP_AND_START

    def _checkpoint_deleted_log(self, database: sqlite3.Connection) -> bool:
        """Copy a deleted log, which is still open here, into the main file. Return whether all of it is there now.

        It must not be done if another process has written to a new log meanwhile, or to the main file.
        """
        main = read_identity(self._path, main_only=True)
        if main.id not in ("", self._id) or main.commits < self._in_main:
            return False
        for number in range(MAX_READS):
            if number:
                time.sleep(RETRY_S)  # another worker may be doing the same
            [(busy, pages, copied)] = database.execute("PRAGMA wal_checkpoint")
            if not busy and pages == copied:
                return read_identity(self._path, main_only=True).commits >= self._last
        return False

    def _check_log_length(self) -> None:
        """Raise DamagedFilesError if the log is shorter than its index says."""
        for number in range(MAX_READS):
            if number:
                time.sleep(RETRY_S)  # `forget` may be emptying it, unless this connection is in a transaction
            needed = self._needed_log_size()
            if _status(self._names[1]).size >= needed:
                return
        raise DamagedFilesError(
            f"{self._names[1]} was cut or emptied while the server runs: nothing more is confirmed",
            "stop every server on this folder, then start again: the start tells what is missing",
        )

    def _needed_log_size(self) -> int:
        if self._index_file is None:
            return 0
        head = os.pread(self._index_file, _INDEX_HEAD.size, 0)
        if len(head) < _INDEX_HEAD.size:
            return 0
        *_, page_bytes, frames = _INDEX_HEAD.unpack(head)
        return _LOG_HEAD_BYTES + int(frames) * (_FRAME_HEAD_BYTES + int(page_bytes)) if frames else 0

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


def has_tables(database: sqlite3.Connection) -> bool:
    """Return whether a database has any tables."""
    return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


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
