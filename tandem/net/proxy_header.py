"""The header of PROXY protocol version 2, with which a balancer says whose connection it passes on. PROTOCOL 8.

A balancer connects in the client's place, and sends the client's address before the client's first byte. Owns the
header's bytes. Opens no socket and reads no clock. `ProxyHeaderReader.feed` has three outcomes: None (more bytes are
needed), ProxyHeader and BadProxyHeader. It raises nothing, whatever the bytes.

The specification uses network byte order. This is the one place where a number of this project is not little-endian.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from tandem.net.networks import mapped_ipv4

MAX_HEADER_BYTES = 1024  # the addresses take 52 at most, extensions of the balancer the rest

WANTED = "a header of PROXY protocol version 2 (HAProxy: send-proxy-v2 on the server's line)"

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_BYTES = 16  # the signature, version and command, family and protocol, the length of what follows
_VERSION = 2
_LOCAL, _PROXY = 0, 1  # the commands: the balancer's own connection, or one that it passes on
_PORTS_BYTES = 4  # both ports
_ADDRESS_BYTES = {0x11: 4, 0x21: 16}  # by family and protocol: the size of one address of TCP
_WITHOUT_ADDRESS = frozenset((0x00, 0x12, 0x22, 0x31, 0x32))  # unspecified, UDP, Unix sockets: no address of use here
_VERSION_1 = b"PROXY "
_VERSION_1_LINE = re.compile(
    rb"PROXY (?:TCP[46](?: [0-9A-Fa-f.:]{1,39}){2}(?: [0-9]{1,5}){2}|UNKNOWN(?: [ -z]{0,91})?)\r?\n"
)


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A complete header."""

    source: tuple[str, int] | None  # the client's address and port; None: the balancer's own connection
    rest: bytes  # the bytes that came after the header


@dataclass(frozen=True, slots=True)
class BadProxyHeader:
    """No further bytes could make this a header that we understand."""

    found: str  # in words; WANTED says what was wanted


class ProxyHeaderReader:
    """Reads one header. Call `feed` with what came until it returns something, and then no more."""

    __slots__ = ("_received",)

    def __init__(self) -> None:
        self._received = b""

    @property
    def size_bytes(self) -> int:
        """Return how many bytes came so far."""
        return len(self._received)

    def feed(self, data: bytes) -> ProxyHeader | BadProxyHeader | None:
        """Add bytes, and return the header once it is complete or bad. Return None if more bytes are needed.

        The result does not depend on how the bytes were cut. PROTOCOL 8.5.
        """
        received = self._received = self._received + data
        if not received.startswith(_SIGNATURE[: len(received)]):
            return _without_signature(received)
        if len(received) < _FIXED_BYTES:
            return None
        mistake = _mistake_in_fixed_part(received)
        if mistake:
            return BadProxyHeader(mistake)
        end = _FIXED_BYTES + _length(received)
        return ProxyHeader(_source(received), received[end:]) if len(received) >= end else None


def version_of(data: bytes) -> int:
    """Return the version of the header that `data` begins with."""
    return 1 if data.startswith(_VERSION_1) else _VERSION


def end_of_headers(data: bytes) -> int:
    """Return the offset of the first byte after the headers that `data` begins with, of version 1 or 2; 0 for none.

    It does not check what the headers say.
    """
    end = 0
    while following := _end_of_header(data, end):
        end = following
    return end


def _without_signature(received: bytes) -> BadProxyHeader | None:
    if received.startswith(_VERSION_1):
        return BadProxyHeader("version 1 of the header came, which is text")
    if _VERSION_1.startswith(received):
        return None
    pairs = enumerate(zip(received, _SIGNATURE, strict=False))
    offset = next(offset for offset, (came, wanted) in pairs if came != wanted)
    return BadProxyHeader(
        f"no header came: byte {offset + 1} is 0x{received[offset]:02x}, where a header has 0x{_SIGNATURE[offset]:02x}"
    )


def _mistake_in_fixed_part(header: bytes) -> str:
    """Return in words what is wrong with the fixed part of a header, "" for nothing."""
    version, command = divmod(header[12], 16)
    kind, length = header[13], _length(header)
    if version != _VERSION:
        return f"a header of version {version} came"
    if command not in (_LOCAL, _PROXY):
        return f"a header with the unknown command {command} came"
    if _FIXED_BYTES + length > MAX_HEADER_BYTES:
        return f"a header of {_FIXED_BYTES + length} bytes came, and {MAX_HEADER_BYTES} is the limit"
    if command == _LOCAL or kind in _WITHOUT_ADDRESS:
        return ""  # what follows is skipped
    if kind not in _ADDRESS_BYTES:
        return f"a header with the unknown family and protocol 0x{kind:02x} came"
    needed = 2 * _ADDRESS_BYTES[kind] + _PORTS_BYTES
    return f"a header with {length} bytes for its addresses came, which need {needed}" if length < needed else ""


def _length(header: bytes) -> int:
    """Return how many bytes follow the fixed part."""
    return header[14] << 8 | header[15]


def _source(header: bytes) -> tuple[str, int] | None:
    """Return the first of the two addresses in a complete header, with its port."""
    if header[12] % 16 == _LOCAL or header[13] in _WITHOUT_ADDRESS:
        return None
    size = _ADDRESS_BYTES[header[13]]
    address = ip_address(header[_FIXED_BYTES : _FIXED_BYTES + size])
    port_offset = _FIXED_BYTES + 2 * size  # after both addresses
    return str(mapped_ipv4(address) or address), header[port_offset] << 8 | header[port_offset + 1]


def _end_of_header(data: bytes, start: int) -> int:
    """Return where the header ends that begins at `start`, at most the end of `data`. Return 0 if none begins there."""
    if data.startswith(_SIGNATURE, start):
        fixed = data[start : start + _FIXED_BYTES].ljust(_FIXED_BYTES, b"\0")
        return min(start + _FIXED_BYTES + _length(fixed), len(data))
    line = _VERSION_1_LINE.match(data, start)
    return line.end() if line else 0
