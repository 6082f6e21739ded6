"""Finds the team that a secret was made for: with the server's key if this machine has it, else in the records.

A secret is an HMAC over the team under the server's key, so with the key the records need not be trusted.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from tandem.keys.keyring import KEY_VARIABLE, load_keyring
from tandem.keys.secret import verify
from tandem.records.queries import Records, TeamRow
from tandem.records.visits import Team

MAX_TEAMS_TRIED = 200_000  # whose secrets are computed when no record has the given one


class Evidence(Enum):
    """The basis of a verdict. The values are the text on the page, after "It is"."""

    KEY = "this team's: computing it again with the server's key gives the same secret"
    RECORD = "on record as this team's; it cannot be computed again, because the server's key is not on this machine"
    RECORD_ONLY = "on record as this team's, but the server's key gives another secret: it was made with an older key"
    NOTHING = "not on record for any team"
    NOT_MADE = "not on record for any team, and the server's key does not give it for any of the teams"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The team that a secret belongs to, if any, and the reason."""

    row: TeamRow | None
    evidence: Evidence


def prove(secret: str, records: Records, keys: Sequence[bytes]) -> Verdict:
    """Return which team the secret verify to. `keys` are the server's; they are empty if this machine has none.

    Raises:
        StoreError: The records cannot be read.
    """
    row = records.team_with_secret(secret)
    if not keys:
        return Verdict(row, Evidence.RECORD if row else Evidence.NOTHING)
    if row and _is_made_for(secret, row.team, keys):
        return Verdict(row, Evidence.KEY)
    if row:
        return Verdict(row, Evidence.RECORD_ONLY)
    for row in islice(records.teams(), MAX_TEAMS_TRIED):
        if _is_made_for(secret, row.team, keys):
            return Verdict(row, Evidence.KEY)
    return Verdict(None, Evidence.NOT_MADE)


def keys_in(folder: Path, now: float) -> list[bytes]:
    """Return the server's valid keys, or [] if this machine has none. `now` is in seconds since 1970.

    Raises:
        KeyFileError: There is a key, and it cannot be used.
    """
    if os.environ.get(KEY_VARIABLE) is None and not (folder / "key").exists():
        return []
    return load_keyring(folder).valid_keys(now)


def _is_made_for(secret: str, team: Team, keys: Sequence[bytes]) -> bool:
    return any(verify(secret, each, keys) for each in _number_orders(team))


def _number_orders(team: Team) -> Iterator[Team]:
    """Yield the team with its numbers in both orders: message 1 may have had either."""
    yield team
    yield team._replace(studentnr1=team.studentnr2, studentnr2=team.studentnr1)
