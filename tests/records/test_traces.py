"""Traces of a number and of a name, in bytes: where they are found, and where they are not."""

import base64

import pytest

from tandem.records.traces import Traces

NUMBER = "0923456"
NAME = "Zoë & co"
BACKSLASH = "\\"


def base64_around(text: str, before: int, after: int) -> bytes:
    """Return text in base64, with so many bytes before and after it."""
    return base64.b64encode(b"\xff" * before + text.encode() + b"\xff" * after)


FOUND = {
    "UTF-8": NUMBER.encode(),
    "UTF-16": f"a{NUMBER}".encode("utf-16-be"),
    "UTF-16 at an odd offset": b"\n" + f"{NUMBER}\u0416".encode("utf-16-le"),
    "UTF-32 at offset 3": b"\n\n\n" + f"{NUMBER}\u0416".encode("utf-32-le"),
    "EBCDIC": NUMBER.encode("cp500"),
    "hex": NUMBER.encode().hex().encode(),
    "hex in capitals": b"0923jkl".hex().upper().encode(),
    "without its first zeros": b"923456",
    "with more zeros": b"000923456",
    "with signs between its digits": b"09 23-456",
    "in another script": "\u0660\u0669\u0662\u0663\u0664\u0665\u0666".encode(),
    "an escape of JSON": rb"\u0030923456",
    "an escape of Python": rb"\x30923456",
    "an octal escape": rb"\060923456",
    "an escape of a URL": b"%30923456",
    "an escape of HTML": b"&#48;923456",
    "an escape of HTML in hex": b"&#x30;923456",
    "an escape of an escape of an escape": b"%2525" + b"39" + b"23456",
}
NOT_FOUND = {
    "nothing": b"",
    "a longer number": b"19234567",
    "a longer number at its end": b"1923456",
    "a longer number at its start": b"9234560",
    "a field whose name ends in a digit": b"studentnr1: 23456",
    "an escape that is no character": rb"\U00110000",
}
OFFSETS = [(before, after) for before in range(4) for after in range(4)]


@pytest.mark.parametrize("name", FOUND)
def test_a_number_is_found(name: str) -> None:
    assert Traces([NUMBER, "0923jkl"]).are_in(b"before ", FOUND[name])


@pytest.mark.parametrize("name", NOT_FOUND)
def test_another_number_is_not_found(name: str) -> None:
    assert not Traces([NUMBER]).are_in(NOT_FOUND[name])


@pytest.mark.parametrize("text", [NUMBER, NAME])
@pytest.mark.parametrize(("before", "after"), OFFSETS)
def test_base64_is_found_wherever_the_text_begins(text: str, before: int, after: int) -> None:
    assert Traces([text]).are_in(base64_around(text, before, after))


def test_a_text_of_fewer_than_5_characters_is_ignored() -> None:
    assert not Traces(["abcd", "00001"]).are_in(b"abcd 1")
    assert not Traces(["abcd"])
    assert Traces(["abcde"])
    assert Traces(["abcde"]).are_in(b"abcde")
