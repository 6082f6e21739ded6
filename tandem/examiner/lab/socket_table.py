"""The TCP sockets of a host, from the kernel's table: who listens is not found out by connecting.

Many programs accept only once.
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LISTENING = "0A"  # the state, from net/tcp_states.h
TABLES = ("/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6")

Address = tuple[str, int]


@dataclass(frozen=True)
class TcpSocket:
    """A line of the table."""

    address: Address  # its own
    is_listening: bool
    inode: int  # the number of the socket in the file system, by which its owner is found


def read_sockets() -> list[TcpSocket]:
    """Return all TCP sockets of the network namespace of this thread."""
    found: list[TcpSocket] = []
    for table in TABLES:
        try:
            with open(table, encoding="ascii") as file:
                found += parse_table(file)
        except FileNotFoundError:
            pass  # without IPv6
    return found


def parse_table(lines: Iterable[str]) -> Iterator[TcpSocket]:
    """Read a table of the kernel."""
    for line in lines:
        fields = line.split()
        if len(fields) > 9 and fields[0] != "sl":
            address, _, port = fields[1].partition(":")
            yield TcpSocket((_address(address), int(port, 16)), fields[3] == LISTENING, int(fields[9]))


def sockets_of(pids: Iterable[int]) -> set[int]:
    """Return the inodes of the sockets that processes have open."""
    links = (link for pid in pids for link in _open_files(f"/proc/{pid}/fd"))
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}


def _open_files(folder: str) -> Iterator[str]:
    """Yield what the open files of a process are. Those that it closes just now are left out."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # it ended
    for name in names:
        try:
            yield os.readlink(f"{folder}/{name}")
        except OSError:
            continue


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
