"""Lengths of every form before the message: named as what they are, with and without --framing length."""

import struct

import pytest

from tandem.protocol.framing import LENGTH, PLAIN
from testing.messages.corpus import ONE
from testing.messages.sending import diagnosed

TEXT = ONE.encode()
SIZE = len(TEXT)
WANTED = "4 bytes, little-endian"

# Form -> its bytes, the problem where no length is wanted, and where one is ("": it is right), and words of both.
FORMS: dict[str, tuple[bytes, str, str, str]] = {
    "ours": (struct.pack("<I", SIZE), "length-not-wanted", "", ""),
    "ours, then a line end": (struct.pack("<I", SIZE + 2) + b"\r\n", "length-not-wanted", "", ""),
    "big-endian, line end": (struct.pack(">I", SIZE) + b"\r\n", "length-big-endian", "length-big-endian", "big-endian"),
    "2 bytes, line end": (
        struct.pack("<H", SIZE) + b"\n",
        "length-of-other-size",
        "length-of-other-size",
        "of 2 bytes",
    ),
    "none": (b"", "", "length-missing", ""),
    "4 bytes, big-endian": (struct.pack(">I", SIZE), "length-big-endian", "length-big-endian", "big-endian length"),
    "big-endian, itself counted": (struct.pack(">I", SIZE + 4), "length-big-endian", "length-big-endian", "big-endian"),
    "1 byte": (struct.pack("B", SIZE), "length-of-other-size", "length-of-other-size", "a length of 1 byte comes"),
    "2 bytes": (struct.pack("<H", SIZE), "length-of-other-size", "length-of-other-size", "a length of 2 bytes comes"),
    "2, big": (struct.pack(">H", SIZE), "length-of-other-size", "length-of-other-size", "a length of 2 bytes comes"),
    "8 bytes": (struct.pack("<Q", SIZE), "length-of-other-size", "length-of-other-size", "a length of 8 bytes comes"),
    "8, big": (struct.pack(">Q", SIZE), "length-of-other-size", "length-of-other-size", "a length of 8 bytes comes"),
    "7 bits a byte": (
        bytes([SIZE % 128 + 128, SIZE // 128]),
        "length-7-bit",
        "length-7-bit",
        f"= {SIZE}) comes before",
    ),
    "digits": (str(SIZE).encode(), "length-in-digits", "length-in-digits", f"in digits ({SIZE}) comes"),
    "digits and a line end": (
        f"{SIZE}\n".encode(),
        "length-in-digits",
        "length-in-digits",
        f"in digits ({SIZE}) comes",
    ),
    "digits, 10 wide": (f"{SIZE:<10}".encode(), "length-in-digits", "length-in-digits", f"in digits ({SIZE}) comes"),
    "digits, 8 zeros": (f"{SIZE:08}".encode(), "length-in-digits", "length-in-digits", "in digits (0"),
    "netstring": (f"{SIZE}:".encode(), "length-in-digits", "length-in-digits", f"in digits ({SIZE}) comes"),
    "ours, itself counted": (struct.pack("<I", SIZE + 4), "length-not-wanted", "length-wrong", ""),
    "ours, of characters": (struct.pack("<I", SIZE - 2), "length-not-wanted", "length-wrong", ""),
    "zero": (struct.pack("<I", 0), "length-not-wanted", "length-wrong", ""),
    "above the limit": (struct.pack("<I", 8193), "length-not-wanted", "length-too-large", ""),
    "above it, big-endian": (struct.pack(">I", 8193), "length-big-endian", "length-big-endian", "big-endian length"),
}
WITHOUT = ("alone", "leave the length out", "do not use BinaryWriter.Write(text)")


@pytest.mark.parametrize(("before", "plain", "framed", "says"), FORMS.values(), ids=FORMS.keys())
def test_a_length_is_named_and_the_help_is_the_one_for_the_framing(
    before: bytes, plain: str, framed: str, says: str
) -> None:
    for framing, id in ((PLAIN, plain), (LENGTH, framed)):
        problems = diagnosed(before + TEXT, framing=framing).problems
        assert [problem.id for problem in problems] == [id] * (id != "")
        for problem in problems:
            assert says in problem.sentence
            if framing == PLAIN:
                assert any(words in problem.help for words in WITHOUT)
            elif not framed.startswith(("length-wrong", "length-too-large")):
                assert WITHOUT[0] not in problem.help
                assert WITHOUT[1] not in problem.help
                assert WANTED in problem.help


NO_OBJECT: dict[str, tuple[bytes, str]] = {  # with --framing length: bytes, what is said of them
    "white space alone": (struct.pack("<I", 3) + b"   ", "only white space comes after the length"),
    "less white space": (struct.pack("<I", 10) + b"     ", "the length says 10 bytes, but 5 came"),
    "nothing": (struct.pack("<I", 0), "the length says 0 bytes"),
    "too large, nothing yet": (struct.pack("<I", 8193), "the length says 8193 bytes, and a message has at most 8192"),
    "too large, another text": (struct.pack("<I", 9000) + b"hello", "the length says 9000 bytes, and a message has"),
    "too large, all of it": (struct.pack("<I", 8193) + b"{" + b" " * 9000, "more than 8192 bytes came"),
    "two of them": (struct.pack("<II", SIZE + 4, SIZE) + TEXT, f"`{SIZE:02X} 00 00 00` comes before the object"),
    "two that are equal": (struct.pack("<II", SIZE, SIZE) + TEXT, f"says {SIZE} bytes, but {SIZE + 4} came"),
    "zeros": (bytes(64), "only zero bytes came (64)"),
}


@pytest.mark.parametrize(("data", "says"), NO_OBJECT.values(), ids=NO_OBJECT.keys())
def test_a_length_without_its_object(data: bytes, says: str) -> None:
    assert says in diagnosed(data, framing=LENGTH).problems[0].sentence
