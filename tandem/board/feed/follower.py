"""Follows the records and updates the feed of every class that is being watched: one reader for all browsers.

It polls for new visits. Every RELOAD_INTERVAL_S, and after an error, it opens a new connection and reloads all feeds.
So changes that are not visits appear, too: a team was forgotten, a database restored. It reads in one thread;
everything else runs in the event loop.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tandem.board.feed.channel import Channel
from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.class_feed import ClassContent, ClassFeed, Mistakes, read_class, read_mistakes
from tandem.board.feed.records_pool import Result
from tandem.board.feed.server_status import ServerStatus
from tandem.board.feed.tiles import TeamName
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError
from tandem.board.web.page_templates import PageTemplates
from tandem.diagnosis.rules import is_repeatable
from tandem.net.line_writer import report
from tandem.protocol.printable import printable
from tandem.records.class_spellings import folded
from tandem.records.closing import closed_on_error
from tandem.records.queries import Arrival, Records, TeamRow, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import NoResultsError, StoreError
from tandem.records.tail import Tail
from tandem.records.visits import Outcome

NOT_READ_YET = "the records have not been read yet"
POLL_INTERVAL_S = 0.25
MISTAKES_INTERVAL_S = 1.0  # between two reads of the mistakes, which cost more
RELOAD_INTERVAL_S = 10.0
RETRY_DELAY_S = 1.0  # after an error
MAX_TEAM_CHANNELS = 1_000  # beyond, those without listeners are removed
MAX_FEEDS = 100  # beyond, the unwatched feed that was requested longest ago is removed

EMPTY_CLASS: ClassContent = {"rows": [], "has_more": False, "mistakes": ()}


class TooManyFeedsError(Exception):
    """Too many different classes are being watched at once."""


class Follower:
    """The feeds of all classes that are being watched. Run `run` as a task, and call `close` after it was cancelled.

    `read_error` says why the records cannot be read; it is "" while they can be.
    """

    def __init__(
        self,
        location: DatabaseLocation,
        board_store: BoardStore,
        page_templates: PageTemplates,
        class_counts: ClassCounts,
        key: bytes,
    ) -> None:
        self.read_error = NOT_READ_YET
        self.read_s = 0.0  # when the records were last read: seconds since 1970
        self._location = location
        self._board_store = board_store
        self._page_templates = page_templates
        self._class_counts = class_counts
        self._key = key
        self._server_status = ServerStatus()
        self._feeds: dict[str, ClassFeed] = {}  # by folded class name, the latest requested last
        self._team_channels: dict[tuple[str, str], Channel] = {}  # by class and team name
        self._opening_lock = asyncio.Lock()
        self._mistakes_outdated: set[str] = set()  # classes whose mistakes must be read again
        self._mistakes_read_s = 0.0  # time.monotonic()
        self._thread = ThreadPoolExecutor(1, "follow")
        self._records: Records | None = None
        self._tail: Tail | None = None

    @property
    def listeners(self) -> int:
        """Return the number of browsers that watch a class or a team."""
        return sum(channel.listeners for channel in self._channels())

    @property
    def feed_count(self) -> int:
        """Return the number of feeds in memory."""
        return len(self._feeds)

    async def run(self) -> None:
        """Follow the records until the task is cancelled."""
        try:
            while True:
                try:
                    await self._follow_once()
                except (StoreError, BoardStoreError) as error:
                    waits = isinstance(error, NoResultsError) and not self.read_s  # for the first start of a server
                    self._set_read_error(NOT_READ_YET if waits else str(error))
                    await asyncio.sleep(RETRY_DELAY_S)
        finally:
            await self._in_thread(self._close)

    def close(self) -> None:
        """End the thread. Call it after `run` was cancelled."""
        self._thread.shutdown()

    async def feed(self, classname: str) -> ClassFeed | None:
        """Return the feed of a class, which may be empty; None if no class can have this name.

        Raises:
            TooManyFeedsError: Too many classes are being watched.
            StoreError: The records cannot be read.
            BoardStoreError: The board's own file cannot be read.
        """
        name = folded(classname)
        if name not in self._feeds:
            async with self._opening_lock:  # simultaneous requests must get the same feed
                if name not in self._feeds and not await self._open_feed(classname):
                    return None
        feed = self._feeds.pop(name)
        self._feeds[name] = feed
        feed.requested_s = time.monotonic()
        return feed

    def team_channel(self, classname: str, teamname: str) -> Channel:
        """Return the channel that gets an empty event after each visit of a team."""
        name = classname, teamname
        if len(self._team_channels) >= MAX_TEAM_CHANNELS:
            self._team_channels = {name: each for name, each in self._team_channels.items() if each.listeners}
        return self._team_channels.setdefault(name, Channel(lambda: None))

    async def refresh(self) -> None:
        """Reload all feeds at once. Call it after the teacher has changed a roster or deadline.

        Raises:
            StoreError: The records cannot be read.
            BoardStoreError: The board's own file cannot be read.
        """
        for feed in list(self._feeds.values()):
            await self._reload(feed)

    def show_server(self, status: ServerStatus) -> None:
        """Publish the status of the servers in every feed."""
        self._server_status = status
        for feed in self._feeds.values():
            feed.show_server(status)

    def close_streams(self) -> None:
        """End every stream."""
        for channel in self._channels():
            channel.close()

    async def _follow_once(self) -> None:
        pending = await self._in_thread(self._reopen)
        limit_s = time.monotonic() - RELOAD_INTERVAL_S
        self._remove([name for name in self._unwatched() if self._feeds[name].requested_s < limit_s])
        await self.refresh()
        await self._apply(pending)
        started_s = time.monotonic()
        while time.monotonic() < started_s + RELOAD_INTERVAL_S:
            arrivals = await self._in_thread(self._new_visits)
            self.read_s = time.time()
            self._set_read_error("")
            await self._apply(arrivals)
            await asyncio.sleep(POLL_INTERVAL_S)

    def _set_read_error(self, read_error: str) -> None:
        """Publish in every feed that the records cannot be read, or can be read again."""
        if read_error != self.read_error:
            if read_error:
                report(f"the records cannot be read: {printable(read_error)}", "tandem board")
            elif self.read_error != NOT_READ_YET:
                report("the records can be read again", "tandem board")
            self.read_error = read_error
            for feed in self._feeds.values():
                feed.show_read_error(self._unread_since)

    @property
    def _unread_since(self) -> float | None:
        return self.read_s if self.read_error not in ("", NOT_READ_YET) else None

    async def _apply(self, arrivals: Sequence[Arrival]) -> None:
        """Update the feeds of the classes and the channels of the teams that visits have come from."""
        changed_teams: dict[str, set[TeamName]] = {}
        for arrival in arrivals:
            name = folded(arrival.classname)
            if name in self._feeds:
                self._feeds[name].add_spellings(arrival.classname)
                changed_teams.setdefault(name, set()).add((arrival.classname, arrival.teamname))
                if arrival.outcome is Outcome.REJECTED:
                    self._mistakes_outdated.add(name)
        for team_name in {(arrival.classname, arrival.teamname) for arrival in arrivals} & set(self._team_channels):
            self._team_channels[team_name].publish(None)
        for name, teams in changed_teams.items():
            rows = await self._in_thread(partial(self._read_teams, teams))
            if name in self._feeds:
                self._feeds[name].update(rows)
        if self._mistakes_outdated and time.monotonic() >= self._mistakes_read_s + MISTAKES_INTERVAL_S:
            await self._refresh_mistakes()

    async def _refresh_mistakes(self) -> None:
        """Read the mistakes of the classes in which a visit was refused."""
        self._mistakes_read_s = time.monotonic()
        outdated, self._mistakes_outdated = self._mistakes_outdated, set()
        for feed in [feed for name, feed in self._feeds.items() if name in outdated and not feed.class_tiles.has_more]:
            feed.show_mistakes(await self._in_thread(partial(self._read_mistakes, feed.spellings)))

    async def _open_feed(self, classname: str) -> bool:
        """Open a feed, and return False if the class is empty and no class can have this name."""
        self._evict()
        feed = ClassFeed(classname, self._key, self._page_templates)
        await self._reload(feed)
        feed.show_read_error(self._unread_since)
        feed.show_server(self._server_status)
        if feed.is_empty and not (classname and is_repeatable("classname", classname)):
            return False
        self._feeds[folded(classname)] = feed
        return True

    async def _reload(self, feed: ClassFeed) -> None:
        """Reload a feed. While there are no records yet, it shows the teams on the roster."""
        expected = self._board_store.roster(feed.classname)
        on_roster = sorted({team.classname for team in expected})
        spellings = [*on_roster, *self._class_counts.latest.spellings(feed.classname)]
        before, feed.spellings = feed.spellings, []
        feed.add_spellings(*spellings, *before)
        try:
            content = await self._in_thread(
                lambda: read_class(self._open_records(), feed.spellings, expected, time.time())
            )
        except StoreError:
            if feed.class_tiles.tiles:
                raise
            content = EMPTY_CLASS
        feed.replace(content, expected, self._board_store.deadlines().get(feed.classname))

    def _evict(self) -> None:
        """Remove feeds until there is space for one: unwatched ones first, then empty ones.

        Everybody can request a feed with an invented name, so an empty one is removed although it is being watched.
        """
        empty = [name for name, feed in self._feeds.items() if feed.is_empty]
        removable = list(dict.fromkeys([*self._unwatched(), *empty]))
        if len(self._feeds) >= MAX_FEEDS and not removable:
            raise TooManyFeedsError
        self._remove(removable[: max(0, len(self._feeds) + 1 - MAX_FEEDS)])

    def _unwatched(self) -> list[str]:
        """Return the classes without listeners, the one requested longest ago first."""
        return [name for name, feed in self._feeds.items() if not feed.channel.listeners]

    def _remove(self, classnames: Sequence[str]) -> None:
        """Remove feeds and end their streams. A browser that was just connecting reconnects to the new feed."""
        for classname in classnames:
            self._feeds.pop(classname).channel.close()

    def _channels(self) -> list[Channel]:
        return [*(feed.channel for feed in self._feeds.values()), *self._team_channels.values()]

    async def _in_thread(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    # The methods below run in the thread.

    def _reopen(self) -> list[Arrival]:
        """Open a new connection, and return the visits that the old one had not returned. Some may come twice."""
        records = open_records(self._location)
        with closed_on_error(records):
            tail = Tail(records)
        try:
            return self._new_visits()
        except StoreError:
            return []
        finally:
            self._close()
            self._records, self._tail = records, tail

    def _close(self) -> None:
        if self._records:
            self._records.close()
        self._records = self._tail = None

    def _open_records(self) -> Records:
        if self._records is None:
            raise StoreError(self.read_error)
        return self._records

    def _new_visits(self) -> list[Arrival]:
        return self._tail.visits() if self._tail else []

    def _read_teams(self, teams: set[TeamName]) -> dict[TeamName, list[TeamRow]]:
        records = self._open_records()
        return {(classname, name): list(records.teams_named(name, classname)) for classname, name in teams}

    def _read_mistakes(self, spellings: Sequence[str]) -> Mistakes:
        return read_mistakes(self._open_records(), spellings, time.time())
