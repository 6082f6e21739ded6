"""The optional length before a message, and the seven arrows."""

import pytest

from tandem.protocol.arrows import ARROWS, CLIENT_1, CLIENT_2, SERVER, arrow_words
from tandem.protocol.framing import FRAMINGS, LENGTH, PLAIN, frame, unframe


def test_plain_adds_nothing() -> None:
    assert frame(b"{}", PLAIN) == b"{}"


@pytest.mark.parametrize(
    ("size", "prefix"), [(2, b"\x02\0\0\0"), (379, b"\x7b\x01\0\0"), (8192, b"\0\x20\0\0"), (65536, b"\0\0\1\0")]
)
def test_a_length_is_four_bytes_little_endian(size: int, prefix: bytes) -> None:
    assert frame(b"x" * size, LENGTH) == prefix + b"x" * size


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("text", [b"", b"{}", b"\x02\0\0\0{}"])
def test_unframe_returns_what_was_framed(text: bytes, framing: str) -> None:
    assert unframe(frame(text, framing), framing) == text


def test_seven_arrows_in_their_order() -> None:
    assert list(ARROWS) == [1, 2, 3, 4, 5, 6, 7]
    assert [ARROWS[number][:2] for number in (1, 2, 3)] == [(SERVER, CLIENT_1), (CLIENT_1, SERVER), (SERVER, CLIENT_1)]
    assert ARROWS[4][:2] == (CLIENT_1, CLIENT_2)
    assert [ARROWS[number][:2] for number in (5, 6, 7)] == [(SERVER, CLIENT_2), (CLIENT_2, SERVER), (SERVER, CLIENT_2)]
    assert arrow_words(2) == "arrow 2 (client 1 -> server, message 1)"
