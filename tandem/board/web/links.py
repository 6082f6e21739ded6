"""Addresses of pages. A team is named by its class, its name and a tag that stands for its student numbers.

The tag is a keyed hash: an address tells no number.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from tandem.records.queries import Records, TeamKey, TeamRow

_TAG = 12  # hex digits


class Links:
    """Makes addresses, and finds what they point to. `key` is the board's own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def team(self, team: TeamKey) -> str:
        """The query that `find` reads."""
        return urlencode({"class": team.classname, "team": team.teamname, "tag": self._tag(team)})

    def find(self, records: Records, query: Mapping[str, str]) -> TeamRow | None:
        """The team that a query names. Numbers that came since do not matter where only one team has the name."""
        rows = list(records.teams_named(query.get("team", ""), query.get("class", "")))
        named = [row for row in rows if self._tag(row.key) == query.get("tag")]
        return named[0] if named else rows[0] if len(rows) == 1 else None

    def among(self, keys: Iterable[TeamKey], query: Mapping[str, str]) -> TeamKey | None:
        """The one of these keys that a query names."""
        tag = query.get("tag")
        return next((key for key in keys if key.teamname == query.get("team") and self._tag(key) == tag), None)

    def _tag(self, team: TeamKey) -> str:
        return hmac.new(self._key, "\0".join(team).encode(), hashlib.sha256).hexdigest()[:_TAG]


def page_number(query: Mapping[str, str]) -> int:
    """Which page of several, from 1."""
    text = query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
