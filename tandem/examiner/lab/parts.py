"""Finds the parts of what flows in one direction of a visit, and applies the faults of each. Pure.

From the server come the welcome and the reply, from a client comes the message. The reply begins at its brace
(PROTOCOL 3.1); a welcome has no end mark, and is taken for complete with the bytes that come first.
"""

from collections.abc import Callable, Iterable

from tandem.examiner.lab.faults import Action, Chain, EndOfStream, Reset
from tandem.examiner.scenario import Direction, Fault
from tandem.protocol.reader import NEED_DATA, Reader


class FaultyDirection:
    """One direction of one connection."""

    def __init__(
        self, faults: Iterable[Fault], direction: Direction, seed: str, on_fault: Callable[[Fault], None]
    ) -> None:
        """Set up the faults of this direction. `on_fault` is called when one takes effect."""
        own = [fault for fault in faults if fault.direction == direction]
        self._welcome = Chain((fault for fault in own if fault.on == "welcome"), f"{seed}/{direction}/welcome")
        self._message = Chain((fault for fault in own if fault.on == "message"), f"{seed}/{direction}/message")
        self._before_message = direction == "to client"  # a welcome may still come
        self._welcome_finished = False
        self._reader = Reader()
        self._message_finished = False
        self._waiting = [*self._welcome.filters, *self._message.filters]  # that have not taken effect
        self._ended = False  # nothing more comes through
        self._on_fault = on_fault

    def feed(self, data: bytes) -> list[Action]:
        """Take bytes, and return what to do."""
        brace = data.find(b"{") if self._before_message else 0
        welcome, message = (data, b"") if brace < 0 else (data[:brace], data[brace:])
        actions = self._feed_welcome(welcome) if welcome else []
        if message:
            self._before_message = False
            actions += self._feed_message(message)
        return self._checked(actions)

    def end(self) -> list[Action]:
        """Take the end of the stream, and return what to do."""
        actions: list[Action] = []
        if not self._message_finished:
            self._message_finished = True
            actions += self._message.finish()
        actions += (self._welcome if self._before_message else self._message).end()
        return self._checked(actions)

    def _feed_welcome(self, data: bytes) -> list[Action]:
        actions = self._welcome.feed(data)
        if not self._welcome_finished:
            self._welcome_finished = True
            actions += self._welcome.finish()
        return actions

    def _feed_message(self, data: bytes) -> list[Action]:
        actions = self._message.feed(data)
        if not self._message_finished and self._reader.feed(data) is not NEED_DATA:
            self._message_finished = True
            actions += self._message.finish()
        return actions

    def _checked(self, actions: list[Action]) -> list[Action]:
        """Report the faults that took effect, and return the actions up to the one that ends the direction."""
        for each in [each for each in self._waiting if each.acted]:
            self._waiting.remove(each)
            self._on_fault(each.fault)
        if self._ended:
            return []
        last = next((at for at, action in enumerate(actions) if isinstance(action, EndOfStream | Reset)), None)
        self._ended = last is not None
        return actions if last is None else actions[: last + 1]
