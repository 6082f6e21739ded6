"""What can go wrong on the way, as data: the error of the system, what it means, what to try.

The numbers of one error differ from system to system; each row has them for Linux, macOS and Windows.
"""

import socket

from tandem.protocol.arrows import arrow_words
from tandem.protocol.errors import TandemError


class ClientError(TandemError):
    """The exchange did not work. Facts for one line: what happened, what to try, at which arrow (0: none)."""

    def __init__(self, what: str, help: str, arrow: int = 0) -> None:
        super().__init__(what, help)
        self.arrow = arrow
        self.waited = 0.0  # seconds that it took to know
        self.is_final = False  # would another try end the same way?

    def __str__(self) -> str:
        return f"{arrow_words(self.arrow)}: {super().__str__()}" if self.arrow else super().__str__()

    def at(self, arrow: int) -> "ClientError":
        """The same, with the arrow at which it happened."""
        self.arrow = arrow
        return self


_NO_ROUTE = (113, 65, 10065, 112, 64, 10064, 101, 51, 10051, 100, 50, 10050)  # host or network, unreachable or down
_BROKEN_OFF = (
    "{where} broke the connection off (connection reset)",
    "look at what the program on the other side says; then start again",
)

# (what was done) -> (exception, its numbers on Linux, macOS, Windows; () for all) -> (what it means, what to try)
_CONNECT = (
    (
        socket.gaierror,
        (-3, 2, 11002),
        "names cannot be looked up just now, {where} neither",
        "check that this machine is connected, or use the address in numbers",
    ),
    (
        socket.gaierror,
        (),
        "there is no machine called {where}",
        "use the address in numbers, as the other machine's `ip address` or `ipconfig` shows it",
    ),
    (UnicodeError, (), "{where} is not the name of a machine", "use the address in numbers, such as 192.168.1.2"),
    (
        ConnectionRefusedError,
        (),
        "connection refused: the machine is there, but nothing listens on {where}",
        "start the program there first, check the port, and let it listen on all addresses, not on 127.0.0.1",
    ),
    (
        TimeoutError,
        (),
        "connection timed out: {where} did not answer in time",
        "check the address, the firewall of that machine, and that both are in the same network "
        "(guest Wi-Fi often keeps laptops apart)",
    ),
    (
        OSError,
        _NO_ROUTE,
        "there is no route to {where}",
        "check the address, and that both machines are on and connected to the same network",
    ),
    (
        OSError,
        (99, 49, 10049),
        "{where} is not an address that one can connect to",
        "use the address of the other machine, and a port above 0",
    ),
    (PermissionError, (), "this system forbids connecting to {where}", "check the firewall of this machine"),
    (ConnectionError, (), *_BROKEN_OFF),
    (OSError, (107, 57, 10057), *_BROKEN_OFF),
)
_LISTEN = (
    (
        UnicodeError,
        (),
        "{where} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
    (
        OSError,
        (98, 48, 10048),
        "port already in use: another program listens on {where}, perhaps your own from before",
        "end that program, wait a minute, or take another port with --listen (0 takes a free one)",
    ),
    (
        PermissionError,
        (),
        "this system does not let you listen on {where}",
        "take a port above 1023, or let the firewall allow it",
    ),
    (
        OSError,
        (99, 49, 10049),
        "{where} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
    (
        socket.gaierror,
        (),
        "{where} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
)
_TALK = (
    (
        OSError,
        _NO_ROUTE,
        "the network to {where} is gone",
        "check that this machine is still connected, then start again",
    ),
    (
        ConnectionError,
        (),
        "{where} broke the connection off (connection reset)",
        "look at what the program on the other side says; then start again",
    ),
    (
        TimeoutError,
        (),
        "{where} did not answer in time",
        "start again; if it stays so, look at what the program on the other side waits for, or give more --timeout",
    ),
)
_TABLES = {"connect": _CONNECT, "listen": _LISTEN, "talk": _TALK}


def client_error(doing: str, where: str, error: Exception) -> ClientError:
    """The ClientError for an error of the system while we were doing "connect", "listen" or "talk"."""
    for kind, numbers, what, help in _TABLES[doing]:
        if isinstance(error, kind) and (not numbers or getattr(error, "errno", None) in numbers):
            return ClientError(what.format(where=where), help)
    return ClientError(f"{where}: {error}", "read the system's own words, then start again")
