"""What the server sends on one connection: the welcome and the reply are told apart, however they are cut or glued."""

import pytest
from hypothesis import example, given, settings

from tandem.protocol.answer import AnswerReader
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA
from testing.cuts import anything, every_way, pieces


def framed(text: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text


WELCOMES: dict[str, tuple[bytes, str]] = {  # its bytes, and what people read of it
    "none": (b"", ""),
    "plain": (b"a connection.", "a connection."),
    "plain line": (b"a connection.\r\n", "a connection.\r\n"),
    "very short": (b"hi", "hi"),
    "not UTF-8": (b"\xff connection", "\\xff connection"),
    "framed": (framed(b"a connection."), "a connection."),
    "framed, length begins with a brace": (framed(b"connection".ljust(0x7B)), "connection".ljust(0x7B)),
    "framed, length begins with white space": (framed(b"connection".ljust(0x20)), "connection".ljust(0x20)),
}

SHORT = b'{"a":"}"}'
USUAL = b'{"secret": "' + b"5" * 300 + b'"}'

REPLIES: dict[str, tuple[bytes, bytes, bytes]] = {  # white space before it, the bytes that carry it, its text
    "plain": (b"", SHORT, SHORT),
    "behind a new line": (b"\n", SHORT, SHORT),
    "framed": (b"", framed(SHORT), SHORT),
    "usual": (b"", USUAL, USUAL),
    "usual, framed": (b"", framed(USUAL), USUAL),
    "length begins with a brace": (b"", framed(SHORT.ljust(0x7B)), SHORT.ljust(0x7B)),
    "length of 379 begins with a brace": (b"", framed(USUAL.ljust(379)), USUAL.ljust(379)),
    "length begins with white space": (b"", framed(SHORT.ljust(0x0A)), SHORT.ljust(0x0A)),
}

TAILS = {"no tail": b"", "newline": b"\r\n", "more": b"\0\0{}"}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
@pytest.mark.parametrize(("space", "carried", "text"), REPLIES.values(), ids=REPLIES.keys())
@pytest.mark.parametrize(("welcome", "words"), WELCOMES.values(), ids=WELCOMES.keys())
def test_told_apart_however_they_are_cut(
    welcome: bytes, words: str, space: bytes, carried: bytes, text: bytes, tail: bytes
) -> None:
    came = welcome + space + carried + tail
    for parts in every_way(came):
        answer = AnswerReader()
        states = [answer.feed(part) for part in parts]
        assert states[-1] == COMPLETE, parts
        assert (answer.text, answer.reply_bytes, answer.welcome) == (text, carried, words + space.decode()), parts
        assert answer.received == came
        assert answer.reply_begun


@pytest.mark.parametrize(("welcome", "words"), WELCOMES.values(), ids=WELCOMES.keys())
def test_a_welcome_alone_is_no_reply(welcome: bytes, words: str) -> None:
    for parts in every_way(welcome):
        answer = AnswerReader()
        assert {answer.feed(part) for part in parts} == {NEED_DATA}
        assert not answer.reply_begun
        assert (answer.text, answer.reply_bytes, answer.welcome) == (b"", b"", words)


ENDLESS = {
    "welcome": b"hello " * 2000,
    "framed welcome": b"\xff\xff\0\0" + b"hello " * 2000,
    "zeros": b"\0" * 9000,
    "reply": b'hello {"a":"' + b"x" * 9000,
    "reply behind a length": b'hello\xff\xff\0\0{"a":"' + b"x" * 9000,
    "welcome with a reply behind it": b"hello " * 2000 + b'{"a":1}',
}


@pytest.mark.parametrize("size", [1, 1000, 100_000], ids=("byte by byte", "by thousands", "whole"))
@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_has_no_end_is_no_message(data: bytes, size: int) -> None:
    answer = AnswerReader()
    for at in range(0, len(data), size):
        state = answer.feed(data[at : at + size])
        if at + size < MAX_MESSAGE_BYTES - 100:
            assert state == NEED_DATA or b"\xff\xff\0\0{" in data
    assert state == INVALID


@settings(deadline=None, max_examples=400)
@given(pieces(anything))
@example([b"{", b"\0\0\0a connection"])
def test_any_bytes_in_any_pieces_as_if_they_came_whole(parts: list[bytes]) -> None:
    whole, answer = AnswerReader(), AnswerReader()
    whole_state = whole.feed(b"".join(parts))
    states = [answer.feed(part) for part in parts]
    assert states[-1] == whole_state
    assert whole_state in (NEED_DATA, COMPLETE, INVALID)
    assert (answer.received, answer.welcome, answer.text, answer.reply_bytes) == (
        whole.received,
        whole.welcome,
        whole.text,
        whole.reply_bytes,
    )
    decided = [state for state in states if state != NEED_DATA]
    assert decided == states[len(states) - len(decided) :], "NEED_DATA, once something was decided"
