"""Scripts of the other side of a connection, step by step: a server, a client 2 or a stranger.

A script is data. `Line.play` is the one place where steps are carried out. A script always ends: every wait has a
limit, a side that has gone away ends it, and a stopped server cuts its pauses short. Knows nothing of messages but
their last byte.
"""

import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from testing.processes import LIMIT

TRICKLE_PAUSE_S = 0.001  # no event tells that the other side has read; some of its reads get a single byte
RECV_SIZE = 65536


@dataclass(frozen=True)
class Send:
    """Send the bytes in one piece."""

    data: bytes


@dataclass(frozen=True)
class Trickle:
    """Send the bytes one at a time."""

    data: bytes


@dataclass(frozen=True)
class SendForever:
    """Send the bytes again and again, until the other side closes."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Neither send nor receive for a while."""

    seconds: float


@dataclass(frozen=True)
class Receive:
    """Wait until this many bytes have come in all, and leave the rest unread."""

    count: int


class Wait(Enum):
    """Wait for something. MESSAGE: the closing brace. END: the end of the stream, or a reset. STOP: `stopped`."""

    MESSAGE = auto()
    END = auto()
    STOP = auto()


class Finish(Enum):
    """End our side. HALF_CLOSE: the sending side only. RESET: close so that the other side gets a reset."""

    HALF_CLOSE = auto()
    CLOSE = auto()
    RESET = auto()


# The function is for what depends on the bytes that came.
Step = Send | Trickle | SendForever | Pause | Receive | Wait | Finish | Callable[["Line"], None]
Script = tuple[Step, ...]


class Line:
    """One end of a connection, with all that was sent and received on it."""

    def __init__(self, connection: socket.socket, stopped: threading.Event | None = None) -> None:
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.came = b""
        self.sent = b""
        self._stopped = stopped or threading.Event()

    def play(self, script: Iterable[Step]) -> None:
        """Carry out the steps, up to the one at which the other side has gone away.

        Raises:
            TimeoutError: The other side did not do within LIMIT what a step waits for.
        """
        try:
            for step in script:
                if self.socket.fileno() < 0:
                    return
                self._play(step)
        except TimeoutError:
            raise
        except OSError:
            self._receive_rest()  # why the other side went away is for its own screen to say

    def _play(self, step: Step) -> None:
        match step:
            case Send(data):
                self._send(data)
            case Trickle(data):
                for number in range(len(data)):
                    self._send(data[number : number + 1])
                    self._stopped.wait(TRICKLE_PAUSE_S)
            case SendForever(data):
                while not self._stopped.is_set():
                    self._send(data)
            case Pause(seconds):
                self._stopped.wait(seconds)
            case Receive(count):
                while len(self.came) < count:
                    self._receive(count - len(self.came))
            case Wait():
                self._wait(step)
            case Finish():
                self._finish(step)
            case _:
                step(self)

    def _wait(self, event: Wait) -> None:
        match event:
            case Wait.MESSAGE:
                while not self.came.endswith(b"}"):
                    self._receive(RECV_SIZE)
            case Wait.END:
                self._receive_rest()
            case Wait.STOP:
                self._stopped.wait()

    def _finish(self, how: Finish) -> None:
        if how is Finish.HALF_CLOSE:
            self.socket.shutdown(socket.SHUT_WR)
            return
        if how is Finish.RESET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _send(self, data: bytes) -> None:
        self.sent += data
        self.socket.sendall(data)

    def _receive(self, size: int) -> None:
        data = self.socket.recv(size)
        if not data:
            raise ConnectionAbortedError("the stream has ended")
        self.came += data

    def _receive_rest(self) -> None:
        try:
            while data := self.socket.recv(RECV_SIZE):
                self.came += data
        except TimeoutError:
            raise
        except OSError:
            pass  # a reset is an end, too


class ScriptedServer:
    """Plays the same script to everybody who connects, one after the other."""

    def __init__(self, script: Script) -> None:
        self.lines: list[Line] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._stopped = threading.Event()
        self._wake_recv, self._wake_send = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)
        self._error: Exception | None = None
        self._thread.start()

    @property
    def came(self) -> bytes:
        """All that came on the only connection that was made."""
        (line,) = self.lines
        return line.came

    def stop(self) -> None:
        """Play the script to those who have connected, without its pauses, and stop. Then `lines` is complete.

        Raises:
            Exception: What went wrong in the script.
        """
        self._stopped.set()
        self._wake_send.close()
        self._thread.join()
        if self._error:
            raise self._error

    def _serve(self) -> None:
        try:
            while self._listener in select.select([self._listener, self._wake_recv], [], [])[0]:
                with self._listener.accept()[0] as connection:
                    line = Line(connection, self._stopped)
                    self.lines.append(line)
                    line.play(self._script)
        except Exception as error:
            self._error = error
        finally:
            self._listener.close()
            self._wake_recv.close()


@contextmanager
def scripted_server(*script: Step) -> Iterator[ScriptedServer]:
    """Run a server on a free port of this machine, and stop it at the end of the block."""
    running = ScriptedServer(script)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def call(port: int, source: str = "127.0.0.1", stopped: threading.Event | None = None) -> Iterator[Line]:
    """Connect to a port of this machine, and close at the end of the block."""
    with socket.create_connection(("127.0.0.1", port), LIMIT, (source, 0)) as connection:
        yield Line(connection, stopped)


def framed(data: bytes) -> bytes:
    """Put the length of the bytes before them, as `--framing length` does."""
    return struct.pack("<I", len(data)) + data


def changed(reply: bytes, **fields: object) -> bytes:
    """Return the message with other values in some fields."""
    return json.dumps(json.loads(reply) | fields).encode()


def without(reply: bytes, *names: str) -> bytes:
    """Return the message without some fields."""
    return json.dumps({name: value for name, value in json.loads(reply).items() if name not in names}).encode()
