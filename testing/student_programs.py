"""Students' programs as they are on the wire: small clients, each with one habit that real programs have.

All of them receive once a message and wait for what they expect; none has a limit of its own but the socket's.
"""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from testing.processes import LIMIT

TRIES = 500_000  # so that even a tight loop ends

Address = tuple[str, int]
Fields = dict[str, Any]


def as_usual(fields: Fields) -> str:
    """Write JSON with raw UTF-8."""
    return json.dumps(fields, ensure_ascii=False)


def with_escapes(fields: Fields) -> str:
    """Write JSON in ASCII."""
    return json.dumps(fields, ensure_ascii=True)


def pretty_printed(fields: Fields) -> str:
    """Write JSON on several lines."""
    return json.dumps(fields, indent=7, ensure_ascii=False)


def without_spaces(fields: Fields) -> str:
    """Write JSON without white space."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Student1:
    """A client 1."""

    size: int = 1024  # bytes that it receives at most, once a message
    write: Callable[[Fields], str] = as_usual
    nothing: str | None = ""  # what it writes for a secret and a status that it does not have
    ip: str = ""  # "" means: the one of the connection
    calls_client_2_first: bool = False  # and stays there idle through its whole visit to the server
    in_a_hurry: bool = False  # tries client 2 again at once, and again

    def run(self, server: Address, peer: Address, team: Fields, refused: threading.Event) -> None:
        """Make the visit and the handover. Set `refused` when client 2 was not there yet."""
        early = connected(peer) if self.calls_client_2_first else None
        reply = self._visit(server, team)
        assert json.loads(reply)["status"] == "waiting for message 2", reply
        with early or self._reach(peer, refused) as connection:
            connection.sendall(reply)

    def _visit(self, server: Address, team: Fields) -> bytes:
        with connected(server) as connection:
            assert b"connection" in connection.recv(self.size)
            own = {"clientid": 1, "ip": self.ip or connection.getsockname()[0]}
            text = self.write({**team, **own, "secret": self.nothing, "status": self.nothing})
            connection.sendall(text.encode())
            return connection.recv(self.size)

    def _reach(self, peer: Address, refused: threading.Event) -> socket.socket:
        for _ in range(TRIES if self.in_a_hurry else 0):
            try:
                return connected(peer)
            except ConnectionRefusedError:
                refused.set()
        return connected(peer)


@dataclass(frozen=True)
class Student2:
    """A client 2. It accepts one connection."""

    size: int = 1024
    write: Callable[[Fields], str] = as_usual
    ip: str = ""
    swaps: bool = True
    calls_server_first: bool = False  # and stays there idle until client 1 has come
    reads_to_the_end: bool = False  # of the stream from client 1

    def run(self, server: Address, listener: socket.socket) -> None:
        """Take the handover and make the visit. `listener` listens already."""
        early = connected(server) if self.calls_server_first else None
        with listener.accept()[0] as client_1:
            client_1.settimeout(LIMIT)
            message = json.loads(self._read(client_1))
        with early or connected(server) as connection:
            assert b"connection" in connection.recv(self.size)
            if self.swaps:
                message["studentnr1"], message["studentnr2"] = message["studentnr2"], message["studentnr1"]
            message |= {"clientid": 2, "ip": self.ip or connection.getsockname()[0]}
            connection.sendall(self.write(message).encode())
            reply = connection.recv(self.size)
        assert json.loads(reply)["status"] == "Finished successfully", reply

    def _read(self, client_1: socket.socket) -> bytes:
        if not self.reads_to_the_end:
            return client_1.recv(self.size)
        with client_1.makefile("rb") as stream:
            return stream.read()


def connected(address: Address) -> socket.socket:
    """Return a connection with the limit LIMIT."""
    return socket.create_connection(address, LIMIT)
