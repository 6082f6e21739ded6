"""The ground's keys: where they are kept, which one makes secrets, which older ones still check them.

The file `key` in the data folder has a key a line, in hex: the first makes the secrets; each other one was
made before, and stands behind the time until which its secrets still count. Readable by its owner alone.
Grounds that share their visits share their key: they have copies of one file, or one TANDEM_KEY.
"""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from tandem.protocol.errors import TandemError
from tandem.records.data_folder import DataFolderError, check_private_file

KEY_BYTES = 32
MAX_FILE = 65_536  # bytes of the file that are read: some 800 keys
LOCK_TIMEOUT = 5.0  # seconds to wait for another server that makes the key
LOCK_RETRY = 0.01  # seconds between two looks
KEY_VARIABLE = "TANDEM_KEY"  # in the environment: the key in hex, in the place of the file


class KeyFileError(TandemError):
    """The key cannot be used."""


@dataclass(frozen=True, slots=True)
class OldKey:
    """A key from before a rotation."""

    key: bytes
    until: int  # seconds since 1970: from then on its secrets do not count


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that makes secrets, and the older ones."""

    key: bytes
    old: tuple[OldKey, ...] = ()

    def checking(self, now: float) -> list[bytes]:
        """The keys whose secrets count now, the newest first."""
        return [self.key, *(old.key for old in self.old if now < old.until)]


def has_key(folder: Path) -> bool:
    """Whether there is a key already; if not, the first start makes one."""
    return KEY_VARIABLE in os.environ or (folder / "key").exists()


def load_keyring(folder: Path) -> Keyring:
    """The ground's keys: from TANDEM_KEY, or from the file in the folder, which is made at the first start.

    TANDEM_KEY stays in the environment: a ground's workers need it, too.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return Keyring(_parse_key(given, KEY_VARIABLE))
    path = folder / "key"
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be used: {error.strerror}") from None
    except DataFolderError as trouble:
        raise KeyFileError(trouble.what, trouble.help) from None


def rotate(folder: Path, valid: float) -> Keyring:
    """Makes a new key. The secrets made with the one before count for `valid` seconds more."""
    if KEY_VARIABLE in os.environ:
        raise KeyFileError(
            f"{KEY_VARIABLE} is set, and servers that have it read no key file",
            f"restart them all with a new {KEY_VARIABLE}, which ends all secrets made before;"
            f" or, to rotate the key file, unset {KEY_VARIABLE}",
        )
    path = folder / "key"
    try:
        return _rotate(path, valid)
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be used: {error.strerror}") from None
    except DataFolderError as trouble:
        raise KeyFileError(trouble.what, trouble.help) from None


def _rotate(path: Path, valid: float) -> Keyring:
    before = _read(path)
    now = time.time()
    kept = tuple(old for old in before.old if now < old.until)
    after = Keyring(secrets.token_bytes(KEY_BYTES), (OldKey(before.key, int(now + valid)), *kept))
    try:
        _put_in_place(path, after)
    except OSError as error:
        raise KeyFileError(
            f"the new key cannot be written to {path.parent}: {error.strerror}; the key before it still counts",
            "as the owner of the folder, on a disk with room",
        ) from None
    return after


def _put_in_place(path: Path, keyring: Keyring) -> None:
    draft = _draft(path, keyring)
    try:
        if hasattr(os, "chown") and os.geteuid() == 0:  # rotated by root: the ground must be able to read it as before
            owner = path.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _read(path: Path) -> Keyring:
    check_private_file(path, "key file")
    with path.open("rb") as file:
        text = file.read(MAX_FILE).decode("ascii", errors="replace")
    first, *rest = text.splitlines() or [""]
    old = []
    for line in rest:
        until, _, key = line.partition(" ")
        if not until.isdigit():
            raise KeyFileError(f"{path} is damaged: every line behind the first must be a time and a key")
        old.append(OldKey(_parse_key(key, str(path)), int(until)))
    return Keyring(_parse_key(first, str(path)), tuple(old))


def _make(path: Path) -> None:
    """The first key. Where several grounds start at once over one folder, one of them makes it for all."""
    draft = _draft(path, Keyring(secrets.token_bytes(KEY_BYTES)))
    try:
        check_private_file(draft, "key file")
        os.link(draft, path)  # unlike a rename, it never takes the place of another's
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        _rename_to_absent(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _rename_to_absent(draft: Path, path: Path) -> None:
    """Rename the draft to `path` unless that exists. A lock file keeps several servers from doing it at once."""
    lock = path.with_name("key.lock")
    until = time.monotonic() + LOCK_TIMEOUT
    while not path.exists():
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if time.monotonic() >= until:
                raise KeyFileError(
                    f"{lock} was left by a server that ended while it made the key", "delete it"
                ) from None
            time.sleep(LOCK_RETRY)
            continue
        try:
            if not path.exists():
                draft.replace(path)
        finally:
            lock.unlink()


def _draft(path: Path, keyring: Keyring) -> Path:
    """A whole file beside the one that is meant, readable by its owner alone."""
    draft = path.with_name(f"key.{secrets.token_hex(4)}.draft")  # process ids repeat from container to container
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(keyring.key.hex() + "\n")
            file.writelines(f"{old.until} {old.key.hex()}\n" for old in keyring.old)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _parse_key(text: str, source: str) -> bytes:
    """The key. The text never shows in an error: it may be a key, but for one digit."""
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
