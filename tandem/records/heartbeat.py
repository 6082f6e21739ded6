"""The heartbeat of the servers over one data folder: the time of an empty file, which each of them sets every second.

A board reads it to tell whether a server runs. Servers over PostgreSQL write a row instead (visits.Heartbeat).
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from tandem.records.data_folder import HAS_MODES, HEARTBEAT_FILE, DataFolderError, check_file_owner
from tandem.records.path_kind import path_kind

FILE = HEARTBEAT_FILE
# Not through a symbolic link, and without waiting for the reader of a named pipe.
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FOLLOWS_LINKS = os.utime not in os.supports_follow_symlinks


def check_heartbeat(folder: Path) -> None:
    """Raise DataFolderError if something else has the name of the file, or if it belongs to another user."""
    path = folder / FILE
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_file():
        kind = "a symbolic link" if path.is_symlink() else path_kind(path)
        raise DataFolderError(f"the heartbeat file {path} is {kind}, not a file", "move it away")
    if HAS_MODES:
        check_file_owner(path, "heartbeat file")


def create_heartbeat(folder: Path) -> None:
    """Create the file in an existing folder, for its owner alone. Where that is not possible, there is no heartbeat."""
    with suppress(OSError):
        os.close(os.open(folder / FILE, _CREATE_FLAGS, 0o600))
    beat(folder)


def beat(folder: Path) -> None:
    """Set the time of the file to now. A file that is gone stays so: the folder may be another one by now."""
    with suppress(OSError):
        os.utime(folder / FILE, follow_symlinks=_FOLLOWS_LINKS)


def heartbeat_age_s(folder: Path) -> float | None:
    """Return the seconds since the last heartbeat; None if no server has run over this folder."""
    try:
        return time.time() - (folder / FILE).lstat().st_mtime
    except OSError:
        return None
