"""Streams for the reader of messages, by the state that they end in; and a buffer that counts how often it is read."""

import json
from typing import Any, SupportsIndex

from tandem.protocol.reader import MAX_MESSAGE_BYTES
from testing.other_side import framed

MESSAGE = json.dumps(
    {
        "studentnr1": "0923456",
        "studentnr2": "0934567",
        "classname": "INF2A",
        "clientid": 1,
        "teamname": 'Zoë "}{" \\',
        "ip": "192.168.1.2",
        "secret": "",
        "status": "",
    },
    ensure_ascii=False,
).encode()


def length(size: int) -> bytes:
    """Return a length as it precedes a message."""
    return size.to_bytes(4, "little")


def padded(size: int) -> bytes:
    """Return a text of this size with white space after the object."""
    return b'{"a":1}'.ljust(size)


def filled(size: int) -> bytes:
    """Return an object of this size."""
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


COMPLETE_ONES: dict[str, tuple[bytes, bytes, bytes]] = {  # what comes before the text, the text, what comes after
    "message": (b"", MESSAGE, b""),
    "message, pretty-printed": (b"", json.dumps(json.loads(MESSAGE), indent=4).encode(), b""),
    "nothing in it": (b"", b"{}", b""),
    "new line in it": (b"", b"{\n}", b""),
    "one field": (b"", b'{"a":1}', b""),
    "object in object": (b"", b'{"a":{"b":{}}}', b""),
    "brace in a string": (b"", b'{"}":"{"}', b""),
    "escaped quote": (b"", rb'{"\"}":1}', b""),
    "escaped backslash at the end of a string": (b"", rb'{"a\\":"\\"}', b""),
    "escaped backslash, escaped quote": (b"", rb'{"\\\"}\\":1}', b""),
    "backslash outside of a string": (b"", b"{\\}", b"}"),
    "characters of several bytes": (b"", '{"ë":"🙂"}'.encode(), b""),
    "not UTF-8": (b"", b'{"\xff\xfe":1}', b""),
    "white space around": (b" \t\r\n", b'{"a":1}', b"\n"),
    "as long as it may be": (b"", filled(MAX_MESSAGE_BYTES), b""),
    "as long as it may be, with white space": (b" " * (MAX_MESSAGE_BYTES - 2), b"{}", b""),
}

FRAMED_ONES: dict[str, tuple[bytes, bytes, bytes]] = {  # the same, where a length comes before the text
    "message": (length(len(MESSAGE)), MESSAGE, b""),
    "one field": (length(7), b'{"a":1}', b""),
    "white space in the frame": (length(11), b'\n {"a":1} \n', b""),
    "cut by its length": (length(6), b'{"a":1', b"}"),
    "length begins with a brace": (length(0x7B), padded(0x7B), b""),
    "length begins with a quote": (length(0x22), padded(0x22), b""),
    "length begins with white space": (length(0x20), padded(0x20), b""),
    "length is all white space": (length(0x0A0A), padded(0x0A0A), b""),
    "length begins with a brace and white space": (length(0x0A7B), padded(0x0A7B), b""),
    "as long as it may be": (length(MAX_MESSAGE_BYTES), filled(MAX_MESSAGE_BYTES), b""),
}

TAILS = (b"", b"\n", b"{", b'{"a":2}', b"\0\0\0\0", b"\x07\0\0\0{}")

NEVER_ONES: dict[str, bytes] = {
    "a browser": b"GET / HTTP/1.1\r\n\r\n",
    "text": b"hello",
    "a closing brace": b"}{}{}",
    "a list": b'[{"a":1}]',
    "JSON in JSON": b'"{\\"a\\":1}"',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a":1}'.encode("utf-16-le"),
    "UTF-32 without a mark, after white space": b"\n" + "{}".encode("utf-32-le"),
    "white space, then text": b"   \n x {}",
    "a zero": b"\0",
    "length": framed(b'{"a":1}'),
    "a part of a length": b"\x07\0\0",
    "length of nothing": b"\0\0\0\0{}",
    "length, big-endian": b'\0\0\0\x07{"a":1}',
    "white space without end": b" " * MAX_MESSAGE_BYTES,
    "object without end": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 2),
    "one byte too long": b'{"a":"' + b"x" * (MAX_MESSAGE_BYTES - 7) + b'"}',
    "one byte too long, with white space": b" " * (MAX_MESSAGE_BYTES - 1) + b"{}",
    "an escape over the edge": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 3) + b'\\"}',
}

NEVER_FRAMED: dict[str, bytes] = {
    "no length": b'{"a":1}',
    "no length, cut": b'{"a',
    "length of nothing": b"\0\0\0\0{}",
    "length before text": framed(b"hello {}"),
    "length before white space": framed(b"    "),
    "length before a closing brace": b"\x03\0\0\0}{}",
    "length that is too large": (MAX_MESSAGE_BYTES + 1).to_bytes(4, "little") + b'{"a":1}',
    "length, big-endian": b'\0\0\0\x07{"a":1}',
}

MORE_ONES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \r\n\t ",
    "a brace": b"{",
    "open string": b'{"a":"}',
    "open escape": b'{"a\\',
    "open inner object": b'{"a":{"b":1}',
    "one byte of room left": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 3),
}

MORE_FRAMED: dict[str, bytes] = {
    "nothing": b"",
    "a zero": b"\0",
    "half a length": b"\x07\0\0",
    "a length": b"\x07\0\0\0",
    "a length and white space": b"\x07\0\0\0  ",
    "one byte missing": framed(b'{"a":1}')[:-1],
}


class Counted(bytearray):
    """A buffer that counts the bytes that are looked at."""

    looked_at = 0

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        self.looked_at += len(range(*index.indices(len(self)))) if isinstance(index, slice) else 1
        return super().__getitem__(index)

    def lstrip(self, *chars: Any) -> bytearray:
        """Count all bytes, and strip."""
        self.looked_at += len(self)
        return super().lstrip(*chars)
