"""Where the characters of a text stand in the bytes that came. Offsets are computed when they are asked for.

A list of them would take more memory than all the rest of a diagnosis, and only a few are ever asked for. One more
offset than there are characters: the last is where the text ends.
"""

from array import array
from bisect import bisect_right
from typing import Protocol

_CHUNK = 1024  # characters that are encoded at a time, to count their bytes


class Offsets(Protocol):
    """From the index of a character to the offset of its first byte. For text in ASCII a range does."""

    def __getitem__(self, index: int, /) -> int: ...


class EncodedOffsets:
    """The offsets in bytes of which each character took as many as its encoding takes.

    Counts from the character that was asked for last, because questions come nearly in order.
    """

    __slots__ = ("_chars", "_stop", "_codec", "_errors", "_index", "_offset")

    def __init__(self, chars: str, start: int, stop: int, codec: str = "utf-8") -> None:
        self._chars = chars
        self._stop = stop  # no offset is higher: the last character may have been cut off
        self._codec = codec
        self._errors = "surrogateescape" if codec == "utf-8" else "surrogatepass"
        self._index = 0
        self._offset = start

    def __getitem__(self, index: int, /) -> int:
        if index >= self._index:
            self._offset += self._size(self._index, index)
        else:
            self._offset -= self._size(index, self._index)
        self._index = index
        return min(self._offset, self._stop)

    def _size(self, start: int, stop: int) -> int:
        """How many bytes the characters between take."""
        return sum(
            len(self._chars[at : min(at + _CHUNK, stop)].encode(self._codec, self._errors))
            for at in range(start, stop, _CHUNK)
        )


class PieceOffsets:
    """The indices in an outer text of the characters of a text that was put together of pieces of it."""

    __slots__ = ("_starts", "_places")

    def __init__(self, place: int) -> None:
        """The first piece begins at `place` of the outer text."""
        self._starts = array("I", (0,))
        self._places = array("I", (place,))

    def add(self, start: int, place: int) -> None:
        """From the character `start` on, a piece that begins at `place` of the outer text. In ascending order."""
        self._starts.append(start)
        self._places.append(place)

    def __getitem__(self, index: int, /) -> int:
        piece = bisect_right(self._starts, index) - 1
        return self._places[piece] + index - self._starts[piece]


class NestedOffsets:
    """The offsets of a text within another text."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, inner: Offsets, outer: Offsets) -> None:
        self._inner = inner  # from the text to the other one
        self._outer = outer  # from the other one to the bytes

    def __getitem__(self, index: int, /) -> int:
        return self._outer[self._inner[index]]
