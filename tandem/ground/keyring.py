"""The ground's keys: where they are kept, which one makes secrets, which older ones still check them.

The file `key` in the data folder has a key a line, in hex: the first makes the secrets; each other one was
made before, and stands before the time until which its secrets still count. Readable by its owner alone.
"""

import os
import secrets
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32
KEY_VARIABLE = "TANDEM_KEY"  # in the environment: the key in hex, in the place of the file


class KeyTrouble(Exception):
    """The key cannot be used; the text says why and what to try."""


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


def load_keyring(folder: Path) -> Keyring:
    """The ground's keys: from TANDEM_KEY, or from the file in the folder, which is made at the first start."""
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return Keyring(_parse_key(given, KEY_VARIABLE))
    path = folder / "key"
    try:
        if not path.exists():
            _write(path, Keyring(secrets.token_bytes(KEY_BYTES)))
        return _read(path)
    except OSError as error:
        raise KeyTrouble(f"the key file {path} cannot be used: {error.strerror}") from None


def rotate(folder: Path, valid: float) -> Keyring:
    """Makes a new key. The secrets made with the one before count for `valid` seconds more."""
    path = folder / "key"
    try:
        before = _read(path)
    except OSError as error:
        raise KeyTrouble(f"the key file {path} cannot be used: {error.strerror}") from None
    now = time.time()
    kept = tuple(old for old in before.old if now < old.until)
    after = Keyring(secrets.token_bytes(KEY_BYTES), (OldKey(before.key, int(now + valid)), *kept))
    _write(path, after)
    return after


def _read(path: Path) -> Keyring:
    _check_mode(path)
    first, *rest = path.read_text(encoding="ascii", errors="replace").splitlines() or [""]
    old = []
    for line in rest:
        until, _, key = line.partition(" ")
        if not until.isdigit():
            raise KeyTrouble(f"{path} is damaged: every line behind the first must be a time and a key")
        old.append(OldKey(_parse_key(key, str(path)), int(until)))
    return Keyring(_parse_key(first, str(path)), tuple(old))


def _write(path: Path, keyring: Keyring) -> None:
    """Writes the file whole or not at all, readable by its owner alone."""
    draft = path.with_name(f"key.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(keyring.key.hex() + "\n")
            file.writelines(f"{old.until} {old.key.hex()}\n" for old in keyring.old)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _check_mode(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        raise KeyTrouble(
            f"the key file {path} can be read by others (mode {mode:04o}): whoever reads it can make secrets."
            f" Try: chmod 600 {path}; if it was read, `tandem key rotate`"
        )


def _parse_key(text: str, source: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise KeyTrouble(f"{source} does not hold a key: it must be at least {2 * KEY_BYTES} hex digits")
    return key
