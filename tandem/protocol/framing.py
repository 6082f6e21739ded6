"""The optional length before each message and the welcome: 4 bytes, little-endian (PROTOCOL 6.1).

An option of each side says whether lengths are sent (PROTOCOL 6.2). Nothing here guesses it from the bytes.
"""

PLAIN = "plain"
LENGTH = "length"
FRAMINGS = (PLAIN, LENGTH)

LENGTH_BYTES = 4  # size of the length itself


def frame(text: bytes, framing: str) -> bytes:
    """Return the bytes for the wire: `text` alone, or `text` after its length (PROTOCOL 6.1)."""
    if framing == LENGTH:
        return len(text).to_bytes(LENGTH_BYTES, "little") + text
    return text


def unframe(data: bytes, framing: str) -> bytes:
    """Return the text in the bytes that `frame` made."""
    return data[LENGTH_BYTES:] if framing == LENGTH else data
