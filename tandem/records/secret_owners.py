"""Decides which team a refused visit is counted for, when its secret was given to a team. Pure.

A client 2 that changes its class, team name or numbers is refused. Its secret shows which team it belongs to. Without
that, the wrong name would be a team of its own, which nobody ever finishes. The stores look up the owner of the secret.
"""

from tandem.protocol.message import NO_TEAMMATE
from tandem.records.visits import Team, Visit


def file_under(visit: Visit, owner: Team | None, is_on_record: bool) -> None:
    """Set the owner of the visit's secret, if the visit is counted for it. Decided once: the secret is cleared.

    Args:
        visit: A refused visit.
        owner: The team that the secret was given to, None if that is not known.
        is_on_record: Whether a team has the class and the name in the message. Then the secret alone does not make it
            the owner's: another team may have copied it.
    """
    is_owners = owner is not None and (not is_on_record or visit.team is None or is_same_team(visit.team, owner))
    visit.owner = owner if is_owners else None
    visit.secret = ""


def is_same_team(team: Team, known: Team) -> bool:
    """Return whether this is a known team with something changed: it has a number in common, or class and name."""
    numbers = {team.studentnr1, team.studentnr2} & {known.studentnr1, known.studentnr2} - set(NO_TEAMMATE)
    is_same_class = team.classname.casefold() == known.classname.casefold()
    return bool(numbers) or (is_same_class and team.teamname == known.teamname)
