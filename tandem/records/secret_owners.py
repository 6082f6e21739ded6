"""Decides which team a refused visit is counted for, when its secret was given to a team. Pure.

A client 2 that changes its class, team name or numbers is refused. Its secret shows which team it belongs to. Without
that, the wrong name would be a team of its own, which nobody ever finishes. The stores look up the owners of secrets.
"""

from collections.abc import Sequence

from tandem.protocol.message import Message
from tandem.records.class_spellings import folded
from tandem.records.visits import Record, RightVisit, Team, Visit, has_number_in_common


def visits_without_owner(records: Sequence[Record]) -> list[Visit]:
    """Return the refused visits whose secret is looked up in the records: those of a team, stored in full."""
    visits = [record for record in records if isinstance(record, Visit)]
    return [visit for visit in visits if visit.secret and visit.team and visit.stored_in_full and not visit.owner]


def file_refused(records: Sequence[Record], owners: dict[str, Team]) -> None:
    """Set the owner of each refused visit that is counted for the team of its secret. Clear the secrets.

    Args:
        records: A batch, in order. A right visit shows the owner of its secret to the visits after it.
        owners: The teams on record by their secrets, as far as they were found.
    """
    known = dict(owners)
    for record in records:
        if isinstance(record, RightVisit):
            known[record.secret] = record.team
        elif isinstance(record, Visit) and record.secret:
            is_searched = record.team and record.stored_in_full
            _file_under(record, record.owner or (known.get(record.secret) if is_searched else None))


def _file_under(visit: Visit, owner: Team | None) -> None:
    """Decide once whether a visit is counted for the owner of its secret: another team may have copied the secret."""
    is_owners = owner is not None and (visit.team is None or is_same_team(visit.team, owner))
    visit.owner = owner if is_owners else None
    visit.secret = ""


def is_same_team(team: Message | Team, known: Team) -> bool:
    """Return whether this is a known team with something changed: it has a number in common, or class and name.

    Of a class only the letters count here. The secret is over the class as it was in message 1. PROTOCOL 5.3.
    """
    is_same_class = folded(team.classname) == folded(known.classname)
    return has_number_in_common(team, known) or (is_same_class and team.teamname == known.teamname)
