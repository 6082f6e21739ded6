"""The secret of a team: derived from the server's key, checked without any record. Pure.

The secret is an HMAC-SHA256 over class, team and both student numbers in the order of message 1, so it depends on the
order, too. Any server with the same key gives, and accepts, the same secrets. PROTOCOL 5.
"""

import hmac
from collections.abc import Sequence
from functools import lru_cache

from tandem.records.visits import Team

_DOMAIN = b"tandem secret 1"  # keeps these HMACs apart from all others under the same key


@lru_cache(maxsize=4096)  # message 2 needs the same secret as message 1 a moment before
def derive(key: bytes, team: Team) -> str:
    """Return the secret: 64 lower-case hex digits. Each text follows its length, so no two teams collide."""
    parts = [_DOMAIN]
    for text in team:
        data = text.encode()
        parts += (len(data).to_bytes(4, "little"), data)
    mac = _keyed_hmac(key).copy()
    mac.update(b"".join(parts))
    return mac.hexdigest()


@lru_cache(maxsize=16)
def _keyed_hmac(key: bytes) -> hmac.HMAC:
    """Return an HMAC that holds only the key. Copying it costs half of making it."""
    return hmac.new(key, digestmod="sha256")


def verify(secret: str, team: Team, keys: Sequence[bytes]) -> bool:
    """Return whether the secret is the team's under one of the keys. Compare in constant time."""
    given = secret.encode(errors="replace")
    return any(hmac.compare_digest(given, derive(key, team).encode()) for key in keys)
