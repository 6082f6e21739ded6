"""Where the characters of a text stand in the bytes that came. Offsets are computed when they are asked for.

A list of them would take more memory than all the rest of a diagnosis, and only a few are ever asked for. One more
offset than there are characters: the last is where the text ends.
"""

from array import array
from bisect import bisect_right
from typing import Protocol

_STRIDE = 64  # characters from one offset that is remembered to the next
_MAX_CHAR = 4  # bytes, in each of the encodings


class Offsets(Protocol):
    """From the index of a character to the offset of its first byte. For text in ASCII a range does."""

    def __getitem__(self, index: int, /) -> int: ...


class EncodedOffsets:
    """The offsets in bytes of which each character took as many as its encoding takes.

    Decodes a few of the bytes again to count them, and remembers the offset of every 64th character.
    """

    __slots__ = ("_data", "_codec", "_errors", "_marks")

    def __init__(self, data: bytes, start: int, codec: str, errors: str) -> None:
        self._data = data
        self._codec = codec
        self._errors = errors
        self._marks = array("I", (start,))

    def __getitem__(self, index: int, /) -> int:
        mark, count = divmod(index, _STRIDE)
        while mark >= len(self._marks):
            self._marks.append(self._behind(self._marks[-1], _STRIDE))
        return self._behind(self._marks[mark], count)

    def _behind(self, offset: int, count: int) -> int:
        """The offset behind so many characters, the first of which is at `offset`."""
        some = self._data[offset : offset + _MAX_CHAR * count].decode(self._codec, self._errors)
        return min(offset + len(some[:count].encode(self._codec, self._errors)), len(self._data))


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
