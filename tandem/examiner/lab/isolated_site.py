"""The place of a run: hosts of their own for the server and both programs, and sandboxes on them."""

from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

from tandem.examiner.events import Link
from tandem.examiner.lab.connections.endpoints import Address
from tandem.examiner.lab.hosts.addresses import addresses_of
from tandem.examiner.lab.hosts.capture import Capture
from tandem.examiner.lab.hosts.handover_watch import HandoverWatch
from tandem.examiner.lab.hosts.hosts import Host, new_host
from tandem.examiner.lab.hosts.one_machine_forwarders import OneMachineForwarders
from tandem.examiner.lab.hosts.refusals import RefusalWatch, watch_loopback
from tandem.examiner.lab.hosts.segments import parse_segment
from tandem.examiner.lab.hosts.switch import Switch
from tandem.examiner.lab.programs.program import Client, Launch
from tandem.examiner.lab.programs.sandbox import WORK, Sandbox, mount_work_folder, new_sandbox
from tandem.examiner.lab.programs.socket_table import SocketTable
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.order import LabOrder
from tandem.net.event_loop import EventLoop

HOST_NAMES: dict[Client, str] = {"client 1": "laptop-1", "client 2": "laptop-2"}


class IsolatedSite:
    """Three hosts with their network. Needs namespaces of the lab's own, see start.py."""

    def __init__(self, order: LabOrder, loop: EventLoop, recorder: Recorder, capture: Capture) -> None:
        """Make the hosts. Call `make_sandboxes` before programs are started.

        Raises:
            OSError: the system does not allow it.
            TandemError: `ip` failed, or the addresses cannot be.
        """
        self.sees_handover = True
        self._order = order
        self._addresses = own = addresses_of(order)
        mount_work_folder()
        self.server_data = WORK / "server"
        avoid = {order.server_port, order.listen_port}
        self._server = new_host(1, (own.server,), avoid)
        self._clients: dict[Client, Host] = {
            "client 1": new_host(2, (own.client1,), avoid),
            "client 2": new_host(3, own.client2, avoid),
        }
        self._client2_sockets = SocketTable(self._clients["client 2"].namespace.inside)
        self._sandboxes: dict[Client, Sandbox] = {}
        self._connect_hosts(loop, recorder, capture)
        self._watch_loopbacks(loop, recorder)
        inside = [host.namespace.inside for host in (self._server, *self._clients.values())]
        self._forwarders = OneMachineForwarders(loop, own, order.server_port, order.listen_port, *inside)

    @property
    def server_address(self) -> Address:
        """The address of the relay."""
        return self._addresses.server, self._order.server_port

    @property
    def client2_address(self) -> Address:
        """The address at which the examiner finds client 2."""
        return self._addresses.client2[0], self._order.listen_port

    def server_inside(self) -> AbstractContextManager[None]:
        """Be on the server's host within a block."""
        return self._server.namespace.inside()

    def make_sandboxes(self) -> None:
        """Copy the submission for each program.

        Raises:
            TandemError: it cannot be copied.
        """
        order, addresses = self._order, self._addresses
        for who, name in HOST_NAMES.items():
            hosts = addresses.hosts_file(name, self._clients[who].address, order.scenario.own_name_is_loopback)
            self._sandboxes[who] = new_sandbox(name, Path(order.folder), order.files, hosts, name, order.limits)

    def inside(self, who: Client) -> AbstractContextManager[None]:
        """Be on the host of a program within a block."""
        return self._clients[who].namespace.inside()

    def note_start(self, who: Client, pid: int) -> None:
        """Take notice of the process of a program: its host tells it already."""

    def launch(self, who: Client, words: tuple[str, ...]) -> Launch:
        """Return how a program is started."""
        return Launch(self._sandboxes[who].command(words))

    def visit_of(self, peer: Address) -> int:
        """Return whose visit comes from an address: 1 or 2."""
        return 1 if peer[0] == self._addresses.client1 else 2

    def client2_listeners(self) -> set[Address]:
        """Return (address, port) of all that client 2 listens on."""
        found = {each.address for each in self._client2_sockets.listeners()}
        return found - self._forwarders.own_listeners()

    def on_ports(self, server_is_open: bool, client2_listeners: set[Address]) -> None:
        """Take notice of which ports are open."""
        self._forwarders.set_server_open(server_is_open)
        self._forwarders.set_client2_listeners(client2_listeners)

    def _connect_hosts(self, loop: EventLoop, recorder: Recorder, capture: Capture) -> None:
        own, order = self._addresses, self._order
        random = Random(f"{order.seed}/path")
        slow = self._clients["client 1"]
        switch = Switch(loop, [self._server, *self._clients.values()], slow, order.scenario.path, random)
        reached_at = {*own.client2, own.server} if own.peer_at_server else set(own.client2)
        handover = HandoverWatch(recorder, own.client1, {(ip, order.listen_port) for ip in reached_at})
        refusals = [
            RefusalWatch(recorder, "client 1", {own.client1}, {self.server_address: "visit 1"}),
            RefusalWatch(recorder, "client 2", set(own.client2), {self.server_address: "visit 2"}),
        ]

        def on_sent(frame: bytes, fate: str) -> None:
            capture.add(frame, fate)
            if segment := parse_segment(frame):
                handover.on_sent(segment)
                for each in refusals:
                    each.on_sent(segment)

        def on_delivered(frame: bytes) -> None:
            if segment := parse_segment(frame):
                handover.on_delivered(segment)

        switch.on_sent, switch.on_delivered = on_sent, on_delivered
        switch.on_disturbed = lambda what: recorder.add("examiner", "disturbed", text=what)

    def _watch_loopbacks(self, loop: EventLoop, recorder: Recorder) -> None:
        """See what the programs are refused on their own machines, where a built-in address lets them look."""
        own, order = self._addresses, self._order
        visits: dict[Client, Link] = {"client 1": "visit 1", "client 2": "visit 2"}
        for who, visit in visits.items():
            links: dict[Address, Link] = {}
            if own.server_loopback:
                links[own.server_loopback, order.server_port] = visit
            if own.peer_loopback and who == "client 1":
                links[own.peer_loopback, order.listen_port] = "handover"
            if links:
                watch = RefusalWatch(recorder, who, own.loopbacks, links)
                watch_loopback(loop, self._clients[who].namespace.inside, watch)
