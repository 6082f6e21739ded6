"""The reader: a message whole, byte by byte, cut anywhere and with a tail; and whatever else the bytes may be."""

import json
from typing import Any, SupportsIndex

import pytest
from hypothesis import example, given, settings

from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA, Reader
from testing.cuts import anything, every_way, pieces
from testing.reader_oracle import expected

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
    return size.to_bytes(4, "little")


def framed(text: bytes) -> bytes:
    return length(len(text)) + text


def padded(size: int) -> bytes:
    return b'{"a":1}'.ljust(size)


def filled(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


COMPLETE_ONES: dict[str, tuple[bytes, bytes, bytes]] = {  # what comes before the text, the text, what comes after
    "message": (b"", MESSAGE, b""),
    "message, pretty-printed": (b"", json.dumps(json.loads(MESSAGE), indent=4).encode(), b""),
    "message, framed": (length(len(MESSAGE)), MESSAGE, b""),
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
    "framed": (length(7), b'{"a":1}', b""),
    "framed, white space in the frame": (length(11), b'\n {"a":1} \n', b""),
    "framed, cut by its length": (length(6), b'{"a":1', b"}"),
    "length begins with a brace": (length(0x7B), padded(0x7B), b""),
    "length begins with a quote": (length(0x22), padded(0x22), b""),
    "length begins with white space": (length(0x20), padded(0x20), b""),
    "length is all white space": (length(0x0A0A), padded(0x0A0A), b""),
    "length begins with a brace and white space": (length(0x0A7B), padded(0x0A7B), b""),
    "as long as it may be": (b"", filled(MAX_MESSAGE_BYTES), b""),
    "as long as it may be, with white space": (b" " * (MAX_MESSAGE_BYTES - 2), b"{}", b""),
    "framed, as long as it may be": (length(MAX_MESSAGE_BYTES), filled(MAX_MESSAGE_BYTES), b""),
}

TAILS = (b"", b"\n", b"{", b'{"a":2}', b"\0\0\0\0", b"\x07\0\0\0{}")


def fed(parts: list[bytes]) -> tuple[str, bytes, bytes]:
    """State, text and tail after all parts; a reader that has decided stays with it."""
    reader = Reader()
    states = [reader.feed(part) for part in parts]
    decided = [state for state in states if state != NEED_DATA]
    assert decided == states[len(states) - len(decided) :], "NEED_DATA, once something was decided"
    assert len(set(decided)) <= 1
    assert reader.state == states[-1]
    assert reader.received == b"".join(parts)
    return reader.state, reader.text, reader.tail


@pytest.mark.parametrize("tail", TAILS, ids=("no tail", "newline", "brace", "message", "zeros", "framed"))
@pytest.mark.parametrize(("before", "text", "after"), COMPLETE_ONES.values(), ids=COMPLETE_ONES.keys())
def test_complete_however_it_is_cut(before: bytes, text: bytes, after: bytes, tail: bytes) -> None:
    for parts in every_way(before + text + after + tail):
        assert fed(parts) == (COMPLETE, text, after + tail), parts


NEVER_ONES: dict[str, bytes] = {
    "a browser": b"GET / HTTP/1.1\r\n\r\n",
    "text": b"hello",
    "a closing brace": b"}{}{}",
    "a list": b'[{"a":1}]',
    "JSON in JSON": b'"{\\"a\\":1}"',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "white space, then text": b"   \n x {}",
    "length of nothing": b"\0\0\0\0{}",
    "length before text": framed(b"hello {}"),
    "length before white space": framed(b"    "),
    "length before a closing brace": b"{\n\0\0}",
    "length that is too large": (MAX_MESSAGE_BYTES + 1).to_bytes(4, "little") + b'{"a":1}',
    "length, big-endian": b'\0\0\0\x07{"a":1}',
    "white space without end": b" " * MAX_MESSAGE_BYTES,
    "object without end": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 2),
    "one byte too long": b'{"a":"' + b"x" * (MAX_MESSAGE_BYTES - 7) + b'"}',
    "one byte too long, with white space": b" " * (MAX_MESSAGE_BYTES - 1) + b"{}",
    "an escape over the edge": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 3) + b'\\"}',
}


@pytest.mark.parametrize("data", NEVER_ONES.values(), ids=NEVER_ONES.keys())
def test_never_however_it_is_cut(data: bytes) -> None:
    for parts in every_way(data):
        assert fed(parts)[0] == INVALID, parts


MORE_ONES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \r\n\t ",
    "a brace": b"{",
    "open string": b'{"a":"}',
    "open escape": b'{"a\\',
    "open inner object": b'{"a":{"b":1}',
    "a zero": b"\0",
    "half a length": b"\x07\0\0",
    "a length": b"\x07\0\0\0",
    "a length and white space": b"\x07\0\0\0  ",
    "framed, one byte missing": framed(b'{"a":1}')[:-1],
    "one byte of room left": b'{"' + b"x" * (MAX_MESSAGE_BYTES - 3),
}


@pytest.mark.parametrize("data", MORE_ONES.values(), ids=MORE_ONES.keys())
def test_more_however_it_is_cut(data: bytes) -> None:
    for parts in every_way(data):
        assert fed(parts)[0] == NEED_DATA, parts


@settings(deadline=None, max_examples=400)
@given(pieces(anything))
@example([b"{\n\0\0}"])
@example([b'{"a":1}', b"", b" \0"])
def test_any_bytes_in_any_pieces(parts: list[bytes]) -> None:
    data = b"".join(parts)
    state, text, tail = fed(parts)
    wanted_state, wanted_text, wanted_tail = expected(data)
    assert state == wanted_state
    if state == COMPLETE:
        assert (text, tail) == (wanted_text, wanted_tail)


def test_up_to_three_bytes_may_become_a_length_until_the_object_is_assumed_bare() -> None:
    for head in (b"h", b"hi", b"hi\0", b"\x07", b"\x07\0\0"):
        reader = Reader()
        assert reader.feed(head) == (NEED_DATA if expected(head)[0] == NEED_DATA else INVALID)
        if reader.state == NEED_DATA:
            assert reader.maybe_framed
            assert reader.assume_bare() == INVALID
        assert not reader.maybe_framed
        assert reader.feed(b"\0\0{}") == INVALID


@pytest.mark.parametrize("head", [b"", b" ", b"\n\n", b"{", b"{\n", b"  {"])
def test_what_may_be_an_object_is_not_in_doubt(head: bytes) -> None:
    reader = Reader()
    assert reader.feed(head) == NEED_DATA
    assert not reader.maybe_framed
    assert reader.assume_bare() == NEED_DATA
    reader.feed(b"" if b"{" in head else b"{")
    assert reader.feed(b'"a":1}') == COMPLETE
    assert reader.text.lstrip() == reader.text


class Counted(bytearray):
    """Counts the bytes that are looked at."""

    looked_at = 0

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        self.looked_at += len(range(*index.indices(len(self)))) if isinstance(index, slice) else 1
        return super().__getitem__(index)

    def lstrip(self, *chars: Any) -> bytearray:
        self.looked_at += len(self)
        return super().lstrip(*chars)


ONCE = {
    "one string": b'{"a":"' + b"x" * 7000 + b'"}',
    "braces": b"{" * 3000 + b"}" * 3000,
    "escapes": b'{"a":"' + rb"\"" * 3000 + b'"}',
    "white space": b" " * 7000 + b"{}",
    "never closed": b'{"a":"' + b"x" * 8100,
    "framed": framed(b'{"a":"' + b"x" * 7000 + b'"}'),
    "framed, white space": framed(b" " * 7000 + b"{}"),
}


@pytest.mark.parametrize("size", [1, 7, 1000], ids=("byte by byte", "by sevens", "by thousands"))
@pytest.mark.parametrize("data", ONCE.values(), ids=ONCE.keys())
def test_no_byte_is_looked_at_again_and_again(data: bytes, size: int) -> None:
    reader = Reader()
    counted = reader.received = Counted()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    assert reader.received is counted
    assert counted.looked_at <= 2 * len(data) + 8 * (len(data) // size + 1)
