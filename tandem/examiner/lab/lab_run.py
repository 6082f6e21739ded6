"""The course of one run: what is started when, when it is over, and what is stopped then.

Everything is looked at in short periods: which ports are open, what the programs use, and whether the next step is due.
"""

from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from tandem.examiner.events import Event
from tandem.examiner.lab.connections.approach import approach, leave_closed_connection
from tandem.examiner.lab.connections.endpoints import Address
from tandem.examiner.lab.connections.relay import Relay
from tandem.examiner.lab.programs.process_table import end_orphans, read_processes
from tandem.examiner.lab.programs.program import Client, Launch, Program, StopReason
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.lab.schedule import Look, ProgramTimes, client1_is_due, client2_is_due, over
from tandem.examiner.order import LabOrder
from tandem.net.event_loop import EventLoop
from tandem.protocol.address import show_address

PERIOD_S = 0.02
LIMITS_PERIOD_S = 0.1
OVERLOADED_S = 0.3  # programs that wait for one second would time out for want of a processor


class Site(Protocol):
    """The place of a run."""

    @property
    def client2_address(self) -> Address:
        """The address at which the examiner finds client 2."""

    @property
    def sees_handover(self) -> bool:
        """Whether the handover becomes events."""

    def server_inside(self) -> AbstractContextManager[None]:
        """Be on the server's host within a block."""

    def inside(self, who: Client, /) -> AbstractContextManager[None]:
        """Be on the host of a program within a block."""

    def launch(self, who: Client, words: tuple[str, ...], /) -> Launch:
        """Return how a program is started."""

    def note_start(self, who: Client, pid: int, /) -> None:
        """Take notice of the process of a program."""

    def client2_listeners(self) -> set[Address]:
        """Return (address, port) of all that client 2 listens on."""

    def on_ports(self, server_is_open: bool, client2_listeners: set[Address], /) -> None:
        """Take notice of which ports are open."""


class LabRun:
    """One run. `carry_out` returns when it is over and both programs are gone."""

    def __init__(
        self, order: LabOrder, loop: EventLoop, recorder: Recorder, site: Site, relay: Relay, server_pid: int
    ) -> None:
        self._order = order
        self._scenario = order.scenario
        self._loop = loop
        self._recorder = recorder
        self._site = site
        self._relay = relay
        self._server_pid = server_pid
        self._rounds_left = 2 if order.scenario.again else 1
        self._approached = order.scenario.approach is None
        self._approach_begun = False
        self._disturbed_s: float | None = None
        self._new_round()
        recorder.on_event.append(self._on_event)

    def carry_out(self) -> None:
        """Run both programs until the run is over."""
        if not self._scenario.server_away_s:
            self._relay.listener.open()
        self._loop.every(PERIOD_S, self._turn)
        self._loop.every(LIMITS_PERIOD_S, self._check_limits)
        self._loop.run(lambda: self._rounds_left == 0)
        if self._loop.late_s >= OVERLOADED_S:
            self._recorder.add("examiner", "overloaded", text=f"the examiner came {self._loop.late_s:.1f} s late")

    def kill(self) -> None:
        """End what still runs: the lab failed, or has to end."""
        for program in (self._client1, self._client2):
            program.stop("done")
        end_orphans({self._server_pid})

    def _new_round(self) -> None:
        order, loop, recorder = self._order, self._loop, self._recorder
        self._client1 = Program("client 1", order.client1, order.limits, loop, recorder)
        self._client2 = Program("client 2", order.client2, order.limits, loop, recorder)
        self._listeners: set[Address] = set()  # of client 2
        self._seen_listeners: set[Address] = set()
        self._handover_tried = self._handover_begun = False
        self._relay.replied_s.clear()
        self._relay.finished_s.clear()

    def _turn(self) -> None:
        """Look at the run, and take the step that is due."""
        self._look_at_ports()
        look = self._look()
        if look.client1.started_s is None and client1_is_due(look, self._scenario):
            self._start(self._client1, self._order.client1.words)
            self._let_server_come_back()
        if look.client2.started_s is None and client2_is_due(look, self._scenario):
            self._start(self._client2, self._order.client2.words)
        if look.client2_listens and not self._approach_begun and look.client1.started_s is None:
            self._approach()
        if reason := over(look, self._scenario, self._order.limits):
            self._end_round(reason)

    def _look(self) -> Look:
        return Look(
            now_s=self._loop.now_s(),
            client1=ProgramTimes(self._client1.started_s, self._client1.ended_s),
            client2=ProgramTimes(self._client2.started_s, self._client2.ended_s),
            client2_listens=any(port == self._order.listen_port for _, port in self._listeners),
            approached=self._approached,
            handover_tried=self._handover_tried,
            handover_begun=self._handover_begun or not self._site.sees_handover,
            replied_s=self._relay.replied_s.get(1),
            finished_s=self._relay.finished_s.get(2),
            disturbed_s=self._disturbed_s,
            last_event_s=self._recorder.last_s,
            record_is_full=self._recorder.is_full,
        )

    def _look_at_ports(self) -> None:
        self._listeners = self._site.client2_listeners() if self._client2.is_running else set()
        for address in sorted(self._listeners - self._seen_listeners):
            self._recorder.add("client 2", "listening", text=show_address(*address))
        self._seen_listeners |= self._listeners
        self._site.on_ports(self._relay.listener.is_open, self._listeners)

    def _start(self, program: Program, words: tuple[str, ...]) -> None:
        with self._site.inside(program.who):
            program.start(self._site.launch(program.who, words))
        self._site.note_start(program.who, program.pid)

    def _let_server_come_back(self) -> None:
        if not self._relay.listener.is_open:
            self._recorder.add("examiner", "disturbed", text="away")
            self._loop.after(self._scenario.server_away_s, self._relay.listener.open)

    def _approach(self) -> None:
        self._approach_begun = True
        wanted = self._scenario.approach
        if wanted is not None:
            inside, target = self._site.server_inside, self._site.client2_address
            approach(self._loop, self._recorder, inside, target, wanted, self._on_approached)

    def _on_approached(self) -> None:
        self._approached = True

    def _check_limits(self) -> None:
        processes = read_processes()
        for program in (self._client1, self._client2):
            program.check_limits(processes)

    def _end_round(self, reason: StopReason) -> None:
        for program in (self._client1, self._client2):
            program.stop(reason)
        end_orphans({self._server_pid})
        self._rounds_left -= 1
        if self._rounds_left:
            self._site.on_ports(self._relay.listener.is_open, set())
            leave_closed_connection(partial(self._site.inside, "client 2"), self._site.client2_address)
            self._recorder.add("examiner", "started again")
            self._new_round()

    def _on_event(self, event: Event) -> None:
        if event.what == "disturbed" and self._disturbed_s is None:
            self._disturbed_s = event.at_s
        if event.link == "handover" and event.what in ("refused", "connected"):
            self._handover_tried = True
            self._handover_begun |= event.what == "connected"
