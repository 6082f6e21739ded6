"""Sockets for the clients: connect, listen, send, receive, close. Every wait has a limit.

Knows nothing of messages. Every error becomes a ClientError that says what to try.

The clients may import socket, json and sys only, so there is no clock. Time is measured by counting sleeps: a sleep
is a receive with a timeout on a socket to which nothing is ever sent. All other sockets are non-blocking, connecting
included, so no time passes that is not counted: if there is nothing to do, the client sleeps for POLL_INTERVAL_S.
"""

import socket
import sys

from tandem.client.failures import ClientError, client_error
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.reader import MAX_MESSAGE_BYTES

POLL_INTERVAL_S = 0.015  # between two looks at a socket; the clock of Windows ticks no faster
BACKLOG = 1024  # connections that may wait to be accepted

_sleep_sockets: list[socket.socket] = []  # two connected sockets, opened by the first sleep


def sleep(seconds: float = POLL_INTERVAL_S) -> float:
    """Wait, and return `seconds`, to be added to the time that has passed.

    Call `close_sleep_sockets` after the last sleep.
    """
    if not _sleep_sockets:
        _sleep_sockets.extend(socket.socketpair())
    _sleep_sockets[0].settimeout(seconds)
    try:
        _sleep_sockets[0].recv(1)
    except TimeoutError:
        pass
    return seconds


def close_sleep_sockets() -> None:
    """Close the sockets that `sleep` uses. Another sleep opens new ones."""
    while _sleep_sockets:
        _sleep_sockets.pop().close()


class RemoteAddress:
    """An address to connect to: a name that is resolved once, before all waits.

    Attributes:
        shown: HOST:PORT, for people.
        found: Its addresses, as getaddrinfo returns them.

    Raises:
        ClientError: The name cannot be resolved.
    """

    def __init__(self, host: str, port: int) -> None:
        self.shown = show_address(host, port)
        try:
            self.found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise client_error("connect", self.shown, error) from None

    def is_same_as(self, other: "RemoteAddress") -> bool:
        """Return whether both have an address in common: the same program listens there."""
        ours, theirs = ({(plain_ip(str(found[4][0])), found[4][1]) for found in each.found} for each in (self, other))
        return not ours.isdisjoint(theirs)

    def own_ip(self) -> str:
        """Return our own IP address on the way there, "" if there is no way. Sends nothing."""
        for family, _, _, _, address in self.found:
            try:
                with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
                    datagrams.connect(address)
                    return local_ip(datagrams)
            except OSError:
                continue
        return ""


def own_ips() -> list[str]:
    """Return addresses of this machine that other machines may be able to use.

    They are those on the way to addresses that belong to documentation, and if there is no such way, those of this
    machine's own name. Sends nothing to the addresses.
    """
    try:
        routed = [RemoteAddress(host, 9).own_ip() for host in ("192.0.2.1", "2001:db8::1")]
        named = [] if any(routed) else RemoteAddress(socket.gethostname(), 9).found
    except ClientError:
        return []
    return [ip for ip in routed if ip] + [plain_ip(str(found[4][0])) for found in named]


def connect(remote: RemoteAddress, timeout_s: float) -> socket.socket:
    """Connect to a program. Try each address that it has, each for `timeout_s`.

    Returns:
        A connected, non-blocking socket.

    Raises:
        ClientError: No address could be reached. `waited_s` says how long it took.
    """
    failed = ClientError(f"{remote.shown} has no address", "check the name")
    waited_s = 0.0
    for family, kind, protocol, _, address in remote.found:
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # the name has an IPv6 address, but this system has no IPv6
            failed = client_error("connect", remote.shown, error)
            continue
        attempt_s = 0.0
        try:
            _begin_connecting(connection, address)
            while not _is_connected(connection):
                if attempt_s >= timeout_s:
                    raise TimeoutError
                attempt_s += sleep()
            return connection
        except OSError as error:
            connection.close()
            failed = client_error("connect", remote.shown, error)
        waited_s += attempt_s
    failed.waited_s = waited_s
    raise failed


def _begin_connecting(connection: socket.socket, address: tuple[object, ...]) -> None:
    connection.setblocking(False)
    try:
        connection.connect(address)
    except BlockingIOError:
        pass  # it goes on in the background


def _is_connected(connection: socket.socket) -> bool:
    """Return whether a connection that is being made stands. Raises OSError if it failed."""
    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, "the connection failed")
    try:
        peer = connection.getpeername()
    except OSError:
        return False
    if peer == connection.getsockname():
        raise ConnectionRefusedError  # nobody listens: the system connected the socket to itself
    return True


def listen(host: str, port: int) -> socket.socket:
    """Listen on HOST:PORT. An empty host means all addresses of this machine, IPv4 and IPv6.

    Returns:
        A listening, non-blocking socket.

    Raises:
        ClientError: The port cannot be used.
    """
    try:
        listener = _bind(host, port)
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        raise client_error("listen", show_address(host, port), error) from None
    listener.setblocking(False)
    return listener


def _bind(host: str, port: int) -> socket.socket:
    both_families = not host and socket.has_dualstack_ipv6()
    found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # on Windows it would let two programs use the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # systems differ in what they do without it
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both_families else 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def local_ip(connection: socket.socket) -> str:
    """Return our own IP address of this connection."""
    return plain_ip(connection.getsockname()[0])


def send(connection: socket.socket, data: bytes, timeout_s: float, peer: str) -> None:
    """Send all bytes, in one piece unless the system accepts only a part of them.

    Raises:
        ClientError: The connection broke, or the other side did not read within `timeout_s`.
    """
    waited_s = 0.0
    while data:
        try:
            data = data[connection.send(data) :]
        except BlockingIOError:
            if waited_s >= timeout_s:
                raise client_error("talk", peer, TimeoutError()) from None
            waited_s += sleep()
        except OSError as error:
            raise client_error("talk", peer, error) from None


def receive(connection: socket.socket, peer: str) -> bytes | None:
    """Return the bytes that have arrived: b"" at the end of the stream, None if there are none yet.

    Raises:
        ClientError: The connection broke.
    """
    try:
        return connection.recv(MAX_MESSAGE_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        raise client_error("talk", peer, error) from None


def end_sending(connection: socket.socket) -> None:
    """Close our sending side, so that the other side reads the end of the stream. We can still receive."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone: the next receive reports it


def raise_pending_error(connection: socket.socket, peer: str) -> None:
    """Check for an error after the end of the stream, where `receive` does not report it.

    Raises:
        ClientError: The connection broke.
    """
    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise client_error("talk", peer, OSError(number, "connection broken"))


def close(connection: socket.socket) -> None:
    """End sending, read what is left, and close: closing with unread bytes would reset the connection."""
    end_sending(connection)
    try:
        receive(connection, "")
    except ClientError:
        pass  # nothing is expected any more
    connection.close()
