"""The data folder: made for its owner alone, and refused where the system cannot keep it private.

Owns the rules for owner and mode of the folder, of the folders above it, and of the files in it. Knows nothing of the
content of the files.

One rule for owners: folder and files must belong to the user of the process. Root acts as the owner of the folder: it
may use the folder of another user, with a warning, and in it the files of that user. A file of a third user is refused.

One rule for modes: a warning if other users may write to a folder or file. A key that others have access to is refused.
"""

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.path_kind import FILE, FOLDER, path_kind

DATA_FILES = ("tandem.sqlite3", "board.sqlite3")  # a folder with one of these is a data folder
SIDE_FILES = ("-wal", "-shm", "-journal")  # files that SQLite may make beside each of them
KEY_FILE, KEY = "key", "key file"
HEARTBEAT_FILE = "heartbeat"
LAST_COMMIT_FILE = "last-commit"
ALL_FILES = (
    KEY_FILE,
    HEARTBEAT_FILE,
    LAST_COMMIT_FILE,
    *(name + suffix for name in DATA_FILES for suffix in ("", *SIDE_FILES)),
)
HAS_MODES = sys.platform != "win32"
OTHER_USERS = 0o077  # the bits of a mode that give other users access
OTHERS_WRITE = 0o022  # those that let them write
EVERYBODY_WRITES = 0o002


class DataFolderError(TandemError):
    """The data folder, or a private file in it, cannot be used."""


def check_data_folder(folder: Path, makes_private: bool) -> list[str]:
    """Check the owners and modes of a data folder, of its files and of the folders above it.

    Args:
        folder: the data folder. If it does not exist, only the folders above it are checked.
        makes_private: set the mode of the folder to 0700, unless it holds other things: then it may be shared on
            purpose. False if the command leaves the folder as it is.

    Returns:
        Warnings, one line each: print them.

    Raises:
        DataFolderError: the folder or a file belongs to another user, it cannot be read, or its file system has no
            modes and it has to be made private.
    """
    if not HAS_MODES:
        return []
    try:
        above = list(_movable_by_others(folder))
        return [*_check_existing(folder, makes_private), *above] if folder.exists() else above
    except OSError as error:
        raise DataFolderError(f"the data folder {folder} cannot be used: {error.strerror}") from None


def make_private_folder(folder: Path) -> None:
    """Make the data folder, or make an existing one private as `check_data_folder` does.

    Raises:
        DataFolderError: the folder belongs to another user, or its file system has no modes.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if HAS_MODES:
        _check_folder_owner(folder)
        if _is_ours_alone(folder):
            _make_private(folder)


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
    """Raise DataFolderError if others have access to a file, or own it. `words` names the file."""
    if not HAS_MODES:
        return
    kind = path_kind(path)
    if kind and kind != FILE:
        raise DataFolderError(f"the {words} {path} is {kind}, not a file", "move it away")
    check_file_owner(path, words)
    if not _mode(path) & OTHER_USERS:
        return
    if not supports_modes(path.parent):
        raise modes_unsupported(path.parent)
    raise DataFolderError(
        f"the {words} {path} can be {'read' if _mode(path) & 0o044 else 'used'} by others (mode {_mode(path):04o})",
        f"chmod 600 {path}; if it was read, `python3 -m tandem key rotate`",
    )


def check_file_owner(path: Path, words: str) -> None:
    """Raise DataFolderError if a file in the data folder belongs to another user; for root, to a third one."""
    _check_file_owner(path, words, path.stat().st_uid)


def _check_file_owner(path: Path, words: str, owner: int) -> None:
    we = os.geteuid()
    if owner == we or (we == 0 and owner == path.parent.stat().st_uid):
        return
    raise DataFolderError(
        f"the {words} {path} belongs to {user_name(owner)}, and this runs as {user_name(we)}",
        f"move it away; or, if you know how it got there, as root: chown {user_name(we)} {path}",
    )


def _check_folder_owner(folder: Path) -> list[str]:
    """Raise DataFolderError if the folder belongs to another user. For root, return a warning instead."""
    owner, we = folder.stat().st_uid, os.geteuid()
    if owner == we:
        return []
    what = f"the data folder {folder} belongs to {user_name(owner)}, and this runs as {user_name(we)}"
    if we == 0:
        return [str(DataFolderError(f"{what}: what it makes there belongs to root", f"run it as {user_name(owner)}"))]
    raise DataFolderError(what, f"run it as {user_name(owner)}; or give a --data that is your own")


def _check_existing(folder: Path, makes_private: bool) -> list[str]:
    """Return the warnings about the folder and its files."""
    warnings = _check_folder_owner(folder)
    databases = list[str]()
    for path, words, found in _files(folder):
        _check_file_owner(path, words, found.st_uid)
        mode = stat.S_IMODE(found.st_mode)
        if words != KEY and mode & OTHERS_WRITE:  # a key is checked when it is read
            what = f"the mode {mode:04o} of the {words} {path} lets other users write to it"
            databases.append(str(DataFolderError(what, f"chmod 600 {path}")))
    modes = [*_folder_mode(folder, makes_private), *databases]
    if modes and not supports_modes(folder):
        modes = [str(modes_unsupported(folder))]
    return warnings + modes


def _folder_mode(folder: Path, makes_private: bool) -> Iterator[str]:
    """Yield a warning if others may write to the folder, or could before it was made private."""
    mode = _mode(folder)
    if makes_private and _is_ours_alone(folder):
        _make_private(folder)
        if mode & OTHERS_WRITE:
            yield (
                f"other users could write to {folder} (mode {mode:04o}): its mode is 0700 now; check that the files in"
                " it are your own"
            )
    elif mode & OTHERS_WRITE:
        what = f"other users may write to {folder} (mode {mode:04o}): they can replace the results and the key"
        yield str(DataFolderError(what, f"chmod 700 {folder}"))


def _files(folder: Path) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Yield the files of a data folder that exist: path, kind in words, and status."""
    for name in ALL_FILES:
        with suppress(OSError):  # missing, also because a server has just removed it; or told by the code that opens it
            words = {KEY_FILE: KEY, HEARTBEAT_FILE: "heartbeat file"}.get(name, "database file")
            yield folder / name, words, (folder / name).stat()


def _movable_by_others(folder: Path) -> Iterator[str]:
    """Yield a warning for each folder above in which every user may rename what others have made."""
    real = Path(os.path.realpath(folder))
    for above in dict.fromkeys((*folder.absolute().parents, *real.parents)):
        mode = _mode(above) if above.exists() else 0
        if mode & EVERYBODY_WRITES and not mode & stat.S_ISVTX:
            what = f"every user may write to {above} (mode {mode:04o}), and can put another folder in place of {folder}"
            yield str(DataFolderError(what, f"chmod +t {above}, or a --data in another folder"))


def _is_ours_alone(folder: Path) -> bool:
    """Return whether this is a data folder, or only files of one are in it. Other folders may be shared on purpose."""
    names = {path.name for path in folder.iterdir()}
    return bool(names.intersection(DATA_FILES)) or names.issubset(ALL_FILES)


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
