"""The reader: a message whole, byte by byte, cut anywhere and with a tail; and whatever else the bytes may be."""

import pytest
from hypothesis import example, given, settings

from tandem.protocol.reader import COMPLETE, INVALID, NEED_DATA, Reader
from testing.cuts import anything, every_way, pieces
from testing.other_side import framed
from testing.reader_cases import COMPLETE_ONES, MORE_ONES, NEVER_ONES, TAILS, Counted
from testing.reader_oracle import expected


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


@pytest.mark.parametrize("data", NEVER_ONES.values(), ids=NEVER_ONES.keys())
def test_never_however_it_is_cut(data: bytes) -> None:
    for parts in every_way(data):
        assert fed(parts)[0] == INVALID, parts


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


def test_up_to_three_bytes_may_become_a_length_and_settle_decides() -> None:
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
