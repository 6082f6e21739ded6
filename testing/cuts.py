"""Ways to cut a stream of bytes as TCP may cut it."""

from collections.abc import Iterator
from itertools import combinations

from hypothesis import strategies as st

SHORT = 40  # bytes up to which every pair of cuts is tried
LONG = 1_000  # bytes from which only the cuts at both ends are tried


def every_way(data: bytes) -> Iterator[list[bytes]]:
    """Yield the stream whole, byte by byte, with each single cut, and if it is short with each pair of cuts."""
    yield [data]
    if data:
        yield [data[at : at + 1] for at in range(len(data))]
    for at in range(1, len(data)):
        if len(data) < LONG or at < 20 or at > len(data) - 20:
            yield [data[:at], data[at:]]
    if len(data) <= SHORT:
        for first, second in combinations(range(1, len(data)), 2):
            yield [data[:first], data[first:second], data[second:]]


@st.composite
def pieces(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> list[bytes]:
    """Draw a stream in any pieces. Some of them may be empty."""
    data = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]


_MARKS = [
    b"{",
    b"}",
    b'"',
    b"\\",
    b":",
    b",",
    b" ",
    b"\n",
    b"a",
    b"[",
    b"\0",
    b"\0\0",
    b"\xff",
    b'"a"',
    b"{}",
    b'{"a": 1}',
]

anything = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from(_MARKS), max_size=25).map(b"".join),
    st.builds(
        lambda length, marks: length.to_bytes(4, "little") + b"".join(marks),
        st.integers(0, 70000),
        st.lists(st.sampled_from(_MARKS), max_size=20),
    ),
)
