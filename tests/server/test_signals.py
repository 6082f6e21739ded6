"""What a signal does while a server starts, serves and ends; and that the wake-up descriptor is given back in time."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tandem.net.process_signals import HANGUP, STOP_SIGNALS, exit_on_signals, ignore_signals
from tandem.server.signals import Signals

ALL = (*STOP_SIGNALS, signal.SIGHUP)
STOP_TIMEOUT = 5.0


@pytest.fixture(autouse=True)
def _handlers_of_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class FakeLoop:
    """A loop and a log, as far as signals are concerned."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.wakes = self.reopened = 0
        self.signals = Signals(self.wake, descriptor, self, STOP_TIMEOUT)

    def wake(self) -> None:
        self.wakes += 1

    def reopen(self) -> None:
        self.reopened += 1


@contextmanager
def fake_loop() -> Iterator[tuple[FakeLoop, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        yield FakeLoop(theirs.fileno()), ours


def test_the_first_signal_leaves_time_and_ctrl_c_after_it_none() -> None:
    with fake_loop() as (loop, _), loop.signals as signals:
        assert not signals.pending
        signal.raise_signal(signal.SIGTERM)
        assert signals.pending
        assert (signals.take(), signals.take()) == (STOP_TIMEOUT, None)
        assert not signals.pending
        signal.raise_signal(signal.SIGTERM)
        assert signals.take() is None
        signal.raise_signal(signal.SIGINT)
        assert signals.take() == 0.0
        assert loop.wakes == 3


def test_sighup_opens_the_log_again_where_the_loop_asks_and_not_in_the_handler() -> None:
    with fake_loop() as (loop, _), loop.signals as signals:
        signal.raise_signal(signal.SIGHUP)
        assert (loop.wakes, loop.reopened, signals.pending) == (1, 0, True)
        assert signals.take() is None
        assert signals.take() is None
        assert loop.reopened == 1


@pytest.mark.parametrize("number", ALL)
def test_a_byte_on_the_descriptor_wakes_a_loop_that_was_about_to_wait(number: int) -> None:
    with fake_loop() as (loop, other_end), loop.signals:
        signal.raise_signal(number)
        assert other_end.recv(10) == bytes([number])


def test_the_descriptor_is_not_written_to_once_the_loop_may_close_it() -> None:
    """Its number may by then be that of a file: a byte written there would be lost in the middle of the database."""
    with fake_loop() as (loop, other_end), loop.signals as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.take() == STOP_TIMEOUT
        assert other_end.recv(10)
        signal.raise_signal(signal.SIGINT)
        other_end.setblocking(False)
        with pytest.raises(BlockingIOError):
            other_end.recv(10)
        assert signals.take() == 0.0


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_after_it_no_descriptor_is_set_and_signals_are_ignored(error: type[Exception] | None) -> None:
    """Ignored is what Python leaves so at its very end: a handler of ours would have become the default action."""
    with fake_loop() as (loop, _):
        try:
            with loop.signals:
                if error:
                    raise error
        except ZeroDivisionError:
            pass
        assert signal.set_wakeup_fd(-1) == -1
        assert {signal.getsignal(number) for number in ALL} == {signal.SIG_IGN}


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_while_it_starts_a_signal_ends_the_process_with_exit_code_0(number: int) -> None:
    pid = os.fork()
    if pid == 0:
        exit_on_signals()
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(number)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_ignored_signals_change_nothing() -> None:
    ignore_signals()
    for number in ALL:
        signal.raise_signal(number)


def test_this_system_has_the_signal_of_a_terminal_that_hung_up() -> None:
    assert HANGUP is signal.SIGHUP
