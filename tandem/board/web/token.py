"""Whether a token is the teacher's, and whether a form is ours.

Pure: the board's key and the hashes come in. Who is logged in is known in sessions.py.
"""

import hashlib
import hmac


class TokenCheck:
    """Makes the tokens of forms and checks them. `key` is the board's own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def is_token(self, given_hash: str, token_hash: str) -> bool:
        """Whether a token is the teacher's; none is before the first was made."""
        return bool(token_hash) and _is_same(given_hash, token_hash)

    def form_token(self, cookie: str) -> str:
        """What a teacher's form carries, so that no other site can send one in the teacher's name."""
        text = f"form\n{cookie}".encode(errors="replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def is_own_form(self, token: str, cookie: str) -> bool:
        return _is_same(token, self.form_token(cookie))


def _is_same(given: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
