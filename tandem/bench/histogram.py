"""A histogram in constant memory: counts in buckets whose width grows with the value.

Each power of two is cut into the same number of buckets, as in HDR histograms. So a percentile has an error of less
than 1 %, for microseconds and for minutes. Does not know what the values mean.
"""

from collections.abc import Iterator

_BITS = 8  # leading bits of a value that choose its bucket; a bucket is at most 1/128 of its values wide
_HALF = 1 << (_BITS - 1)


class Histogram:
    """Counts of non-negative integers. `count` and `max` are exact."""

    def __init__(self) -> None:
        self.count = 0
        self.max = 0
        self._counts: list[int] = []

    def add(self, value: int) -> None:
        """Count a value."""
        if value > self.max:
            self.max = value
        self.count += 1
        shift = max(0, value.bit_length() - _BITS)
        bucket = shift * _HALF + (value >> shift)
        try:
            self._counts[bucket] += 1
        except IndexError:
            self._counts += [0] * (bucket + 1 - len(self._counts))
            self._counts[bucket] = 1

    def percentile(self, percent: float) -> int | None:
        """Return a value that this share of all values does not exceed, or None without values. 100 is the maximum."""
        wanted = percent / 100 * self.count
        seen = 0
        for highest, count in self.buckets():
            seen += count
            if seen >= wanted:
                return highest
        return None

    def buckets(self) -> Iterator[tuple[int, int]]:
        """Yield the buckets that are not empty, in rising order: the highest value that can be in it, and its count."""
        for bucket, count in enumerate(self._counts):
            if count:
                yield min(_highest(bucket), self.max), count


def _highest(bucket: int) -> int:
    """Return the highest value that belongs to a bucket."""
    shift = max(0, bucket // _HALF - 1)
    return ((bucket - shift * _HALF + 1) << shift) - 1
