"""Two TCP connections joined, with real sockets: bytes, ends, resets, back pressure and pauses go through."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tandem.examiner.lab.connections.parts import FaultyDirection
from tandem.examiner.lab.connections.tunnel import NoFaults, NoObserver, join
from tandem.examiner.scenario import Fault
from tandem.net.event_loop import EventLoop
from tandem.net.stream import Stream
from testing.processes import LIMIT

LOCALHOST = ("127.0.0.1", 0)
BUFFER = 65_536  # bytes in each direction of each socket
LARGE = bytes(range(256)) * 20_000  # 5 MB: more than all buffers on the way


class Ends:
    """Both ends of a tunnel, and the loop that it runs in."""

    def __init__(self, loop: EventLoop, near: socket.socket, far: socket.socket) -> None:
        self.loop = loop
        self.near = near
        self.far = far

    def run_until(self, true: Callable[[], bool]) -> None:
        """Run the loop until `true()`, which may read from an end without blocking."""
        self.loop.after(LIMIT, lambda: pytest.fail("it did not happen"))
        self.loop.every(0.001, lambda: None)
        self.loop.run(true)


def pair(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """A TCP connection: the side that connected, and the one that accepted."""
    with socket.create_server(LOCALHOST) as listener:
        connected = stack.enter_context(socket.create_connection(listener.getsockname()))
        accepted, _ = listener.accept()
        stack.enter_context(accepted)
    connected.setblocking(False)
    for end in (connected, accepted):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    return connected, accepted


@pytest.fixture
def ends() -> Iterator[Ends]:
    yield from joined(NoFaults())


def joined(back: NoFaults | FaultyDirection) -> Iterator[Ends]:
    loop = EventLoop()
    with ExitStack() as stack:
        near, near_inside = pair(stack)
        far, far_inside = pair(stack)
        nobody = NoObserver()
        join(loop, Stream(loop, near_inside), Stream(loop, far_inside), (NoFaults(), nobody), (back, nobody))
        yield Ends(loop, near, far)
    loop.close()


def received(end: socket.socket) -> bytes | None:
    """What is there: bytes, b"" at the end of the stream, None if nothing came so far."""
    try:
        return end.recv(65_536)
    except BlockingIOError:
        return None


def read_all(ends: Ends, end: socket.socket) -> list[bytes]:
    """Everything up to the end of the stream, as it was received."""
    came: list[bytes] = []

    def ended() -> bool:
        while (data := received(end)) is not None:
            if not data:
                return True
            came.append(data)
        return False

    ends.run_until(ended)
    return came


def test_a_half_closed_connection_still_carries_the_answer(ends: Ends) -> None:
    ends.near.sendall(b"question")
    ends.near.shutdown(socket.SHUT_WR)
    assert b"".join(read_all(ends, ends.far)) == b"question"
    ends.far.sendall(b"answer")
    ends.far.close()
    assert b"".join(read_all(ends, ends.near)) == b"answer"


def test_more_than_the_buffers_hold(ends: Ends) -> None:
    """The sender is held back while nobody reads, and nothing is lost."""
    left = memoryview(LARGE)
    stalled = 0

    def is_stuck() -> bool:
        nonlocal left, stalled
        try:
            left = left[ends.near.send(left) :]
            stalled = 0
        except BlockingIOError:
            stalled += 1
        return stalled > 50

    ends.run_until(is_stuck)
    assert len(left) > 0
    came = bytearray()

    def all_came() -> bool:
        nonlocal left
        try:
            left = left[ends.near.send(left) :]
        except BlockingIOError:
            pass
        came.extend(received(ends.far) or b"")
        return len(came) == len(LARGE)

    ends.run_until(all_came)
    assert came == LARGE


@pytest.mark.parametrize("resets", ["near", "far"])
def test_a_reset_goes_through(ends: Ends, resets: str) -> None:
    resetting, other = (ends.near, ends.far) if resets == "near" else (ends.far, ends.near)
    resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    resetting.close()
    seen: list[OSError] = []

    def is_reset() -> bool:
        try:
            received(other)
        except ConnectionResetError as error:
            seen.append(error)
        return bool(seen)

    ends.run_until(is_reset)


def test_pieces_with_pauses_are_received_one_by_one() -> None:
    split = FaultyDirection([Fault("split", every=1, pause_s=0.01)], "to client", "1", lambda fault: None)
    for ends in joined(split):
        ends.far.sendall(b'{"a": 1}')
        ends.far.close()
        assert read_all(ends, ends.near) == [bytes((byte,)) for byte in b'{"a": 1}']


@pytest.mark.parametrize("closes", [True, False])
def test_a_reset_by_a_fault_reaches_both(closes: bool) -> None:
    reset = FaultyDirection([Fault("reset", at=(0,))], "to client", "1", lambda fault: None)
    for ends in joined(reset):
        ends.far.sendall(b"{}")
        if closes:
            ends.far.shutdown(socket.SHUT_WR)
        for end in (ends.near, ends.far):
            with pytest.raises(ConnectionResetError):
                read_all(ends, end)
