"""Connects to a doctor on another machine, and tells apart why that fails."""

import socket
import time
from enum import StrEnum
from typing import NamedTuple

from tandem.doctor.machine import Machine

CONNECT_TIMEOUT_S = 4.0  # Linux asks its network for 3 s before it reports that no machine has an address
SLOW_MS = 500  # a lost packet alone is repeated after 1,000 ms

_FORBIDDEN = (1, 13, 10013)  # EPERM and EACCES: nftables refuses packets of this machine, or Windows does
_UNREACHABLE = (113, 65, 10065, 112, 64, 10064, 101, 51, 10051, 100, 50, 10050)  # host or network, unreachable or down


class Reach(StrEnum):
    """The outcome of an attempt to connect. The words are also those of a report."""

    WORKS = "works"
    REFUSED = "refused"
    DROPPED = "dropped"
    NO_ROUTE = "no-route"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    OTHER_PROGRAM = "other-program"  # connected, but not with the doctor that was meant


class Attempt(NamedTuple):
    """One attempt to connect."""

    reach: Reach
    ms: int  # milliseconds until it was known
    reason: str = ""  # the system's words, if it failed

    @property
    def is_slow(self) -> bool:
        """Whether it took much longer than a network of one room takes."""
        return self.reach is Reach.WORKS and self.ms >= SLOW_MS

    def __str__(self) -> str:
        if self.reach is not Reach.WORKS:
            return self.reach.value
        return f"{'slow' if self.is_slow else 'works'} ({self.ms} ms)"


def connect(machine: Machine, address: str, port: int) -> tuple[socket.socket | None, Attempt]:
    """Connect to an IP address. Return the socket, which the caller closes, or None; and how it went."""
    if not machine.towards(address, port):
        return None, Attempt(Reach.NO_ROUTE, 0, "no route")
    begun = time.monotonic()
    try:
        family, kind, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        connection = socket.socket(family, kind)
    except OSError as error:
        return None, Attempt(Reach.NO_ROUTE, 0, error.strerror or str(error))
    try:
        connection.settimeout(CONNECT_TIMEOUT_S)
        connection.connect(where)
        if connection.getpeername() == connection.getsockname():
            raise ConnectionRefusedError  # nothing listens: the system connected the socket to itself
    except OSError as error:
        connection.close()
        return None, Attempt(_reach_of(error), _ms_since(begun), error.strerror or str(error))
    return connection, Attempt(Reach.WORKS, _ms_since(begun))


def _reach_of(error: OSError) -> Reach:
    if isinstance(error, ConnectionError):
        return Reach.REFUSED
    if isinstance(error, TimeoutError):
        return Reach.DROPPED
    if error.errno in _FORBIDDEN:
        return Reach.FORBIDDEN
    return Reach.UNREACHABLE if error.errno in _UNREACHABLE else Reach.NO_ROUTE


def _ms_since(begun: float) -> int:
    return round(1000 * (time.monotonic() - begun))
