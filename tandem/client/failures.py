"""The errors of a client, and what each error of the operating system means for a student.

The tables map an exception to what happened and what to try. Error numbers differ between systems: a row has
those of Linux, macOS and Windows. Does not know where errors are caught or shown.
"""

import socket

from tandem.protocol.arrows import arrow_words
from tandem.protocol.errors import TandemError


class ClientError(TandemError):
    """The exchange did not work.

    Attributes:
        what: What happened, without a full stop.
        help: What to try.
        arrow: The arrow at which it happened (1 to 7), or 0 if there is none.
        waited_s: Seconds that passed until it was known; client 1 counts them when it tries again.
    """

    def __init__(self, what: str, help: str, arrow: int = 0) -> None:
        super().__init__(what, help)
        self.arrow = arrow
        self.waited_s = 0.0

    def __str__(self) -> str:
        line = super().__str__()
        return f"{arrow_words(self.arrow)}: {line}" if self.arrow else line

    def after(self, said: str) -> "ClientError":
        """Add what the other side had sent before, if anything, and return the same error."""
        if said:
            self.what += f'; before that it sent "{said}"'
        return self

    def with_arrow(self, arrow: int) -> "ClientError":
        """Set the arrow at which it happened, and return the same error."""
        self.arrow = arrow
        return self


_NO_ROUTE = (113, 65, 10065, 112, 64, 10064, 101, 51, 10051, 100, 50, 10050)  # host or network, unreachable or down
_RESET = (
    "{address} ended the connection in the middle (connection reset)",
    "look at the screen of the program on the other side, then start again",
)

# Rows: exception, its numbers on Linux, macOS and Windows (() for any number), what it means, what to try.
# The first row that fits counts.
_CONNECT = (
    (
        socket.gaierror,
        (-3, 2, 11002),
        "the name in {address} cannot be resolved now",
        "check that this machine is connected to the network, or use the IP address",
    ),
    (
        socket.gaierror,
        (),
        "there is no machine called {address}",
        "use the IP address that `ip address` or `ipconfig` shows on the other machine",
    ),
    (UnicodeError, (), "{address} is not the name of a machine", "use the IP address, such as 192.168.1.2"),
    (
        ConnectionRefusedError,
        (),
        "connection refused: the machine is there, but nothing listens on {address}",
        "start the program there first, check the port, and make it listen on all addresses, not only on 127.0.0.1",
    ),
    (
        TimeoutError,
        (),
        "connection timed out: {address} did not answer in time",
        "check the address, the firewall of that machine, and that both machines are in the same network "
        "(guest Wi-Fi often isolates laptops from each other)",
    ),
    (
        OSError,
        _NO_ROUTE,
        "there is no route to {address}",
        "check the address, and that both machines are on and connected to the same network",
    ),
    (
        OSError,
        (99, 49, 10049),
        "it is not possible to connect to {address}",
        "use the IP address of the other machine and a port above 0",
    ),
    (PermissionError, (), "this system forbids connecting to {address}", "check the firewall of this machine"),
    (ConnectionError, (), *_RESET),
    (OSError, (107, 57, 10057), *_RESET),
)
_LISTEN = (
    (
        UnicodeError,
        (),
        "{address} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
    (
        OSError,
        (98, 48, 10048),
        "port already in use: another program listens on {address}, perhaps an earlier run of yours",
        "end that program, wait a minute, or choose another port with --listen (0: the system chooses one)",
    ),
    (
        PermissionError,
        (),
        "this system does not let you listen on {address}",
        "choose a port above 1023, or allow it in the firewall",
    ),
    (
        OSError,
        (99, 49, 10049),
        "{address} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
    (
        socket.gaierror,
        (),
        "{address} is not an address of this machine",
        "leave out the host to listen on all addresses: --listen PORT",
    ),
)
_TALK = (
    (
        OSError,
        _NO_ROUTE,
        "this machine has no network connection to {address} any more",
        "check that this machine is still connected, then start again",
    ),
    (ConnectionError, (), *_RESET),
    (
        TimeoutError,
        (),
        "{address} did not answer in time",
        "start again; if it happens again, check what the other side waits for, or use a larger --timeout",
    ),
)
_TABLES = {"connect": _CONNECT, "listen": _LISTEN, "talk": _TALK}


def client_error(action: str, address: str, error: Exception) -> ClientError:
    """Return the ClientError for an error of the operating system.

    Args:
        action: What failed: "connect", "listen" or "talk".
        address: HOST:PORT of the other side, or of our own port, as it is shown.
        error: What the socket call raised.
    """
    for kind, numbers, what, help in _TABLES[action]:
        if isinstance(error, kind) and (not numbers or getattr(error, "errno", None) in numbers):
            return ClientError(what.format(address=address), help)
    return ClientError(f"{address}: {error}", "look up this error of the operating system, then start again")
