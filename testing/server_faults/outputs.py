"""Every way in which standard error can be broken: each a block that gives a descriptor, or says that there is none."""

import os
import pty
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

CLOSED = -1  # no descriptor: the program starts with its standard error closed

Output = Callable[[], AbstractContextManager[int]]


@contextmanager
def closed() -> Iterator[int]:
    yield CLOSED


@contextmanager
def full_device() -> Iterator[int]:
    """Every write fails: No space left on device."""
    yield from _with_closed(os.open("/dev/full", os.O_WRONLY))


@contextmanager
def read_only() -> Iterator[int]:
    """Every write fails: Bad file descriptor."""
    yield from _with_closed(os.open(os.devnull, os.O_RDONLY))


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    """Every write fails: Broken pipe. Nothing comes of SIGPIPE, which Python ignores."""
    reader, writer = os.pipe()
    os.close(reader)
    yield from _with_closed(writer)


@contextmanager
def pipe_that_nobody_reads() -> Iterator[int]:
    """Full: a write waits until somebody reads, and nobody does."""
    yield from _full_pipe(blocking=True)


@contextmanager
def pipe_that_nobody_reads_and_does_not_wait() -> Iterator[int]:
    """The same, but another program that shares it has made it non-blocking."""
    yield from _full_pipe(blocking=False)


@contextmanager
def socket_without_reader() -> Iterator[int]:
    """As of a service manager that has ended."""
    ours, other_end = socket.socketpair()
    other_end.close()
    yield from _with_closed(ours.detach())


@contextmanager
def terminal_that_hung_up() -> Iterator[int]:
    """Every write fails: Input/output error."""
    controller, terminal = pty.openpty()
    os.close(controller)
    yield from _with_closed(terminal)


OUTPUTS: dict[str, Output] = {
    "closed": closed,
    "full": full_device,
    "read-only": read_only,
    "a pipe without a reader": pipe_without_reader,
    "a full pipe": pipe_that_nobody_reads,
    "a full pipe, non-blocking": pipe_that_nobody_reads_and_does_not_wait,
    "a socket without a reader": socket_without_reader,
    "a terminal that hung up": terminal_that_hung_up,
}


def _full_pipe(blocking: bool) -> Iterator[int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, blocking)
    try:
        yield writer
    finally:
        os.close(writer)
        os.close(reader)


def _with_closed(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
