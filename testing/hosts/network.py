"""Three hosts on one machine: each a network namespace with addresses of its own, a long wire between them.

Every network is a new one, and a namespace has all ports to itself: tests that run at the same time may
use the same addresses and ports. Needs Linux, root and the command `ip`.
"""

import os
import signal
import struct
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from fcntl import ioctl
from ipaddress import ip_address
from itertools import count

from testing.hosts.wire import Address, Wire

DEVICE = "wire"  # what the end of the wire is called on each host

TUNSETIFF = 0x400454CA  # from linux/if_tun.h, and the next two as well
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000

_numbers = count(1)


@dataclass(frozen=True)
class Host:
    """A host, and its addresses."""

    namespace: str
    ipv4: str
    ipv6: str
    link_local: str  # IPv6 as well, of use only together with the device: fe80::1%wire

    @property
    def inside(self) -> tuple[str, ...]:
        """Return what to put before a command so that it runs on this host."""
        return ("ip", "netns", "exec", self.namespace)


@dataclass(frozen=True)
class Network:
    """The three hosts of an exchange, and the wire between them."""

    server: Host
    client_1: Host
    client_2: Host
    wire: Wire


def build(undo: ExitStack) -> Network:
    """Build the network. `undo` takes it down again.

    Raises:
        OSError: The system does not allow it.
        subprocess.CalledProcessError: The command `ip` failed.
    """
    ends: dict[Address, int] = {}
    server, client_1, client_2 = (_add_host(number, ends, undo) for number in (1, 2, 3))
    wire = Wire(ends)
    undo.callback(wire.close)
    return Network(server, client_1, client_2, wire)


def ip(*words: str) -> str:
    """Return what the command `ip` prints.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    return subprocess.run(("ip", *words), check=True, capture_output=True, text=True).stdout


def _add_host(number: int, ends: dict[Address, int], undo: ExitStack) -> Host:
    host = Host(f"tandem-{os.getpid()}-{next(_numbers)}", f"10.0.0.{number}", f"2001:db8::{number}", f"fe80::{number}")
    ip("netns", "add", host.namespace)
    undo.callback(_remove, host.namespace)
    end, name = _open_tun()
    undo.callback(os.close, end)
    ip("link", "set", name, "netns", host.namespace, "name", DEVICE)
    ip("-n", host.namespace, "link", "set", DEVICE, "addrgenmode", "none")  # no addresses that the wire does not know
    ip("-n", host.namespace, "address", "add", f"{host.ipv4}/24", "dev", DEVICE)
    for address in (host.ipv6, host.link_local):
        ip("-n", host.namespace, "address", "add", f"{address}/64", "dev", DEVICE, "nodad")
    for device in ("lo", DEVICE):
        ip("-n", host.namespace, "link", "set", device, "up")
    ends |= {ip_address(address): end for address in (host.ipv4, host.ipv6, host.link_local)}
    return host


def _open_tun() -> tuple[int, str]:
    """Open a new TUN device, which passes on the IP packets sent to it. Return its descriptor and its name."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack("16sH22x", b"tandem%d", IFF_TUN | IFF_NO_PI)
        name, _ = struct.unpack("16sH22x", ioctl(end, TUNSETIFF, request))
    except OSError:
        os.close(end)
        raise
    return end, name.rstrip(b"\0").decode()


def _remove(namespace: str) -> None:
    """Remove a namespace, and kill whatever still runs inside."""
    for pid in ip("netns", "pids", namespace).split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended by itself
    ip("netns", "delete", namespace)
