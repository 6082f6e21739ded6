"""The secret of a team: derived from the ground's key, checked without any record. Pure, but for the key file.

HMAC-SHA256 over class, team and both student numbers in the order of message 1, so that the order is
in the secret, too. Any ground with the same key gives, and accepts, the same secrets.
"""

import hmac
import os
import secrets
from pathlib import Path

KEY_BYTES = 32
KEY_VARIABLE = "TANDEM_KEY"  # in the environment: the key as hex digits, instead of the file
_PURPOSE = b"tandem secret 1"


def derive(key: bytes, classname: str, teamname: str, studentnr1: str, studentnr2: str) -> str:
    """The secret: 64 lower-case hex digits. Each text goes in behind its length, so no two teams collide."""
    parts = [_PURPOSE]
    for text in (classname, teamname, studentnr1, studentnr2):
        data = text.encode()
        parts += len(data).to_bytes(4, "little"), data
    return hmac.digest(key, b"".join(parts), "sha256").hex()


def same(secret: str, expected: str) -> bool:
    """Compares in a time that does not tell where the first difference is."""
    return hmac.compare_digest(secret.encode(errors="replace"), expected.encode())


class KeyTrouble(Exception):
    """The key cannot be used; the text says why and what to try."""


def load_key(folder: Path) -> bytes:
    """The ground's key: from TANDEM_KEY, or from the file `key` in the folder, made at the first start."""
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return _parse(given, KEY_VARIABLE)
    path = folder / "key"
    try:
        _create(path)
        return _parse(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        raise KeyTrouble(f"the key file {path} cannot be used: {error.strerror}") from None


def _create(path: Path) -> None:
    """Makes the key file, readable by its owner alone, whole or not at all; an existing one is left as it is."""
    if path.exists():
        return
    draft = path.with_name(f"key.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _parse(text: str, source: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise KeyTrouble(f"{source} does not hold a key: it must be at least {2 * KEY_BYTES} hex digits")
    return key
