"""TCP segments put into their order again: whatever comes in whatever order, the stream is the one that was sent."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tandem.examiner.lab.reassembly import MODULUS, Reassembler


@st.composite
def segments(draw: st.DrawFn) -> tuple[int, bytes, list[tuple[int, bytes, bool]]]:
    """Draw a stream, the number of its SYN, and its segments: overlapping, repeated, and in any order."""
    stream = draw(st.binary(max_size=60))
    syn = draw(st.one_of(st.integers(0, 10), st.integers(MODULUS - 70, MODULUS - 1)))
    cuts = sorted({0, len(stream), *draw(st.lists(st.integers(0, len(stream)), max_size=6))})
    spans = list(pairwise(cuts))
    more = st.tuples(st.integers(0, len(stream)), st.integers(0, len(stream))).map(lambda span: (min(span), max(span)))
    spans += draw(st.lists(more, max_size=4))
    sent = [((syn + 1 + start) % MODULUS, stream[start:stop], False) for start, stop in spans]
    sent.append(((syn + 1 + len(stream)) % MODULUS, b"", True))
    return syn, stream, draw(st.permutations(sent))


@given(segments())
def test_the_stream_comes_out(drawn: tuple[int, bytes, list[tuple[int, bytes, bool]]]) -> None:
    syn, stream, sent = drawn
    reassembler = Reassembler(syn)
    came = b""
    for segment in sent:
        assert not reassembler.ended
        came += reassembler.feed(*segment)
        assert stream.startswith(came)
        assert reassembler.ended == (came == stream and segment_of_the_end_came(sent, segment))
        if reassembler.ended:
            break
    assert came == stream


def segment_of_the_end_came(sent: list[tuple[int, bytes, bool]], latest: tuple[int, bytes, bool]) -> bool:
    return any(fin for _, _, fin in sent[: sent.index(latest) + 1])


def test_of_bytes_that_came_twice_the_first_count() -> None:
    reassembler = Reassembler(0)
    assert reassembler.feed(3, b"cd") == b""
    assert reassembler.feed(1, b"abXY") == b"abcd"
    assert reassembler.feed(1, b"ZZZZe") == b"e"


def test_a_fin_with_bytes_before_it_missing_is_no_end() -> None:
    reassembler = Reassembler(0)
    assert reassembler.feed(3, b"c", fin=True) == b""
    assert not reassembler.ended
    assert reassembler.feed(1, b"ab") == b"abc"
    assert reassembler.ended
