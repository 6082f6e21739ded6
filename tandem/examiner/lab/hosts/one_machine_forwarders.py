"""Lets programs that were only ever tried on one machine run on hosts of their own.

They look for the other side on their own machine, listen only there, or look for client 2 at the server's address.
"""

from tandem.examiner.lab.connections.endpoints import Address, Inside
from tandem.examiner.lab.connections.forwarder import Forwarder
from tandem.examiner.lab.hosts.addresses import Addresses
from tandem.examiner.lab.programs.socket_table import takes
from tandem.net.event_loop import EventLoop

LOCALHOST = "127.0.0.1"  # built into a program; another loopback address comes from the name of the host


class OneMachineForwarders:
    """The forwarders of a run. Each is open exactly while what it stands for is."""

    def __init__(
        self,
        loop: EventLoop,
        addresses: Addresses,
        server_port: int,
        listen_port: int,
        server: Inside,
        client1: Inside,
        client2: Inside,
    ) -> None:
        self._to_server: list[Forwarder] = []
        self._to_peer: list[Forwarder] = []
        if addresses.server_loopback:
            here, there = (addresses.server_loopback, server_port), (addresses.server, server_port)
            self._to_server = [Forwarder(loop, inside, here, there) for inside in (client1, client2)]
        self._port = listen_port
        client2_address = addresses.client2[0], listen_port
        if addresses.peer_loopback:
            self._to_peer = [Forwarder(loop, client1, (addresses.peer_loopback, listen_port), client2_address)]
        elif addresses.peer_at_server:
            self._to_peer = [Forwarder(loop, server, (addresses.server, listen_port), client2_address)]
        self._into_client2 = {
            ip: Forwarder(loop, client2, (ip, listen_port), (LOCALHOST, listen_port)) for ip in addresses.client2
        }

    def own_listeners(self) -> set[Address]:
        """Return what listens on client 2's host and is none of client 2."""
        on_client2 = (*self._into_client2.values(), *self._to_server[1:])
        return {each.listener.address for each in on_client2 if each.listener.is_open}

    def set_server_open(self, is_open: bool) -> None:
        """Take notice whether the server's port is open."""
        for forwarder in self._to_server:
            forwarder.set_open(is_open)

    def set_client2_listeners(self, bound: set[Address]) -> None:
        """Take notice of what client 2 listens on."""
        on_port = {ip for ip, port in bound if port == self._port}
        for address, forwarder in self._into_client2.items():
            forwarder.set_open(LOCALHOST in on_port and not any(takes(ip, address) for ip in on_port))
        for forwarder in self._to_peer:
            forwarder.set_open(bool(on_port))
