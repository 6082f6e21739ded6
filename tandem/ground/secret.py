"""The secret of a team: derived from the ground's key, checked without any record. Pure.

HMAC-SHA256 over class, team and both student numbers in the order of message 1, so that the order is
in the secret, too. Any ground with the same key gives, and accepts, the same secrets.
"""

import hmac
from collections.abc import Sequence

from tandem.ground.record import Team

_PURPOSE = b"tandem secret 1"


def derive(key: bytes, team: Team) -> str:
    """The secret: 64 lower-case hex digits. Each text goes in behind its length, so no two teams collide."""
    parts = [_PURPOSE]
    for text in team:
        data = text.encode()
        parts += len(data).to_bytes(4, "little"), data
    return hmac.digest(key, b"".join(parts), "sha256").hex()


def belongs(secret: str, team: Team, keys: Sequence[bytes]) -> bool:
    """Whether the secret is the team's under one of the keys. Takes a time that tells nothing of the right one."""
    given = secret.encode(errors="replace")
    return any(hmac.compare_digest(given, derive(key, team).encode()) for key in keys)
