"""Makes and reads the URLs of teams: class, name, and a tag in place of the student numbers.

The tag is a keyed hash, so a URL does not reveal student numbers.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from tandem.board.keyed_hash import Domain, keyed_hash
from tandem.records.queries import Records, TeamKey, TeamRow

_TAG_DIGITS = 12  # hexadecimal


class Links:
    """Makes URLs of teams, and finds the teams again. `key` is the board's signing key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def team(self, team: TeamKey) -> str:
        """Return the query string that names a team."""
        return urlencode({"class": team.classname, "team": team.teamname, "tag": self._team_tag(team)})

    def find(self, records: Records, query: Mapping[str, str]) -> TeamRow | None:
        """Return the team on record that a query names, or None.

        If only one team has the name, the tag need not match: the team's numbers may have become known later.
        """
        rows = list(records.teams_named(query.get("team", ""), query.get("class", "")))
        named = [row for row in rows if self._team_tag(row.key) == query.get("tag")]
        return named[0] if named else rows[0] if len(rows) == 1 else None

    def find_key(self, keys: Iterable[TeamKey], query: Mapping[str, str]) -> TeamKey | None:
        """Return the one of these keys that a query names, or None."""
        tag = query.get("tag")
        return next((key for key in keys if key.teamname == query.get("team") and self._team_tag(key) == tag), None)

    def _team_tag(self, team: TeamKey) -> str:
        return keyed_hash(self._key, Domain.TEAM_LINK, *team)[:_TAG_DIGITS]


def page_number(query: Mapping[str, str]) -> int:
    """Return the number of the page that a query asks for, from 1; 1 if it is not a number."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
