"""`tandem bench`: connect to the server, make the load, and measure both.

Owns one run from its options to its result, a Run. Does not know how a Run is shown.
"""

import os
import random
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from tandem.bench.load import Load, Target
from tandem.bench.pace import Pace
from tandem.bench.processes import CpuTime, NoSuchProcessError, cpu_of, ended_processes
from tandem.bench.progress import Progress
from tandem.bench.summary import Run
from tandem.net.descriptors import SPARE_DESCRIPTORS, raise_descriptor_limit
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.errors import TandemError

DEFAULT_HOST = "127.0.0.1"  # of the server
CTRL_C = "Ctrl-C"
STOP_SIGNALS = {signal.SIGINT: CTRL_C, signal.SIGTERM: "SIGTERM"}  # and how they are called in the summary


class BenchError(TandemError):
    """The run cannot be made."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """The settings of a run.

    Attributes:
        server: Host and port; host "" means this machine.
        pace: How many exchanges are made, and when.
        timeout_s: Seconds for one visit.
        pids: Processes of the server whose CPU time is measured.
        seed: For the names and numbers of the teams. None means a random seed.
    """

    server: tuple[str, int]
    pace: Pace
    timeout_s: float
    pids: tuple[int, ...] = ()
    seed: int | None = None


def bench(options: BenchOptions) -> Run:
    """Make one run, and show its progress if standard error is a terminal.

    Ctrl-C and SIGTERM end the run. The result has what was measured until then.

    Raises:
        BenchError: The server cannot be reached, or a process or the system does not allow the run.
    """
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    _allow_descriptors(options.pace.concurrency)
    host, port = options.server[0] or DEFAULT_HOST, options.server[1]
    target = _find_target(host, port, options.timeout_s)
    load = Load(target, options.pace, options.timeout_s, random.Random(seed))
    server_before, own_before = _server_cpu(options.pids), _own_cpu()
    _run(load)
    own_cpu = _own_cpu().since(own_before)
    return Run(
        server=show_address(host, port),
        seed=seed,
        pace=options.pace,
        tally=load.tally,
        started=load.started,
        seconds=load.seconds,
        stopped_by=load.stopped_by,
        server_cpu=_server_cpu_since(server_before, options.pids),
        load_cpu=own_cpu,
        ended_pids=ended_processes(options.pids),
    )


def _run(load: Load) -> None:
    progress = Progress(sys.stderr) if sys.stderr.isatty() else None
    try:
        with _stopped_by_signals(load):
            load.run(progress or _no_progress)
    finally:
        if progress:
            progress.end()


@contextmanager
def _stopped_by_signals(load: Load) -> Iterator[None]:
    """In this block a signal ends the load, not the process. A signal that is ignored stays ignored (nohup)."""

    def stop(number: int, frame: FrameType | None) -> None:
        load.stop(STOP_SIGNALS[signal.Signals(number)])

    ours = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _no_progress(load: Load) -> None:
    """Show nothing: standard error is not a terminal."""


def _find_target(host: str, port: int, timeout_s: float) -> Target:
    """Connect once, to find out which address of a name answers."""
    try:
        with socket.create_connection((host, port), timeout_s) as sock:
            return Target(sock.family, sock.getpeername(), plain_ip(sock.getsockname()[0]))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BenchError(
            f"cannot reach {show_address(host, port)}: {reason}", "start the server, or check the address"
        ) from None


def _allow_descriptors(connections: int) -> None:
    """Ask the system for as many sockets as the run may need."""
    wanted = connections + SPARE_DESCRIPTORS
    allowed = raise_descriptor_limit(wanted)
    if allowed < wanted:
        raise BenchError(
            f"{connections} exchanges at a time need {wanted} open files, and this process may have {allowed}",
            f"--concurrency {max(1, allowed - SPARE_DESCRIPTORS)}, or raise the limit (ulimit -Hn)",
        )


def _own_cpu() -> CpuTime:
    times = os.times()
    return CpuTime(times.user, times.system)


def _server_cpu(pids: tuple[int, ...]) -> CpuTime | None:
    """Return None if no process was named."""
    try:
        return cpu_of(pids) if pids else None
    except NoSuchProcessError as error:
        raise BenchError(f"there is no process {error.pid} in /proc", "check the id; only Linux has /proc") from None


def _server_cpu_since(before: CpuTime | None, pids: tuple[int, ...]) -> CpuTime | None:
    """Return None if no process was named, or if the server ended during the run."""
    try:
        return cpu_of(pids).since(before) if before else None
    except NoSuchProcessError:
        return None
