"""Scripts for the other side of a connection: what a ground, a client 2 or a stranger of a test does, step by step.

A script is a list of steps, a step is a function of the line that it is played on. Whatever a client does,
a script ends: every wait has a limit, and a client that has gone away ends it at once.
"""

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from testing.processes import LIMIT

Step = Callable[["Line"], None]

MOST = 1_000_000  # bytes of something endless


class Line:
    """One end of a connection, and everything that came on it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.came = b""

    def take(self) -> bool:
        """Waits for more; False at the end of the stream."""
        data = self.socket.recv(65536)
        self.came += data
        return bool(data)

    def play(self, script: Sequence[Step]) -> None:
        """All steps, or those up to where the other side went away."""
        try:
            for step in script:
                step(self)
        except ConnectionError:
            pass  # why it went away is for its own screen to say


def send(data: bytes) -> Step:
    """In one piece."""
    return lambda line: line.socket.sendall(data)


def trickle(data: bytes) -> Step:
    """One byte at a time."""

    def step(line: Line) -> None:
        for at in range(len(data)):
            line.socket.sendall(data[at : at + 1])
            time.sleep(0.001)  # no event tells that the other side has read; some of its reads get a single byte

    return step


def endless(piece: bytes) -> Step:
    """The piece again and again, until the other side has had enough."""

    def step(line: Line) -> None:
        for _ in range(MOST // len(piece)):
            line.socket.sendall(piece)

    return step


def silence(seconds: float) -> Step:
    """Says nothing for a while: for what is late and still in time."""
    return lambda line: time.sleep(seconds)


def message(line: Line) -> None:
    """Waits until the message is there."""
    while not line.came.endswith(b"}"):
        if not line.take():
            raise ConnectionAbortedError


def until_end(line: Line) -> None:
    """Waits until the other side has ended, however it does."""
    try:
        while line.take():
            pass
    except ConnectionError:
        pass


def close(line: Line) -> None:
    line.socket.close()


def end(line: Line) -> None:
    """Ends our sending side, and goes on listening."""
    line.socket.shutdown(socket.SHUT_WR)


def reset(line: Line) -> None:
    """Closes so that the other side gets a reset."""
    line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.socket.close()


class ScriptedServer:
    """Plays the same script to everybody who connects, one after the other."""

    def __init__(self, script: Sequence[Step]) -> None:
        self.lines: list[Line] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._stop_seen, self._stop_told = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._trouble: Exception | None = None
        self._thread.start()

    @property
    def came(self) -> bytes:
        """All that came from the only one who connected."""
        (line,) = self.lines
        return line.came

    def stop(self) -> None:
        """Finishes what is being played, and stops. Then `came` is complete."""
        self._stop_told.close()
        self._thread.join()
        if self._trouble:
            raise self._trouble

    def _serve(self) -> None:
        try:
            while self._listener in select.select([self._listener, self._stop_seen], [], [])[0]:
                with self._listener.accept()[0] as connection:
                    line = Line(connection)
                    self.lines.append(line)
                    line.play(self._script)
        except Exception as trouble:
            self._trouble = trouble
        finally:
            self._listener.close()
            self._stop_seen.close()


@contextmanager
def scripted_server(*script: Step) -> Iterator[ScriptedServer]:
    """A server on a free port of this machine, stopped at the end of the block."""
    running = ScriptedServer(script)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def call(port: int, source: str = "127.0.0.1") -> Iterator[Line]:
    """A connection to a port of this machine, closed at the end of the block."""
    with socket.create_connection(("127.0.0.1", port), LIMIT, (source, 0)) as connection:
        yield Line(connection)


def framed(data: bytes) -> bytes:
    """Behind its length, as --on-wire length does it."""
    return struct.pack("<I", len(data)) + data


def changed(reply: bytes, **fields: object) -> bytes:
    """The same message with other fields."""
    return json.dumps(json.loads(reply) | fields).encode()


def without(reply: bytes, *names: str) -> bytes:
    """The same message, some fields missing."""
    return json.dumps({name: value for name, value in json.loads(reply).items() if name not in names}).encode()
