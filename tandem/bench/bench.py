"""`tandem bench`: finds the server, makes the load, measures both. What it found out is a Run: summary.py shows it."""

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
from tandem.bench.processes import Cpu, NoSuchProcess, cpu_of, ended
from tandem.bench.progress import Progress
from tandem.bench.summary import Run
from tandem.net.descriptors import SPARE_DESCRIPTORS, raise_descriptor_limit
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.errors import TandemError

HERE = "127.0.0.1"  # the server's host where none is given
STOPS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}  # what ends a run, by the name that people know


class BenchError(TandemError):
    """The run cannot be made."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What a run has to be told."""

    server: tuple[str, int]
    pace: Pace
    timeout: float  # seconds for a visit
    pids: tuple[int, ...] = ()  # processes of the server
    seed: int | None = None  # for the teams; None: any


def bench(options: BenchOptions) -> Run:
    """Makes one run, and shows how it goes if standard error is a terminal.

    Ctrl-C and SIGTERM end the run; what was measured until then counts. Raises BenchError.
    """
    seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed
    _allow_descriptors(options.pace.concurrency)
    host, port = options.server[0] or HERE, options.server[1]
    target = _reach(host, port, options.timeout)
    load = Load(target, options.pace, options.timeout, random.Random(seed))
    server_before, own_before = _server_cpu(options.pids), _own_cpu()
    _run(load)
    own_cpu = _own_cpu().since(own_before)
    return Run(
        server=show_address(host, port),
        seed=seed,
        pace=options.pace,
        tally=load.tally,
        begun=load.begun,
        seconds=load.seconds,
        stopped_by=load.stopped_by,
        server_cpu=_server_cpu_since(server_before, options.pids),
        load_cpu=own_cpu,
        ended=ended(options.pids),
    )


def _run(load: Load) -> None:
    progress = Progress(sys.stderr) if sys.stderr.isatty() else None
    try:
        with _stopped_by_signals(load):
            load.run(progress or _say_nothing)
    finally:
        if progress:
            progress.end()


@contextmanager
def _stopped_by_signals(load: Load) -> Iterator[None]:
    """In this block a signal does not end us, but the load. What is ignored, as under nohup, stays so."""

    def stop(number: int, frame: FrameType | None) -> None:
        load.stop(STOPS[signal.Signals(number)])

    ours = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_nothing(load: Load) -> None:
    """The progress where nobody looks on."""


def _reach(host: str, port: int, timeout: float) -> Target:
    """Connects once, to learn which of a name's addresses answers."""
    try:
        with socket.create_connection((host, port), timeout) as sock:
            return Target(sock.family, sock.getpeername(), plain_ip(sock.getsockname()[0]))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BenchError(
            f"cannot reach {show_address(host, port)}: {reason}", "start the server, or check the address"
        ) from None


def _allow_descriptors(connections: int) -> None:
    """Ask the system for as many sockets as the run may need. Raises BenchError."""
    wanted = connections + SPARE_DESCRIPTORS
    allowed = raise_descriptor_limit(wanted)
    if allowed < wanted:
        raise BenchError(
            f"{connections} exchanges at a time need {wanted} open files, and this process may have {allowed}",
            f"--concurrency {max(1, allowed - SPARE_DESCRIPTORS)}, or raise the limit (ulimit -Hn)",
        )


def _own_cpu() -> Cpu:
    times = os.times()
    return Cpu(times.user, times.system)


def _server_cpu(pids: tuple[int, ...]) -> Cpu | None:
    """None if nobody asked. Raises BenchError."""
    try:
        return cpu_of(pids) if pids else None
    except NoSuchProcess as error:
        raise BenchError(f"no process {error.pid} is seen in /proc", "check the id; only Linux has /proc") from None


def _server_cpu_since(before: Cpu | None, pids: tuple[int, ...]) -> Cpu | None:
    """None if nobody asked, or if the server did not outlive the run."""
    try:
        return cpu_of(pids).since(before) if before else None
    except NoSuchProcess:
        return None
