"""Lets programs that look for the other side on their own machine, or listen only there, run on hosts of their own."""

from tandem.examiner.lab.addresses import Addresses
from tandem.examiner.lab.endpoints import Address, Inside
from tandem.examiner.lab.event_loop import EventLoop
from tandem.examiner.lab.forwarder import Forwarder
from tandem.examiner.lab.socket_table import takes

LOCALHOST = "127.0.0.1"  # built into a program; another loopback address comes from the name of the host


class LoopbackForwarders:
    """The forwarders of a run. Each is open exactly while what it stands for is."""

    def __init__(
        self,
        loop: EventLoop,
        addresses: Addresses,
        server_port: int,
        listen_port: int,
        client1: Inside,
        client2: Inside,
    ) -> None:
        self._to_server: list[Forwarder] = []
        self._to_peer: list[Forwarder] = []
        if addresses.server_loopback:
            here, there = (addresses.server_loopback, server_port), (addresses.server, server_port)
            self._to_server = [Forwarder(loop, inside, here, there) for inside in (client1, client2)]
        self._port = listen_port
        if addresses.peer_loopback:
            here, there = (addresses.peer_loopback, listen_port), (addresses.client2[0], listen_port)
            self._to_peer = [Forwarder(loop, client1, here, there)]
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
