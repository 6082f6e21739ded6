"""Nobody holds up anybody: while a crowd misbehaves, an ordinary team's exchange comes to its end.

How long that takes is measured by hand (bench/flood.py); here it is enough that it happens while the crowd is there.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from testing.processes import RunningServer, running_server
from testing.raw_sockets import Raw, encoded, message_1, message_2, raw, visit


def exchange(running: RunningServer, team: str) -> str:
    """The status that an ordinary team ends with."""
    handover = visit(running.host, running.port, encoded(message_1(teamname=team)))
    status: str = visit(running.host, running.port, encoded(message_2(handover)))["status"]
    return status


@contextmanager
def connections(running: RunningServer, many: int) -> Iterator[list[Raw]]:
    """So many connections at a time, each greeted."""
    with ExitStack() as stack:
        opened = [stack.enter_context(raw(running.host, running.port)) for _ in range(many)]
        for connection in opened:
            connection.take_welcome()
        yield opened


@contextmanager
def silent(running: RunningServer) -> Iterator[None]:
    with connections(running, 500):
        yield


@contextmanager
def half(running: RunningServer) -> Iterator[None]:
    """The beginning of a message, and no more."""
    with connections(running, 100) as opened:
        for connection in opened:
            connection.send(b'{"studentnr1": "09')
        yield


@contextmanager
def never_reading(running: RunningServer) -> Iterator[None]:
    """Whole messages, and nobody takes the replies."""
    with connections(running, 100) as opened:
        for number, connection in enumerate(opened):
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            connection.send(encoded(message_1(teamname=f"never reads {number}")))
        yield


def repeating(deed: Callable[[RunningServer], None]) -> Callable[[RunningServer], AbstractContextManager[None]]:
    """Does it again and again in threads until the block ends; it has been done once before the block begins."""

    @contextmanager
    def crowd(running: RunningServer) -> Iterator[None]:
        over = threading.Event()
        begun = threading.Semaphore(0)

        def repeat() -> None:
            while not over.is_set():
                deed(running)
                begun.release()

        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                pool.submit(repeat)
            try:
                for _ in range(4):
                    begun.acquire()
                yield
            finally:
                over.set()

    return crowd


def close_at_once(running: RunningServer) -> None:
    with raw(running.host, running.port):
        pass


def reset_at_once(running: RunningServer) -> None:
    with raw(running.host, running.port) as connection:
        connection.reset()


def endless(beginning: bytes, piece: bytes) -> Callable[[RunningServer], None]:
    """Sends on and on, until the ground will have no more of it."""

    def deed(running: RunningServer) -> None:
        with raw(running.host, running.port) as connection:
            try:
                connection.send(beginning)
                for _ in range(1000):
                    connection.send(piece)
            except ConnectionError:
                pass  # closed by the ground, as it should be

    return deed


CROWDS: dict[str, Callable[[RunningServer], AbstractContextManager[None]]] = {
    "500 silent connections": silent,
    "100 half messages": half,
    "100 that never read": never_reading,
    "closed at once": repeating(close_at_once),
    "reset at once": repeating(reset_at_once),
    "endless white space": repeating(endless(b"", b" " * 4096)),
    "an endless object": repeating(endless(b'{"teamname": "', b"x" * 4096)),
    "endless brackets": repeating(endless(b'{"teamname": ', b"[" * 4096)),
    "endless rubbish": repeating(endless(b"", b"\xff" * 4096)),
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_an_ordinary_team_finishes_meanwhile(
    shared: RunningServer,
    crowd: Callable[[RunningServer], AbstractContextManager[None]],
    request: pytest.FixtureRequest,
) -> None:
    with crowd(shared):
        statuses = [exchange(shared, f"{request.node.name} {number}") for number in range(5)]
    assert statuses == [STATUS_FINISHED] * 5


def test_50_slow_senders_hold_up_nobody_and_are_heard_to_the_end(shared: RunningServer) -> None:
    """A byte each, then an exchange in between, and so on: the pace is that of the test."""
    messages = [encoded(message_1(teamname=f"slow {number}")) for number in range(50)]
    with connections(shared, 50) as senders:
        for step in range(10):
            for sender, message in zip(senders, messages, strict=True):
                sender.send(message[step : step + 1])
            assert exchange(shared, f"between {step}") == STATUS_FINISHED
        for sender, message in zip(senders, messages, strict=True):
            sender.send(message[10:])
        replies = [json.loads(sender.rest()) for sender in senders]
    assert [reply["status"] for reply in replies] == [STATUS_WAITING] * 50


def test_300_teams_from_one_address_at_once_all_finish(shared: RunningServer) -> None:
    """A class behind one campus address: 300 clients, connected before the first of them says a word."""
    with connections(shared, 300) as firsts:
        for number, first in enumerate(firsts):
            first.send(encoded(message_1(teamname=f"campus {number}")))
        handovers = [json.loads(first.rest()) for first in firsts]
    with connections(shared, 300) as seconds:
        for second, handover in zip(seconds, handovers, strict=True):
            second.send(encoded(message_2(handover)))
        replies = [json.loads(second.rest()) for second in seconds]
    assert [reply["status"] for reply in replies] == [STATUS_FINISHED] * 300


LATE = (0.0, 0.1, 0.5, 1.0)  # seconds after a client's object


def test_bytes_that_come_up_to_a_second_late_cost_none_of_300_clients_its_reply(shared: RunningServer) -> None:
    """The clients read only after their last byte: a reset before that would have taken the reply away."""
    pause = threading.Event()
    with connections(shared, 300) as clients:
        for number, client in enumerate(clients):
            client.send(encoded(message_1(teamname=f"late {number}")))
        began = time.monotonic()
        for late in LATE:
            pause.wait(began + late - time.monotonic())
            for client in clients:
                client.send(b"\n")
        replies = [json.loads(client.rest()) for client in clients]
    assert [reply["status"] for reply in replies] == [STATUS_WAITING] * 300


BURST = b'{"studentnr1": \'\\u0041\xe2\x80\x8b' + b'"' * 8000


def test_a_burst_of_messages_that_are_costly_to_diagnose_holds_up_nobody(shared: RunningServer) -> None:
    """All their limits pass at once; bench/burst.py measures it with 4,000 connections."""
    with connections(shared, 200) as burst:
        for connection in burst:
            connection.send(BURST)
        statuses = [exchange(shared, f"beside the burst {number}") for number in range(10)]
        replies = [json.loads(connection.rest()) for connection in burst]
        statuses += [exchange(shared, f"after the burst {number}") for number in range(10)]
    assert statuses == [STATUS_FINISHED] * 20
    assert {reply["status"][:7] for reply in replies} == {"error: "}


# The cap: a ground that may open 256 files keeps 64 for itself and takes 192 connections.

FEW_FILES = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
CAP = 256 - 64


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running ground that soon has as many connections as it may have."""
    with running_server(tmp_path_factory.mktemp("small") / "data", before=FEW_FILES) as running:
        yield running


def is_open(connection: Raw) -> bool:
    """Whether the ground has not ended it."""
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_at_the_cap_those_silent_for_longest_go_first(small: RunningServer) -> None:
    with connections(small, CAP + 50) as opened:
        assert exchange(small, "at the cap") == STATUS_FINISHED
        small.process.wait_for("silent for longest")
        assert [is_open(connection) for connection in opened[:50]] == [False] * 50
        kept = [is_open(connection) for connection in opened[60:]]
        assert kept == [True] * len(kept)
        opened[-1].socket.settimeout(20)
        opened[-1].send(encoded(message_1(teamname="was silent")))
        assert json.loads(opened[-1].rest())["status"] == STATUS_WAITING


def test_at_the_cap_who_talks_all_the_time_keeps_nobody_out(small: RunningServer) -> None:
    """Slow senders take every place there is, each in the middle of a message, and one more comes every time."""
    with connections(small, CAP) as senders:
        for step in range(10):
            with raw(small.host, small.port) as newest:
                newest.take_welcome()
                for sender in (*senders, newest):
                    try:
                        sender.send(b'{"teamname"'[step : step + 1])
                    except ConnectionError:
                        pass  # it had been silent for longest
                assert exchange(small, f"among talkers {step}") == STATUS_FINISHED


def test_at_the_cap_no_flood_uses_up_the_descriptors(small: RunningServer) -> None:
    """Far more than fit, several times: they are let in, and the oldest out, and there is always a file to open."""
    for number in range(3):
        with connections(small, 2 * CAP):
            assert exchange(small, f"in flood {number}") == STATUS_FINISHED
    assert "cannot accept" not in small.process.err
    assert "Traceback" not in small.process.err


def test_a_few_files_are_enough_to_serve(tmp_path: Path) -> None:
    """Even when hardly a file may be opened, a team that comes is served."""
    with running_server(tmp_path / "data", before=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")) as running:
        assert exchange(running, "Team1") == STATUS_FINISHED
