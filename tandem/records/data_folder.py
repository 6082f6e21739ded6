"""The data folder: made for its owner alone, and refused where the system cannot keep it private.

Owns the rules for owner and mode of the folder and of a private file in it. Knows nothing of the content of the files.

The user of the process must own folder and key. Root may use those of another user, as `tandem key rotate` by root
does for a service: `make_private_folder` returns a warning then.
"""

import os
import secrets
import stat
import sys
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.path_kind import FILE, FOLDER, path_kind

DATA_FILES = ("tandem.sqlite3", "board.sqlite3")  # a folder with one of these is a data folder
HAS_MODES = sys.platform != "win32"
OTHER_USERS = 0o077  # the bits of a mode that give other users access


class DataFolderError(TandemError):
    """The data folder, or a private file in it, cannot be used."""


def make_private_folder(folder: Path) -> list[str]:
    """Make the data folder, or check an existing one. Return warnings, one line each: print them.

    A folder that holds other things keeps its mode: it may be shared on purpose.

    Raises:
        DataFolderError: the folder belongs to another user, or its file system has no modes.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not HAS_MODES:
        return []
    warnings = check_owner(folder, "data folder")
    names = {path.name for path in folder.iterdir()}
    if not names or names.intersection(DATA_FILES):
        _make_private(folder)
    elif folder.stat().st_mode & 0o022:
        warning = DataFolderError(
            f"other users may write to {folder} (mode {_mode(folder):04o}): they can replace the results and the key",
            f"chmod 700 {folder}",
        )
        warnings.append(str(warning))
    return warnings


def check_is_folder(folder: Path) -> None:
    """Raise DataFolderError if something else has the name of the data folder, or of a folder above it."""
    for path in (folder, *folder.parents):
        try:
            kind = path_kind(path)
        except OSError as error:
            raise DataFolderError(f"the data folder {folder} cannot be used: {error.strerror}") from None
        if kind == FOLDER:
            return
        if kind:
            raise DataFolderError(f"{path} is {kind}, not a folder", "a --data that is a folder, or can be made one")


def check_private_file(path: Path, words: str) -> None:
    """Raise DataFolderError if a file belongs to another user, or others may read it. `words` names the file."""
    if not HAS_MODES:
        return
    kind = path_kind(path)
    if kind and kind != FILE:
        raise DataFolderError(f"the {words} {path} is {kind}, not a file", "move it away")
    check_owner(path, words)
    if not _mode(path) & OTHER_USERS:
        return
    if not supports_modes(path.parent):
        raise modes_unsupported(path.parent)
    raise DataFolderError(
        f"the {words} {path} can be read by others (mode {_mode(path):04o})",
        f"chmod 600 {path}; if it was read, `python3 -m tandem key rotate`",
    )


def check_owner(path: Path, words: str) -> list[str]:
    """Raise DataFolderError if a folder or file belongs to another user. For root, return a warning instead."""
    owner, we = path.stat().st_uid, os.geteuid()
    if owner == we:
        return []
    what = f"the {words} {path} belongs to {user_name(owner)}, and this runs as {user_name(we)}"
    if we == 0:
        return [str(DataFolderError(f"{what}: what it makes there belongs to root", f"run it as {user_name(owner)}"))]
    raise DataFolderError(what, f"run it as {user_name(owner)}; or give a --data that is your own")


def user_name(number: int) -> str:
    """Return the name of a user, or "user NUMBER" without one."""
    import pwd  # there is none on Windows

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def supports_modes(folder: Path) -> bool:
    """Return whether the file system keeps the mode of a file. True if no file can be made to try it."""
    probe = folder / f"mode.{secrets.token_hex(4)}.draft"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return True
    try:
        return not os.fstat(descriptor).st_mode & OTHER_USERS
    finally:
        os.close(descriptor)
        probe.unlink()


def modes_unsupported(folder: Path) -> DataFolderError:
    """Return the error for a file system without modes."""
    return DataFolderError(
        f"{folder} is on a file system that keeps no file modes, as FAT, exFAT and WSL's /mnt/c: every user of this"
        " machine could read the key and the student numbers",
        f"--data {_better_folder(folder)}",
    )


def _make_private(folder: Path) -> None:
    """Set the folder's mode. A file system without modes ignores that, or refuses it."""
    try:
        folder.chmod(0o700)
    except PermissionError:
        raise modes_unsupported(folder) from None
    if _mode(folder) & OTHER_USERS:
        raise modes_unsupported(folder)


def _better_folder(folder: Path) -> str:
    """Suggest a folder on another file system: in the home of the user, if that is one."""
    try:
        home = Path.home()
        if home.stat().st_dev != folder.stat().st_dev:
            return str(home / "tandem-data")
    except (OSError, RuntimeError):
        pass
    return "a folder on a disk of Linux or macOS itself"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
