"""What comes to client 2 in place of the server's reply: each is named by the mistake that made it."""

import json
import pickle

import pytest

from tandem.client.unusable_handovers import describe, mistake_in
from tandem.protocol.framing import LENGTH, PLAIN
from tandem.protocol.message import NotAMessageError, decode
from testing.clients import REPLY_1, WELCOME
from testing.other_side import framed

TEXT = REPLY_1.decode()
FIELDS = json.loads(REPLY_1)
CURLY = TEXT.replace('"', "”").replace("{”", "{“")
BIG_ENDIAN = len(REPLY_1).to_bytes(4, "big")

MISTAKES: dict[str, tuple[bytes, str]] = {  # what came, what it is
    "str of bytes": (str(REPLY_1).encode(), "it is str() of bytes; "),
    "str of bytes with an apostrophe": (str(REPLY_1 + b"'").encode(), "it is str() of bytes; "),
    "str of a bytearray": (str(bytearray(REPLY_1)).encode(), "it is str() of a bytearray; "),
    "str of a dict": (str(FIELDS).encode(), "it is str() of a dict"),
    "single quotes on lines": (TEXT.replace('"', "'").replace("{", "{\n  ").encode(), "it is str() of a dict"),
    "curly quotes": (CURLY.encode(), "it is JSON with curly quotes"),
    "low quotes": (CURLY.replace("{“", "{„").encode(), "it is JSON with curly quotes"),
    "backticks": (TEXT.replace('"', "`").encode(), "it is JSON with backticks"),
    "dumped twice": (json.dumps(TEXT).encode(), "json.dumps was called once too often"),
    "null": (b"null", "it is the value None"),
    "None": (b"None", "it is the value None"),
    "list": (json.dumps([FIELDS]).encode(), "it is a list"),
    "pickle": (pickle.dumps(FIELDS), "it is pickle"),
    "pickle of bytes": (pickle.dumps(REPLY_1, protocol=3), "it is pickle"),
    "UTF-16": (TEXT.encode("utf-16"), "it is UTF-16"),
    "UTF-16-LE": (TEXT.encode("utf-16-le"), "it is UTF-16"),
    "UTF-16-BE": (TEXT.encode("utf-16-be"), "it is UTF-16"),
    "UTF-32": (TEXT.encode("utf-32"), "it is UTF-16 or UTF-32"),
    "UTF-32-LE": (TEXT.encode("utf-32-le"), "it is UTF-16 or UTF-32"),
    "UTF-32-BE": (TEXT.encode("utf-32-be"), "it is UTF-16 or UTF-32"),
    "welcome": (WELCOME, "it is the server's welcome"),
    "welcome and reply": (WELCOME + REPLY_1, "it is the server's welcome"),
    "digits": (f"{len(REPLY_1)}\n".encode() + REPLY_1, "it is a length in digits"),
    "an older assignment": (REPLY_1.replace(b'"studentnr1"', b'"studentnr"'), "of an older assignment"),
}


@pytest.mark.parametrize("framing", [PLAIN, LENGTH])
@pytest.mark.parametrize(("came", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named(came: bytes, says: str, framing: str) -> None:
    with pytest.raises(NotAMessageError):
        decode(came)
    told = mistake_in(came)
    assert says in told
    assert told.endswith("; client 1 has to send on the bytes of the reply as they came")
    if framing == PLAIN or not came.startswith(b"{"):
        assert says in describe(came, framing)


NOT_KNOWN: dict[str, bytes] = {
    "nothing": b"",
    "a letter": b"G",
    "zeros": b"\0\0\0\0",
    "a number": b"\1\2\3\4{",
    "half a message": REPLY_1[:50],
    "a name in apostrophes": REPLY_1.replace(b"Team1", b"b'\x60"),
}


@pytest.mark.parametrize("came", NOT_KNOWN.values(), ids=NOT_KNOWN.keys())
def test_nothing_is_said_of_what_is_not_known(came: bytes) -> None:
    assert mistake_in(came) == ""
    assert "(" not in describe(came, PLAIN)


LENGTHS: dict[str, bytes] = {
    "little-endian": framed(REPLY_1),
    "little-endian, alone": framed(REPLY_1)[:4],
    "begins with a brace": framed(REPLY_1.ljust(379)),
    "before a line end": framed(b"\r\n" + REPLY_1),
}


@pytest.mark.parametrize("came", LENGTHS.values(), ids=LENGTHS.keys())
def test_a_length_is_named_however_tcp_cut_it(came: bytes) -> None:
    assert "(there is a length before it: --framing length is for both clients" in describe(came, PLAIN)


SIZE = len(REPLY_1)
FOREIGN_LENGTHS: dict[str, tuple[bytes, str]] = {
    "big-endian": (BIG_ENDIAN, "a big-endian length of 4 bytes"),
    "2 bytes": (SIZE.to_bytes(2, "little"), "a length of 2 bytes"),
    "2 bytes, big-endian": (SIZE.to_bytes(2, "big"), "a length of 2 bytes"),
    "8 bytes": (SIZE.to_bytes(8, "little"), "a length of 8 bytes"),
    "8 bytes, big-endian": (SIZE.to_bytes(8, "big"), "a length of 8 bytes"),
    "1 byte": (bytes([SIZE]), "a length of 1 byte"),
    "7 bits a byte": (bytes([SIZE % 128 + 128, SIZE // 128]), "a length of 7 bits a byte, as BinaryWriter makes it"),
    "digits": (f"{SIZE:<10}".encode(), "a length in digits"),
    "netstring": (f"{SIZE}:".encode(), "a length in digits"),
}


@pytest.mark.parametrize(("before", "says"), FOREIGN_LENGTHS.values(), ids=FOREIGN_LENGTHS.keys())
def test_a_length_of_another_form_is_named(before: bytes, says: str) -> None:
    advice = f"(it is {says}, which is no part of a reply; client 1 has to send on the bytes of the reply as they came"
    assert f"{advice})" in describe(before + REPLY_1, PLAIN)
    assert f"{advice}, with their length of 4 bytes, little-endian)" in describe(before + REPLY_1, LENGTH)


def test_a_big_endian_length_is_named_in_a_segment_of_its_own() -> None:
    assert "a big-endian length of 4 bytes" in describe(BIG_ENDIAN, PLAIN)


def test_a_length_above_the_limit_is_named() -> None:
    assert "(the length must be from 1 to 8,192)" in describe((8193).to_bytes(4, "little") + REPLY_1, LENGTH)


def test_a_length_that_is_missing_is_named() -> None:
    assert "(there is no length before it: --framing length is for both clients" in describe(REPLY_1, LENGTH)
