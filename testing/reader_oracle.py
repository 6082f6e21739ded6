"""The states of the message reader, computed in another way: slowly, from all the bytes at once."""

import re

from tandem.protocol.framing import LENGTH

LIMIT = 8192
SPACE = b" \t\r\n"

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}]', re.DOTALL)  # a string, ended or not, or a brace outside


def expected(data: bytes, framing: str) -> tuple[str, bytes, bytes]:
    """Return state, text and tail after these bytes have come, in whatever pieces."""
    return _framed(data) if framing == LENGTH else _bare(data)


def _framed(data: bytes) -> tuple[str, bytes, bytes]:
    length = int.from_bytes(data[:4], "little")
    if length > LIMIT:
        return "invalid", b"", b""
    if len(data) < 4:
        return "need data", b"", b""
    text, tail = data[4 : 4 + length], data[4 + length :]
    begun = text.lstrip(SPACE)
    if length == 0 or (begun and begun[:1] != b"{"):
        return "invalid", b"", b""
    if len(text) < length:
        return "need data", b"", b""
    return ("complete", text, tail) if begun else ("invalid", b"", b"")


def _bare(data: bytes) -> tuple[str, bytes, bytes]:
    start = len(data[:LIMIT]) - len(data[:LIMIT].lstrip(SPACE))
    undecided = "need data" if len(data) < LIMIT else "invalid"
    if start == len(data[:LIMIT]):
        return undecided, b"", b""
    if data[start : start + 1] != b"{" or data[start + 1 : start + 2] == b"\0":
        return "invalid", b"", b""
    depth = 0
    for token in _TOKEN.finditer(data, start):
        depth += {b"{": 1, b"}": -1}.get(token[0], 0)
        if depth == 0:
            whole = token.end() <= LIMIT
            return ("complete", data[start : token.end()], data[token.end() :]) if whole else ("invalid", b"", b"")
    return undecided, b"", b""
