"""The server's keys: where they are stored, which one makes secrets, which older ones still verify them.

Owns the file `key` in the data folder. It has one key a line, in hex. The first line makes secrets. Each further line
is an older key after the time at which it expires. Only the owner of the file can read it. Servers that share their
records share their key: copies of one file, or one TANDEM_KEY.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.data_folder import DATA_FILES, KEY, DataFolderError, check_private_file

KEY_BYTES = 32
MAX_OLD_KEYS = 500  # each costs time at every wrong secret
MAX_FILE_BYTES = 65_536  # read from the key file, whose lines have some 76 bytes
LOCK_TIMEOUT = 5.0  # seconds to wait for another process that makes or rotates the key
LOCK_RETRY_DELAY = 0.01  # seconds between two checks of the lock file
KEY_VARIABLE = "TANDEM_KEY"  # environment variable: the key in hex, instead of the file


class KeyFileError(TandemError):
    """The key cannot be used."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """A key that a rotation has replaced. It verifies secrets until it expires."""

    key: bytes
    expires_s: int  # seconds since 1970: from then on its secrets are invalid


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that makes secrets, and the older keys that still verify them."""

    key: bytes
    old: tuple[OldKey, ...] = ()

    def valid_keys(self, now: float) -> list[bytes]:
        """Return the keys that verify secrets at `now` (seconds since 1970), the newest first."""
        return [self.key, *(old.key for old in self.old if now < old.expires_s)]


def has_key(folder: Path) -> bool:
    """Return whether there is a key. If not, the first start of a server makes one."""
    return KEY_VARIABLE in os.environ or os.path.lexists(folder / "key")


def load_keyring(folder: Path) -> Keyring:
    """Return the server's keys: from TANDEM_KEY, else from the file in the folder, which is made if it is absent.

    TANDEM_KEY stays in the environment: the worker processes need it, too.

    Raises:
        KeyFileError: the key cannot be read, made or trusted.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return Keyring(_parse_key(given, KEY_VARIABLE))
    path = folder / "key"
    try:
        if not os.path.lexists(path):
            _create(path)
        return _read(path)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be used: {error.strerror}") from None
    except DataFolderError as error:
        raise KeyFileError(error.what, error.help) from None


def rotate(folder: Path, valid_s: float) -> Keyring:
    """Replace the key in the file. The old key verifies secrets for `valid_s` seconds more. Restart the servers then.

    Rotations at the same time wait for each other, so each old key is kept. If the key of a folder with records is
    lost, make a new one alone.

    Raises:
        KeyFileError: TANDEM_KEY is set, the clock is wrong, or the file cannot be read or written. The old key stays
            in use.
    """
    if KEY_VARIABLE in os.environ:
        raise KeyFileError(
            f"{KEY_VARIABLE} is set, and servers that have it read no key file",
            f"restart them all with a new {KEY_VARIABLE}, which ends all secrets made before;"
            f" or, to rotate the key file, unset {KEY_VARIABLE}",
        )
    path = folder / "key"
    is_lost = not os.path.lexists(path)
    if is_lost and not (folder / DATA_FILES[0]).exists():
        missing = f"key in {folder}" if folder.is_dir() else f"folder {folder}"
        raise KeyFileError(f"there is no {missing}", "the --data of a server: its first start makes the key")
    try:
        if is_lost:
            _create(path)
            return _read(path)
        return _rotate(path, valid_s)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be used: {error.strerror}") from None
    except DataFolderError as error:
        raise KeyFileError(error.what, error.help) from None


def _rotate(path: Path, valid_s: float) -> Keyring:
    _read(path)  # raises what is wrong with the old key before anything is written
    try:
        with _locked(path):
            after = _rotated(_read(path), time.time(), valid_s)
            _replace_file(path, after)
    except OSError as error:
        raise KeyFileError(
            f"the new key cannot be written to {path.parent}: {error.strerror}; the old key stays in use",
            "as the owner of the folder, on a disk with room",
        ) from None
    return after


def _rotated(before: Keyring, now: float, valid_s: float) -> Keyring:
    """Return the keyring after a rotation at `now` (seconds since 1970)."""
    if now < 0:
        raise KeyFileError("the clock of this machine is before 1970; the old key stays in use", "set the clock")
    unexpired = tuple(old for old in before.old if now < old.expires_s)
    if len(unexpired) >= MAX_OLD_KEYS:
        raise KeyFileError(
            f"{len(unexpired)} older keys are still valid, and there may be {MAX_OLD_KEYS}; the key stays in use",
            "again after one of them has expired; the key file has the times, in seconds since 1970",
        )
    return Keyring(secrets.token_bytes(KEY_BYTES), (OldKey(before.key, int(now + valid_s)), *unexpired))


def _replace_file(path: Path, keyring: Keyring) -> None:
    draft = _draft(path, keyring)
    try:
        if hasattr(os, "chown") and os.geteuid() == 0:  # rotated by root: the server must still be able to read it
            owner = path.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _read(path: Path) -> Keyring:
    check_private_file(path, KEY)
    with path.open("rb") as file:
        text = file.read(MAX_FILE_BYTES).decode("ascii", errors="replace")
    first, *rest = text.splitlines() or [""]
    old = []
    for line in rest:
        expires_s, _, key = line.partition(" ")
        if not expires_s.isdigit():
            raise KeyFileError(f"{path} is damaged: every line after the first must be a time and a key")
        old.append(OldKey(_parse_key(key, str(path)), int(expires_s)))
    return Keyring(_parse_key(first, str(path)), tuple(old))


def _create(path: Path) -> None:
    """Make the first key. If several servers start at once over one folder, one of them makes it for all."""
    draft = _draft(path, Keyring(secrets.token_bytes(KEY_BYTES)))
    try:
        check_private_file(draft, KEY)
        os.link(draft, path)  # unlike a rename, a link never replaces a file
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        _rename_to_absent(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _rename_to_absent(draft: Path, path: Path) -> None:
    """Rename the draft to `path` unless that exists."""
    with _locked(path):
        if not path.exists():
            draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file beside the key while the block runs: one process at a time changes the key.

    It is no flock(), which some file systems and Windows lack. A process that is killed leaves the file.

    Raises:
        KeyFileError: another process has held it for LOCK_TIMEOUT.
    """
    lock = path.with_name("key.lock")
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            if time.monotonic() >= deadline:
                raise KeyFileError(
                    f"{lock} is there: another process changes the key, or was killed while it did",
                    "delete it, unless a server is starting or `tandem key rotate` is running",
                ) from None
            time.sleep(LOCK_RETRY_DELAY)
    try:
        yield
    finally:
        lock.unlink()


def _draft(path: Path, keyring: Keyring) -> Path:
    """Write a complete key file beside `path`, readable by its owner alone. Return its path."""
    draft = path.with_name(f"key.{secrets.token_hex(4)}.draft")  # process ids repeat from container to container
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(keyring.key.hex() + "\n")
            file.writelines(f"{old.expires_s} {old.key.hex()}\n" for old in keyring.old)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _parse_key(text: str, source: str) -> bytes:
    """Parse a hex key. The error never quotes the text: it may be a real key with a typing error."""
    text = text.strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        not_all = "" if key or not text else ", not all of them hex digits in pairs"
        raise KeyFileError(
            f"{source} does not hold a key: {len(text)} characters are there{not_all}",
            f"{2 * KEY_BYTES} hex digits, as `openssl rand -hex {KEY_BYTES}` makes them, the same on every server",
        )
    return key
