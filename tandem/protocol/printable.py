"""Makes text from the network safe to show on a terminal."""


def printable(text: str) -> str:
    r"""Return the text with every character that could control a terminal as an escape (\x1b, \u202e)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_bytes(data: bytes) -> str:
    """Return the bytes as text where they are UTF-8, as escapes where they are not."""
    return printable(data.decode(errors="backslashreplace"))


def encodable(text: str, encoding: str | None) -> str:
    """Return the text with escapes for the characters that an encoding (default: UTF-8) lacks."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
