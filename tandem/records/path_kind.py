"""The kind of file at a path, in words: for errors about a path that is there and cannot be used."""

import errno
import os
import stat
from pathlib import Path

FILE, FOLDER, PIPE, DEVICE = "a file", "a folder", "a named pipe", "a device"
_KINDS = (
    (stat.S_ISDIR, FOLDER),
    (stat.S_ISREG, FILE),
    (stat.S_ISFIFO, PIPE),
    (stat.S_ISSOCK, "a socket"),
)
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def path_kind(path: Path) -> str:
    """Return what is at the path, as "a socket", or "" if nothing is there. Follow symbolic links.

    Raises:
        OSError: the system does not tell, for example because the name is too long.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno not in _NOTHING_THERE:
            raise
        return _broken_link(path, error)
    return next((words for is_kind, words in _KINDS if is_kind(mode)), DEVICE)


def reason(path: Path, error: OSError) -> str:
    """Return why the path could not be opened: what is there, if that is the reason, else the words of the system."""
    if error.errno in (errno.ENXIO, errno.ENOENT, errno.ELOOP):  # of a pipe without a reader, a socket, or a link
        try:
            kind = path_kind(path)
        except OSError:
            kind = ""
        if kind:
            return f"it is {kind}{' that no program reads' if kind == PIPE else ''}"
    return str(error.strerror)


def _broken_link(path: Path, error: OSError) -> str:
    if not os.path.islink(path):
        return ""
    if error.errno == errno.ELOOP:
        return "a symbolic link that leads back to itself"
    return f"a broken symbolic link (to {os.readlink(path)})"
