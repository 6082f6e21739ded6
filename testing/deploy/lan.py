"""A local network on one machine: hosts with addresses of their own, behind one switch.

As fast as the machine is, where testing/hosts/network.py has a long wire. Every network is a new one, in
namespaces of its own: runs at the same time may use the same addresses and ports. Needs Linux, root and `ip`.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count

from testing.hosts.network import ip

BITS = 24  # of the addresses that are the network's

NAMESPACES = "/run/netns"  # where `ip` puts them
CLONE_NEWNET = 0x40000000  # from linux/sched.h

_numbers = count(1)


@dataclass(frozen=True)
class Place:
    """A host on the network."""

    namespace: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        """Return what to put before a command so that it runs on this host."""
        return ("ip", "netns", "exec", self.namespace)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put this thread's new sockets and new processes on this host within the block."""
        with open("/proc/thread-self/ns/net") as outside, open(f"{NAMESPACES}/{self.namespace}") as here:
            _set_namespace(here.fileno())
            try:
                yield
            finally:
                _set_namespace(outside.fileno())


class Lan:
    """The switch. `undo` takes everything down again.

    Raises:
        OSError: The system does not allow it.
        subprocess.CalledProcessError: The command `ip` failed.
    """

    def __init__(self, undo: ExitStack) -> None:
        self._undo = undo
        self._switch = self._add_namespace("switch")
        ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", self._switch, "link", "set", "bridge", "up")

    def host(self, *addresses: str) -> Place:
        """Add a host with these IPv4 addresses. `Place.address` is the first."""
        namespace = self._add_namespace("host")
        port = f"port{next(_numbers)}"
        wire = ("type", "veth", "peer", "name", "wire", "netns", namespace)
        ip("-n", self._switch, "link", "add", port, *wire)
        ip("-n", self._switch, "link", "set", port, "master", "bridge", "up")
        for address in addresses:
            ip("-n", namespace, "address", "add", f"{address}/{BITS}", "dev", "wire")
        for device in ("lo", "wire"):
            ip("-n", namespace, "link", "set", device, "up")
        return Place(namespace, addresses[0])

    def _add_namespace(self, kind: str) -> str:
        name = f"tandem-{kind}-{os.getpid()}-{next(_numbers)}"
        ip("netns", "add", name)
        self._undo.callback(ip, "netns", "delete", name)
        return name


def _set_namespace(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
