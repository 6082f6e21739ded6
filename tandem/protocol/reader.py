"""From a stream of bytes to one complete JSON text, however TCP cut it (PROTOCOL 1.3, 2.4 and 6.3).

Finds only the end of the message, by counting braces and quotes. The outcomes are NEED_DATA, COMPLETE
(`text` and `tail` are ready) and INVALID (no more bytes can make this a message). It never raises, and scans each byte
once.
"""

from tandem.protocol.framing import LENGTH, LENGTH_BYTES, PLAIN

MAX_MESSAGE_BYTES = 8192  # with the white space before it, without its length (PROTOCOL 2.5)

NEED_DATA = "need data"
COMPLETE = "complete"
INVALID = "invalid"

_SPACE = b" \t\r\n"
_OPEN, _CLOSE, _QUOTE, _ESCAPE = b'{}"\\'


class Reader:
    """Reads one message. Call `feed` with what came until the state is COMPLETE or INVALID.

    With the framing LENGTH a length comes before the message, and says where it ends.
    """

    __slots__ = ("received", "state", "framing", "_scanned", "_start", "_end", "_depth", "_quoted")

    def __init__(self, framing: str = PLAIN) -> None:
        self.received = bytearray()  # everything that was fed, in order
        self.state = NEED_DATA
        self.framing = framing
        self._scanned = self._start = LENGTH_BYTES if framing == LENGTH else 0  # offsets: looked at; of the message
        self._end = 0  # offset after the message, once COMPLETE
        self._depth = 0  # of open braces
        self._quoted = False  # the next byte is in a string

    @property
    def text(self) -> bytes:
        """The message, once COMPLETE: from its first byte to its last brace, or all that its length counts."""
        return bytes(self.received[self._start : self._end])

    @property
    def tail(self) -> bytes:
        """The bytes after the message. Anything but white space there is a mistake of the sender (PROTOCOL 2.4)."""
        return bytes(self.received[self._end :])

    @property
    def is_full(self) -> bool:
        """Whether as many bytes came as a message can have at most."""
        return len(self.received) >= MAX_MESSAGE_BYTES

    def feed(self, data: bytes) -> str:
        """Add any number of bytes, and return the state. After COMPLETE or INVALID they are only stored."""
        self.received += data
        if self.state is not NEED_DATA:
            return self.state
        if self.framing == LENGTH:
            self._take_framed()
        elif _is_one_object(data) and len(data) == len(self.received) <= MAX_MESSAGE_BYTES:
            self._end = len(data)
            self.state = COMPLETE
        else:
            self._scan()
        return self.state

    def _take_framed(self) -> None:
        """Read up to where the length says that the message ends. Only its first byte is looked at (PROTOCOL 6.1)."""
        head = self.received[:LENGTH_BYTES]
        length = int.from_bytes(head, "little")  # at least this, while bytes of it are missing
        if length > MAX_MESSAGE_BYTES:
            self.state = INVALID
        if len(head) < LENGTH_BYTES or self.state is INVALID:
            return
        self._end = LENGTH_BYTES + length
        stop = min(len(self.received), self._end)
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
        if self._depth > 0 and not self._is_wide():
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

    def _is_wide(self) -> bool:
        """Return whether a zero byte follows the first brace, as in UTF-16 and UTF-32. JSON has no zero byte.

        The braces of such a text are not counted: the byte of its last one is not its last byte.
        """
        second = self._start + 1
        if self._scanned == second and self.received[second : second + 1] == b"\0":
            self.state = INVALID
        return self.state is INVALID

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
