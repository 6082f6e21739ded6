"""Keyed hashes under the board's signing key, each purpose in a domain of its own. Pure.

The key serves several purposes. A hash that was made for one of them must never be valid for another: the id of a tile
is public, and must not be the tag in a teacher's link.
"""

import hashlib
import hmac
from enum import StrEnum


class Domain(StrEnum):
    """The purposes of the board's signing key."""

    FORM = "form"  # the token in a teacher's form
    TEAM_LINK = "team link"  # the tag of a team in a teacher's URLs
    TILE = "tile"  # the public id of a team's tile


def keyed_hash(key: bytes, domain: Domain, *texts: str) -> str:
    """Return an HMAC-SHA256 over the domain and the texts, as 64 lower-case hexadecimal digits.

    The length of every text is part of the input, so different lists of texts never have the same input.
    """
    parts = [text.encode(errors="replace") for text in (domain, *texts)]
    framed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return hmac.new(key, framed, hashlib.sha256).hexdigest()
