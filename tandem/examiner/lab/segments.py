"""From an Ethernet frame to the TCP segment in it. Pure. Knows IPv4 only, as the hosts have no other addresses."""

import socket
import struct
from dataclasses import dataclass

IPV4 = 0x0800  # an EtherType
TCP = 6
ETHERNET_HEADER = 14
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


@dataclass(frozen=True)
class Segment:
    """A TCP segment with its addresses."""

    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    flags: int
    data: bytes


def ether_type(frame: bytes) -> int:
    """Return the EtherType of a frame; 0 if it is too short."""
    return int.from_bytes(frame[12:ETHERNET_HEADER], "big") if len(frame) >= ETHERNET_HEADER else 0


def parse_segment(frame: bytes) -> Segment | None:
    """Return the TCP segment in a frame; None if it has none, or only a fragment."""
    packet = frame[ETHERNET_HEADER:]
    if ether_type(frame) != IPV4 or len(packet) < 20 or packet[9] != TCP:
        return None
    header = 4 * (packet[0] & 0x0F)
    length, _, fragment = struct.unpack_from("!HHH", packet, 2)
    if fragment & 0x3FFF:  # more fragments follow, or this is a later one
        return None
    tcp = packet[header:length]
    if len(tcp) < 20:
        return None
    source_port, target_port, sequence = struct.unpack_from("!HHI", tcp)
    return Segment(
        source=(socket.inet_ntoa(packet[12:16]), source_port),
        target=(socket.inet_ntoa(packet[16:20]), target_port),
        sequence=sequence,
        flags=tcp[13],
        data=tcp[4 * (tcp[12] >> 4) :],
    )
