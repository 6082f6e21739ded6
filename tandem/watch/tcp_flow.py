"""Frames of one TCP connection as a network would carry it, made from what was sent. Pure.

The tap is a program, and sees no packets. These have its bytes, with a handshake, sequence numbers, acknowledgements
and right checksums, so that Wireshark can follow the stream. Sizes and acknowledgements are not those of the network.
"""

import struct
from ipaddress import IPv6Address, ip_address

from tandem.watch.watch_events import CLIENT, SERVER, other_side

Endpoint = tuple[str, int]  # IP address without a zone, and port

MAX_SEGMENT = 1_400  # bytes of data in a frame: fits into Ethernet with the headers of IPv6
WINDOW = 65_535
TTL = 64

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10  # flags of TCP
TCP = 6  # the protocol number in IP
IPV4, IPV6 = 0x0800, 0x86DD  # EtherTypes
_MACS = {CLIENT: bytes.fromhex("020000000001"), SERVER: bytes.fromhex("020000000002")}  # locally administered
_FIRST_NUMBERS = {CLIENT: 1_000, SERVER: 5_000}


class TcpFlow:
    """Makes the frames of one connection, in the order of the calls. Each call returns the frames to write."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        hosts = {CLIENT: ip_address(client[0]), SERVER: ip_address(server[0])}
        if hosts[CLIENT].version != hosts[SERVER].version:  # no packet has both: IPv4 within IPv6 (RFC 4291, 2.5.5.2)
            hosts = {
                side: host if isinstance(host, IPv6Address) else IPv6Address(f"::ffff:{host}")
                for side, host in hosts.items()
            }
        self._ether_type = IPV4 if hosts[CLIENT].version == 4 else IPV6
        self._hosts = {side: host.packed for side, host in hosts.items()}
        self._ports = {CLIENT: client[1], SERVER: server[1]}
        self._next = dict(_FIRST_NUMBERS)  # sequence number of the next byte of each side
        self._identification = 0

    def handshake(self) -> list[bytes]:
        """Open the connection."""
        return [
            self._segment(CLIENT, SYN),
            self._segment(SERVER, SYN | ACK),
            self._segment(CLIENT, ACK),
        ]

    def refused(self) -> list[bytes]:
        """Try to open the connection, without success."""
        return [self._segment(CLIENT, SYN), self._segment(SERVER, RST | ACK)]

    def data(self, sender: str, data: bytes) -> list[bytes]:
        """Send bytes, and acknowledge them."""
        pieces = [data[start : start + MAX_SEGMENT] for start in range(0, len(data), MAX_SEGMENT)]
        frames = [self._segment(sender, PSH | ACK, piece) for piece in pieces]
        return [*frames, self._segment(other_side(sender), ACK)]

    def end(self, sender: str) -> list[bytes]:
        """End the sending side of `sender`, and acknowledge that."""
        return [self._segment(sender, FIN | ACK), self._segment(other_side(sender), ACK)]

    def reset(self, sender: str) -> list[bytes]:
        """Reset the connection."""
        return [self._segment(sender, RST | ACK)]

    def _segment(self, sender: str, flags: int, data: bytes = b"") -> bytes:
        """Return a frame, and count its bytes."""
        receiver = other_side(sender)
        acknowledged = self._next[receiver] if flags & ACK else 0
        ports = self._ports[sender], self._ports[receiver]
        head = struct.pack("!HHIIBBHHH", *ports, self._next[sender], acknowledged, 5 << 4, flags, WINDOW, 0, 0)
        addresses = self._hosts[sender] + self._hosts[receiver]
        pseudo_header = addresses + struct.pack("!II", len(head) + len(data), TCP)
        checksum = _checksum(pseudo_header + head + data)
        segment = head[:16] + struct.pack("!H", checksum) + head[18:] + data
        self._next[sender] = (self._next[sender] + len(data) + bool(flags & (SYN | FIN))) % 2**32
        ethernet = _MACS[receiver] + _MACS[sender] + struct.pack("!H", self._ether_type)
        return ethernet + self._ip_header(addresses, len(segment)) + segment

    def _ip_header(self, addresses: bytes, size: int) -> bytes:
        if self._ether_type == IPV6:
            return struct.pack("!IHBB", 6 << 28, size, TCP, TTL) + addresses
        self._identification = (self._identification + 1) % 2**16
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, self._identification, 0, TTL, TCP, 0)
        return head[:10] + struct.pack("!H", _checksum(head + addresses)) + addresses


def _checksum(data: bytes) -> int:
    """Return the checksum of IP and TCP (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF
