"""Who may see what: the teacher's cookie and the team's, and the tokens that show that a form is ours.

Cookies are signed, not stored: the board remembers nobody, and a restart logs nobody out. A new teacher's token
ends every cookie that was given for the one before. Pure: the time and the key come in.
"""

import base64
import hashlib
import hmac
import json

from tandem.ground.records import TeamKey

TEACHER_COOKIE = "tandem_teacher"
TEAM_COOKIE = "tandem_team"
TEACHER_HOURS = 12
TEAM_HOURS = 4


class Admission:
    """Gives cookies and checks them. `key` is the board's own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def teacher_cookie(self, token_hash: str, now: float) -> str:
        until = f"{now + TEACHER_HOURS * 3600:.0f}"
        return f"{until}.{self._sign('teacher', until, token_hash)}"

    def is_teacher(self, cookie: str, token_hash: str, now: float) -> bool:
        until, _, signature = cookie.partition(".")
        signed = _same(signature, self._sign("teacher", until, token_hash))
        return bool(token_hash) and signed and now < float(until)

    def is_token(self, given_hash: str, token_hash: str) -> bool:
        return bool(token_hash) and _same(given_hash, token_hash)

    def team_cookie(self, team: TeamKey, now: float) -> str:
        facts = json.dumps([*team, now + TEAM_HOURS * 3600])
        packed = base64.urlsafe_b64encode(facts.encode()).decode()
        return f"{packed}.{self._sign('team', packed)}"

    def team_of(self, cookie: str, now: float) -> TeamKey | None:
        """The team that the cookie is for, if it is ours and still counts."""
        packed, _, signature = cookie.partition(".")
        if not _same(signature, self._sign("team", packed)):
            return None
        *team, until = json.loads(base64.urlsafe_b64decode(packed))
        return TeamKey(*team) if now < until else None

    def form_token(self, cookie: str) -> str:
        """What a teacher's form carries, so that no other site can send one in the teacher's name."""
        return self._sign("form", cookie)

    def is_own_form(self, token: str, cookie: str) -> bool:
        return _same(token, self.form_token(cookie))

    def _sign(self, purpose: str, *facts: str) -> str:
        text = "\n".join((purpose, *facts)).encode(errors="replace")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    """Takes a time that tells nothing of the right one."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
