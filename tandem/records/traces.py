"""Finds texts, such as student numbers, in bytes of any encoding. Pure.

Finds it in UTF-8, UTF-16, UTF-32, Windows' and IBM's code pages, base64 and hex, in the digits of any script, and
in the escapes of JSON, Python, HTML and URLs, also where these were escaped again. A number is also found without its
first zeros, and with signs between its digits ("09 23-456").
"""

import base64
import re
from collections.abc import Iterable, Iterator

MIN_LENGTH = 5  # characters: a shorter text would be found in nearly everything

_NARROW = ("utf-8", "cp1252", "cp500")  # cp500 is EBCDIC: all its code pages have the same digits
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ESCAPE = re.compile(
    r"\\+u([0-9a-fA-F]{4})|\\+U([0-9a-fA-F]{8})|\\+u\{([0-9a-fA-F]{1,6})\}|\\+x([0-9a-fA-F]{2})"
    r"|%([0-9a-fA-F]{2})|&#[xX]([0-9a-fA-F]{1,6});|\\+([0-7]{3})|&#([0-9]{1,7});"
)
_ESCAPING = frozenset("\\%&")  # one of these begins every escape
_BASES = (16, 16, 16, 16, 16, 16, 8, 10)  # of the numbers in the groups of _ESCAPE
_MAX_NESTING = 3  # escapes of escapes that are undone
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[^0-9A-Za-z:=]+(?=[0-9])")  # a name of a field may end in a digit
_BASE64_OFFSETS = range(3)  # base64 turns 3 bytes into 4 characters, and the text may begin at each of the 3


class Traces:
    """Searches for texts. A text shorter than MIN_LENGTH is ignored."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [text for text in texts if len(text) >= MIN_LENGTH]
        self._encoded = [form for text in self._texts for form in _unreadable_forms(text)]
        numbers = [text.lstrip("0") for text in self._texts if text.isascii() and text.isdigit()]
        numbers = [number for number in numbers if len(number) >= MIN_LENGTH]
        # A longer number that ends in the same digits is another one.
        self._numbers = re.compile(rf"(?<![0-9])0*(?:{'|'.join(numbers)})(?![0-9])") if numbers else None

    def __bool__(self) -> bool:
        """Return whether there is any text to search for."""
        return bool(self._texts)

    def are_in(self, *data: bytes) -> bool:
        """Return whether one of the texts is in one of these bytes."""
        return any(self._are_in(each) for each in data)

    def _are_in(self, data: bytes) -> bool:
        if any(form in data for form in self._encoded):
            return True
        return any(self._are_in_text(reading) for reading in _readings(data))

    def _are_in_text(self, reading: str) -> bool:
        if any(text in reading for text in self._texts):
            return True
        if not self._numbers:
            return False
        return bool(self._numbers.search(reading) or self._numbers.search(_BETWEEN_DIGITS.sub("", reading)))


def _unreadable_forms(text: str) -> Iterator[bytes]:
    """Yield the bytes of a text in hex and in base64."""
    data = text.encode()
    yield data.hex().encode()
    yield data.hex().upper().encode()
    for offset in _BASE64_OFFSETS:
        encoded = base64.b64encode(bytes(offset) + data).rstrip(b"=")
        first = (offset * 8 + 5) // 6  # characters that depend on the bytes before the text
        last = (offset + len(data)) * 8 // 6  # from here on, on those behind it
        yield encoded[first:last]


def _readings(data: bytes) -> Iterator[str]:
    """Yield every text that the bytes may stand for."""
    for text in _decoded(data):
        yield text
        for _ in range(_MAX_NESTING if _ESCAPING.intersection(text) else 0):
            plainer = _ESCAPE.sub(_character, text)
            if plainer == text:
                break
            text = plainer
            yield text
        if not text.isascii():
            yield "".join(str(int(c)) if c.isdecimal() else c for c in text)


def _decoded(data: bytes) -> Iterator[str]:
    """Decode the bytes in each encoding. UTF-16 and UTF-32 of Latin-1 text need only their zero bytes removed."""
    narrow = data.replace(b"\0", b"")
    for codec in ("ascii",) if narrow.isascii() else _NARROW:
        yield narrow.decode(codec, errors="replace")
    if len(narrow) < len(data):
        for codec in _WIDE:
            for offset in range(4 if "32" in codec else 2):
                yield data[offset:].decode(codec, errors="replace")


def _character(escape: re.Match[str]) -> str:
    group = escape.lastindex or 1
    code = int(escape[group], _BASES[group - 1])
    return chr(code) if code <= 0x10FFFF else escape[0]
