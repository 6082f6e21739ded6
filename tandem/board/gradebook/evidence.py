"""What a team's secret proves: which team the ground gave it to, by the ground's key if that is here, else by record.

A secret is made from the key and the team; so with the key nobody has to believe the record.
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

MAX_TRIED = 200_000  # teams whose secret is made again when no record has it


class Basis(Enum):
    """What a verdict rests on."""

    KEY = "made again with the ground's key: it is this team's"
    RECORD = "on record as this team's; the ground's key is not here to make it again"
    RECORD_ONLY = "on record as this team's, but the ground's key does not make it: it was made with an older key"
    NOTHING = "no team's: it is not on record"
    NOT_MADE = "no team's: it is not on record, and the ground's key makes it for none of the teams"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which team a secret belongs to, if any, and why."""

    row: TeamRow | None
    ground: Basis


def prove(secret: str, records: Records, keys: Sequence[bytes]) -> Verdict:
    """`keys`: the ground's; none: they are not here."""
    row = records.team_with_secret(secret)
    if not keys:
        return Verdict(row, Basis.RECORD if row else Basis.NOTHING)
    if row and _is_made_for(secret, row.team, keys):
        return Verdict(row, Basis.KEY)
    if row:
        return Verdict(row, Basis.RECORD_ONLY)
    for row in islice(records.teams(), MAX_TRIED):
        if _is_made_for(secret, row.team, keys):
            return Verdict(row, Basis.KEY)
    return Verdict(None, Basis.NOT_MADE)


def keys_in(folder: Path, now: float) -> list[bytes]:
    """The ground's keys, if they are here; never makes one. Raises KeyFileError."""
    if os.environ.get(KEY_VARIABLE) is None and not (folder / "key").exists():
        return []
    return load_keyring(folder).valid_keys(now)


def _is_made_for(secret: str, team: Team, keys: Sequence[bytes]) -> bool:
    return any(verify(secret, each, keys) for each in _both_orders(team))


def _both_orders(team: Team) -> Iterator[Team]:
    """Message 1 may have come in either order of the numbers."""
    yield team
    yield team._replace(studentnr1=team.studentnr2, studentnr2=team.studentnr1)
