"""A raw connection to a ground: sends exactly what a test says, and sees exactly what comes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testing.processes import LIMIT, TEAM


class Raw:
    """One connection, with everything that came on it."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=LIMIT)
        try:
            with_itself = self.socket.getsockname() == self.socket.getpeername()
        except OSError:
            with_itself = False  # broken off already: whoever uses it will see
        if with_itself:  # nobody listens, and the system chose that very port for us
            self.socket.close()
            raise ConnectionRefusedError("connected to itself")
        self.welcome = b""

    def take_welcome(self) -> bytes:
        """What comes first: the ground sends its welcome in one piece."""
        self.welcome = self.socket.recv(2000)
        return self.welcome

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def end(self) -> None:
        """Ends our side; the ground can still answer."""
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> bytes:
        """One single recv, as student programs do it."""
        return self.socket.recv(2000)

    def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        pieces = []
        while piece := self.socket.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)

    def reset(self) -> None:
        """Closes so that the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


@contextmanager
def raw(host: str, port: int) -> Iterator[Raw]:
    """A connection, closed at the end of the block."""
    connection = Raw(host, port)
    try:
        yield connection
    finally:
        connection.socket.close()


def visit(host: str, port: int, data: bytes) -> dict[str, Any]:
    """One visit: the reply to these bytes, as fields."""
    with raw(host, port) as connection:
        connection.take_welcome()
        connection.send(data)
        reply: dict[str, Any] = json.loads(connection.rest())
        return reply


def message_1(**changed: object) -> dict[str, Any]:
    """A right message 1 as a student writes it, with what is changed."""
    message: dict[str, Any] = {
        "studentnr1": TEAM["studentnr1"],
        "studentnr2": TEAM["studentnr2"],
        "classname": TEAM["classname"],
        "clientid": 1,
        "teamname": TEAM["teamname"],
        "ip": "127.0.0.1",
        "secret": "",
        "status": "",
    }
    return message | changed


def message_2(reply: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The right message 2 for the reply to a message 1, with what is changed."""
    swapped = {"studentnr1": reply["studentnr2"], "studentnr2": reply["studentnr1"], "clientid": 2}
    return reply | swapped | changed


def encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()
