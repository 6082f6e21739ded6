"""What the ground sends on one connection: a welcome, which has no end mark, and then one reply.

Finds the reply in the stream, however the two were cut or glued together. Same states as the reader.
"""

from tandem.protocol.framing import PREFIX, is_framed
from tandem.protocol.reader import LIMIT, MORE, NEVER, Reader


class AnswerReader:
    """Feed it all that comes from the ground. `state` is the reply's."""

    __slots__ = ("_came", "_reply", "_start")

    def __init__(self) -> None:
        self._came = b""
        self._start = 0  # where the reply begins, once it has begun
        self._reply: Reader | None = None

    def feed(self, data: bytes) -> str:
        """Adds bytes and returns the state of the reply."""
        self._came += data
        if self._reply is not None:
            return self._reply.feed(data)
        start = self._find_reply()
        if start is None or start > LIMIT:
            return NEVER if len(self._came) > LIMIT else MORE
        self._start = start
        self._reply = Reader()
        return self._reply.feed(self._came[start:])

    @property
    def reply_begun(self) -> bool:
        return self._reply is not None

    @property
    def came(self) -> bytes:
        """All that came so far."""
        return self._came

    @property
    def greeting(self) -> bytes:
        """What came before the reply: the welcome, behind its length if it has one."""
        return self._came[: self._start] if self._reply else self._came

    @property
    def welcome(self) -> str:
        """The greeting's text, for people to read."""
        greeting = self.greeting
        return greeting[PREFIX if is_framed(greeting) else 0 :].decode(errors="backslashreplace")

    @property
    def text(self) -> bytes:
        """The reply's JSON text, once COMPLETE."""
        return self._reply.text if self._reply else b""

    @property
    def carried(self) -> bytes:
        """The very bytes that carried the reply: its length, if it came behind one, and its text."""
        if self._reply is None:
            return b""
        before = self._reply.received[:PREFIX] if self._reply.framed else b""
        return bytes(before) + self._reply.text

    def _find_reply(self) -> int | None:
        """A reply begins at the first brace, or four bytes earlier if a length stands before the brace."""
        came, after_welcome = self._came, 0
        if len(came) < PREFIX:
            return None  # a brace may yet turn out to be the first byte of a length
        if is_framed(came):
            after_welcome = PREFIX + int.from_bytes(came[:PREFIX], "little")
            if came[PREFIX : PREFIX + 1] == b"{":
                return 0
            if len(came) < after_welcome:
                return None
        brace = came.find(b"{", after_welcome)
        if brace < 0:
            return None
        framed = brace >= after_welcome + PREFIX and came[brace - 2 : brace] == b"\0\0"
        return brace - PREFIX if framed else brace
