"""One class as everybody sees it: a tile a team, in the order of their names, and what has changed. Pure.

What is on record goes in, and who is expected; out come tiles without student numbers, addresses or anything that
a team sent but its name. A tile's key tells nothing: it is a keyed hash.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tandem.board.gradebook.recognition import missing
from tandem.board.web.display_text import clock, problem_title, public_name
from tandem.records.queries import TeamKey, TeamRow
from tandem.records.sqlite.sqlite_store import FINISHED, WAITING
from tandem.records.visits import Team

Named = tuple[str, str]  # a class, as a team has written it, and the team's name

MAX_TILES = 1_000  # teams of one class that are shown: the roster's, then the first by name


class TileState(StrEnum):
    """Where a team stands, in the words of the board."""

    FINISHED = "finished"
    STUCK = "stuck"
    WAITING = "waiting for client 2"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class TeamStatus:
    """A team as it is on record, and whether the last that it sent was refused."""

    row: TeamRow
    refused_last: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """What is shown of one team."""

    key: str
    name: str
    state: TileState
    words: str  # the state in words, with what there is to say about it
    finished_at: int | None


@dataclass(slots=True)
class Changes:
    """What became of the tiles: those that are new or other, those that are gone."""

    tiles: list[Tile] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tiles or self.gone)


class Classroom:
    """One class. Every change returns the Changes; `tiles` is the whole of it, in order."""

    def __init__(self, classname: str, key: bytes) -> None:
        self.classname = classname
        self.more = False  # are there teams beyond the tiles?
        self._key = key
        self._standings: dict[Named, list[TeamStatus]] = {}
        self._expected: list[Team] = []
        self._missing: list[Team] = []  # those of them of whom nothing has come
        self._tiles: dict[str, Tile] = {}
        self.tiles: list[Tile] = []

    def replace(self, standings: Iterable[TeamStatus], expected: Sequence[Team], more: bool = False) -> Changes:
        """All that is on record of the class, and its roster."""
        self._expected = list(expected)
        self._standings = {}
        self.more = more
        for standing in standings:
            team = standing.row.team
            self._standings.setdefault((team.classname, team.teamname), []).append(standing)
        return self._settle()

    def update(self, standings: Mapping[Named, Sequence[TeamStatus]]) -> Changes:
        """All that is on record of the teams with these names."""
        for name, named in standings.items():
            is_shown = name in self._standings or len(self._tiles) < MAX_TILES
            if is_shown or self._awaits(named):
                self._standings[name] = list(named)
        return self._settle()

    def counts(self) -> dict[TileState, int]:
        """How many teams are in each state."""
        found = Counter(tile.state for tile in self.tiles)
        return {state: found[state] for state in TileState}

    def follower(self, key: str) -> str | None:
        """The key of the tile behind this one; None behind the last."""
        keys = list(self._tiles)
        place = keys.index(key) + 1
        return keys[place] if place < len(keys) else None

    def _awaits(self, named: Iterable[TeamStatus]) -> bool:
        """Is one of them expected, and has not been seen before?"""
        return len(missing(self._missing, [each.row for each in named])) < len(self._missing)

    def _settle(self) -> Changes:
        """Brings the tiles up to date."""
        standings = [standing for named in self._standings.values() for standing in named]
        tiles = [self._tile(standing) for standing in standings]
        self._missing = missing(self._expected, [each.row for each in standings])
        tiles += [self._expected_tile(team) for team in self._missing]
        tiles.sort(key=lambda tile: (natural(tile.name), tile.key))
        before, self._tiles = self._tiles, {tile.key: tile for tile in tiles}
        self.tiles = list(self._tiles.values())
        changed = [tile for tile in reversed(self.tiles) if before.get(tile.key) != tile]
        return Changes(changed, [key for key in before if key not in self._tiles])

    def _tile(self, standing: TeamStatus) -> Tile:
        row = standing.row
        state, words = state_of(standing)
        return Tile(self._hash(row.key), public_name(row.team), state, words, row.finished_us)

    def _expected_tile(self, team: Team) -> Tile:
        key = TeamKey(team.classname, team.teamname, "expected")
        return Tile(self._hash(key), public_name(team), TileState.EXPECTED, TileState.EXPECTED, None)

    def _hash(self, key: TeamKey) -> str:
        return "t" + hmac.new(self._key, "\0".join(key).encode(), hashlib.sha256).hexdigest()[:16]


def state_of(standing: TeamStatus) -> tuple[TileState, str]:
    """A team's state, and its words: stuck is who was refused last and has not got on since."""
    row = standing.row
    if row.state == FINISHED:
        return (
            TileState.FINISHED,
            f"{TileState.FINISHED} {clock(row.finished_us)[:5]}" if row.finished_us else TileState.FINISHED,
        )
    if row.state == WAITING and not standing.refused_last:
        return TileState.WAITING, TileState.WAITING
    return TileState.STUCK, f"{TileState.STUCK}: {problem_title(row.problems[0])}" if row.problems else TileState.STUCK


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """An order in which Team 2 comes before Team 10, and numbers before letters."""
    pieces = re.findall(r"([0-9]{1,18})|([^0-9]+)", name.casefold())
    return tuple((0, int(number), "") if number else (1, 0, text) for number, text in pieces)
