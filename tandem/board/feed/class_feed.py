"""One class that somebody looks at: what is shown of it now, and the channel that tells every change.

Draws the pieces of the page; the first page and every later change are made by the same templates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict

from markupsafe import Markup

from tandem.board.feed.channel import Channel
from tandem.board.feed.class_counts import MAX_SPELLINGS
from tandem.board.feed.tiles import MAX_TILES, Changes, Classroom, Named, TeamStatus, Tile, TileState
from tandem.board.gradebook.recognition import Known, alike, expected_key, teams_of
from tandem.board.web.page_templates import PageTemplates
from tandem.records.queries import Records, TeamRow
from tandem.records.sqlite.sqlite_store import WAITING
from tandem.records.visits import Outcome, Team

MAX_MISTAKES = 8  # kinds that are listed
MAX_STUCK = 10  # teams that are listed beside the tiles; the page shows those of them that fit
FEW_WORDS = 6  # from this density on a tile has no room for all its words
MISTAKES_OF = 3600  # seconds
NOBODY_YET = "Nobody has come yet. The first team appears here by itself."

# How many tiles at most -> how dense they are; the style sheet has a size of tiles and letters for each.
DENSITIES = ((4, 1), (9, 2), (16, 3), (30, 4), (54, 5), (84, 6), (120, 7), (184, 8), (243, 9), (324, 10))
SCROLLING = 11  # more than fit on one screen

Mistakes = Sequence[tuple[str, int]]  # problem id, how often


class ClassNews(TypedDict):
    """What is read of a class."""

    standings: list[TeamStatus]
    more: bool
    mistakes: Mistakes


class ClassFeed:
    """A class, its channel, and its pieces of the page."""

    def __init__(self, classname: str, key: bytes, looks: PageTemplates) -> None:
        self.spellings = [classname]  # of the class's name, the one that it is shown under first
        self.asked_at = 0.0  # when somebody last came in, by the monotonic clock
        self.classroom = Classroom(classname, key)
        self.channel = Channel(self._snapshot)
        self._looks = looks
        self._deadline: int | None = None
        self._mistakes: Mistakes = ()
        self._unread_since: float | None = None
        self._shown: dict[str, str] = {}  # the pieces as they were last told

    @property
    def is_empty(self) -> bool:
        return not self.classroom.tiles

    @property
    def classname(self) -> str:
        return self.spellings[0]

    def add_spellings(self, *spellings: str) -> None:
        """More ways to write the class's name, those that count most first; no more than can be read."""
        self.spellings = list(dict.fromkeys([*self.spellings, *spellings]))[:MAX_SPELLINGS]

    def replace(self, news: ClassNews, expected: Sequence[Team], deadline: int | None) -> None:
        """All of it anew; whoever watches is told what is different."""
        self._deadline = deadline
        self._mistakes = news["mistakes"]
        self._tell(self.classroom.replace(news["standings"], expected, news["more"]))

    def update(self, standings: Mapping[Named, Sequence[TeamStatus]]) -> None:
        """Some teams, by their names."""
        self._tell(self.classroom.update(standings))

    def show_mistakes(self, mistakes: Mistakes) -> None:
        """Those of the last hour."""
        self._mistakes = mistakes
        self._tell(Changes())

    def show_trouble(self, since: float | None) -> None:
        """The records cannot be read, and were last read at this time, 0: never; None: they can be read."""
        self._unread_since = since
        self._tell(Changes())

    @property
    def density(self) -> int:
        tiles = len(self.classroom.tiles)
        return next((density for most, density in DENSITIES if tiles <= most), SCROLLING)

    def tiles(self) -> Markup:
        return Markup("").join(self._tile(tile) for tile in self.classroom.tiles)

    def pieces(self) -> dict[str, str]:
        """What stands around the tiles, by the id of the element that it stands in."""
        return {
            "trouble": self._trouble(),
            "summary": self._looks.piece(
                "summary",
                counts=self.classroom.counts(),
                total=len(self.classroom.tiles),
                more=self.classroom.more,
                deadline=self._deadline,
            ),
            "mistakes": self._looks.piece("mistakes", mistakes=self._mistakes[:MAX_MISTAKES]),
            "stuck": self._stuck(),
            "nobody": NOBODY_YET if self.is_empty else "",
        }

    def _trouble(self) -> Markup:
        since = self._unread_since
        return Markup() if since is None else self._looks.piece("unread", since=int(since * 1e6))

    def _stuck(self) -> Markup:
        """The stuck teams with their problems, where the tiles do not tell all of them."""
        if self.density < FEW_WORDS:
            return Markup()
        stuck = [tile for tile in self.classroom.tiles if tile.state is TileState.STUCK]
        return self._looks.piece("stuck", tiles=stuck[:MAX_STUCK], more=len(stuck[MAX_STUCK:]))

    def _tile(self, tile: Tile) -> Markup:
        return self._looks.piece("tile", tile=tile)

    def _tell(self, changes: Changes) -> None:
        pieces = self.pieces()
        changed = {name: html for name, html in pieces.items() if self._shown.get(name) != html}
        if not changes and not changed:
            return
        self._shown = pieces
        follower = self.classroom.follower
        tiles = [(tile.key, self._tile(tile), follower(tile.key)) for tile in changes.tiles]
        self.channel.publish({"tiles": tiles, "gone": changes.gone, "pieces": changed, "density": self.density})

    def _snapshot(self) -> object:
        return {"all": self.tiles(), "pieces": self.pieces(), "density": self.density}


def read_class(records: Records, spellings: Sequence[str], expected: Sequence[Team], now: float) -> ClassNews:
    """All that a room shows of what is on record. In a class that does not fit, mistakes would be too many to count."""
    rows = teams_of(records, spellings, MAX_TILES + 1)
    more = len(rows) > MAX_TILES
    if more:
        rows = _expected_first(records, spellings, rows, expected)
    return {
        "standings": [_standing(records, row) for row in rows],
        "more": more,
        "mistakes": () if more else read_mistakes(records, spellings, now),
    }


def _expected_first(
    records: Records, spellings: Sequence[str], rows: Sequence[TeamRow], expected: Sequence[Team]
) -> list[TeamRow]:
    """The teams of the roster, and strangers as far as there are tiles left."""
    keys = [expected_key(team) for team in expected]
    compared = alike(records, spellings, keys) if keys else []
    known = Known.on_record(compared)
    matches = (known.find(key) for key in keys)
    ours = {key for match in matches if match for key in match[1]}
    first = [row for row in compared if row.key in ours]
    strangers = [row for row in rows if row.key not in ours]
    return [*first, *strangers[: max(0, MAX_TILES - len(first))]]


def read_teams(records: Records, classname: str, teamname: str) -> list[TeamStatus]:
    """The teams with one name."""
    return [_standing(records, row) for row in records.teams_named(teamname, classname)]


def read_mistakes(records: Records, spellings: Sequence[str], now: float) -> Mistakes:
    found = Counter[str]()
    for classname in spellings:
        found.update(dict(records.mistakes(int((now - MISTAKES_OF) * 1e6), classname)))
    return found.most_common()


def _standing(records: Records, row: TeamRow) -> TeamStatus:
    """Only a waiting team with a refused visit on record leaves a question: which came last."""
    if row.state == WAITING and row.problems:
        return TeamStatus(row, records.last_outcome(row.key) is Outcome.REJECTED)
    return TeamStatus(row, False)
