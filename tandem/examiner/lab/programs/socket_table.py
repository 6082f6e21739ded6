"""The kernel's table of the TCP sockets of a host. It tells who listens without connecting: many accept only once.

Asks with the messages of linux/inet_diag.h, as the command `ss` does: reading /proc/net/tcp takes 200 times as long.
"""

import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tandem.examiner.lab.connections.endpoints import Address, Inside

NETLINK_SOCK_DIAG = 4  # from linux/netlink.h, as the next four
NLM_F_REQUEST = 0x001
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
SOCK_DIAG_BY_FAMILY = 20  # from linux/sock_diag.h

LISTENING = 10  # a state of TCP, from net/tcp_states.h
ALL_STATES = 0xFFF

_HEADER = struct.Struct("=IHHII")  # of a message: length, type, flags, sequence number, port
_REQUEST = struct.Struct("=BBBxI48x")  # family, protocol, extensions, states; any socket
_SOCKET = struct.Struct("=BB2x2s2x16s44xI")  # family, state, own port, own address; inode
MAX_ANSWER = 1 << 20


@dataclass(frozen=True)
class TcpSocket:
    """A socket of the table."""

    address: Address  # its own
    is_listening: bool
    inode: int  # its number in the file system, by which its owner is found


class SocketTable:
    """The sockets of one host. Close it after use."""

    def __init__(self, inside: Inside) -> None:
        with inside():
            self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)

    def listeners(self) -> list[TcpSocket]:
        """Return the sockets that listen."""
        return self._read(1 << LISTENING)

    def sockets(self) -> list[TcpSocket]:
        """Return all sockets."""
        return self._read(ALL_STATES)

    def close(self) -> None:
        """Close it."""
        self._kernel.close()

    def _read(self, states: int) -> list[TcpSocket]:
        return [each for family in (socket.AF_INET, socket.AF_INET6) for each in self._read_family(family, states)]

    def _read_family(self, family: int, states: int) -> Iterator[TcpSocket]:
        request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, states)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        self._kernel.send(_HEADER.pack(_HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, flags, 0, 0) + request)
        while True:
            for kind, body in messages(self._kernel.recv(MAX_ANSWER)):
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    number = -int.from_bytes(body[:4], "little", signed=True)
                    raise OSError(number, f"no table of sockets: {os.strerror(number)}")
                yield parse_socket(body)


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each netlink message."""
    while data:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) // 4 * 4 :]


def parse_socket(body: bytes) -> TcpSocket:
    """Return the socket in a message of type inet_diag_msg."""
    family, state, port, packed, inode = _SOCKET.unpack_from(body)
    if family == socket.AF_INET:
        address = socket.inet_ntop(family, packed[:4])
    else:
        found = ipaddress.IPv6Address(packed)
        address = str(found.ipv4_mapped or found)
    return TcpSocket((address, int.from_bytes(port, "big")), state == LISTENING, inode)


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


def takes(bound: str, address: str) -> bool:
    """Return whether a socket that is bound to one address takes IPv4 connections to another one."""
    return bound in ("0.0.0.0", "::", address)
