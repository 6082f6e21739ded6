"""From a stream of bytes to one complete JSON text, however TCP cut it (PROTOCOL 1.3, 2.4 and 6.3).

Owns only the question where the message ends: of JSON it knows braces and quotes. The outcomes are NEED_DATA, COMPLETE
(`text` and `tail` are ready) and INVALID (no more bytes can make this a message). It never raises, and scans each byte
once.
"""

from tandem.protocol.framing import LENGTH_BYTES, is_framed

MAX_MESSAGE_BYTES = 8192  # with the white space before it (PROTOCOL 2.5)

NEED_DATA = "need data"
COMPLETE = "complete"
INVALID = "invalid"

_SPACE = b" \t\r\n"
_OPEN, _CLOSE, _QUOTE, _ESCAPE = b'{}"\\'


class Reader:
    """Reads one message. Call `feed` with what came until the state is COMPLETE or INVALID."""

    __slots__ = ("received", "state", "framed", "_decided", "_scanned", "_start", "_end", "_depth", "_quoted")

    def __init__(self) -> None:
        self.received = bytearray()  # everything that was fed, in order
        self.state = NEED_DATA
        self.framed = False  # a length of 4 bytes came before the message
        self._decided = False  # `framed` is final
        self._scanned = 0  # bytes
        self._start = 0  # offset of the message
        self._end = 0  # offset after the message, once COMPLETE
        self._depth = 0  # of open braces
        self._quoted = False  # the next byte is in a string

    @property
    def text(self) -> bytes:
        """The message, once COMPLETE: from its first byte to the brace that closes it."""
        return bytes(self.received[self._start : self._end])

    @property
    def tail(self) -> bytes:
        """The bytes after the message. Anything but white space there is a mistake of the sender (PROTOCOL 2.4)."""
        return bytes(self.received[self._end :])

    @property
    def maybe_framed(self) -> bool:
        """Whether up to three bytes came that do not begin an object, but may be the first ones of a length.

        Wait a short time for the fourth, because a length comes in one piece. Then call `assume_bare`.
        """
        return not self._decided and bytes(self.received.lstrip(_SPACE)[:1]) not in (b"", b"{")

    def assume_bare(self) -> str:
        """Decide that no length comes before the object. Return the state."""
        if not self._decided:
            self._decided = True
            self._scan()
        return self.state

    def feed(self, data: bytes) -> str:
        """Add any number of bytes, and return the state. After COMPLETE or INVALID they are only stored."""
        self.received += data
        if self.state is not NEED_DATA:
            return self.state
        if not self._decided:
            if _is_one_object(data) and len(data) == len(self.received) <= MAX_MESSAGE_BYTES:
                self._decided = True
                self._end = len(data)
                self.state = COMPLETE
                return COMPLETE
            self._decide()
        if self.framed:
            self._take_framed()
        elif self._decided:
            self._scan()
        return self.state

    def _decide(self) -> None:
        """Decide between bare and framed: bytes 3 and 4 of a length are zero, JSON has no zero byte (PROTOCOL 6.3)."""
        head = bytes(self.received[:LENGTH_BYTES])
        length = int.from_bytes(head[:2], "little")
        if is_framed(head) and length <= MAX_MESSAGE_BYTES:
            self._decided = self.framed = True
            self._start = LENGTH_BYTES
            self._end = LENGTH_BYTES + length
        elif len(head) == LENGTH_BYTES or any(head[2:]) or length > MAX_MESSAGE_BYTES:
            self._decided = True

    def _take_framed(self) -> None:
        """Read up to where the length says that the message ends. Only its first byte is looked at."""
        stop = min(len(self.received), self._end)
        self._scanned = max(self._scanned, self._start)
        self._skip_space(stop)
        begun = self._scanned < stop
        if begun and self.received[self._scanned] != _OPEN:
            self.state = INVALID
        elif len(self.received) >= self._end:
            self.state = COMPLETE if begun else INVALID

    def _scan(self) -> None:
        """Scan the new bytes: for the first brace, then for the one that closes it."""
        if self._depth == 0:
            self._find_start()
        if self._depth > 0:
            self._find_end()
        if self.state is NEED_DATA and len(self.received) >= MAX_MESSAGE_BYTES:
            self.state = INVALID

    def _find_start(self) -> None:
        stop = min(len(self.received), MAX_MESSAGE_BYTES)
        self._skip_space(stop)
        if self._scanned < stop:
            if self.received[self._scanned] == _OPEN:
                self._start = self._scanned
                self._scanned += 1
                self._depth = 1
            else:
                self.state = INVALID

    def _skip_space(self, stop: int) -> None:
        if self._scanned < stop and self.received[self._scanned] in _SPACE:
            self._scanned = stop - len(self.received[self._scanned : stop].lstrip(_SPACE))

    def _find_end(self) -> None:
        """Find the last brace by counting the braces outside of strings."""
        start, depth, quoted, escaped = self._scanned, self._depth, self._quoted, False
        at = start
        for at, byte in enumerate(self.received[start:MAX_MESSAGE_BYTES], start + 1):
            if escaped:
                escaped = False  # whatever the byte is
            elif quoted:
                if byte == _QUOTE:
                    quoted = False
                elif byte == _ESCAPE:
                    escaped = True
            elif byte == _QUOTE:
                quoted = True
            elif byte == _OPEN:
                depth += 1
            elif byte == _CLOSE:
                depth -= 1
                if depth == 0:
                    self._end = at
                    self.state = COMPLETE
                    break
        self._scanned, self._depth, self._quoted = at + escaped, depth, quoted  # an escaped byte may not have come yet


def _is_one_object(data: bytes) -> bool:
    """Return whether the data is one object for certain, seen without a scan. Nearly every message is."""
    return (
        data[:1] == b"{"
        and data[-1:] == b"}"
        and data.count(b"{") == 1
        and data.count(b"}") == 1
        and data.count(b'"') % 2 == 0
        and b"\0" not in data
        and b"\\" not in data
    )
