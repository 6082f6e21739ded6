"""The loop, turn after turn in the thread of the test, and without a committer's thread."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from tandem.net.networks import parse_networks
from tandem.records.visits import Record
from tandem.server import loop as loop_module
from tandem.server.log import Log
from tandem.server.loop import ACCEPT_BACKOFF, Loop, Wakeup
from tandem.server.proxy_handler import ProxyProtocolHandler
from tandem.server.states_and_limits import ANSWERED, DRAINING, FIRST_BYTE, LAST_CHANCE, LIMITS, MESSAGE, STATES, State
from testing.handled import Lines, new_handler
from testing.proxy_headers import introduces
from testing.raw_sockets import encoded, message_1, raw


class Recorded:
    """A committer that keeps the records in a list, and commits nothing."""

    waiting = 0

    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)

    def take_outcomes(self) -> list[Any]:
        return []


class Stop:
    """Asks the loop to stop when `pending` is set."""

    def __init__(self) -> None:
        self.pending = False

    def take(self) -> float | None:
        self.pending = False
        return 5.0


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


class Turns:
    """A loop that only the test turns. Every connection may begin with a PROXY header."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.address: tuple[str, int] = listener.getsockname()
        self.log, self.committer, self.stop, self._wakeup = Lines(), Recorded(), Stop(), Wakeup()
        log, committer = cast(Log, self.log), cast(Any, self.committer)
        handler = ProxyProtocolHandler(new_handler(log=self.log), parse_networks("127.0.0.1"), log)
        self.loop = Loop([listener], handler, committer, self.stop, self._wakeup, log, max_connections=100)

    def turn(self, stop: bool = False) -> None:
        """Let the loop wait for events, and handle them. With `stop`, ask it to stop first."""
        if stop:
            self.stop.pending = True
            self._wakeup.wake()
        self.loop._turn()

    def states(self) -> list[State]:
        """Return the state of each open connection."""
        return [state for state in STATES for _ in self.loop._in[state]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(loop_module, "time", made)
    return made


@pytest.fixture
def turns(clock: Clock) -> Iterator[Turns]:
    made = Turns()
    try:
        yield made
    finally:
        made.loop._close_all()


def test_the_pause_in_accepting_is_as_long_as_the_log_says(
    turns: Turns, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_descriptors() -> tuple[int, Any]:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(loop_module, "_acceptor", lambda listener: no_descriptors)
    with raw(*turns.address):
        tries = []
        for after_s in (0, 0.9 * ACCEPT_BACKOFF, 0, 0.2 * ACCEPT_BACKOFF, 0):
            clock.now_s += after_s
            turns.turn()
            tries.append(len(turns.log.lines))
    assert tries == [1, 1, 1, 1, 2]


def test_a_client_that_does_not_close_after_its_reply_is_closed(turns: Turns, clock: Clock) -> None:
    with raw(*turns.address) as connection:
        turns.turn()
        connection.send(introduces("192.0.2.7", 40000) + encoded(message_1()))
        states = []
        for after_s in (0, 1.1 * LIMITS[ANSWERED], 1.1 * LIMITS[DRAINING]):
            clock.now_s += after_s
            turns.turn()
            states.append(turns.states())
    assert states == [[ANSWERED], [DRAINING], []]


@pytest.mark.parametrize("sent", [b"", introduces("192.0.2.7", 40000) + b"{"], ids=["nothing", "a part"])
def test_a_reset_is_no_bug_of_the_server(turns: Turns, sent: bytes) -> None:
    with raw(*turns.address) as connection:
        turns.turn()
        if sent:
            connection.send(sent)
            turns.turn()
        assert turns.states() == [MESSAGE if sent else FIRST_BYTE]
        connection.reset()
        turns.turn()
    assert turns.states() == []
    assert not any("bug" in str(line) for line in turns.log.lines)
    assert len(turns.committer.records) == bool(sent)


def test_a_stopping_server_accepts_all_that_have_connected(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "ACCEPT_BATCH", 2)
    with ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(raw(*turns.address))
        turns.turn()
        assert turns.states() == [FIRST_BYTE] * 2
        turns.turn(stop=True)
        assert turns.states() == [LAST_CHANCE] * 5


@pytest.mark.parametrize(("sent", "state"), [(b"", LAST_CHANCE), (b"{", MESSAGE)], ids=["nothing", "a part"])
def test_while_the_server_stops_only_a_client_that_sent_nothing_has_its_last_chance(
    turns: Turns, sent: bytes, state: State
) -> None:
    with raw(*turns.address) as connection:
        turns.turn()
        turns.turn(stop=True)
        connection.send(introduces("192.0.2.7", 40000) + sent)
        turns.turn()
        assert turns.states() == [state]
