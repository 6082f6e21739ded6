"""What the server sends on one connection: the welcome and the reply are told apart, however they are cut or glued."""

import pytest
from _pytest.mark import ParameterSet
from hypothesis import example, given, settings
from hypothesis.strategies import sampled_from

from tandem.protocol.answer_reader import AnswerReader
from tandem.protocol.framing import FRAMINGS, LENGTH, PLAIN
from tandem.protocol.reader import COMPLETE, INVALID, MAX_MESSAGE_BYTES, NEED_DATA
from testing.cuts import anything, every_way, pieces
from testing.other_side import framed

WELCOMES: dict[str, tuple[bytes, str]] = {  # its bytes, and what people read of it
    "none": (b"", ""),
    "plain": (b"a connection.", "a connection."),
    "plain line": (b"a connection.\r\n", "a connection.\r\n"),
    "very short": (b"hi", "hi"),
    "not UTF-8": (b"\xff connection", "\\xff connection"),
    "with a length": (framed(b"a connection."), "\r\0\0\0a connection."),
}
FRAMED_WELCOMES: dict[str, tuple[bytes, str]] = {
    "none": (b"", ""),
    "framed": (framed(b"a connection."), "a connection."),
    "length begins with a brace": (framed(b"connection".ljust(0x7B)), "connection".ljust(0x7B)),
    "length begins with white space": (framed(b"connection".ljust(0x20)), "connection".ljust(0x20)),
}

SHORT = b'{"a":"}"}'
USUAL = b'{"secret": "' + b"5" * 300 + b'"}'

REPLIES: dict[str, tuple[bytes, bytes, bytes]] = {  # white space before it, the bytes that carry it, its text
    "plain": (b"", SHORT, SHORT),
    "behind a new line": (b"\n", SHORT, SHORT),
    "usual": (b"", USUAL, USUAL),
}
FRAMED_REPLIES: dict[str, tuple[bytes, bytes, bytes]] = {
    "framed": (b"", framed(SHORT), SHORT),
    "usual": (b"", framed(USUAL), USUAL),
    "length begins with a brace": (b"", framed(SHORT.ljust(0x7B)), SHORT.ljust(0x7B)),
    "length of 379 begins with a brace": (b"", framed(USUAL.ljust(379)), USUAL.ljust(379)),
    "length begins with white space": (b"", framed(SHORT.ljust(0x0A)), SHORT.ljust(0x0A)),
}

TAILS = {"no tail": b"", "newline": b"\r\n", "more": b"\0\0{}"}

Welcome = tuple[bytes, str]
Carried = tuple[bytes, bytes, bytes]


def each(framing: str, welcomes: dict[str, Welcome], replies: dict[str, Carried]) -> list[ParameterSet]:
    return [
        pytest.param(framing, welcome, reply, id=f"{framing}: welcome {first}, reply {second}")
        for first, welcome in welcomes.items()
        for second, reply in replies.items()
    ]


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
@pytest.mark.parametrize(
    ("framing", "welcome", "reply"),
    [*each(PLAIN, WELCOMES, REPLIES), *each(LENGTH, FRAMED_WELCOMES, FRAMED_REPLIES)],
)
def test_told_apart_however_they_are_cut(framing: str, welcome: Welcome, reply: Carried, tail: bytes) -> None:
    (greeting, words), (space, carried, text) = welcome, reply
    came = greeting + space + carried + tail
    for parts in every_way(came):
        answer = AnswerReader(framing)
        states = [answer.feed(part) for part in parts]
        assert states[-1] == COMPLETE, parts
        assert (answer.text, answer.reply_bytes, answer.welcome) == (text, carried, words + space.decode()), parts
        assert answer.received == came
        assert answer.reply_begun


@pytest.mark.parametrize(
    ("framing", "welcome", "reply"),
    [*each(PLAIN, WELCOMES, {"": (b"", b"", b"")}), *each(LENGTH, FRAMED_WELCOMES, {"": (b"", b"", b"")})],
)
def test_a_welcome_alone_is_no_reply(framing: str, welcome: Welcome, reply: Carried) -> None:
    greeting, words = welcome
    for parts in every_way(greeting):
        answer = AnswerReader(framing)
        assert {answer.feed(part) for part in parts} == {NEED_DATA}
        assert not answer.reply_begun
        assert (answer.text, answer.reply_bytes, answer.welcome) == (b"", b"", words)


@pytest.mark.parametrize("came", [b"Welcome to the connection", b'Hi {"a":1}', framed(b"welcome") + b'{"a":1}'])
def test_what_has_no_length_is_no_message_where_lengths_are_wanted(came: bytes) -> None:
    for parts in every_way(came):
        answer = AnswerReader(LENGTH)
        assert [answer.feed(part) for part in parts][-1] == INVALID, parts


@pytest.mark.parametrize("came", [b"hi", b"Welcome", b"Welcome to the connection"])
def test_a_welcome_without_its_length_is_shown_whole(came: bytes) -> None:
    for parts in every_way(came):
        answer = AnswerReader(LENGTH)
        for part in parts:
            answer.feed(part)
        assert answer.welcome == came.decode(), parts


ENDLESS = {
    "welcome": b"hello " * 2000,
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
            assert state == NEED_DATA
    assert state == INVALID


@settings(deadline=None, max_examples=400)
@given(pieces(anything), sampled_from(FRAMINGS))
@example([b"{", b"\0\0\0a connection"], LENGTH)
def test_any_bytes_in_any_pieces_as_if_they_came_whole(parts: list[bytes], framing: str) -> None:
    whole, answer = AnswerReader(framing), AnswerReader(framing)
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
