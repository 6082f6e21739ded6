"""Message 2: which team sent it, and what is wrong with it. Pure: takes the keys and a lookup.

The secret alone decides: it belongs to one team, in the order of message 1. The lookup in the records only makes the
problem more exact if the secret does not fit. PROTOCOL 5.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tandem.diagnosis.problem import Problem
from tandem.diagnosis.rules import damage_of_secret, is_secret
from tandem.keys.secret import verify
from tandem.protocol.message import Message, is_team_of_one
from tandem.records.secret_owners import is_same_team
from tandem.records.visits import Team


class SecretOwner(NamedTuple):
    """The team that a secret was given to."""

    team: Team
    ip: str  # in its message 1


FindOwner = Callable[[Message], SecretOwner | None]  # looks up the owner of the message's secret; None: unknown


def team_of_message_2(message: Message, keys: Sequence[bytes]) -> Team | None:
    """Return the team of a right message 2, its numbers as in message 1; None for a wrong one. PROTOCOL 5.2, 5.3."""
    swapped, unswapped = _teams(message)
    if verify(message.secret, swapped, keys):
        return swapped
    if is_team_of_one(message.studentnr1, message.studentnr2) and verify(message.secret, unswapped, keys):
        return unswapped
    return None


def problems_of_message_2(message: Message, keys: Sequence[bytes], find_owner: FindOwner) -> tuple[Problem, ...]:
    """Return what is wrong with a message 2, () if it is right."""
    if team_of_message_2(message, keys):
        return ()
    if verify(message.secret, _teams(message)[1], keys):
        return (Problem("not-swapped", facts={"field": "studentnr1", "found": message.studentnr1}),)
    if not is_secret(message.secret):
        return (Problem("secret-damaged", facts={"field": "secret", "found": damage_of_secret(message.secret)}),)
    owner = find_owner(message)
    if owner is None:
        return (Problem("secret-wrong", facts={"field": "secret"}),)
    if not is_same_team(message, owner.team):  # as the visit is counted in the records
        return (Problem("secret-of-another-team", facts={"field": "secret"}),)
    changes = tuple(_changes(message, owner.team))
    return changes or (Problem("secret-expired", facts={"field": "secret"}),)  # everything fits except the key


def _teams(message: Message) -> tuple[Team, Team]:
    """Return the team if the numbers are swapped, and the team if they are not."""
    classname, teamname = message.classname, message.teamname
    return (
        Team(classname, teamname, message.studentnr2, message.studentnr1),
        Team(classname, teamname, message.studentnr1, message.studentnr2),
    )


def _changes(message: Message, known: Team) -> list[Problem]:
    """Return one problem for each field that differs from message 1."""
    changes = [
        _changed(name, now, before)
        for name, now, before in (
            ("classname", message.classname, known.classname),
            ("teamname", message.teamname, known.teamname),
        )
        if now != before
    ]
    return changes + _changed_numbers(message, known)


def _changed(name: str, now: str, before: str) -> Problem:
    """Return the problem for a field that was changed. If both texts look the same, name the letters that differ."""
    if _looks(now) != _looks(before):
        return Problem("field-changed", facts={"field": name, "found": now, "wanted": before})
    start = _common(now, before)
    end = _common(now[start:][::-1], before[start:][::-1])
    found, wanted = (_code_points(text[start : len(text) - end]) for text in (now, before))
    return Problem("field-looks-alike", facts={"field": name, "found": found, "wanted": wanted})


def _common(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _looks(text: str) -> str:
    """Return the same text for texts that look the same: composed letters, one kind of space, nothing invisible."""
    composed = unicodedata.normalize("NFKC", text)
    return " ".join("".join(c for c in composed if unicodedata.category(c) != "Cf").split())


_MAX_POINTS = 4  # characters that are named


def _code_points(text: str) -> str:
    points = " ".join(f"U+{ord(c):04X}" for c in text[:_MAX_POINTS])
    return (f"{points} ..." if len(text) > _MAX_POINTS else points) or "nothing"


def _changed_numbers(message: Message, known: Team) -> list[Problem]:
    """Return how the numbers differ from message 1, read as swapped or as not swapped, whichever differs less."""
    alone = is_team_of_one(known.studentnr1, known.studentnr2)
    if message.studentnr1 == message.studentnr2 and not alone:
        return [Problem("number-lost", facts={"field": "studentnr1", "found": message.studentnr1})]
    swapped = _differences(message, ("studentnr2", known.studentnr2), ("studentnr1", known.studentnr1))
    unswapped = _differences(message, ("studentnr1", known.studentnr1), ("studentnr2", known.studentnr2))
    if len(swapped) < len(unswapped) or (len(swapped) == len(unswapped) and not alone):
        return swapped
    return unswapped if alone else [Problem("not-swapped", facts={"field": "studentnr1"}), *unswapped]


def _differences(message: Message, first: tuple[str, str], second: tuple[str, str]) -> list[Problem]:
    """Return a problem for each number that differs from message 1's, given as (field, number)."""
    return [
        Problem("number-changed", facts={"field": name, "found": found, "wanted": wanted, "other": other})
        for name, found, (other, wanted) in (
            ("studentnr1", message.studentnr1, first),
            ("studentnr2", message.studentnr2, second),
        )
        if found != wanted
    ]
