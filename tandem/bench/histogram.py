"""How times are distributed, in constant memory: counts in buckets whose width grows with the value.

Each power of two is cut into the same number of buckets (as HDR histograms do), so a percentile is right to less
than one part in a hundred, be it of microseconds or of minutes. Count and greatest are exact.
"""

from collections.abc import Iterator

_BITS = 8  # a value keeps this many leading bits: its bucket is at most 1/128 of it wide
_HALF = 1 << (_BITS - 1)


class Histogram:
    """Counts of values that are whole numbers from 0 on."""

    def __init__(self) -> None:
        self.count = 0
        self.greatest = 0
        self._counts: list[int] = []

    def add(self, value: int) -> None:
        if value > self.greatest:
            self.greatest = value
        self.count += 1
        shift = max(0, value.bit_length() - _BITS)
        bucket = shift * _HALF + (value >> shift)
        try:
            self._counts[bucket] += 1
        except IndexError:
            self._counts += [0] * (bucket + 1 - len(self._counts))
            self._counts[bucket] = 1

    def percentile(self, percent: float) -> int | None:
        """A value that this share of all values does not exceed, 100 being the greatest; None if there are none."""
        wanted = percent / 100 * self.count
        seen = 0
        for highest, count in self.buckets():
            seen += count
            if seen >= wanted:
                return highest
        return None

    def buckets(self) -> Iterator[tuple[int, int]]:
        """From the least to the greatest: the highest value that a bucket can hold here, and how many it holds."""
        for bucket, count in enumerate(self._counts):
            if count:
                yield min(_highest(bucket), self.greatest), count


def _highest(bucket: int) -> int:
    """The highest value that goes into a bucket."""
    shift = max(0, bucket // _HALF - 1)
    return ((bucket - shift * _HALF + 1) << shift) - 1
