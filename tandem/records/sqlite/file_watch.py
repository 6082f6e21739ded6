"""Watches the three files of one SQLite database: the main file, its log (-wal) and the log's index (-shm).

SQLite does not notice when one of them is deleted, replaced or overwritten while it is in use. It goes on writing to
files that nobody will find, and the last connection that closes may copy a log into a main file that it does not
belong to. This module notices, and it closes a connection so that nothing gets worse.

Three kinds of facts are compared:

- Which file has the name: device and inode (os.stat).
- When a file was changed without us: size and time of change. A lawful change (another worker, a checkpoint, `forget`)
  is told from a foreign one by the next kind.
- The table `identity`: a random id of the database, the number of commits, and how many of them are known to be in
  the main file. The main file alone must have the same id, no fewer commits than are known to be in it, and no more
  than the database with its log has. An older copy in its place, or a log of another time, breaks one of these.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

try:
    import fcntl
except ImportError:  # Windows, where files that are open cannot be deleted or replaced
    fcntl = None  # type: ignore[assignment]

LOCK_TIMEOUT = 2.0  # seconds to wait for another process's lock, or until files that are being made are there
RETRY = 0.01  # seconds between two looks
TRIES = 5  # looks at the main file while another process may be copying its log into it

# Bytes that SQLite locks for as long as a connection is in use: in the main file and in the log's index.
_MAIN_LOCK = (0x40000002, 510)
_INDEX_LOCK = (128, 1)

# What SQLite says of damaged files. Its other errors (no memory, no descriptor, not readable) say nothing of them.
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT)

_COUNT = "UPDATE identity SET commits = commits + 1, checkpointed = max(checkpointed, ?)"
_COMMITS = "SELECT commits FROM identity"
_IDENTITY = "SELECT id, commits, checkpointed FROM identity"
_HAS_IDENTITY = "SELECT count(*) FROM sqlite_master WHERE name = 'identity'"


class DamagedFilesError(sqlite3.DatabaseError):
    """The files are not what they were, or do not belong together. The text says which, and what to try."""


class Identity(NamedTuple):
    """Which database it is, and how far it has come."""

    id: str  # random, made with the database; "" before schema version 3
    commits: int
    checkpointed: int  # commits that are known to be in the main file


class _Status(NamedTuple):
    """What os.stat tells of a file. A file that is not there has zeros."""

    device: int = 0
    inode: int = 0
    size: int = 0
    modified: int = 0  # nanoseconds
    changed: int = 0

    @property
    def is_there(self) -> bool:
        return self.inode != 0

    def is_same_file(self, other: "_Status") -> bool:
        return self[:2] == other[:2]


class DatabaseFiles:
    """The files of one database that is written. Use it in one thread only, and in this order:

    check_unused, then connect and migrate, then `opened`. For each transaction `check` and BEGIN IMMEDIATE, then
    `count`; after COMMIT `committed`. In the end `close`. Each may raise sqlite3.Error; after that nothing may be
    confirmed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = _names_of(path)
        self._keeper: sqlite3.Connection | None = None  # see `close`
        self._opened = self._statuses()
        self._main, self._log, self._index = self._opened  # as they were seen last
        self._in_main = self._last = self._counted = 0  # commits: in the main file, our last one, the one in hand

    def check_unused(self) -> None:
        """Raise DamagedFilesError if another process uses a log or an index of this database that has no name any more.

        Not while this process has the database open: closing a file drops every lock that SQLite has on it here.
        """
        check_main(self._path)
        until = time.monotonic() + LOCK_TIMEOUT
        while self._others_use_lost_files():
            if time.monotonic() >= until:
                raise DamagedFilesError(
                    f"a running server uses a {self._path.name}-wal or -shm that was deleted or replaced."
                    " Try: stop every server on this folder (SIGTERM: it saves what it has), then start again"
                )
            time.sleep(RETRY)

    def opened(self, database: sqlite3.Connection) -> None:
        """Remember what a connection has just opened, with today's schema."""
        if self._keeper is None:
            self._keeper = connect_to_read(self._path)
            self._keeper.execute(_COMMITS).fetchone()  # takes the lock
        self._opened = self._statuses()
        self._main, self._log, self._index = self._opened
        self._in_main = self._last = 0
        self._compare_with_main()
        [(self._last,)] = database.execute(_COMMITS)

    def check(self) -> tuple[_Status, _Status]:
        """Raise DamagedFilesError if a file was deleted or replaced, or the index was cut: SQLite would crash on it.

        Return the status of main file and log.
        """
        statuses = self._statuses()
        for name, now, then in zip(self._names, statuses, self._opened, strict=True):
            if not now.is_same_file(then):
                done = "replaced" if now.is_there else "deleted or moved"
                raise DamagedFilesError(
                    f"{name} was {done} while the server runs: nothing more is confirmed. Try: {self._help(name)}"
                )
        main, log, index = statuses
        if index.size < self._index.size:
            raise DamagedFilesError(
                f"{self._names[2]} was overwritten while the server runs: nothing more is confirmed. Try: stop every"
                " server on this folder, delete this file, and start again: nothing that was confirmed is lost"
            )
        self._index = index
        return main, log

    def count(self, database: sqlite3.Connection) -> None:
        """Call first in each transaction: check what was done since the last one, and count this one."""
        main, log = self.check()
        [(commits,)] = database.execute(_COMMITS)
        was_changed = main != self._main or (commits == self._last and log != self._log)
        if was_changed or commits < self._last:
            self._compare_with_main()
            self._main, self._log = main, log
        database.execute(_COUNT, (self._in_main,))
        self._counted = commits + 1

    def committed(self) -> None:
        """Call after COMMIT. If this raises, the transaction must not be confirmed."""
        main, log = self.check()
        self._last = self._counted
        if main != self._main:  # SQLite has copied its log into it, as it does every thousand pages
            self._compare_with_main()
        self._main, self._log = main, log

    def compare(self) -> None:
        """Raise DamagedFilesError if main file and log do not belong together, or are not those that were opened."""
        self.check()
        self._compare_with_main()

    def close(self, database: sqlite3.Connection) -> None:
        """Close the connection. Its log goes into the main file if the files are whole and nobody else uses them.

        SQLite does that when the last connection closes, and deletes the log: over damaged files it would destroy what
        was confirmed. So a second connection, which cannot write, is open for as long as the first. Where that one is
        closed last, everything stays as it is.
        """
        if self._keeper is None:
            database.close()
            return
        if self._may_checkpoint(database):
            self._keeper.close()
        database.close()
        self._keeper.close()
        self._keeper = None

    def _help(self, name: str) -> str:
        if name == self._names[0]:
            return "put the same file back; or stop the server, restore a backup, and start the server again"
        return "stop every server on this folder (SIGTERM: it saves what it has), then start again"

    def _may_checkpoint(self, database: sqlite3.Connection) -> bool:
        _, log, index = self._statuses()
        if not index.is_same_file(self._index) or index.size < self._index.size:
            return False
        try:
            if log.is_same_file(self._opened[1]):
                self._compare_with_main()
                return True
            return log.size == 0 and self._save_lost_log(database)
        except sqlite3.Error:
            return False

    def _save_lost_log(self, database: sqlite3.Connection) -> bool:
        """A log that was deleted is still open here: put what was confirmed last into the main file.

        Not if another process has written to a new log meanwhile: the index, which is shared, is of that one then.
        """
        if read_identity(self._path, main_only=True).commits < self._in_main:
            return False
        database.execute("PRAGMA wal_checkpoint").fetchone()
        return True

    def _compare_with_main(self) -> None:
        """Raise DamagedFilesError if main file and log on disk are not those that this connection knows."""
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
    """Return how many commits the main file has. Raise DamagedFilesError if main file and log do not belong together.

    in_main, last: commits that the main file alone, and both together, are known to have.
    """
    for number in range(TRIES):
        if number:
            time.sleep(RETRY)  # another process may be copying the log into the main file
        try:
            both = read_identity(path)
            main = read_identity(path, main_only=True)
            if main.commits > both.commits:
                both = read_identity(path)
        except DamagedFilesError:
            raise
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGE:
                raise
            why = str(error)
            continue
        if _belong_together(main, both) and main.commits >= in_main and both.commits >= last:
            return main.commits
        known = max(in_main, both.checkpointed)
        why = f"it has {main.commits:,} commits, had {known:,}, and has {both.commits:,} with its log"
    raise DamagedFilesError(
        f"it and {path.name}-wal do not belong together, or one is damaged ({why}). Was a copy put there by hand?"
        " Nothing was changed. Try: stop every server on this folder and put the right files back; or, to go on with"
        f" the copy, delete {path.name}-wal and -shm: what was confirmed after the copy is lost then"
    )


def _belong_together(main: Identity, both: Identity) -> bool:
    return main.id in ("", both.id) and both.checkpointed <= main.commits <= both.commits


def read_identity(path: Path, main_only: bool = False) -> Identity:
    """Read which database it is: with its log, or from the main file alone. Leaves no lock, and changes nothing."""
    with _opened(path, main_only) as database:
        if not database.execute(_HAS_IDENTITY).fetchone()[0]:
            return Identity("", 0, 0)
        rows = database.execute(_IDENTITY).fetchall()
        if len(rows) != 1 or [type(value) for value in rows[0]] != [str, int, int]:
            raise DamagedFilesError(
                f"{path} was changed by another program: its table identity is damaged. Try: restore a backup"
            )
        return Identity(*rows[0])


def count_commit(database: sqlite3.Connection) -> None:
    """Count a transaction of a program that is no server: a copy made before it is older from now on."""
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
    """Raise DamagedFilesError if there is a log without a main file, or if the main file is none.

    SQLite would delete the log, and wait for ever for a named pipe.
    """
    if path.exists() and not path.is_file():
        raise DamagedFilesError(f"{path} is no file. Try: move it away")
    main, log, _ = _names_of(path)
    log_size = _status(log).size  # first: of a new database the main file is there before the log
    if log_size and not _status(main).size:
        raise DamagedFilesError(
            f"{path} is missing or empty, and its log {path.name}-wal is there. Nothing was changed. Try: put the right"
            f" file back; or, to begin anew or with a backup, delete {path.name}-wal and -shm first"
        )


def _names_of(path: Path) -> tuple[str, str, str]:
    """Return the names of main file, log and index. SQLite keeps the others beside the file that a link leads to."""
    main = os.path.realpath(path)
    return main, f"{main}-wal", f"{main}-shm"


def connect_to_read(path: Path, options: str = "", timeout: float = LOCK_TIMEOUT) -> sqlite3.Connection:
    """A connection that only reads: it never puts a log into the main file."""
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
    """Whether another process has a lock on these bytes of a file."""
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
