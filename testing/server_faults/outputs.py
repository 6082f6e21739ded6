"""Every way in which standard error can be broken: each is a block that gives a descriptor, or CLOSED."""

import os
import pty
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

CLOSED = -1  # no descriptor: the program starts with its standard error closed

Output = Callable[[], AbstractContextManager[int]]


@contextmanager
def closed() -> Iterator[int]:
    """Give no descriptor."""
    yield CLOSED


@contextmanager
def full_device() -> Iterator[int]:
    """Give a descriptor on which every write fails: No space left on device."""
    yield from _with_closed(os.open("/dev/full", os.O_WRONLY))


@contextmanager
def read_only() -> Iterator[int]:
    """Give a descriptor on which every write fails: Bad file descriptor."""
    yield from _with_closed(os.open(os.devnull, os.O_RDONLY))


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    """Give a descriptor on which every write fails: Broken pipe. Python ignores SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    yield from _with_closed(writer)


@contextmanager
def pipe_that_nobody_reads() -> Iterator[int]:
    """Give a full pipe: a write blocks until somebody reads, and nobody does."""
    yield from _full_pipe(blocking=True)


@contextmanager
def pipe_that_nobody_reads_and_does_not_wait() -> Iterator[int]:
    """Give a full pipe that another program, which shares it, has made non-blocking."""
    yield from _full_pipe(blocking=False)


@contextmanager
def socket_without_reader() -> Iterator[int]:
    """Give a socket as of a service manager that has ended."""
    ours, other_end = socket.socketpair()
    other_end.close()
    yield from _with_closed(ours.detach())


@contextmanager
def terminal_that_hung_up() -> Iterator[int]:
    """Give a descriptor on which every write fails: Input/output error."""
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
