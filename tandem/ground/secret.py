"""The secret of a team: derived from the ground's key, checked without any record. Pure.

HMAC-SHA256 over class, team and both student numbers in the order of message 1, so that the order is
in the secret, too. Any ground with the same key gives, and accepts, the same secrets.
"""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from tandem.ground.record import Team

_BLOCK = 64  # bytes, of SHA-256
_PURPOSE = b"tandem secret 1"


def derive(key: bytes, team: Team) -> str:
    """The secret: 64 lower-case hex digits. Each text goes in behind its length, so no two teams collide."""
    parts = [_PURPOSE]
    for text in team:
        data = text.encode()
        parts += len(data).to_bytes(4, "little"), data
    inner, outer = (begun.copy() for begun in _begun(key))
    inner.update(b"".join(parts))
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=16)
def _begun(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """HMAC (RFC 2104) up to where the text comes in: begun once for a key, which halves the price of a secret."""
    block = key.ljust(_BLOCK, b"\0") if len(key) <= _BLOCK else hashlib.sha256(key).digest().ljust(_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def belongs(secret: str, team: Team, keys: Sequence[bytes]) -> bool:
    """Whether the secret is the team's under one of the keys. Takes a time that tells nothing of the right one."""
    given = secret.encode(errors="replace")
    return any(hmac.compare_digest(given, derive(key, team).encode()) for key in keys)
