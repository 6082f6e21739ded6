"""The place of a run without hosts of their own: this machine's loopback, without a sandbox.

The programs could do anything that the user can. Visits are told apart by the process that connects. Of a lab that is
killed, its folder below /tmp is left.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tandem.examiner.lab.connections.endpoints import Address
from tandem.examiner.lab.connections.forwarder import Forwarder, Observers
from tandem.examiner.lab.connections.recorded_side import RecordedSide
from tandem.examiner.lab.programs.process_table import descendants, read_processes
from tandem.examiner.lab.programs.program import Client, Launch
from tandem.examiner.lab.programs.sandbox import copy_submission, rlimits
from tandem.examiner.lab.programs.socket_table import SocketTable, sockets_of
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.order import LabOrder
from tandem.net.event_loop import EventLoop
from tandem.protocol.address import show_address

LOCALHOST = "127.0.0.1"
PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")  # of the environment


class LocalSite:
    """Two folders with copies of the submission, and a relay in front of client 2 that sees the handover."""

    def __init__(self, order: LabOrder, loop: EventLoop, recorder: Recorder, folder: Path) -> None:
        """Set it up below `folder`, which the caller removes."""
        self.server_data = folder / "server"
        self.server_address: Address = (LOCALHOST, order.server_port)
        self.client2_address: Address = (LOCALHOST, order.listen_port)
        self.sees_handover = order.peer_port not in (0, order.listen_port)
        self._order = order
        self._recorder = recorder
        self._folders: dict[Client, Path] = {"client 1": folder / "laptop-1", "client 2": folder / "laptop-2"}
        self._pids: dict[Client, int] = {}
        self._table = SocketTable(nullcontext)
        self._handovers = 0
        address = LOCALHOST, order.peer_port
        self._handover = Forwarder(loop, nullcontext, address, self.client2_address, self._observers)

    def make_sandboxes(self) -> None:
        """Copy the submission for each program.

        Raises:
            TandemError: it cannot be copied.
        """
        for folder in self._folders.values():
            copy_submission(Path(self._order.folder), self._order.files, folder)

    def server_inside(self) -> AbstractContextManager[None]:
        """Be where the server is: everything is on this machine."""
        return nullcontext()

    def inside(self, who: Client) -> AbstractContextManager[None]:
        """Be where a program is: everything is on this machine."""
        return nullcontext()

    def launch(self, who: Client, words: tuple[str, ...]) -> Launch:
        """Return how a program is started. It ends with the lab."""
        folder = self._folders[who]
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {"HOME": str(folder), "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
        command = ("setpriv", "--pdeathsig", "KILL", *rlimits(self._order.limits), *_with_this_python(words))
        return Launch(command, folder, environment)

    def note_start(self, who: Client, pid: int) -> None:
        """Take notice of the process of a program."""
        self._pids[who] = pid

    def visit_of(self, peer: Address) -> int:
        """Return whose visit comes from an address: 1 or 2."""
        own = self._sockets("client 2")
        return 2 if any(each.address == peer and each.inode in own for each in self._table.sockets()) else 1

    def client2_listeners(self) -> set[Address]:
        """Return (address, port) of all that client 2 listens on."""
        own = self._sockets("client 2")
        return {each.address for each in self._table.listeners() if each.inode in own}

    def on_ports(self, server_is_open: bool, client2_listeners: set[Address]) -> None:
        """Take notice of which ports are open."""
        if self.sees_handover:
            self._handover.set_open(any(port == self._order.listen_port for _, port in client2_listeners))

    def _sockets(self, who: Client) -> set[int]:
        pid = self._pids.get(who)
        return set() if pid is None else sockets_of(descendants(pid, read_processes()))

    def _observers(self, peer: Address) -> Observers:
        self._handovers += 1
        first, second = (
            RecordedSide(self._recorder, "handover", self._handovers, who) for who in ("client 1", "client 2")
        )
        first.add("connected", text=f"{show_address(*peer)} -> {show_address(*self.client2_address)}")
        return first, second


def _with_this_python(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command line that runs with this Python, as in a sandbox, if it names one."""
    return (sys.executable, *words[1:]) if words[0] in ("python", "python3") else words
