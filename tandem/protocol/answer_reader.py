"""Reads what the server sends on one connection: a welcome, which has no end mark, and then one reply.

Finds the reply in the stream, however TCP cut the two or glued them together (PROTOCOL 1.3). Has the reader's states.
"""

from tandem.protocol.framing import LENGTH, LENGTH_BYTES, PLAIN, unframe
from tandem.protocol.reader import INVALID, MAX_MESSAGE_BYTES, NEED_DATA, Reader


class AnswerReader:
    """Reads one answer. Call `feed` with everything that comes from the server."""

    __slots__ = ("_framing", "_received", "_reply", "_start")

    def __init__(self, framing: str = PLAIN) -> None:
        self._framing = framing
        self._received = b""
        self._start = 0  # where the reply begins, once it has begun
        self._reply: Reader | None = None

    def feed(self, data: bytes) -> str:
        """Add bytes, and return the state of the reply."""
        self._received += data
        if self._reply is not None:
            return self._reply.feed(data)
        start = self._find_reply()
        if start is None:
            return INVALID if len(self._received) > MAX_MESSAGE_BYTES else NEED_DATA
        if start > MAX_MESSAGE_BYTES:
            return INVALID
        self._start = start
        self._reply = Reader(self._framing)
        return self._reply.feed(self._received[start:])

    @property
    def reply_begun(self) -> bool:
        """Whether a part of the reply came."""
        return self._reply is not None

    @property
    def received(self) -> bytes:
        """Everything that came so far."""
        return self._received

    @property
    def greeting(self) -> bytes:
        """The bytes before the reply: the welcome, with its length if it has one."""
        return self._received[: self._start] if self._reply else self._received

    @property
    def welcome(self) -> str:
        """The text of the greeting, for people, with its first 4 bytes if they can be no length."""
        greeting = self.greeting
        has_length = int.from_bytes(greeting[:LENGTH_BYTES], "little") <= MAX_MESSAGE_BYTES
        return (unframe(greeting, self._framing) if has_length else greeting).decode(errors="backslashreplace")

    @property
    def text(self) -> bytes:
        """The JSON text of the reply, once COMPLETE."""
        return self._reply.text if self._reply else b""

    @property
    def reply_bytes(self) -> bytes:
        """The bytes of the reply as they were sent, with its length if it has one. Client 1 hands them over (5.1)."""
        if self._reply is None:
            return b""
        before = self._reply.received[: LENGTH_BYTES if self._framing == LENGTH else 0]
        return bytes(before) + self._reply.text

    def _find_reply(self) -> int | None:
        """Return the offset at which the reply begins; None if it has not begun so far (PROTOCOL 3.1, 6.1)."""
        received = self._received
        if self._framing == LENGTH:
            return _end_of_framed_welcome(received)
        brace = received.find(b"{")
        return brace if brace >= 0 else None


def _end_of_framed_welcome(received: bytes) -> int | None:
    """Return where the frame of the welcome ends; 0 if the reply came without one, None while bytes are missing."""
    if len(received) <= LENGTH_BYTES:
        return None
    if received[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{":
        return 0
    end = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "little")
    return end if len(received) > end or end > MAX_MESSAGE_BYTES else None
