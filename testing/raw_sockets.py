"""A raw connection to a server: sends exactly the bytes of a test, and shows exactly what comes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testing.processes import LIMIT, TEAM


class Raw:
    """One connection to a server."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=LIMIT)
        try:
            with_itself = self.socket.getsockname() == self.socket.getpeername()
        except OSError:
            with_itself = False  # broken off already: the next call on it shows that
        if with_itself:  # nobody listens, and the system chose that very port for us
            self.socket.close()
            raise ConnectionRefusedError("connected to itself")
        self.welcome = b""

    def take_welcome(self) -> bytes:
        """Receive the welcome, which the server sends in one piece."""
        self.welcome = self.socket.recv(2000)
        return self.welcome

    def send(self, data: bytes) -> None:
        """Send all of the bytes."""
        self.socket.sendall(data)

    def end(self) -> None:
        """Shut the sending side; the server can still answer."""
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self) -> bytes:
        """Return what one single recv gives, as student programs do it."""
        return self.socket.recv(2000)

    def rest(self) -> bytes:
        """Return everything up to the end of the stream."""
        pieces = []
        while piece := self.socket.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)

    def reset(self) -> None:
        """Close so that the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


@contextmanager
def raw(host: str, port: int) -> Iterator[Raw]:
    """Connect, and close at the end of the block."""
    connection = Raw(host, port)
    try:
        yield connection
    finally:
        connection.socket.close()


def visit(host: str, port: int, data: bytes) -> dict[str, Any]:
    """Make one visit. Return the fields of the reply to these bytes."""
    with raw(host, port) as connection:
        connection.take_welcome()
        connection.send(data)
        reply: dict[str, Any] = json.loads(connection.rest())
        return reply


def message_1(**changed: object) -> dict[str, Any]:
    """Return a right message 1 as a student writes it, with what is changed."""
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
    """Return the right message 2 for the reply to a message 1, with what is changed."""
    swapped = {"studentnr1": reply["studentnr2"], "studentnr2": reply["studentnr1"], "clientid": 2}
    return reply | swapped | changed


def encoded(message: dict[str, Any]) -> bytes:
    """Return the message as JSON in UTF-8."""
    return json.dumps(message).encode()
