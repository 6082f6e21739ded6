"""One class that is being watched: its current state, and the channel on which each change is published.

It renders the pieces of the page. The first page and every later change use the same templates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict

from markupsafe import Markup

from tandem.board.feed.channel import Channel
from tandem.board.feed.class_counts import MAX_SPELLINGS
from tandem.board.feed.server_status import ServerStatus
from tandem.board.feed.tiles import MAX_TILES, ClassTiles, TeamName, Tile, TileChanges, TileState
from tandem.board.gradebook.recognition import TeamMatcher, candidate_rows, class_rows, expected_key
from tandem.board.web.page_templates import PageTemplates
from tandem.records.queries import Records, TeamRow
from tandem.records.visits import Team

MAX_MISTAKES = 8  # kinds of problems that are listed
MAX_STUCK = 10  # stuck teams that are listed beside the tiles; the page shows as many of them as fit
MISTAKES_WINDOW_S = 3600

Mistakes = Sequence[tuple[str, int]]  # problem id, how often


class ClassContent(TypedDict):
    """Everything that is read from the records about a class."""

    rows: list[TeamRow]
    has_more: bool
    mistakes: Mistakes


class ClassFeed:
    """A class, its channel, and its pieces of the page."""

    def __init__(self, classname: str, key: bytes, page_templates: PageTemplates) -> None:
        self.spellings = [classname]  # of the class's name; the first is shown
        self.requested_s = 0.0  # when a page last asked for this feed: time.monotonic()
        self.class_tiles = ClassTiles(classname, key)
        self.channel = Channel(self._snapshot)
        self._page_templates = page_templates
        self._deadline_us: int | None = None
        self._mistakes: Mistakes = ()
        self._unread_since: float | None = None
        self._server_status = ServerStatus()
        self._published_pieces: dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Return whether the class has no tile."""
        return not self.class_tiles.tiles

    @property
    def classname(self) -> str:
        """Return the spelling of the class's name that is shown."""
        return self.spellings[0]

    def add_spellings(self, *spellings: str) -> None:
        """Add spellings of the class's name, the most important first, up to MAX_SPELLINGS."""
        self.spellings = list(dict.fromkeys([*self.spellings, *spellings]))[:MAX_SPELLINGS]

    def replace(self, content: ClassContent, expected: Sequence[Team], deadline_us: int | None) -> None:
        """Replace the whole content, and publish what has changed. `deadline_us` is in microseconds since 1970."""
        self._deadline_us = deadline_us
        self._mistakes = content["mistakes"]
        self._publish(self.class_tiles.replace(content["rows"], expected, content["has_more"]))

    def update(self, rows: Mapping[TeamName, Sequence[TeamRow]]) -> None:
        """Replace the state of some teams, and publish what has changed."""
        self._publish(self.class_tiles.update(rows))

    def show_mistakes(self, mistakes: Mistakes) -> None:
        """Replace the mistakes of the last hour, and publish them if they have changed."""
        self._mistakes = mistakes
        self._publish(TileChanges())

    def show_read_error(self, since: float | None) -> None:
        """Publish whether the records can be read.

        Args:
            since: When they were last read, in seconds since 1970; 0 if never; None if they can be read.
        """
        self._unread_since = since
        self._publish(TileChanges())

    def show_server(self, status: ServerStatus) -> None:
        """Publish the status of the servers."""
        self._server_status = status
        self._publish(TileChanges())

    def tiles(self) -> Markup:
        """Render all tiles."""
        return Markup("").join(self._tile(tile) for tile in self.class_tiles.tiles)

    def pieces(self) -> dict[str, str]:
        """Render everything around the tiles: the id of an element, and its content."""
        return {
            "trouble": self._trouble_piece(),
            "summary": self._page_templates.piece(
                "summary",
                counts=self.class_tiles.counts(),
                total=len(self.class_tiles.tiles),
                has_more=self.class_tiles.has_more,
                deadline_us=self._deadline_us,
            ),
            "mistakes": self._page_templates.piece("mistakes", mistakes=self._mistakes[:MAX_MISTAKES]),
            "stuck": self._stuck_piece(),
            "nobody": self._nobody_piece(),
        }

    def _nobody_piece(self) -> Markup:
        """Render that no team has come yet; nothing where it is not known, because the records cannot be read."""
        if not self.is_empty or self._unread_since is not None:
            return Markup()
        return self._page_templates.piece("nobody", server=self._server_status)

    def _trouble_piece(self) -> Markup:
        """Render why the page may not be live: the records cannot be read, or no server runs."""
        if self._unread_since is not None:
            return self._page_templates.piece("unreadable", since_us=int(self._unread_since * 1e6))
        since_us = self._server_status.silent_since_us
        return Markup() if since_us is None else self._page_templates.piece("silent", since_us=since_us)

    def _stuck_piece(self) -> Markup:
        """Render the stuck teams with their problems. The page shows them where the tiles have no space for that."""
        stuck = [tile for tile in self.class_tiles.tiles if tile.state is TileState.STUCK]
        return self._page_templates.piece("stuck", tiles=stuck[:MAX_STUCK], more=len(stuck[MAX_STUCK:]))

    def _tile(self, tile: Tile) -> Markup:
        return self._page_templates.piece("tile", tile=tile)

    def _publish(self, changes: TileChanges) -> None:
        pieces = self.pieces()
        changed = {name: html for name, html in pieces.items() if self._published_pieces.get(name) != html}
        if not changes and not changed:
            return
        self._published_pieces = pieces
        next_key = self.class_tiles.next_key
        tiles = [(tile.key, self._tile(tile), next_key(tile.key)) for tile in changes.tiles]
        self.channel.publish({"tiles": tiles, "gone": changes.removed, "pieces": changed})

    def _snapshot(self) -> object:
        return {"all": self.tiles(), "pieces": self.pieces()}


def read_class(records: Records, spellings: Sequence[str], expected: Sequence[Team], now: float) -> ClassContent:
    """Read the content of a class. `now` is in seconds since 1970.

    The mistakes of a class with more than MAX_TILES teams are not counted: that would take too long.

    Raises:
        StoreError: The records cannot be read.
    """
    rows = class_rows(records, spellings, MAX_TILES + 1)
    has_more = len(rows) > MAX_TILES
    if has_more:
        rows = _expected_first(records, spellings, rows, expected)
    return {
        "rows": rows,
        "has_more": has_more,
        "mistakes": () if has_more else read_mistakes(records, spellings, now),
    }


def _expected_first(
    records: Records, spellings: Sequence[str], rows: Sequence[TeamRow], expected: Sequence[Team]
) -> list[TeamRow]:
    """Return the rows of teams on the roster, then others, up to MAX_TILES."""
    keys = [expected_key(team) for team in expected]
    compared = candidate_rows(records, spellings, keys) if keys else []
    matcher = TeamMatcher.on_record(compared)
    matches = (matcher.find(key) for key in keys)
    expected_keys = {key for match in matches if match for key in match[1]}
    first = [row for row in compared if row.key in expected_keys]
    others = [row for row in rows if row.key not in expected_keys]
    return [*first, *others[: max(0, MAX_TILES - len(first))]]


def read_mistakes(records: Records, spellings: Sequence[str], now: float) -> Mistakes:
    """Count the problems of the last hour, the most frequent first. `now` is in seconds since 1970.

    Raises:
        StoreError: The records cannot be read.
    """
    found = Counter[str]()
    for classname in spellings:
        found.update(dict(records.mistakes(int((now - MISTAKES_WINDOW_S) * 1e6), classname)))
    return found.most_common()
