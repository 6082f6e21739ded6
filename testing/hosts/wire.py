"""A long wire between hosts: what one of them sends arrives at another DELAY seconds later.

Its ends are open TUN devices: IP packets are read from them and written to them, one at a time. A packet
arrives whole, in its turn and never early; or it is lost without a word, because no end has its address
or because a firewall drops it. Knows IPv4, IPv6 and the ports of TCP, and nothing of hosts.
"""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

DELAY = 0.05  # seconds, one way
LARGEST = 65_535  # bytes of a packet
TCP = 6  # the number of the protocol

Address = IPv4Address | IPv6Address


class Packet(NamedTuple):
    """A packet that is under way."""

    due: float  # time.monotonic()
    end: int  # where it will arrive
    data: bytes


class Wire:
    """Carries packets from when it is made until it is closed. Call `close` when it is not needed any more."""

    def __init__(self, ends: Mapping[Address, int]) -> None:
        """Start to carry packets.

        Args:
            ends: Address -> the open, non-blocking TUN device behind which it is. The caller closes it.
        """
        self._ends = dict(ends)
        self._under_way: deque[Packet] = deque()  # all are as slow: the first one in is the first one due
        self._firewalls: set[tuple[Address, int]] = set()
        self._stop_heard, self._stop_said = os.pipe()
        self._carrier = threading.Thread(target=self._carry)
        self._carrier.start()

    def close(self) -> None:
        """Stop. What is under way is lost."""
        os.close(self._stop_said)
        self._carrier.join()
        os.close(self._stop_heard)

    @contextmanager
    def firewall(self, ip: str, port: int) -> Iterator[None]:
        """Drop packets for this TCP port within the block."""
        behind = ip_address(ip), port
        self._firewalls.add(behind)
        try:
            yield
        finally:
            self._firewalls.remove(behind)

    def _carry(self) -> None:
        sources = {self._stop_heard, *self._ends.values()}
        while True:
            wait = max(0.0, self._under_way[0].due - time.monotonic()) if self._under_way else None
            ready, _, _ = select.select(sources, [], [], wait)
            if self._stop_heard in ready:
                return
            for source in ready:
                self._take(os.read(source, LARGEST))
            while self._under_way and self._under_way[0].due <= time.monotonic():
                packet = self._under_way.popleft()
                os.write(packet.end, packet.data)

    def _take(self, data: bytes) -> None:
        address, port = destination(data)
        if address in self._ends and (address, port) not in self._firewalls:
            self._under_way.append(Packet(time.monotonic() + DELAY, self._ends[address], data))


def destination(packet: bytes) -> tuple[Address, int]:
    """Return where an IP packet goes: the address, and the port if it is TCP, else 0."""
    if packet[0] >> 4 == 6:
        address, protocol, header = packet[24:40], packet[6], 40
    else:
        address, protocol, header = packet[16:20], packet[9], 4 * (packet[0] & 0x0F)
    port = int.from_bytes(packet[header + 2 : header + 4], "big") if protocol == TCP else 0
    return ip_address(address), port
