"""Long streams out of short inputs: a kept input stays small, and chance still reaches the limit of 8,192 bytes.

Four bytes in front say what is repeated: where (in 256ths of the rest), how many bytes of it (1 to 16; else nothing
is repeated), and how long the whole becomes, little-endian.
"""

HEAD = 4
UNSTRETCHED = bytes(HEAD)
MAX_LENGTH = 8_800  # bytes: beyond every limit, and not so much that a campaign spends its time there
_MAX_UNIT = 16


def stretched(data: bytes) -> bytes:
    """The stream that the input stands for."""
    head, rest = data[:HEAD].ljust(HEAD, b"\0"), data[HEAD:]
    at = place(head[0], len(rest))
    unit = rest[at : at + head[1]] if head[1] <= _MAX_UNIT else b""
    missing = int.from_bytes(head[2:], "little") % MAX_LENGTH - len(rest)
    if not unit or missing <= 0:
        return rest[:MAX_LENGTH]
    return rest[:at] + (unit * (missing // len(unit) + 1))[:missing] + rest[at:]


def place(mark: int, length: int) -> int:
    """The position in so many bytes that a byte of the input points to, both ends included."""
    return mark * (length + 1) // 256
