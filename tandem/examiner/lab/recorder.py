"""Writes events as they happen, so that a lab that is killed leaves those so far. Bounded."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tandem.examiner.events import FILE, Event, Link, What, Who
from tandem.net.event_loop import EventLoop

MAX_EVENTS = 20_000
MAX_BYTES = 8 << 20  # of data in events
MAX_CONNECTIONS = 1_000
MAX_REFUSED = 100  # on one link: a program that tries again at once makes thousands


class Recorder:
    """The record of one run."""

    def __init__(self, folder: Path, loop: EventLoop) -> None:
        self._file = (folder / FILE).open("w", encoding="ascii", buffering=1)  # a line at a time
        self._loop = loop
        self._bytes = 0
        self.counts: Counter[tuple[What, Link]] = Counter()
        self.on_event: list[Callable[[Event], None]] = []  # called with each
        self.last_s = 0.0  # when the last event happened

    @property
    def is_full(self) -> bool:
        """Whether so much happened that the run has to end."""
        connections = sum(count for (what, _), count in self.counts.items() if what == "connected")
        return connections >= MAX_CONNECTIONS or self.counts.total() >= MAX_EVENTS or self._bytes >= MAX_BYTES

    def add(
        self,
        who: Who,
        what: What,
        *,
        link: Link = "",
        connection: int = 0,
        text: str = "",
        number: int = 0,
        data: bytes = b"",
    ) -> None:
        """Record that something happened now."""
        if what == "refused" and self.counts[what, link] >= MAX_REFUSED:
            return
        self.last_s = self._loop.now_s()
        self.counts[what, link] += 1
        self._bytes += len(data)
        event = Event(self.last_s, who, what, link, connection, text, number, data)
        self._file.write(event.line())
        for call in self.on_event:
            call(event)

    def close(self) -> None:
        """End the record."""
        self._file.close()
