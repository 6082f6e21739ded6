"""The public view of one class: a tile for each team, in the order of their names, and what has changed. Pure.

A tile holds the team's name, its state and no other text that the team has sent. The key of a tile is a keyed hash.
Names that look alike have a number behind them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        self._rows: dict[TeamName, list[TeamRow]] = {}
        self._roster: list[Team] = []
        self._missing_teams: list[Team] = []  # on the roster, and not on record
        self._tiles: dict[str, Tile] = {}
        self.tiles: list[Tile] = []

    def replace(self, rows: Iterable[TeamRow], expected: Sequence[Team], has_more: bool = False) -> TileChanges:
        """Replace the state of all teams and the roster."""
        self._roster = list(expected)
        self._rows = {}
        self.has_more = has_more
        for row in rows:
            self._rows.setdefault((row.team.classname, row.team.teamname), []).append(row)
        return self._rebuild()

    def update(self, rows: Mapping[TeamName, Sequence[TeamRow]]) -> TileChanges:
        """Replace the state of all teams with these names."""
        for name, named in rows.items():
            is_shown = name in self._rows or len(self._tiles) < MAX_TILES
            if is_shown or self._has_expected(named):
                self._rows[name] = list(named)
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

    def _has_expected(self, named: Iterable[TeamRow]) -> bool:
        """Return whether one of these teams is on the roster and was not on record before."""
        return len(missing_teams(self._missing_teams, named)) < len(self._missing_teams)

    def _rebuild(self) -> TileChanges:
        """Make the tiles again, and return what has changed."""
        rows = [row for named in self._rows.values() for row in named]
        self._missing_teams = missing_teams(self._roster, rows)
        on_record = [(row.first_seen_us, self._tile(row)) for row in rows]
        on_record.sort(key=lambda seen: (seen[0], seen[1].key))
        expected = [self._expected_tile(team) for team in self._missing_teams]
        tiles = list(_told_apart([*(tile for _, tile in on_record), *expected]))
        tiles.sort(key=lambda tile: (name_order(tile.name), tile.key))
        before, self._tiles = self._tiles, {tile.key: tile for tile in tiles}
        self.tiles = list(self._tiles.values())
        changed = [tile for tile in reversed(self.tiles) if before.get(tile.key) != tile]
        return TileChanges(changed, [key for key in before if key not in self._tiles])

    def _tile(self, row: TeamRow) -> Tile:
        state, text = state_of(row)
        return Tile(self._tile_key(row.key), public_name(row.team), state, text, row.finished_us)

    def _expected_tile(self, team: Team) -> Tile:
        key = TeamKey(team.classname, team.teamname, f"expected\n{team.pair}")
        return Tile(self._tile_key(key), public_name(team), TileState.EXPECTED, TileState.EXPECTED, None)

    def _tile_key(self, key: TeamKey) -> str:
        return "t" + keyed_hash(self._key, Domain.TILE, *key)[:16]


def _told_apart(tiles: Sequence[Tile]) -> Iterator[Tile]:
    """Yield the tiles. Those of one name get a number: 1 for the first, so that it stays when others come later."""
    counts, numbers = Counter(tile.name for tile in tiles), Counter[str]()
    for tile in tiles:
        numbers[tile.name] += 1
        yield replace(tile, name=f"{tile.name} ({numbers[tile.name]})") if counts[tile.name] > 1 else tile


def state_of(row: TeamRow) -> tuple[TileState, str]:
    """Return a team's state, and the text of its tile."""
    if row.state == FINISHED:
        return (
            TileState.FINISHED,
            f"{TileState.FINISHED} {clock(row.finished_us)[:5]}" if row.finished_us else TileState.FINISHED,
        )
    if row.state == WAITING and not row.stuck:
        return TileState.WAITING, TileState.WAITING
    return TileState.STUCK, f"{TileState.STUCK}: {problem_title(row.problems[0])}" if row.problems else TileState.STUCK
