"""The wire that the tests with several hosts rely on: late it is, and it loses only what it should."""

import socket
import time
from contextlib import closing
from ipaddress import ip_address

import pytest

from testing.hosts.wire import DELAY, Wire, destination
from testing.processes import LIMIT

PORTS = "c000 15ae"  # from 49152 to 5550: how TCP and UDP begin
TCP_IPV4 = f"45000028 00004000 40060000 0a000001 0a000002 {PORTS}"
TCP_IPV4_WITH_OPTION = f"4600002c 00004000 40060000 0a000001 0a000002 94040000 {PORTS}"
UDP_IPV4 = f"45000028 00004000 40110000 0a000001 0a000002 {PORTS}"
TCP_IPV6 = f"60000000 00140640 20010db8000000000000000000000001 20010db8000000000000000000000002 {PORTS}"


@pytest.mark.parametrize(
    ("packet", "address", "port"),
    [
        (TCP_IPV4, "10.0.0.2", 5550),
        (TCP_IPV4_WITH_OPTION, "10.0.0.2", 5550),
        (UDP_IPV4, "10.0.0.2", 0),
        (TCP_IPV6, "2001:db8::2", 5550),
    ],
)
def test_destination(packet: str, address: str, port: int) -> None:
    assert destination(bytes.fromhex(packet)) == (ip_address(address), port)


def test_carries() -> None:
    """In order and not early; not to an address that nobody has, and not through a firewall."""
    near, near_end = socket.socketpair(type=socket.SOCK_DGRAM)
    far, far_end = socket.socketpair(type=socket.SOCK_DGRAM)
    with near, near_end, far, far_end:
        far.settimeout(LIMIT)
        with closing(
            Wire({ip_address("10.0.0.2"): far_end.fileno(), ip_address("10.0.0.1"): near_end.fileno()})
        ) as wire:
            sent_at = time.monotonic()
            with wire.firewall("10.0.0.2", 5550):
                for packet in (TCP_IPV4, TCP_IPV6, UDP_IPV4):
                    near.send(bytes.fromhex(packet))
                assert far.recv(100) == bytes.fromhex(UDP_IPV4)
                assert time.monotonic() - sent_at >= DELAY
            for packet in (TCP_IPV4, UDP_IPV4):
                near.send(bytes.fromhex(packet))
            assert [far.recv(100), far.recv(100)] == [bytes.fromhex(TCP_IPV4), bytes.fromhex(UDP_IPV4)]
