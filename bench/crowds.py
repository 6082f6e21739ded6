"""Crowds that misbehave, each in a process of its own: what they open, and what they do until they are told to stop.

One non-blocking loop a process, so that ten thousand connections cost the machine little. The sources are some
addresses of 127.0.0.0/8: the ports of one would not suffice.
"""

import itertools
import json
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event

from tandem.net.descriptors import raise_descriptor_limit
from testing.raw_sockets import encoded, message_1

Address = tuple[str, int]
LATE_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)  # the port is chosen when the destination is known
SOURCES = 8  # addresses that a crowd comes from: one has too few ports
MANY_DESCRIPTORS = 65_536  # more than any campaign needs
PATIENCE = 20.0  # seconds for what the server owes

_numbers = itertools.count()


@dataclass(frozen=True)
class Crowd:
    """The work of one process: open `many` connections, then `deed` again and again."""

    many: int
    deed: Callable[["Members"], None]
    pause: float = 0.1  # seconds between two deeds
    buffer: int = 0  # receive buffer in bytes; 0: what the system gives


class Members:
    """The connections of a crowd. Those that the server has closed are replaced."""

    def __init__(self, server: Address, crowd: Crowd) -> None:
        self.server = server
        self.sockets: list[socket.socket] = []
        self.closed = 0  # by the server
        self._crowd = crowd
        while len(self.sockets) < crowd.many:
            self.sockets.append(self._open())
            if len(self.sockets) % 200 == 0:
                self.wait_until_greeted()
        self.wait_until_greeted()

    def wait_until_greeted(self) -> None:
        """Returns when the server has accepted the newest: so the queue before it never overflows."""
        if self.sockets:
            newest = self.sockets[-1]
            newest.settimeout(PATIENCE)
            newest.recv(1, socket.MSG_PEEK)
            newest.setblocking(False)

    def send(self, data: bytes) -> None:
        """To each, as far as it takes it."""
        for index, sock in enumerate(self.sockets):
            try:
                sock.send(data)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                sock.close()
                self.closed += 1
                self.sockets[index] = self._open()

    def _open(self) -> socket.socket:
        return connect(self.server, self._crowd.buffer)


def connect(server: Address, buffer: int = 0) -> socket.socket:
    """A connection from the next source, non-blocking once it stands."""
    sock = socket.socket()
    number = next(_numbers)
    sock.setsockopt(socket.IPPROTO_IP, LATE_PORT, 1)
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.bind((f"127.1.0.{number % SOURCES + 1}", 0))
    sock.settimeout(PATIENCE)
    sock.connect(server)
    sock.setblocking(False)
    return sock


# The deeds


def nothing(members: Members) -> None:
    """They are there, and silent."""


def close_at_once(members: Members) -> None:
    for _ in range(100):
        connect(members.server).close()


def reset_at_once(members: Members) -> None:
    for _ in range(100):
        sock = connect(members.server)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()


def one_byte(members: Members) -> None:
    """The start of an object that they never come to the end of."""
    members.send(b"{")


def white_space(members: Members) -> None:
    members.send(b" " * 2048)


def endless_object(members: Members) -> None:
    members.send(b'{"teamname": "' + b"x" * 2048)


def never_read(members: Members) -> None:
    """Whole messages, one behind the other; nobody takes the replies."""
    members.send(encoded(message_1(teamname="never reads")))


def refused(members: Members) -> None:
    """Wrong messages as fast as they are answered."""
    wrong = json.dumps(message_1(clientid=7)).encode()
    for _ in range(100):
        sock = connect(members.server)
        sock.setblocking(True)
        sock.recv(2000)
        sock.send(wrong)
        while sock.recv(2000):
            pass
        sock.close()


CROWDS = {
    "nobody": Crowd(0, nothing),
    "10,000 silent connections": Crowd(10_000, nothing),
    "connections that close at once": Crowd(0, close_at_once, pause=0.0),
    "connections that are reset at once": Crowd(0, reset_at_once, pause=0.0),
    "1,000 slow senders, a byte a second": Crowd(1_000, one_byte, pause=1.0),
    "1,000 that never read": Crowd(1_000, never_read, buffer=1),
    "100 senders of endless white space": Crowd(100, white_space),
    "100 senders of an endless object": Crowd(100, endless_object),
    "refused messages": Crowd(0, refused, pause=0.0),
}


@contextmanager
def crowd(name: str, server: Address) -> Iterator[None]:
    """One of the crowds, in full before the block begins, gone when it ends."""
    context = multiprocessing.get_context("spawn")
    ready, over = context.Event(), context.Event()
    process = context.Process(target=_run, args=(name, server, ready, over), daemon=True)
    process.start()
    try:
        while not ready.wait(0.1):
            if not process.is_alive():
                raise RuntimeError(f"{name}: the crowd did not come together")
        yield
    finally:
        over.set()
        process.join(20.0)
        process.kill()
        process.join()


def _run(name: str, server: Address, ready: Event, over: Event) -> None:
    crowd = CROWDS[name]
    raise_descriptor_limit(MANY_DESCRIPTORS)
    members = Members(server, crowd)
    ready.set()
    while not over.wait(crowd.pause):
        began = time.monotonic()
        crowd.deed(members)
        if time.monotonic() - began > 5.0:
            print(f"{name}: a round took {time.monotonic() - began:.1f} s", flush=True)
