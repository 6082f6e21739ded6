"""Sockets for the clients: connect, listen, send, receive, close. Every wait has a limit.

Knows nothing of messages. Every error becomes a ClientError that says what to try.

The clients may import socket, json and sys only, so there is no clock. Time is measured by counting sleeps: a sleep
is a receive with a timeout on a socket to which nothing is ever sent. Connections are non-blocking: if one has
nothing for us, the client sleeps for POLL_INTERVAL_S and tries again.
"""

import socket
import sys

from tandem.client.failures import ClientError, client_error
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.reader import MAX_MESSAGE_BYTES

POLL_INTERVAL_S = 0.005  # between two attempts to read from a socket
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


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """Connect to HOST:PORT. Try each address that the name has, each for `timeout_s`.

    Returns:
        A connected, non-blocking socket.

    Raises:
        ClientError: No address could be reached. `waited_s` says how long it took.
    """
    shown = show_address(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        unknown_name = client_error("connect", shown, error)
        unknown_name.is_permanent = True
        raise unknown_name from None
    failed = ClientError(f"{shown} has no address", "check the name")
    waited_s = 0.0
    for family, kind, protocol, _, address in found:
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # the name has an IPv6 address, but this system has no IPv6
            failed = client_error("connect", shown, error)
            continue
        try:
            connection.settimeout(timeout_s)
            connection.connect(address)
            if connection.getsockname() == connection.getpeername():
                raise ConnectionRefusedError  # nobody listens: the system connected the socket to itself
            connection.setblocking(False)
            return connection
        except OSError as error:
            connection.close()
            waited_s += timeout_s if isinstance(error, TimeoutError) else 0.0
            failed = client_error("connect", shown, error)
    failed.waited_s = waited_s
    raise failed


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
        if both_families:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
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
