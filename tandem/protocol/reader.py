"""From a stream of bytes to one complete JSON text, however TCP cut it.

Owns the question "where does the message end?" and nothing else: it does not know JSON beyond its
braces and quotes. Lawful outcomes: MORE (give me more bytes), COMPLETE (`text` and `tail` are ready),
NEVER (no bytes to come could make this a message). It never throws, and it never scans a byte twice.
"""

from tandem.protocol.framing import PREFIX, is_framed

LIMIT = 8192  # bytes of one message, the white space around it included

MORE = "more"
COMPLETE = "complete"
NEVER = "never"

_SPACE = b" \t\r\n"
_OPEN, _CLOSE, _QUOTE, _ESCAPE = b'{}"\\'


class Reader:
    """Reads one message. Give it what came with `feed` until it says COMPLETE or NEVER."""

    __slots__ = ("received", "state", "framed", "_decided", "_at", "_start", "_end", "_depth", "_quoted")

    def __init__(self) -> None:
        self.received = bytearray()  # everything that was fed, in order
        self.state = MORE
        self.framed = False  # behind a length of 4 bytes?
        self._decided = False  # is `framed` settled?
        self._at = 0  # the first byte that was not scanned yet
        self._start = 0  # where the message begins
        self._end = 0  # where it ends, exclusive: known once COMPLETE
        self._depth = 0
        self._quoted = False

    @property
    def text(self) -> bytes:
        """The message once COMPLETE: from its first byte to the brace that closes it."""
        return bytes(self.received[self._start : self._end])

    @property
    def tail(self) -> bytes:
        """What came behind the message. More than white space there is a mistake of the sender."""
        return bytes(self.received[self._end :])

    @property
    def doubtful(self) -> bool:
        """Up to three bytes that begin no object, but might yet turn out to be the start of a length.

        Do not wait long for the fourth: a length comes in one piece. Then call `settle`.
        """
        return not self._decided and bytes(self.received.lstrip(_SPACE)[:1]) not in (b"", b"{")

    def settle(self) -> str:
        """Takes what came for a bare object after all, no length before it. Returns the state."""
        if not self._decided:
            self._decided = True
            self._scan()
        return self.state

    def feed(self, data: bytes) -> str:
        """Adds bytes, any number of them, and returns the state. After COMPLETE or NEVER they only pile up."""
        self.received += data
        if self.state is not MORE:
            return self.state
        if not self._decided:
            if _plainly_whole(data) and len(data) == len(self.received) <= LIMIT:
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
        """Bare object or framed? Bytes 3 and 4 of a length are zero, and JSON text holds no zero byte."""
        head = bytes(self.received[:PREFIX])
        length = int.from_bytes(head[:2], "little")
        if is_framed(head) and length <= LIMIT:
            self._decided = self.framed = True
            self._start = PREFIX
            self._end = PREFIX + length
        elif len(head) == PREFIX or any(head[2:]) or length > LIMIT:
            self._decided = True

    def _take_framed(self) -> None:
        """The length says where the message ends; only its first byte is looked at."""
        stop = min(len(self.received), self._end)
        self._at = max(self._at, self._start)
        self._skip_space(stop)
        begun = self._at < stop
        if begun and self.received[self._at] != _OPEN:
            self.state = NEVER
        elif len(self.received) >= self._end:
            self.state = COMPLETE if begun else NEVER

    def _scan(self) -> None:
        """Looks at the bytes that were not looked at yet: for the first brace, then for the one that closes it."""
        if self._depth == 0:
            self._find_start()
        if self._depth > 0:
            self._find_end()
        if self.state is MORE and len(self.received) >= LIMIT:
            self.state = NEVER

    def _find_start(self) -> None:
        stop = min(len(self.received), LIMIT)
        self._skip_space(stop)
        if self._at < stop:
            if self.received[self._at] == _OPEN:
                self._start = self._at
                self._at += 1
                self._depth = 1
            else:
                self.state = NEVER

    def _skip_space(self, stop: int) -> None:
        if self._at < stop and self.received[self._at] in _SPACE:
            self._at = stop - len(self.received[self._at : stop].lstrip(_SPACE))

    def _find_end(self) -> None:
        """Counts braces outside of strings."""
        start, depth, quoted, escaped = self._at, self._depth, self._quoted, False
        at = start
        for at, byte in enumerate(self.received[start:LIMIT], start + 1):
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
        self._at, self._depth, self._quoted = at + escaped, depth, quoted  # an escaped byte may not have come yet


def _plainly_whole(data: bytes) -> bool:
    """One object in one piece, seen without a scan: as nearly every message comes. False only means: scan."""
    return (
        data[:1] == b"{"
        and data[-1:] == b"}"
        and data.count(b"{") == 1
        and data.count(b"}") == 1
        and data.count(b'"') % 2 == 0
        and b"\0" not in data
        and b"\\" not in data
    )
