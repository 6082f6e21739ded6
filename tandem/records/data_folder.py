"""The data folder: made for its owner alone, and refused where that cannot be had.

Owns the folder's owner and mode, and the owner and mode of a private file in it. Knows nothing of what the files hold.

The process's user must own folder and key. Root may use those of another user, as `tandem key rotate` by root does for
a service: `make_private_folder` says so in a warning.
"""

import os
import secrets
import stat
import sys
from pathlib import Path

OURS = ("tandem.sqlite3", "board.sqlite3")  # a folder with one of these is a data folder
HAS_MODES = sys.platform != "win32"
OTHERS = 0o077  # what a mode lets other users do


class DataFolderError(Exception):
    """The data folder, or a file in it, cannot be used; the text says why and what to try."""


def make_private_folder(folder: Path) -> list[str]:
    """Make the data folder, or check the one that is there. Return warnings, a line each.

    A folder that holds other things keeps its mode: it may be shared on purpose. Raise DataFolderError if the folder
    belongs to somebody else, or its file system keeps no modes. Raise OSError if it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not HAS_MODES:
        return []
    warnings = check_owner(folder, "data folder")
    names = {path.name for path in folder.iterdir()}
    if not names or names.intersection(OURS):
        _make_private(folder)
    elif folder.stat().st_mode & 0o022:
        warnings.append(
            f"other users may write to {folder} (mode {_mode(folder):04o}): they can replace the results and the key."
            f" Try: chmod 700 {folder}"
        )
    return warnings


def check_private_file(path: Path, words: str) -> None:
    """Raise DataFolderError if a file belongs to somebody else, or others may read it."""
    if not HAS_MODES:
        return
    if path.exists() and not path.is_file():
        raise DataFolderError(f"the {words} {path} is no file. Try: move it away")
    check_owner(path, words)
    if not _mode(path) & OTHERS:
        return
    if not keeps_modes(path.parent):
        raise no_modes(path.parent)
    raise DataFolderError(
        f"the {words} {path} can be read by others (mode {_mode(path):04o})."
        f" Try: chmod 600 {path}; if it was read, `tandem key rotate`"
    )


def check_owner(path: Path, words: str) -> list[str]:
    """Raise DataFolderError if a folder or file belongs to somebody else. For root, return a warning instead."""
    owner, we = path.stat().st_uid, os.geteuid()
    if owner == we:
        return []
    told = f"the {words} {path} belongs to {user_name(owner)}, and this runs as {user_name(we)}"
    if we == 0:
        return [f"{told}: what it makes there belongs to root. Try: run it as {user_name(owner)}"]
    raise DataFolderError(f"{told}. Try: run it as {user_name(owner)}; or give a --data that is your own")


def user_name(number: int) -> str:
    """The name of a user, or the number of one that has none."""
    import pwd  # there is none on Windows

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def keeps_modes(folder: Path) -> bool:
    """Whether the folder's file system keeps the mode of a file. True if no file can be made to find out."""
    probe = folder / f"mode.{secrets.token_hex(4)}.draft"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return True
    try:
        return not os.fstat(descriptor).st_mode & OTHERS
    finally:
        os.close(descriptor)
        probe.unlink()


def no_modes(folder: Path) -> DataFolderError:
    """The error for a file system that keeps no modes."""
    return DataFolderError(
        f"{folder} is on a file system that keeps no file modes, as FAT, exFAT and WSL's /mnt/c: every user of this"
        f" machine could read the key and the student numbers. Try: --data {_better_folder(folder)}"
    )


def _make_private(folder: Path) -> None:
    """Set the folder's mode. A file system without modes ignores that, or refuses it."""
    try:
        folder.chmod(0o700)
    except PermissionError:
        raise no_modes(folder) from None
    if _mode(folder) & OTHERS:
        raise no_modes(folder)


def _better_folder(folder: Path) -> str:
    """A folder on another file system, in the user's home if that is one."""
    try:
        home = Path.home()
        if home.stat().st_dev != folder.stat().st_dev:
            return str(home / "tandem-data")
    except (OSError, RuntimeError):
        pass
    return "a folder on a disk of Linux or macOS itself"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
