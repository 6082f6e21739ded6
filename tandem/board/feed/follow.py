"""Follows the records, and keeps every class that somebody looks at as it is: one reader for all browsers.

A few times a second it asks what has come since; every so often, and after trouble, it begins anew with a fresh
connection and reads all it shows once more, so that whatever was missed (a team forgotten, a database put back) is
right again. Reads in a thread of its own; everything else happens in the event loop.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from tandem.board.feed.channel import Channel
from tandem.board.feed.class_counts import ClassCounts
from tandem.board.feed.class_feed import ClassFeed, ClassNews, Mistakes, read_class, read_mistakes, read_teams
from tandem.board.feed.tiles import Named, TeamStatus
from tandem.board.gradebook.board_store import BoardStore, BoardStoreError
from tandem.board.gradebook.class_names import folded
from tandem.board.web.page_templates import PageTemplates
from tandem.diagnosis.rules import is_repeatable
from tandem.records.closing import closed_on_error
from tandem.records.queries import Arrival, Records, open_records
from tandem.records.rows import DatabaseLocation
from tandem.records.sqlite.sqlite_store import StoreError
from tandem.records.tail import Tail
from tandem.records.visits import Outcome

PACE = 0.25  # seconds between two looks
MISTAKES_PACE = 1.0  # seconds between two looks at the mistakes
ANEW = 10.0  # seconds after which everything is read once more
AFTER_TROUBLE = 1.0  # seconds
MAX_TEAM_CHANNELS = 1_000  # then those that nobody listens to go
MAX_ROOMS = 100  # classes that are kept ready; beyond that the one that was asked for longest ago goes

NOTHING: ClassNews = {"standings": [], "more": False, "mistakes": ()}

Answer = TypeVar("Answer")


class TooManyFeedsError(Exception):
    """Too many different classes are being watched at once."""


class Follower:
    """Run `run` as a task; ask for a class with `room`. `trouble` says why nothing can be read, "" if all is well."""

    def __init__(
        self, where: DatabaseLocation, book: BoardStore, looks: PageTemplates, census: ClassCounts, key: bytes
    ) -> None:
        self.trouble = "the records have not been read yet"
        self.read_at = 0.0  # when something was last read: seconds since 1970
        self._where = where
        self._book = book
        self._looks = looks
        self._census = census
        self._key = key
        self._rooms: dict[str, ClassFeed] = {}  # by folded class name; the one that was asked for last stands last
        self._team_channels: dict[tuple[str, str], Channel] = {}  # by class and name
        self._opening = asyncio.Lock()
        self._refused: set[str] = set()  # classes whose mistakes are to be read again
        self._mistakes_read = 0.0
        self._thread = ThreadPoolExecutor(1, "follow")
        self._records: Records | None = None
        self._tail: Tail | None = None

    @property
    def listeners(self) -> int:
        """Browsers that are watching."""
        return sum(channel.listeners for channel in self._channels())

    @property
    def rooms(self) -> int:
        """Classes that are kept ready."""
        return len(self._rooms)

    async def run(self) -> None:
        """Follows until it is cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except (StoreError, BoardStoreError) as trouble:
                    self._tell(str(trouble))
                    await asyncio.sleep(AFTER_TROUBLE)
        finally:
            await self._ask(self._close)

    def close(self) -> None:
        """After `run` has been cancelled."""
        self._thread.shutdown()

    async def room(self, classname: str) -> ClassFeed | None:
        """The feed of a class, empty until somebody comes; None: no class has such a name. Raises TooManyFeedsError."""
        name = folded(classname)
        if name not in self._rooms:
            async with self._opening:  # who comes at the same time finds the same room
                if name not in self._rooms and not await self._open_room(classname):
                    return None
        room = self._rooms.pop(name)
        self._rooms[name] = room
        room.asked_at = time.monotonic()
        return room

    def team_channel(self, classname: str, teamname: str) -> Channel:
        """Tells that something came from a team, not what: for its page."""
        name = classname, teamname
        if len(self._team_channels) >= MAX_TEAM_CHANNELS:
            self._team_channels = {name: each for name, each in self._team_channels.items() if each.listeners}
        return self._team_channels.setdefault(name, Channel(lambda: None))

    async def refresh(self) -> None:
        """Reads everything that is shown once more, at once: the teacher has changed something."""
        for room in list(self._rooms.values()):
            await self._read(room)

    def hang_up(self) -> None:
        """Ends every stream."""
        for channel in self._channels():
            channel.close()

    async def _follow(self) -> None:
        left = await self._ask(self._open_anew)
        long_ago = time.monotonic() - ANEW
        self._leave([name for name in self._idle() if self._rooms[name].asked_at < long_ago])
        await self.refresh()
        await self._take(left)
        began = time.monotonic()
        while time.monotonic() < began + ANEW:
            arrivals = await self._ask(self._look)
            self.read_at = time.time()
            self._tell("")
            await self._take(arrivals)
            await asyncio.sleep(PACE)

    def _tell(self, trouble: str) -> None:
        """Every class, when trouble comes and when it is over."""
        if trouble != self.trouble:
            self.trouble = trouble
            for room in self._rooms.values():
                room.show_trouble(self._unread_since)

    @property
    def _unread_since(self) -> float | None:
        return self.read_at if self.trouble else None

    async def _take(self, arrivals: Sequence[Arrival]) -> None:
        """Brings what has changed into the rooms, and tells the pages of the teams."""
        touched: dict[str, set[Named]] = {}
        for arrival in arrivals:
            name = folded(arrival.classname)
            if name in self._rooms:
                self._rooms[name].add_spellings(arrival.classname)
                touched.setdefault(name, set()).add((arrival.classname, arrival.teamname))
                if arrival.outcome is Outcome.REJECTED:
                    self._refused.add(name)
        for named in {(arrival.classname, arrival.teamname) for arrival in arrivals} & set(self._team_channels):
            self._team_channels[named].publish(None)
        for name, teams in touched.items():
            standings = await self._ask(partial(self._read_teams, teams))
            if name in self._rooms:
                self._rooms[name].update(standings)
        if self._refused and time.monotonic() >= self._mistakes_read + MISTAKES_PACE:
            await self._read_mistakes()

    async def _read_mistakes(self) -> None:
        """Of the classes from which something was refused: less often, it costs more."""
        self._mistakes_read = time.monotonic()
        refused, self._refused = self._refused, set()
        for room in [room for name, room in self._rooms.items() if name in refused and not room.classroom.more]:
            room.show_mistakes(await self._ask(partial(self._read_mistakes_of, room.spellings)))

    async def _open_room(self, classname: str) -> bool:
        """Whether there is anything to show in it, or may be once."""
        self._make_space()
        room = ClassFeed(classname, self._key, self._looks)
        await self._read(room)
        room.show_trouble(self._unread_since)
        if room.is_empty and not (classname and is_repeatable("classname", classname)):
            return False
        self._rooms[folded(classname)] = room
        return True

    async def _read(self, room: ClassFeed) -> None:
        """Brings a room up to date; where there are no records yet, it shows who is expected."""
        expected = self._book.roster(room.classname)
        written = [*(team.classname for team in expected), *self._census.counted.spellings(room.classname)]
        before, room.spellings = room.spellings, []
        room.add_spellings(*written, *before)
        try:
            news = await self._ask(lambda: read_class(self._open_already(), room.spellings, expected, time.time()))
        except StoreError:
            if room.classroom.tiles:
                raise
            news = NOTHING
        room.replace(news, expected, self._book.deadlines().get(room.classname))

    def _make_space(self) -> None:
        """Those that nobody watches go first, then those that nobody is in: anybody can ask for such a name."""
        empty = [name for name, room in self._rooms.items() if room.is_empty]
        spare = list(dict.fromkeys([*self._idle(), *empty]))
        if len(self._rooms) >= MAX_ROOMS and not spare:
            raise TooManyFeedsError
        self._leave(spare[: max(0, len(self._rooms) + 1 - MAX_ROOMS)])

    def _idle(self) -> list[str]:
        """The classes that nobody watches, the one that was asked for longest ago first."""
        return [name for name, room in self._rooms.items() if not room.channel.listeners]

    def _leave(self, classnames: Sequence[str]) -> None:
        """Whoever is just coming in is sent back to the door, and finds the new room."""
        for classname in classnames:
            self._rooms.pop(classname).channel.close()

    def _channels(self) -> list[Channel]:
        return [*(room.channel for room in self._rooms.values()), *self._team_channels.values()]

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    # What follows runs in the thread.

    def _open_anew(self) -> list[Arrival]:
        """Returns what the tail before had not told yet; some of it may come again."""
        records = open_records(self._where)
        with closed_on_error(records):
            tail = Tail(records)
        try:
            return self._look()
        except StoreError:
            return []
        finally:
            self._close()
            self._records, self._tail = records, tail

    def _close(self) -> None:
        if self._records:
            self._records.close()
        self._records = self._tail = None

    def _open_already(self) -> Records:
        if self._records is None:
            raise StoreError(self.trouble)
        return self._records

    def _look(self) -> list[Arrival]:
        return self._tail.visits() if self._tail else []

    def _read_teams(self, teams: set[Named]) -> dict[Named, list[TeamStatus]]:
        records = self._open_already()
        return {named: read_teams(records, *named) for named in teams}

    def _read_mistakes_of(self, spellings: Sequence[str]) -> Mistakes:
        return read_mistakes(self._open_already(), spellings, time.time())
