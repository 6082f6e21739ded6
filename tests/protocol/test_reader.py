"""The reader: a message whole, byte by byte, cut anywhere and with a tail; and whatever else the bytes may be."""

from collections.abc import Mapping
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import example, given, settings
from hypothesis.strategies import sampled_from

from tandem.protocol.framing import FRAMINGS, LENGTH, PLAIN
from tandem.protocol.reader import COMPLETE, INVALID, NEED_DATA, Reader
from testing.cuts import anything, every_way, pieces
from testing.other_side import framed
from testing.reader_cases import (
    COMPLETE_ONES,
    FRAMED_ONES,
    MORE_FRAMED,
    MORE_ONES,
    NEVER_FRAMED,
    NEVER_ONES,
    TAILS,
    Counted,
)
from testing.reader_oracle import expected


def fed(parts: list[bytes], framing: str) -> tuple[str, bytes, bytes]:
    """State, text and tail after all parts; a reader that has decided stays with it."""
    reader = Reader(framing)
    states = [reader.feed(part) for part in parts]
    decided = [state for state in states if state != NEED_DATA]
    assert decided == states[len(states) - len(decided) :], "NEED_DATA, once something was decided"
    assert len(set(decided)) <= 1
    assert reader.state == states[-1]
    assert reader.received == b"".join(parts)
    return reader.state, reader.text, reader.tail


Cases = Mapping[str, Any]


def both(plain: Cases, framed: Cases) -> list[ParameterSet]:
    """The cases of both framings, each with its framing."""
    named = [(PLAIN, name, case) for name, case in plain.items()]
    named += [(LENGTH, f"framed, {name}", case) for name, case in framed.items()]
    return [pytest.param(framing, case, id=name) for framing, name, case in named]


@pytest.mark.parametrize("tail", TAILS, ids=("no tail", "newline", "brace", "message", "zeros", "framed"))
@pytest.mark.parametrize(("framing", "case"), both(COMPLETE_ONES, FRAMED_ONES))
def test_complete_however_it_is_cut(framing: str, case: tuple[bytes, bytes, bytes], tail: bytes) -> None:
    before, text, after = case
    for parts in every_way(before + text + after + tail):
        assert fed(parts, framing) == (COMPLETE, text, after + tail), parts


@pytest.mark.parametrize(("framing", "data"), both(NEVER_ONES, NEVER_FRAMED))
def test_never_however_it_is_cut(framing: str, data: bytes) -> None:
    for parts in every_way(data):
        assert fed(parts, framing)[0] == INVALID, parts


@pytest.mark.parametrize(("framing", "data"), both(MORE_ONES, MORE_FRAMED))
def test_more_however_it_is_cut(framing: str, data: bytes) -> None:
    for parts in every_way(data):
        assert fed(parts, framing)[0] == NEED_DATA, parts


@settings(deadline=None, max_examples=400)
@given(pieces(anything), sampled_from(FRAMINGS))
@example([b"{\n\0\0}"], PLAIN)
@example([b'{"a":1}', b"", b" \0"], PLAIN)
@example([b"{\0\0", b"\0 {}"], LENGTH)
def test_any_bytes_in_any_pieces(parts: list[bytes], framing: str) -> None:
    state, text, tail = fed(parts, framing)
    wanted_state, wanted_text, wanted_tail = expected(b"".join(parts), framing)
    assert state == wanted_state
    if state == COMPLETE:
        assert (text, tail) == (wanted_text, wanted_tail)


ONCE = {
    "one string": b'{"a":"' + b"x" * 7000 + b'"}',
    "braces": b"{" * 3000 + b"}" * 3000,
    "escapes": b'{"a":"' + rb"\"" * 3000 + b'"}',
    "white space": b" " * 7000 + b"{}",
    "never closed": b'{"a":"' + b"x" * 8100,
}
FRAMED_ONCE = {
    "one string": framed(b'{"a":"' + b"x" * 7000 + b'"}'),
    "white space": framed(b" " * 7000 + b"{}"),
}


@pytest.mark.parametrize("size", [1, 7, 1000], ids=("byte by byte", "by sevens", "by thousands"))
@pytest.mark.parametrize(("framing", "data"), both(ONCE, FRAMED_ONCE))
def test_no_byte_is_looked_at_again_and_again(framing: str, data: bytes, size: int) -> None:
    reader = Reader(framing)
    counted = reader.received = Counted()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    assert reader.received is counted
    assert counted.looked_at <= 2 * len(data) + 8 * (len(data) // size + 1)
