"""Which TCP ports a host listens on, from the kernel's table. Never by connecting: many programs accept only once."""

import ipaddress
import socket
import sys
from collections.abc import Iterable

LISTENING = "0A"  # the state, from net/tcp_states.h
TABLES = ("/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6")


def read_listening() -> set[tuple[str, int]]:
    """Return (address, port) of all sockets that listen in the network namespace of this thread."""
    found: set[tuple[str, int]] = set()
    for table in TABLES:
        try:
            with open(table, encoding="ascii") as file:
                found |= parse_table(file)
        except FileNotFoundError:
            pass  # without IPv6
    return found


def parse_table(lines: Iterable[str]) -> set[tuple[str, int]]:
    """Return (address, port) of the listening sockets in a table of the kernel."""
    found = set()
    for line in lines:
        fields = line.split()
        if len(fields) > 3 and fields[3] == LISTENING:
            address, _, port = fields[1].partition(":")
            found.add((_address(address), int(port, 16)))
    return found


def _address(digits: str) -> str:
    """Return an address of the table: hex digits, as 32-bit numbers in the machine's byte order."""
    words = (int(digits[at : at + 8], 16) for at in range(0, len(digits), 8))
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed)
    address = ipaddress.IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def takes(bound: str, address: str) -> bool:
    """Return whether a socket that is bound to one address takes IPv4 connections to another one."""
    return bound in ("0.0.0.0", "::", address)
