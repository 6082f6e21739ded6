"""SIGTERM and Ctrl-C at every moment of a server's life, once and again and again: exit code 0, and no traceback."""

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tandem.protocol.message import STATUS_FINISHED
from testing.processes import LIMIT, Process, is_caught, process, running_server, wait_until
from testing.raw_sockets import encoded, message_1, message_2, visit

MOMENTS = 5
STOPS = 2
START_TAKES = 0.5  # seconds, about
WORKERS = pytest.mark.parametrize("workers", ["1", "2"])
NUMBERS = {
    "SIGTERM": (signal.SIGTERM,),
    "Ctrl-C": (signal.SIGINT,),
    "both, and a terminal that hangs up": (signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
}
SIGNALS = pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)


def signal_until_it_ends(server: Process, numbers: Sequence[signal.Signals]) -> int:
    """Sends the signals in turn, one every few tenths of a millisecond. Returns the exit code."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        for number in numbers:
            if server.has_ended():
                return server.wait()
            server.signal(number)
            time.sleep(0.0003)
    raise AssertionError("it did not end")


def assert_quiet(server: Process) -> None:
    assert "Traceback" not in server.err
    assert "Exception" not in server.err
    assert "Error" not in server.err


@WORKERS
@SIGNALS
def test_signals_while_it_starts(tmp_path: Path, workers: str, numbers: Sequence[signal.Signals]) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(MOMENTS):
        arguments = ("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--workers", workers)
        with process("-m", "tandem", *arguments) as server:
            wait_until(lambda server=server: is_caught(server.pid, signal.SIGTERM))  # type: ignore[misc]
            time.sleep(moments.uniform(0, START_TAKES))
            assert signal_until_it_ends(server, numbers) == 0
            assert_quiet(server)


@WORKERS
@SIGNALS
def test_signals_while_it_stops(tmp_path: Path, workers: str, numbers: Sequence[signal.Signals]) -> None:
    """From the first one on, through all of its stopping, until Python has ended."""
    for number in range(STOPS):
        with running_server(tmp_path / "data", "--workers", workers) as running:
            handover = visit(running.host, running.port, encoded(message_1(teamname=f"team {number}")))
            assert visit(running.host, running.port, encoded(message_2(handover)))["status"] == STATUS_FINISHED
            assert signal_until_it_ends(running.process, numbers) == 0
            assert_quiet(running.process)
    with running_server(tmp_path / "data") as running:
        assert len(running.results("--state", "finished")) == STOPS
