"""Puts the bytes of one direction of a TCP connection into their order, from its segments. Pure.

Segments may come in any order, twice, and overlap. Of bytes that came twice, the first ones count.
"""

MODULUS = 1 << 32  # sequence numbers begin again after this
MAX_KEPT = 1 << 20  # bytes that wait for those before them


class Reassembler:
    """The stream of one direction. Its first byte has the sequence number after that of the SYN."""

    def __init__(self, syn_sequence: int) -> None:
        self.ended = False  # whether all bytes up to the FIN have come
        self._next = (syn_sequence + 1) % MODULUS
        self._offset = 0  # of the next byte in the stream
        self._kept: dict[int, bytes] = {}  # offset in the stream -> bytes that came early
        self._end: int | None = None  # offset of the FIN, once it came

    def feed(self, sequence: int, data: bytes, fin: bool = False) -> bytes:
        """Take a segment. Return the bytes that are next in the stream now."""
        start = self._offset + _distance(self._next, sequence)
        if fin and start + len(data) >= self._offset:
            self._end = start + len(data)
        if start < self._offset:
            data = data[self._offset - start :]
            start = self._offset
        if data and self._kept_bytes() + len(data) <= MAX_KEPT:
            self._keep(start, data)
        ready = self._take()
        self._offset += len(ready)
        self._next = (self._next + len(ready)) % MODULUS
        self.ended = self.ended or self._end == self._offset
        return ready

    def _keep(self, start: int, data: bytes) -> None:
        """Keep the bytes that are not there already."""
        for before, kept in sorted(self._kept.items()):
            if before >= start + len(data):
                break
            if before > start:
                self._kept[start] = data[: before - start]
            covered = max(0, before + len(kept) - start)
            data, start = data[covered:], start + covered
            if not data:
                return
        if data:
            self._kept[start] = data

    def _take(self) -> bytes:
        ready = bytearray()
        while (more := self._kept.pop(self._offset + len(ready), None)) is not None:
            ready += more
        return bytes(ready)

    def _kept_bytes(self) -> int:
        return sum(map(len, self._kept.values()))


def _distance(here: int, there: int) -> int:
    """Return how far a sequence number is ahead of another one; negative if it is behind."""
    ahead = (there - here) % MODULUS
    return ahead if ahead < MODULUS // 2 else ahead - MODULUS
