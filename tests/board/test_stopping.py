"""Stopping a board that is busy: exit code 0 and not a word too many, whatever its standard input is."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.board.board_process import board_process
from testing.boards import team, write_records
from testing.processes import LIMIT, ROOT, is_caught, wait_until
from testing.visits import message_1

BOARD = ("board", "--listen", "127.0.0.1:0")
ENDS_WITH_INPUT = (*BOARD, "--until-input-ends")
SERVE = ("serve", "--listen", "127.0.0.1:0", "--board", "127.0.0.1:0")
ENDED_LINE = "the board has ended; the server continues without it"
STREAMS = 5
ASKING = 3  # threads

Input = Callable[[], contextlib.AbstractContextManager[int]]


@contextmanager
def open_pipe() -> Iterator[int]:
    """Standard input that nobody writes to and that does not end."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


@contextmanager
def terminal() -> Iterator[int]:
    controlling, terminal = os.openpty()
    try:
        yield terminal
    finally:
        os.close(terminal)
        os.close(controlling)


@contextmanager
def nothing() -> Iterator[int]:
    with open(os.devnull) as null:
        yield null.fileno()


CASES: dict[str, tuple[tuple[str, ...], Input]] = {
    f"{' '.join(command)} < {stdin.__name__}": (command, stdin)
    for command in (BOARD, ENDS_WITH_INPUT, SERVE)
    for stdin in (open_pipe, terminal, nothing)
    if (command, stdin) != (ENDS_WITH_INPUT, nothing)  # that one ends at once
}


class Busy:
    """A command with a board, and browsers that ask it and watch it all the time."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log
        self._answers = 0
        self._streams = 0
        self._over = threading.Event()
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def address(self) -> str:
        """Where the board listens, once it does."""
        wait_until(lambda: "listening on http://" in self.said or self.process.poll() is not None)
        return self.said.partition("listening on http://")[2].split()[0]

    def begin(self) -> None:
        """Returns when it is busy."""
        address = self.address()
        work = [self._ask] * ASKING + [self._watch] * STREAMS
        self._threads = [threading.Thread(target=each, args=(address,)) for each in work]
        for thread in self._threads:
            thread.start()
        with self._news:
            assert self._news.wait_for(lambda: self._answers > 2 * ASKING and self._streams == STREAMS, LIMIT), (
                self.said
            )

    def end(self) -> None:
        self._over.set()
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()

    def _ask(self, address: str) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):  # it has been stopped
            while not self._over.is_set():
                with contextlib.closing(http.client.HTTPConnection(address, timeout=LIMIT)) as connection:
                    connection.request("GET", "/class?name=INF2A")
                    connection.getresponse().read()
                with self._news:
                    self._answers += 1
                    self._news.notify()

    def _watch(self, address: str) -> None:
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            contextlib.closing(http.client.HTTPConnection(address, timeout=LIMIT)) as connection,
        ):
            connection.request("GET", "/class/live?name=INF2A")
            stream = connection.getresponse()
            stream.readline()
            with self._news:
                self._streams += 1
                self._news.notify()
            stream.read()


@contextmanager
def started(folder: Path, *arguments: str, stdin: int, before: tuple[str, ...] = ()) -> Iterator[Busy]:
    """A command in a process group of its own, as one that was typed at a terminal; killed at the end of the block."""
    log = folder / "log"
    with log.open("wb") as output:
        command = [*before, sys.executable, "-m", "tandem", *arguments, "--data", str(folder)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=output, stderr=output, process_group=0)
    busy = Busy(process, log)
    try:
        yield busy
    finally:
        busy.end()


def assert_ends_well(busy: Busy) -> None:
    assert busy.process.wait(LIMIT) == 0, busy.said
    for word in ("Fatal", "Traceback", "Exception", "rror:", ENDED_LINE):
        assert word not in busy.said, busy.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize(("command", "stdin"), CASES.values(), ids=CASES)
def test_a_signal_while_it_answers(
    tmp_path: Path, command: tuple[str, ...], stdin: Input, number: signal.Signals
) -> None:
    """As Ctrl-C at a terminal does, the signal goes to the whole group."""
    write_records(tmp_path, message_1(team(1)))
    with stdin() as given, started(tmp_path, *command, stdin=given) as busy:
        busy.begin()
        os.killpg(busy.process.pid, number)
        assert_ends_well(busy)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("command", [BOARD, SERVE], ids=" ".join)
def test_a_signal_where_standard_input_was_closed(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    write_records(tmp_path, message_1(team(1)))
    closed = ("sh", "-c", 'exec "$0" "$@" <&-')
    with nothing() as given, started(tmp_path, *command, stdin=given, before=closed) as busy:
        busy.begin()
        os.killpg(busy.process.pid, number)
        assert_ends_well(busy)


@pytest.mark.parametrize("numbers", [(signal.SIGINT,) * 3, (signal.SIGTERM,) * 3, (signal.SIGTERM, signal.SIGINT)])
def test_a_second_signal_changes_nothing_but_the_time(tmp_path: Path, numbers: tuple[signal.Signals, ...]) -> None:
    write_records(tmp_path, message_1(team(1)))
    with open_pipe() as given, started(tmp_path, *BOARD, stdin=given) as busy:
        busy.begin()
        for number in numbers:
            busy.process.send_signal(number)
        assert_ends_well(busy)


@pytest.mark.parametrize("gap", [0.005, 0.03, 0.15, 0.3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_again_and_again_until_it_has_ended(tmp_path: Path, number: signal.Signals, gap: float) -> None:
    """`gap`: seconds from one signal to the next."""
    write_records(tmp_path, message_1(team(1)))
    with open_pipe() as given, started(tmp_path, *BOARD, stdin=given) as idle:
        idle.address()
        while idle.process.poll() is None:
            idle.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                idle.process.wait(gap)
        assert_ends_well(idle)


@pytest.mark.parametrize("moment", [0.0, 0.2, 0.5, 0.9, 1.3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("command", [BOARD, SERVE], ids=" ".join)
def test_a_signal_while_it_starts(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals, moment: float
) -> None:
    """`moment`: seconds after the command takes signals itself; before that, Python is starting."""
    write_records(tmp_path, message_1(team(1)))
    with open_pipe() as given, started(tmp_path, *command, stdin=given) as starting:
        wait_until(lambda: is_caught(starting.process.pid, signal.SIGTERM))
        with contextlib.suppress(subprocess.TimeoutExpired):
            starting.process.wait(moment)
        starting.process.send_signal(number)
        assert_ends_well(starting)


@pytest.mark.parametrize("before", [(), ("sh", "-c", 'exec "$0" "$@" <&-')], ids=["empty", "closed"])
def test_one_that_stops_at_the_end_of_its_input_ends_at_once_without_any(
    tmp_path: Path, before: tuple[str, ...]
) -> None:
    with nothing() as given, started(tmp_path, *ENDS_WITH_INPUT, stdin=given, before=before) as busy:
        assert_ends_well(busy)


def test_the_end_of_its_input_while_it_answers(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(team(1)))
    reading, writing = os.pipe()
    try:
        with started(tmp_path, *ENDS_WITH_INPUT, stdin=reading) as busy:
            os.write(writing, b"means nothing")
            busy.begin()
            os.close(writing)
            writing = -1
            assert_ends_well(busy)
    finally:
        for descriptor in {reading, writing} - {-1}:
            os.close(descriptor)


def test_beside_a_server_no_thread_runs_that_a_fork_would_lose(tmp_path: Path) -> None:
    write_records(tmp_path, message_1(team(1)))
    threads, handler = threading.active_count(), signal.getsignal(signal.SIGCHLD)
    with board_process(("127.0.0.1", 0), tmp_path, ""):
        assert threading.active_count() == threads
    assert signal.getsignal(signal.SIGCHLD) is handler, "the handler is given back"


def test_a_board_that_is_killed_is_told_once_and_its_server_goes_on(tmp_path: Path) -> None:
    with nothing() as given, started(tmp_path, *SERVE, "--workers", "2", stdin=given) as busy:
        busy.address()
        [board] = children(busy.process.pid, "board")
        os.kill(board, signal.SIGKILL)
        wait_until(lambda: ENDED_LINE in busy.said)
        busy.process.send_signal(signal.SIGTERM)
        assert busy.process.wait(LIMIT) == 0
        assert busy.said.count(ENDED_LINE) == 1


def children(pid: int, word: str) -> list[int]:
    """The processes that a process has started and whose command has this word."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if word.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")]
