"""The faults: small filters on one part of what flows in one direction. Pure: bytes in, timed actions out.

A filter takes the bytes as they come (`feed`), the end of its part (`finish`: the message is complete, or nothing more
can come), and the end of the stream (`end`). What it does is decided by its fault and the seed alone, however TCP cut
the bytes. Filters are chained: the actions of one are the input of the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tandem.examiner.scenario import Fault, FaultKind


@dataclass(frozen=True)
class Send:
    """Deliver bytes, in a segment of their own."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Wait before the next action."""

    seconds: float


@dataclass(frozen=True)
class EndOfStream:
    """Deliver the end of the stream."""


@dataclass(frozen=True)
class Reset:
    """Reset the connection."""


Action = Send | Pause | EndOfStream | Reset

# The seed chooses an offset below these: every right message and every welcome is longer.
MIN_BYTES = {"message": 100, "welcome": 20}


class Filter:
    """Lets everything through. Each fault changes some of it."""

    def __init__(self, fault: Fault, random: Random) -> None:
        self.fault = fault
        self.acted = False  # whether it has changed anything so far
        self.random = random
        self.offset = 0  # of the next byte that comes

    def feed(self, data: bytes) -> list[Action]:
        """Take bytes of the part."""
        actions = self.change(data)
        self.offset += len(data)
        return actions

    def change(self, data: bytes) -> list[Action]:
        """Return what is done for these bytes."""
        return [Send(data)]

    def finish(self) -> list[Action]:
        """Take the end of the part: what was kept back is due."""
        return []

    def end(self) -> list[Action]:
        """Take the end of the stream. The part has been finished before."""
        return [EndOfStream()]

    def chosen_offset(self) -> int:
        """Return where the fault acts: as it says, else as the seed says."""
        return self.fault.at[0] if self.fault.at else self.random.randrange(1, MIN_BYTES[self.fault.on])


class Split(Filter):
    """Cuts into pieces, with a pause between them."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._cuts = frozenset(fault.at or ((self.chosen_offset(),) if not fault.every else ()))

    def change(self, data: bytes) -> list[Action]:
        """Send piece by piece. A cut at the first byte of the data is one, too."""
        start, end = self.offset, self.offset + len(data)
        cuts = set(self._cuts_between(start, end)) - {0}
        actions: list[Action] = []
        for before, after in pairwise(sorted({start, *cuts, end})):
            if before in cuts:
                self.acted = True
                actions.append(Pause(self.fault.pause_s))
            actions.append(Send(data[before - start : after - start]))
        return actions

    def _cuts_between(self, start: int, end: int) -> Iterable[int]:
        if self.fault.every:
            first = -(-start // self.fault.every) * self.fault.every
            return range(first, end, self.fault.every)
        return (offset for offset in self._cuts if start <= offset < end)


class Delay(Filter):
    """Delivers everything later."""

    def change(self, data: bytes) -> list[Action]:
        """Pause before the first byte: what follows waits behind it."""
        before = [] if self.acted else [Pause(self.fault.pause_s)]
        self.acted = True
        return [*before, Send(data)]


class Drop(Filter):
    """Delivers nothing from an offset on (default: the first byte), the end of the stream neither."""

    def change(self, data: bytes) -> list[Action]:
        """Keep what is before the offset."""
        kept = data[: max(0, sum(self.fault.at[:1]) - self.offset)]
        self.acted |= len(kept) < len(data)
        return [Send(kept)] if kept else []

    def end(self) -> list[Action]:
        """Swallow the end, too."""
        return [] if self.acted else [EndOfStream()]


class Truncate(Filter):
    """Delivers no byte from an offset on. The end of the stream comes when the sender ends it."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._at = self.chosen_offset()

    def change(self, data: bytes) -> list[Action]:
        """Keep what is before the offset."""
        kept = data[: max(0, self._at - self.offset)]
        self.acted |= len(kept) < len(data)
        return [Send(kept)] if kept else []


class Corrupt(Filter):
    """Changes one byte."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._at = self.chosen_offset()
        self._change = random.randrange(1, 256)  # to another value, whatever it was

    def change(self, data: bytes) -> list[Action]:
        """Change the byte at the offset."""
        at = self._at - self.offset
        if not 0 <= at < len(data):
            return [Send(data)]
        self.acted = True
        return [Send(data[:at] + bytes((data[at] ^ self._change,)) + data[at + 1 :])]


class Cut(Filter):
    """Ends at an offset: with a reset or with the end of the stream. Nothing comes after it."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._at = self.chosen_offset()
        self._last: Action = Reset() if fault.kind == "reset" else EndOfStream()

    def change(self, data: bytes) -> list[Action]:
        """Act as soon as the byte at the offset comes."""
        if self.acted:
            return []
        if self._at >= self.offset + len(data):
            return [Send(data)]
        self.acted = True
        kept = data[: self._at - self.offset]
        return [*([Send(kept)] if kept else []), self._last]

    def end(self) -> list[Action]:
        """Deliver the end if it has not been delivered."""
        return [] if self.acted else [EndOfStream()]


class Duplicate(Filter):
    """Delivers the whole part again after the whole part."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._whole = b""

    def change(self, data: bytes) -> list[Action]:
        """Remember the bytes."""
        self._whole += data
        return [Send(data)]

    def finish(self) -> list[Action]:
        """Deliver them again."""
        self.acted = bool(self._whole)
        return [Send(self._whole)] if self._whole else []


class Append(Filter):
    """Adds bytes at the end of the part."""

    def finish(self) -> list[Action]:
        """Add them, unless nothing came."""
        self.acted = self.offset > 0
        return [Send(self.fault.new)] if self.acted else []


class Replace(Filter):
    """Replaces bytes, wherever they are in the part."""

    def __init__(self, fault: Fault, random: Random) -> None:
        super().__init__(fault, random)
        self._kept = b""  # may be the beginning of the bytes to replace

    def change(self, data: bytes) -> list[Action]:
        """Replace what is complete, and keep back what may become so."""
        *before, rest = (self._kept + data).split(self.fault.old)
        self.acted |= bool(before)
        keep = _overlap(rest, self.fault.old)
        done = self.fault.new.join((*before, rest[: len(rest) - keep]))
        self._kept = rest[len(rest) - keep :]
        return [Send(done)] if done else []

    def finish(self) -> list[Action]:
        """Deliver what was kept back."""
        kept, self._kept = self._kept, b""
        return [Send(kept)] if kept else []


def _overlap(data: bytes, start: bytes) -> int:
    """Return the length of the longest end of the data with which `start` begins, but not all of it."""
    longest = min(len(data), len(start) - 1)
    return next((length for length in range(longest, 0, -1) if data.endswith(start[:length])), 0)


FILTERS: dict[FaultKind, type[Filter]] = {
    "split": Split,
    "delay": Delay,
    "drop": Drop,
    "truncate": Truncate,
    "corrupt": Corrupt,
    "reset": Cut,
    "half-close": Cut,
    "duplicate": Duplicate,
    "append": Append,
    "replace": Replace,
}


class Chain:
    """The filters of one part, in the order of their faults."""

    def __init__(self, faults: Iterable[Fault], seed: str) -> None:
        """Make the filters. The same seed gives the same ones."""
        self.filters = [FILTERS[fault.kind](fault, Random(f"{seed}/{number}")) for number, fault in enumerate(faults)]

    def feed(self, data: bytes) -> list[Action]:
        """Take bytes of the part."""
        return self._through([Send(data)], self.filters)

    def finish(self) -> list[Action]:
        """Take the end of the part."""
        return [
            action
            for number, each in enumerate(self.filters, 1)
            for action in self._through(each.finish(), self.filters[number:])
        ]

    def end(self) -> list[Action]:
        """Take the end of the stream, after the end of the part."""
        return self._through([EndOfStream()], self.filters)

    def _through(self, actions: list[Action], filters: list[Filter]) -> list[Action]:
        for each in filters:
            actions = [result for action in actions for result in _apply(each, action)]
        return actions


def _apply(filter: Filter, action: Action) -> list[Action]:
    if isinstance(action, Send):
        return filter.feed(action.data)
    return filter.end() if isinstance(action, EndOfStream) else [action]
