"""Two connections joined: what comes on one goes out on the other, after the faults. Ends and resets go through too."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from tandem.examiner.lab.connections.faults import Action, EndOfStream, Pause, Reset, Send
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream


class Faults(Protocol):
    """The faults of one direction."""

    def feed(self, data: bytes, /) -> list[Action]:
        """Take bytes, and return what to do."""

    def end(self) -> list[Action]:
        """Take the end of the stream, and return what to do."""


class Observer(Protocol):
    """The receiver of the events of one direction."""

    def on_sent(self, data: bytes, /) -> None:
        """Take bytes as they were sent."""

    def on_delivered(self, data: bytes, /) -> None:
        """Take bytes as they go to the receiver, after the faults."""

    def on_end(self) -> None:
        """Take notice that the sender ended its sending side."""

    def on_reset(self) -> None:
        """Take notice that the sender reset the connection."""


class NoFaults:
    """Everything arrives as it was sent."""

    def feed(self, data: bytes) -> list[Action]:
        """Send it on."""
        return [Send(data)]

    def end(self) -> list[Action]:
        """Hand it on."""
        return [EndOfStream()]


class NoObserver:
    """Nothing is recorded."""

    def on_sent(self, data: bytes) -> None:
        """Ignore it."""

    def on_delivered(self, data: bytes) -> None:
        """Ignore it."""

    def on_end(self) -> None:
        """Ignore it."""

    def on_reset(self) -> None:
        """Ignore it."""


class Lane:
    """One direction of a tunnel. It is the handler of the stream that it reads from."""

    def __init__(
        self,
        loop: EventLoop,
        source: Stream,
        target: Stream,
        faults: Faults,
        observer: Observer,
        on_done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._source = source
        self._target = target
        self._faults = faults
        self._observer = observer
        self._on_done = on_done
        self._actions: deque[Action] = deque()
        self._is_paused = False
        self._source_ended = False
        target.on_drained = self._on_drained

    def on_data(self, data: bytes) -> None:
        """Take bytes of the source."""
        self._observer.on_sent(data)
        self._plan(self._faults.feed(data))

    def on_end(self) -> None:
        """Take the end of the source."""
        self._source_ended = True
        self._observer.on_end()
        self._plan(self._faults.end())
        self._on_done()

    def on_reset(self) -> None:
        """Reset the other side as well."""
        self._observer.on_reset()
        self._target.reset()

    def _plan(self, actions: list[Action]) -> None:
        self._actions += actions
        if not self._is_paused:
            self._act()

    def _act(self) -> None:
        self._is_paused = False
        while self._actions and not self._is_paused:
            self._do(self._actions.popleft())
        if self._target.is_full:
            self._source.read_on(False)
        self._on_done()

    def _do(self, action: Action) -> None:
        if isinstance(action, Send):
            if not self._target.is_closed:
                self._observer.on_delivered(action.data)
                self._target.send(action.data)
        elif isinstance(action, Pause):
            self._is_paused = True
            self._loop.after(action.seconds, self._act)
        elif isinstance(action, EndOfStream):
            self._target.end()
        else:
            assert isinstance(action, Reset)
            self._source.reset()
            self._target.reset()

    def _on_drained(self) -> None:
        if not self._source_ended:
            self._source.read_on(True)


def join(
    loop: EventLoop, near: Stream, far: Stream, forth: tuple[Faults, Observer], back: tuple[Faults, Observer]
) -> None:
    """Join two connections until both have ended."""

    def close_if_done() -> None:
        if near.is_done and far.is_done:
            near.close()
            far.close()

    near.start(Lane(loop, near, far, *forth, close_if_done))
    far.start(Lane(loop, far, near, *back, close_if_done))
