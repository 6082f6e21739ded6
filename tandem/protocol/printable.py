"""Text from the network, made safe to show on a terminal."""


def printable(text: str) -> str:
    """The text with every character that could steer a terminal written as an escape (\\x1b, \\u202e)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_bytes(data: bytes) -> str:
    """The bytes as text where they are UTF-8, as escapes where they are not."""
    return printable(data.decode(errors="backslashreplace"))


def encodable(text: str, encoding: str | None) -> str:
    """Write the characters that an encoding lacks as escapes. Without an encoding that is UTF-8."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
