"""Carries out one order: makes the place, the server and its relay, and runs both programs."""

import os
import sys
import tempfile
import traceback
from contextlib import ExitStack, closing
from pathlib import Path

from tandem.examiner.events import Event
from tandem.examiner.lab.connections.relay import Relay
from tandem.examiner.lab.hosts.capture import Capture
from tandem.examiner.lab.isolated_site import IsolatedSite
from tandem.examiner.lab.lab_run import LabRun
from tandem.examiner.lab.local_site import LocalSite
from tandem.examiner.lab.programs.process_table import adopt_orphans
from tandem.examiner.lab.recorder import Recorder
from tandem.examiner.lab.server_process import ServerProcess
from tandem.examiner.order import LabOrder
from tandem.net.event_loop import EventLoop
from tandem.protocol.errors import TandemError

COMMENTED = frozenset(
    {"started", "ended", "stopped", "listening", "answered", "disturbed", "approached", "started again"}
)


def carry_out(order: LabOrder, folder: Path) -> None:
    """Carry out an order, and write its record into a folder. A failure of the lab is an event, too."""
    loop = EventLoop()
    loop.watch(sys.stdin, _end_with_the_caller)
    with closing(Recorder(folder, loop)) as recorder:
        try:
            _carry_out(order, folder, loop, recorder)
        except (OSError, TandemError) as error:
            recorder.add("examiner", "failure", text=str(error))
        except Exception:  # a bug of the lab: no verdict may come of this run
            recorder.add("examiner", "failure", text=traceback.format_exc())
    loop.close()


def _end_with_the_caller() -> None:
    """End if standard input ended: the process that started the lab is gone, or wants it to go."""
    if not os.read(sys.stdin.fileno(), 1):
        raise SystemExit(1)


def _carry_out(order: LabOrder, folder: Path, loop: EventLoop, recorder: Recorder) -> None:
    with ExitStack() as undo:
        site: IsolatedSite | LocalSite
        if order.isolated:
            site = IsolatedSite(order, loop, recorder, _commented_capture(folder, recorder, undo))
        else:
            adopt_orphans()
            place = undo.enter_context(
                tempfile.TemporaryDirectory(prefix="tandem-examine-", ignore_cleanup_errors=True)
            )
            site = LocalSite(order, loop, recorder, Path(place))
        site.server_data.mkdir()
        server = ServerProcess(loop, recorder, site.server_inside, site.server_data)
        undo.callback(server.stop)
        site.make_sandboxes()
        relay = Relay(
            loop,
            recorder,
            site.server_inside,
            site.server_address,
            server.wait_until_ready(),
            site.visit_of,
            order.scenario.faults,
            order.seed,
        )
        run = LabRun(order, loop, recorder, site, relay, server.pid)
        undo.callback(run.kill)
        run.carry_out()


def _commented_capture(folder: Path, recorder: Recorder, undo: ExitStack) -> Capture:
    """Open the capture. The steps of the run become comments in it."""
    capture = undo.enter_context(closing(Capture(folder)))

    def comment(event: Event) -> None:
        if event.what in COMMENTED:
            capture.comment(f"{event.who}: {event.what} {event.text}".rstrip())

    recorder.on_event.append(comment)
    return capture
