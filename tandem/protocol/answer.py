"""Reads what the server sends on one connection: a welcome, which has no end mark, and then one reply.

Finds the reply in the stream, however TCP cut the two or glued them together (PROTOCOL 1.3). Has the reader's states.
"""

from tandem.protocol.framing import LENGTH_BYTES, is_framed
from tandem.protocol.reader import INVALID, MAX_MESSAGE_BYTES, NEED_DATA, Reader


class AnswerReader:
    """Reads one answer. Call `feed` with everything that comes from the server."""

    __slots__ = ("_received", "_reply", "_start")

    def __init__(self) -> None:
        self._received = b""
        self._start = 0  # where the reply begins, once it has begun
        self._reply: Reader | None = None

    def feed(self, data: bytes) -> str:
        """Add bytes, and return the state of the reply."""
        self._received += data
        if self._reply is not None:
            return self._reply.feed(data)
        start = self._find_reply()
        if start is None or start > MAX_MESSAGE_BYTES:
            return INVALID if len(self._received) > MAX_MESSAGE_BYTES else NEED_DATA
        self._start = start
        self._reply = Reader()
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
        """The text of the greeting, for people."""
        greeting = self.greeting
        return greeting[LENGTH_BYTES if is_framed(greeting) else 0 :].decode(errors="backslashreplace")

    @property
    def text(self) -> bytes:
        """The JSON text of the reply, once COMPLETE."""
        return self._reply.text if self._reply else b""

    @property
    def reply_bytes(self) -> bytes:
        """The bytes of the reply as they were sent, with its length if it has one. Client 1 hands them over (5.1)."""
        if self._reply is None:
            return b""
        before = self._reply.received[:LENGTH_BYTES] if self._reply.framed else b""
        return bytes(before) + self._reply.text

    def _find_reply(self) -> int | None:
        """Return the offset of the first brace, or of the length before it; None if there is none so far."""
        received, after_welcome = self._received, 0
        if len(received) < LENGTH_BYTES:
            return None  # a brace may yet turn out to be the first byte of a length
        if is_framed(received):
            after_welcome = LENGTH_BYTES + int.from_bytes(received[:LENGTH_BYTES], "little")
            if received[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{":
                return 0
            if len(received) < after_welcome:
                return None
        brace = received.find(b"{", after_welcome)
        if brace < 0:
            return None
        framed = brace >= after_welcome + LENGTH_BYTES and received[brace - 2 : brace] == b"\0\0"
        return brace - LENGTH_BYTES if framed else brace
