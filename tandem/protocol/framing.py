"""The optional length before each message: 4 bytes, little-endian (PROTOCOL.md, part 6)."""

PLAIN = "plain"
LENGTH = "length"
WAYS = (PLAIN, LENGTH)

PREFIX = 4  # bytes of the length


def frame(text: bytes, way: str) -> bytes:
    """The bytes for the wire: `text` alone, or `text` behind its length."""
    if way == LENGTH:
        return len(text).to_bytes(PREFIX, "little") + text
    return text


def is_framed(head: bytes) -> bool:
    """Whether these bytes begin with a length: JSON text and a welcome hold no zero byte, a length has two."""
    return len(head) >= PREFIX and any(head[:2]) and not any(head[2:PREFIX])
