"""The PROXY header: a source, or what is wrong, the same for every cut of the bytes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.net.proxy_header import (
    MAX_HEADER_BYTES,
    BadProxyHeader,
    ProxyHeader,
    ProxyHeaderReader,
    end_of_headers,
    version_of,
)
from testing.cuts import every_way, pieces
from testing.processes import ROOT
from testing.proxy_headers import (
    DATAGRAM,
    LOCAL,
    PROXY,
    SIGNATURE,
    STREAM,
    TCP4,
    TCP6,
    UDP4,
    UDP6,
    UNSPECIFIED,
    addresses,
    header,
    introduces,
    note,
)

IPV4 = addresses("198.51.100.7", 51234, "192.0.2.1")
IPV6 = addresses("2001:db8::7", 51234, "2001:db8::1")
MAPPED = addresses("::ffff:198.51.100.7", 51234, "::ffff:192.0.2.1")
NOTES = note(0x05, b"an id of the balancer's") + note(0x04, b"") + note(0xEE, bytes(64))

SOURCES: dict[str, tuple[bytes, tuple[str, int] | None]] = {
    "IPv4": (header(PROXY, TCP4, IPV4), ("198.51.100.7", 51234)),
    "IPv6": (header(PROXY, TCP6, IPV6), ("2001:db8::7", 51234)),
    "IPv4 within IPv6": (header(PROXY, TCP6, MAPPED), ("198.51.100.7", 51234)),
    "with notes behind": (header(PROXY, TCP4, IPV4 + NOTES), ("198.51.100.7", 51234)),
    "the longest": (header(PROXY, TCP4, IPV4.ljust(MAX_HEADER_BYTES - 16, b"\0")), ("198.51.100.7", 51234)),
    "a check": (header(LOCAL, UNSPECIFIED), None),
    "a check with addresses": (header(LOCAL, TCP4, IPV4), None),
    "a check with nonsense": (header(LOCAL, 0xFF, b"\xff"), None),
    "unknown": (header(PROXY, UNSPECIFIED), None),
    "unknown with a block": (header(PROXY, UNSPECIFIED, IPV4), None),
    "a local stream": (header(PROXY, STREAM, bytes(216)), None),
    "local datagrams": (header(PROXY, DATAGRAM, bytes(216)), None),
    "UDP": (header(PROXY, UDP4, IPV4), None),
    "UDP over IPv6": (header(PROXY, UDP6, IPV6), None),
}

NO_HEADERS = {
    "version 1": (b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\r\n", "version 1"),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", "version 1"),
    "a message": (b'{"studentnr1": "0923456"}', "byte 1 is 0x7b, where a header has 0x0d"),
    "nearly version 1": (b"PROXI", "byte 1 is 0x50, where a header has 0x0d"),
    "nearly a header": (SIGNATURE[:-1] + b"\r", "byte 12 is 0x0d, where a header has 0x0a"),
    "version 0": (header(0x01, TCP4, IPV4), "version 0"),
    "version 3": (header(0x31, TCP4, IPV4), "version 3"),
    "an unknown command": (header(0x22, TCP4, IPV4), "command 2"),
    "an unknown family": (header(PROXY, 0x41, IPV4), "family and protocol 0x41"),
    "an unknown protocol": (header(PROXY, 0x13, IPV4), "family and protocol 0x13"),
    "too short for IPv4": (header(PROXY, TCP4, IPV4[:-1]), "11 bytes for its addresses came, which need 12"),
    "too short for IPv6": (header(PROXY, TCP6, IPV4), "12 bytes for its addresses came, which need 36"),
    "too long": (
        header(PROXY, TCP4, bytes(MAX_HEADER_BYTES - 15)),
        f"{MAX_HEADER_BYTES + 1} bytes came, and {MAX_HEADER_BYTES} is the limit",
    ),
    "too long for a check": (
        header(LOCAL, TCP4, bytes(65535)),
        f"65551 bytes came, and {MAX_HEADER_BYTES} is the limit",
    ),
}

MESSAGE = b'{"studentnr1": "0923456"}'

_kinds = st.sampled_from((UNSPECIFIED, TCP4, UDP4, TCP6, UDP6, STREAM, DATAGRAM, 0x41))
_blocks = st.one_of(st.binary(max_size=80), st.just(bytes(1100)))
anything = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda start, rest: start + rest, st.sampled_from((SIGNATURE, b"PROXY ")), st.binary(max_size=80)),
    st.builds(
        lambda command, kind, block, rest: header(command, kind, block) + rest,
        st.sampled_from((LOCAL, PROXY, 0x22, 0x11)),
        _kinds,
        _blocks,
        st.binary(max_size=20),
    ),
)


def read(parts: list[bytes]) -> ProxyHeader | BadProxyHeader | None:
    """What comes of the parts, with everything behind a header as its rest."""
    reading = ProxyHeaderReader()
    for number, part in enumerate(parts):
        found = reading.feed(part)
        if isinstance(found, ProxyHeader):
            return ProxyHeader(found.source, found.rest + b"".join(parts[number + 1 :]))
        if found:
            return found
    return None


@pytest.mark.parametrize(("data", "source"), SOURCES.values(), ids=SOURCES.keys())
def test_the_source_of_a_header(data: bytes, source: tuple[str, int] | None) -> None:
    for behind in (b"", MESSAGE):
        for parts in every_way(data + behind):
            assert read(parts) == ProxyHeader(source, behind)


@pytest.mark.parametrize(("data", "words"), NO_HEADERS.values(), ids=NO_HEADERS.keys())
def test_what_is_no_header(data: bytes, words: str) -> None:
    found = read([data])
    assert isinstance(found, BadProxyHeader)
    assert words in found.found
    for parts in every_way(data):
        assert read(parts) == found


@pytest.mark.parametrize("data", [data for data, _ in SOURCES.values()], ids=SOURCES.keys())
def test_a_part_of_a_header_needs_more(data: bytes) -> None:
    for size in range(len(data)):
        reading = ProxyHeaderReader()
        assert reading.feed(data[:size]) is None
        assert reading.size_bytes == size


def test_a_part_of_version_1_needs_more() -> None:
    assert read([b"PROXY"]) is None


@pytest.mark.parametrize("data", [data for data, _ in SOURCES.values()], ids=SOURCES.keys())
def test_the_end_of_a_header_before_a_message(data: bytes) -> None:
    assert version_of(data) == 2
    assert end_of_headers(data + MESSAGE) == len(data)
    assert end_of_headers(data) == len(data)
    assert end_of_headers(data[:14]) == 14
    assert end_of_headers(data[:11]) == 0
    assert end_of_headers(MESSAGE + data) == 0


LINES = {
    b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\r\n": True,
    b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\n": True,
    b"PROXY TCP6 " + b" ".join([b"ffff:" * 7 + b"ffff"] * 2) + b" 65535 65535\r\n": True,
    b"PROXY UNKNOWN\r\n": True,
    b"PROXY UNKNOWN whatever a balancer writes there\r\n": True,
    b"PROXY UNKNOWNS\r\n": False,
    b"PROXY TCP4 198.51.100.7 192.0.2.1 51234\r\n": False,
    b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550": False,
    b"PROXY TCP4 " + b"1" * 40 + b" 192.0.2.1 51234 5550\r\n": False,
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n": False,
    b"PROXY UDP4 198.51.100.7 192.0.2.1 51234 5550\r\n": False,
    b" PROXY UNKNOWN\r\n": False,
    b"PROXY UNKNOWN " + MESSAGE + b"\r\n": False,
}


@pytest.mark.parametrize("line", LINES)
def test_the_end_of_a_version_1_line_before_a_message(line: bytes) -> None:
    assert end_of_headers(line + MESSAGE) == (len(line) if LINES[line] else 0)
    if LINES[line]:
        assert version_of(line) == 1


def test_the_header_of_the_protocols_page_is_one() -> None:
    part = (ROOT / "PROTOCOL.md").read_text(encoding="utf-8").partition("## 8 ")[2].partition("## 9 ")[0]
    rows = re.findall(r"^\| ([0-9a-f]+) \| `([0-9a-f ]+)` \|", part, re.MULTILINE)
    came = b""
    for offset, shown in rows:
        assert int(offset, 16) == len(came)
        came += bytes.fromhex(shown)
    assert came == introduces("198.51.100.7", 51234)
    assert f"at most {MAX_HEADER_BYTES:,} bytes" in part


@given(anything)
def test_where_headers_end_is_within_what_came_and_the_first_one_is_whole(data: bytes) -> None:
    end = end_of_headers(data)
    assert 0 <= end <= len(data)
    assert end_of_headers(data[:end]) == end
    assert end_of_headers(data[end:]) == 0
    found = read([data])
    if isinstance(found, ProxyHeader):
        assert end >= len(data) - len(found.rest)


@given(pieces(anything))
def test_whatever_the_bytes_and_the_cut_the_same_value(parts: list[bytes]) -> None:
    assert read(parts) == read([b"".join(parts)])


@given(st.one_of(anything, st.binary(min_size=MAX_HEADER_BYTES, max_size=MAX_HEADER_BYTES + 100)))
def test_it_is_decided_within_the_limit(data: bytes) -> None:
    assert read([data.ljust(MAX_HEADER_BYTES, b"\0")]) is not None
