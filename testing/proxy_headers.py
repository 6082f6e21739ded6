"""PROXY headers, made from their parts as the specification puts them together."""

from ipaddress import ip_address

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")

LOCAL, PROXY = 0x20, 0x21  # version 2 and the command
UNSPECIFIED, TCP4, UDP4, TCP6, UDP6, STREAM, DATAGRAM = 0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32


def header(command: int, kind: int, block: bytes = b"") -> bytes:
    """Return a header with this block after its length."""
    return SIGNATURE + bytes((command, kind)) + len(block).to_bytes(2, "big") + block


def addresses(source: str, port: int, destination: str, destination_port: int = 5550) -> bytes:
    """Return both addresses and both ports as they are in a header."""
    packed = ip_address(source).packed + ip_address(destination).packed
    return packed + port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")


def introduces(source: str, port: int) -> bytes:
    """Return the header for a student who connects from this IPv4 address."""
    return header(PROXY, TCP4, addresses(source, port, "192.0.2.1"))


def note(kind: int, value: bytes) -> bytes:
    """Return a type-length-value, as a balancer may add it after the addresses."""
    return bytes((kind,)) + len(value).to_bytes(2, "big") + value
