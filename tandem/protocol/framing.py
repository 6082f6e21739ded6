"""The optional length before each message: 4 bytes, little-endian (PROTOCOL 6.1)."""

PLAIN = "plain"
LENGTH = "length"
FRAMINGS = (PLAIN, LENGTH)

LENGTH_BYTES = 4  # size of the length itself


def frame(text: bytes, framing: str) -> bytes:
    """Return the bytes for the wire: `text` alone, or `text` after its length (PROTOCOL 6.1)."""
    if framing == LENGTH:
        return len(text).to_bytes(LENGTH_BYTES, "little") + text
    return text


def is_framed(head: bytes) -> bool:
    """Return whether the bytes begin with a length (PROTOCOL 6.3), which has two zero bytes. Text has none."""
    return len(head) >= LENGTH_BYTES and any(head[:2]) and not any(head[2:LENGTH_BYTES])
