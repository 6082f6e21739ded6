"""Checks the teacher's token, and makes and checks the tokens of forms.

Pure: the board's key and the hashes are arguments. Sessions are in sessions.py.
"""

import hmac

from tandem.board.keyed_hash import Domain, keyed_hash


class TokenCheck:
    """Compares tokens in constant time. `key` is the board's signing key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def is_token(self, given_hash: str, token_hash: str) -> bool:
        """Return whether a token is the teacher's. `token_hash` is "" before the first token was made."""
        return bool(token_hash) and _is_same(given_hash, token_hash)

    def form_token(self, cookie: str) -> str:
        """Return the token that each form of a teacher's session carries, against cross-site request forgery."""
        return keyed_hash(self._key, Domain.FORM, cookie)

    def is_own_form(self, token: str, cookie: str) -> bool:
        """Return whether a form with this token was made for this cookie."""
        return _is_same(token, self.form_token(cookie))


def _is_same(given: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
