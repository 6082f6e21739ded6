"""The header of PROXY protocol version 2: who is behind a balancer. And whose header is believed.

A balancer connects in the student's place, and says in a header before the student's first byte who that
is. Owns the header's bytes and the believed addresses; opens no socket, reads no clock. Lawful outcomes of
`feed`: None (give me more bytes), Introduced, BadProxyHeader. It never throws, whatever the bytes. PROTOCOL.md, part 8.

The specification has its numbers in network byte order; this is the one place where a number of this
project's is not little-endian.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)

MAX_HEADER = 1024  # bytes of a header: the addresses take 52 at most, a balancer's notes the rest

WANTED = "a header of PROXY protocol version 2 (HAProxy: send-proxy-v2 on the server's line)"

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = 16  # bytes: the signature, version and command, family and protocol, the length of what follows
_VERSION = 2
_LOCAL, _PROXY = 0, 1  # the commands: the balancer comes for itself, or for somebody else
_PORTS = 4  # bytes of both ports
_TCP = {0x11: 4, 0x21: 16}  # by family and protocol: the bytes of one address
_NAMELESS = frozenset((0x00, 0x12, 0x22, 0x31, 0x32))  # unspecified, UDP, not from a network: no address of use here
_VERSION_1 = b"PROXY "
_LINE_1 = re.compile(rb"PROXY (?:TCP[46](?: [0-9A-Fa-f.:]{1,39}){2}(?: [0-9]{1,5}){2}|UNKNOWN(?: [ -z]{0,91})?)\r?\n")
_MAPPED_BITS = 96  # of an IPv6 address: before the IPv4 address that is within it

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Introduced:
    """The header is complete."""

    source: tuple[str, int] | None  # the address and port to take the connection for; None: the balancer's own
    rest: bytes  # what came behind the header


@dataclass(frozen=True, slots=True)
class BadProxyHeader:
    """No bytes to come could make this a header that we understand."""

    came: str  # in words; WANTED says what was wanted


class ProxyHeader:
    """Reads one header. Give it what came with `feed` until it returns something; then it is done."""

    __slots__ = ("_came",)

    def __init__(self) -> None:
        self._came = b""

    @property
    def size(self) -> int:
        """How many bytes came so far."""
        return len(self._came)

    def feed(self, data: bytes) -> Introduced | BadProxyHeader | None:
        """Adds bytes. None: more are needed. Any cut of the same bytes gives the same."""
        came = self._came = self._came + data
        if not came.startswith(_SIGNATURE[: len(came)]):
            return _without_signature(came)
        if len(came) < _FIXED:
            return None
        wrong = _wrong(came)
        if wrong:
            return BadProxyHeader(wrong)
        end = _FIXED + _length(came)
        return Introduced(_source(came), came[end:]) if len(came) >= end else None


def version_of(data: bytes) -> int:
    """Of the header that `data` begins with."""
    return 1 if data.startswith(_VERSION_1) else _VERSION


def end_of_headers(data: bytes) -> int:
    """Where the message begins in what came with headers before it, of version 1 or 2; 0 if it has none.

    For whoever has to tell them from a message: what the headers say is not looked at.
    """
    end = 0
    while behind := _end_of_header(data, end):
        end = behind
    return end


def parse_networks(text: str) -> Networks:
    """Reads ADDRESS[/BITS][,…]: the addresses of balancers. Raises ValueError.

    IPv4 within IPv6 (::ffff:10.0.0.7) is the IPv4 that is meant: so connections have it.
    """
    return tuple(_network(part.strip()) for part in text.split(","))


def among(networks: Networks) -> Callable[[str], bool]:
    """What tells whether an IP address is in one of the networks."""

    @lru_cache(maxsize=1024)  # nearly every connection comes from the same few balancers
    def is_among(address: str) -> bool:
        ip = ip_address(address)
        return any(ip in network for network in networks)

    return is_among


def _without_signature(came: bytes) -> BadProxyHeader | None:
    if came.startswith(_VERSION_1):
        return BadProxyHeader("version 1 of the header came, which is text")
    if _VERSION_1.startswith(came):
        return None
    at = next(at for at, (is_, want) in enumerate(zip(came, _SIGNATURE, strict=False)) if is_ != want)
    return BadProxyHeader(
        f"no header came: byte {at + 1} is 0x{came[at]:02x}, where a header has 0x{_SIGNATURE[at]:02x}"
    )


def _wrong(header: bytes) -> str:
    """What is wrong with the fixed part of a header, in words; "" for nothing."""
    version, command = divmod(header[12], 16)
    kind, length = header[13], _length(header)
    if version != _VERSION:
        return f"a header of version {version} came"
    if command not in (_LOCAL, _PROXY):
        return f"a header with the unknown command {command} came"
    if _FIXED + length > MAX_HEADER:
        return f"a header of {_FIXED + length} bytes came, and {MAX_HEADER} is the limit"
    if command == _LOCAL or kind in _NAMELESS:
        return ""  # what follows is skipped
    if kind not in _TCP:
        return f"a header with the unknown family and protocol 0x{kind:02x} came"
    needed = 2 * _TCP[kind] + _PORTS
    return f"a header with {length} bytes for its addresses came, which need {needed}" if length < needed else ""


def _length(header: bytes) -> int:
    """How many bytes follow the fixed part."""
    return header[14] << 8 | header[15]


def _source(header: bytes) -> tuple[str, int] | None:
    """The first of the two addresses in a complete header, with its port."""
    if header[12] % 16 == _LOCAL or header[13] in _NAMELESS:
        return None
    size = _TCP[header[13]]
    address = ip_address(header[_FIXED : _FIXED + size])
    port_at = _FIXED + 2 * size  # behind both addresses
    return str(_within(address) or address), header[port_at] << 8 | header[port_at + 1]


def _within(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is within this one."""
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None


def _end_of_header(data: bytes, start: int) -> int:
    """Where the header ends that begins there, or at the latest what came; 0 if none begins."""
    if data.startswith(_SIGNATURE, start):
        fixed = data[start : start + _FIXED].ljust(_FIXED, b"\0")
        return min(start + _FIXED + _length(fixed), len(data))
    line = _LINE_1.match(data, start)
    return line.end() if line else 0


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        given = ip_interface(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address, or one with its bits, as 10.0.0.0/24") from None
    meant = _as_connections_have_it(given)
    if meant is None:
        raise ValueError(
            f"{text!r} has fewer than the {_MAPPED_BITS} bits that make it IPv4: give that, as 10.0.0.0/24"
        )
    if meant.ip != meant.network.network_address:
        raise ValueError(f"{text!r} is an address within {meant.network}: give {meant.network}, or the address alone")
    return meant.network


def _as_connections_have_it(given: IPv4Interface | IPv6Interface) -> IPv4Interface | IPv6Interface | None:
    """The same, but IPv4 within IPv6 as IPv4; None if that is only a part of it."""
    within = _within(given.ip)
    if within is None:
        return given
    bits = given.network.prefixlen - _MAPPED_BITS
    return IPv4Interface((within, bits)) if bits >= 0 else None
