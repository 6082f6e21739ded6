"""The public view of one class: a tile for each team, in the order of their names, and what has changed. Pure.

A tile holds the team's name, its state and no other text that the team has sent. The key of a tile is a keyed hash.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tandem.board.gradebook.recognition import missing_teams
from tandem.board.keyed_hash import Domain, keyed_hash
from tandem.board.web.display_text import clock, problem_title, public_name
from tandem.records.queries import TeamKey, TeamRow
from tandem.records.readable_order import name_order
from tandem.records.sqlite.sqlite_store import FINISHED, WAITING
from tandem.records.visits import Team

TeamName = tuple[str, str]  # the class as the team has written it, and the team's name

MAX_TILES = 1_000  # of one class: the teams on the roster, then the first others by name


class TileState(StrEnum):
    """The state of a team, in the words of the board."""

    FINISHED = "finished"
    STUCK = "stuck"
    WAITING = "waiting for message 2"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class TeamStatus:
    """A team on record, and whether its latest visit was refused."""

    row: TeamRow
    refused_last: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """The content of the tile of one team."""

    key: str
    name: str
    state: TileState
    text: str  # the state with its details: when the team finished, or its first problem
    finished_us: int | None  # microseconds since 1970


@dataclass(slots=True)
class TileChanges:
    """The tiles that are new or different, and the keys of those that were removed. False if there are none."""

    tiles: list[Tile] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tiles or self.removed)


class ClassTiles:
    """The tiles of one class, in order. `key` is the board's signing key."""

    def __init__(self, classname: str, key: bytes) -> None:
        self.classname = classname
        self.has_more = False  # whether there are teams without a tile
        self._key = key
        self._team_statuses: dict[TeamName, list[TeamStatus]] = {}
        self._roster: list[Team] = []
        self._missing_teams: list[Team] = []  # on the roster, and not on record
        self._tiles: dict[str, Tile] = {}
        self.tiles: list[Tile] = []

    def replace(
        self, team_statuses: Iterable[TeamStatus], expected: Sequence[Team], has_more: bool = False
    ) -> TileChanges:
        """Replace the state of all teams and the roster."""
        self._roster = list(expected)
        self._team_statuses = {}
        self.has_more = has_more
        for team_status in team_statuses:
            team = team_status.row.team
            self._team_statuses.setdefault((team.classname, team.teamname), []).append(team_status)
        return self._rebuild()

    def update(self, team_statuses: Mapping[TeamName, Sequence[TeamStatus]]) -> TileChanges:
        """Replace the state of all teams with these names."""
        for name, named in team_statuses.items():
            is_shown = name in self._team_statuses or len(self._tiles) < MAX_TILES
            if is_shown or self._has_expected(named):
                self._team_statuses[name] = list(named)
        return self._rebuild()

    def counts(self) -> dict[TileState, int]:
        """Return the number of teams in each state."""
        found = Counter(tile.state for tile in self.tiles)
        return {state: found[state] for state in TileState}

    def next_key(self, key: str) -> str | None:
        """Return the key of the tile after this one, or None after the last."""
        keys = list(self._tiles)
        index = keys.index(key) + 1
        return keys[index] if index < len(keys) else None

    def _has_expected(self, named: Iterable[TeamStatus]) -> bool:
        """Return whether one of these teams is on the roster and was not on record before."""
        return len(missing_teams(self._missing_teams, [each.row for each in named])) < len(self._missing_teams)

    def _rebuild(self) -> TileChanges:
        """Make the tiles again, and return what has changed."""
        team_statuses = [team_status for named in self._team_statuses.values() for team_status in named]
        tiles = [self._tile(team_status) for team_status in team_statuses]
        self._missing_teams = missing_teams(self._roster, [each.row for each in team_statuses])
        tiles += [self._expected_tile(team) for team in self._missing_teams]
        tiles.sort(key=lambda tile: (name_order(tile.name), tile.key))
        before, self._tiles = self._tiles, {tile.key: tile for tile in tiles}
        self.tiles = list(self._tiles.values())
        changed = [tile for tile in reversed(self.tiles) if before.get(tile.key) != tile]
        return TileChanges(changed, [key for key in before if key not in self._tiles])

    def _tile(self, team_status: TeamStatus) -> Tile:
        row = team_status.row
        state, text = state_of(team_status)
        return Tile(self._tile_key(row.key), public_name(row.team), state, text, row.finished_us)

    def _expected_tile(self, team: Team) -> Tile:
        key = TeamKey(team.classname, team.teamname, "expected")
        return Tile(self._tile_key(key), public_name(team), TileState.EXPECTED, TileState.EXPECTED, None)

    def _tile_key(self, key: TeamKey) -> str:
        return "t" + keyed_hash(self._key, Domain.TILE, *key)[:16]


def state_of(team_status: TeamStatus) -> tuple[TileState, str]:
    """Return a team's state, and the text of its tile. A team is stuck if its latest visit was refused."""
    row = team_status.row
    if row.state == FINISHED:
        return (
            TileState.FINISHED,
            f"{TileState.FINISHED} {clock(row.finished_us)[:5]}" if row.finished_us else TileState.FINISHED,
        )
    if row.state == WAITING and not team_status.refused_last:
        return TileState.WAITING, TileState.WAITING
    return TileState.STUCK, f"{TileState.STUCK}: {problem_title(row.problems[0])}" if row.problems else TileState.STUCK
