"""Message 2: whose it is, and what is wrong with it. Pure: keys and records come in.

The secret alone decides. It belongs to a team in the order of message 1; what is on record only makes the
words better when it does not fit.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tandem.diagnosis.problems import Problem
from tandem.keys.secret import belongs
from tandem.protocol.message import NO_TEAMMATE, Message, is_team_of_one
from tandem.records.visits import Team

_DIGITS = frozenset("0123456789abcdef")


class Recalled(NamedTuple):
    """What is known of the team that a secret was given to: the team, and the ip in its message 1."""

    team: Team
    ip: str


Recall = Callable[[Message], Recalled | None]  # whose the message's secret is


def team_of_message_2(message: Message, keys: Sequence[bytes]) -> Team | None:
    """The team, its numbers as in message 1, if the message is right: swapped, or a team of one as it likes."""
    swapped, unswapped = _teams(message)
    if belongs(message.secret, swapped, keys):
        return swapped
    if is_team_of_one(message.studentnr1, message.studentnr2) and belongs(message.secret, unswapped, keys):
        return unswapped
    return None


def problems_of_message_2(message: Message, keys: Sequence[bytes], recall: Recall) -> tuple[Problem, ...]:
    """What is wrong with a message 2; nothing, if it is right."""
    if team_of_message_2(message, keys):
        return ()
    if belongs(message.secret, _teams(message)[1], keys):
        return (Problem("not-swapped", facts={"field": "studentnr1", "found": message.studentnr1}),)
    if len(message.secret) != 64 or not _DIGITS.issuperset(message.secret):
        return (Problem("secret-damaged", facts={"field": "secret", "found": str(len(message.secret))}),)
    recalled = recall(message)
    if recalled is None:
        return (Problem("secret-wrong", facts={"field": "secret"}),)
    if not _is_own(message, recalled.team):
        return (Problem("secret-of-another-team", facts={"field": "secret"}),)
    changes = tuple(_changes(message, recalled.team))
    return changes or (Problem("secret-expired", facts={"field": "secret"}),)  # all fits but the key


def _teams(message: Message) -> tuple[Team, Team]:
    """Whose message it is if the numbers are swapped, and if they are not."""
    classname, teamname = message.classname, message.teamname
    return (
        Team(classname, teamname, message.studentnr2, message.studentnr1),
        Team(classname, teamname, message.studentnr1, message.studentnr2),
    )


def _is_own(message: Message, was: Team) -> bool:
    """Whether it is the same team with something changed: a number in common, or both names."""
    numbers = {message.studentnr1, message.studentnr2} & {was.studentnr1, was.studentnr2} - set(NO_TEAMMATE)
    return bool(numbers) or (message.classname, message.teamname) == (was.classname, was.teamname)


def _changes(message: Message, was: Team) -> list[Problem]:
    """What was changed since message 1, a problem each."""
    changes = [
        Problem("field-changed", facts={"field": name, "found": now, "wanted": before})
        for name, now, before in (
            ("classname", message.classname, was.classname),
            ("teamname", message.teamname, was.teamname),
        )
        if now != before
    ]
    return changes + _changed_numbers(message, was)


def _changed_numbers(message: Message, was: Team) -> list[Problem]:
    """How the numbers differ from message 1's: read as swapped or as not swapped, whichever differs less."""
    alone = is_team_of_one(was.studentnr1, was.studentnr2)
    if message.studentnr1 == message.studentnr2 and not alone:
        return [Problem("number-lost", facts={"field": "studentnr1", "found": message.studentnr1})]
    swapped = _differences(message, ("studentnr2", was.studentnr2), ("studentnr1", was.studentnr1))
    unswapped = _differences(message, ("studentnr1", was.studentnr1), ("studentnr2", was.studentnr2))
    if len(swapped) < len(unswapped) or (len(swapped) == len(unswapped) and not alone):
        return swapped
    return unswapped if alone else [Problem("not-swapped", facts={"field": "studentnr1"}), *unswapped]


def _differences(message: Message, first: tuple[str, str], second: tuple[str, str]) -> list[Problem]:
    """The numbers that are not the ones of message 1, given as (its field there, the number there)."""
    return [
        Problem("number-changed", facts={"field": name, "found": found, "wanted": wanted, "other": other})
        for name, found, (other, wanted) in (
            ("studentnr1", message.studentnr1, first),
            ("studentnr2", message.studentnr2, second),
        )
        if found != wanted
    ]
