"""The hosts of a run: each a network namespace with an address of its own, and one cable to the lab's switch.

A host owns its address alone (/32) and takes every other address for a neighbour, so that whatever addresses a
program has built in can be used, and there is no way out. Needs the command `ip`.
"""

import array
import socket
import struct
import subprocess
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from tandem.examiner.lab.namespaces import NetNamespace, current_namespace, new_namespace
from tandem.protocol.errors import TandemError

DEVICE = "eth0"  # on each host
FIRST_PORT, LAST_PORT = 1024, 65535  # that a program without a port of its own may get
PORTS_IN_RANGE = 20_000

ETH_P_ALL = 0x0003  # from linux/if_ether.h
SIOCETHTOOL = 0x8946  # from linux/sockios.h
ETHTOOL_STXCSUM = 0x17  # from linux/ethtool.h


@dataclass(frozen=True)
class Host:
    """A host of the run."""

    name: str
    address: str
    namespace: NetNamespace
    cable: socket.socket  # a packet socket in the lab, at the other end of the host's device
    mac: bytes


def new_host(number: int, name: str, addresses: tuple[str, ...], avoid: set[int]) -> Host:
    """Make a host. The first address is the one that its connections come from.

    Args:
        number: From 1, another one for each host of the lab.
        name: What it is called.
        addresses: What it owns, IPv4.
        avoid: Ports that the system must not give to outgoing connections.

    Raises:
        OSError: the system does not allow it.
        TandemError: `ip` failed.
    """
    mac = bytes((2, 0, 0, 0, 0, number))
    end = f"cable{number}"
    lab = current_namespace()
    namespace = new_namespace()
    try:
        with namespace.inside():
            _ip(
                f"link add {DEVICE} address {mac.hex(':')} type veth peer name {end} netns {lab.path}",
                "link set lo up",
            )
            _set_sysctl(f"ipv6/conf/{DEVICE}/disable_ipv6", "1")  # or it greets its neighbours, in every capture
            _set_sysctl("ipv4/ip_local_port_range", "{} {}".format(*ephemeral_ports(avoid)))
            _ip(
                *(f"address add {address}/32 dev {DEVICE}" for address in addresses),
                f"link set {DEVICE} up",
                f"route add default dev {DEVICE} src {addresses[0]}",
            )
            _send_whole_checksums()
        _set_sysctl(f"ipv6/conf/{end}/disable_ipv6", "1")
        _ip(f"link set {end} up")
    finally:
        lab.close()
    return Host(name, addresses[0], namespace, open_packet_socket(end), mac)


def ephemeral_ports(avoid: set[int]) -> tuple[int, int]:
    """Return a range of ports without those to avoid.

    A program that tries a port of its own range again and again on one machine connects to itself in the end.
    """
    for first in range(LAST_PORT - PORTS_IN_RANGE + 1, FIRST_PORT, -PORTS_IN_RANGE // 2):
        if not any(first <= port < first + PORTS_IN_RANGE for port in avoid):
            return first, first + PORTS_IN_RANGE - 1
    raise ValueError(f"no {PORTS_IN_RANGE} ports in a row without {avoid}")


def open_packet_socket(device: str) -> socket.socket:
    """Return a socket that sees all frames of a device of this thread's network namespace, and can send some."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    packets.setblocking(False)
    packets.bind((device, ETH_P_ALL))
    return packets


def _ip(*commands: str) -> None:
    done = subprocess.run(("ip", "-batch", "-"), input="\n".join(commands), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TandemError(f"ip: {' '.join(done.stderr.split())}")


def _set_sysctl(name: str, value: str) -> None:
    Path("/proc/sys/net", name).write_text(value, encoding="ascii")


def _send_whole_checksums() -> None:
    """Make this host compute the checksums of what it sends: its cable ends in a program, not in hardware.

    Without this, packets carry half a checksum, and segments may be larger than a real network allows.
    """
    value = array.array("I", (ETHTOOL_STXCSUM, 0))
    address, _ = value.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, SIOCETHTOOL, struct.pack("16sP", DEVICE.encode(), address))
