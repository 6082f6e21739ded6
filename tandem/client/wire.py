"""Connect, listen, send, take, close: each with a limit, each client_error one ClientError that says what to try.

Knows sockets and nothing of messages. There is no clock among socket, json and sys, so time is counted
in pauses: a pause is a receive that nothing answers, on a socket of our own, and a limit is so many of
them. Connected sockets never block: where one has nothing for us, we pause and look again.
"""

import socket
import sys

from tandem.client.failures import ClientError, client_error
from tandem.protocol.address import plain_ip, show_address
from tandem.protocol.reader import MAX_MESSAGE_BYTES

PAUSE = 0.005  # seconds between two looks at a socket

_silence: list[socket.socket] = []  # two sockets, joined; nothing is ever sent. The first pause opens them


def pause(seconds: float = PAUSE) -> float:
    """Waits for `seconds`, and returns them, to be added up. Call `end_pauses` after the last one."""
    if not _silence:
        _silence.extend(socket.socketpair())
    _silence[0].settimeout(seconds)
    try:
        _silence[0].recv(1)
    except TimeoutError:
        pass
    return seconds


def end_pauses() -> None:
    """Close the sockets that pauses need. A later pause opens new ones."""
    while _silence:
        _silence.pop().close()


def connect(host: str, port: int, limit: float) -> socket.socket:
    """A connection to HOST:PORT. Tries each address that the name has, for `limit` seconds each."""
    where = show_address(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        unknown = client_error("connect", where, error)
        unknown.is_final = True
        raise unknown from None
    refusal = ClientError(f"{where} has no address", "check the name")
    waited = 0.0
    for family, kind, protocol, _, address in found:
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # the name has an IPv6 address, this system has no IPv6
            refusal = client_error("connect", where, error)
            continue
        try:
            connection.settimeout(limit)
            connection.connect(address)
            if connection.getsockname() == connection.getpeername():
                raise ConnectionRefusedError  # nobody listens: the system joined our socket to itself
            connection.setblocking(False)
            return connection
        except OSError as error:
            connection.close()
            waited += limit if isinstance(error, TimeoutError) else 0.0
            refusal = client_error("connect", where, error)
    refusal.waited = waited
    raise refusal


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on HOST:PORT; host "" means all addresses of this machine, IPv4 and IPv6."""
    try:
        listener = _bound(host, port)
        listener.listen(1024)
    except (OSError, UnicodeError) as error:
        raise client_error("listen", show_address(host, port), error) from None
    listener.setblocking(False)
    return listener


def _bound(host: str, port: int) -> socket.socket:
    both_families = not host and socket.has_dualstack_ipv6()
    found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there, it would let two programs take the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if both_families:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def own_ip(connection: socket.socket) -> str:
    """Our own address, as the other side of this connection sees it."""
    return plain_ip(connection.getsockname()[0])


def send(connection: socket.socket, data: bytes, limit: float, where: str) -> None:
    """Sends everything; in one piece, unless the system takes only a part at a time."""
    waited = 0.0
    while data:
        try:
            data = data[connection.send(data) :]
        except BlockingIOError:
            if waited >= limit:
                raise client_error("talk", where, TimeoutError()) from None
            waited += pause()
        except OSError as error:
            raise client_error("talk", where, error) from None


def take(connection: socket.socket, where: str) -> bytes | None:
    """What has come by now; b"" if the other side has ended, None if there is nothing new."""
    try:
        return connection.recv(MAX_MESSAGE_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        raise client_error("talk", where, error) from None


def end(connection: socket.socket) -> None:
    """Tells the other side that nothing more will come; we can still take."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has gone already; the next take says so


def check(connection: socket.socket, where: str) -> None:
    """Raises ClientError if the connection broke: behind an end of stream, a take says nothing of it."""
    number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise client_error("talk", where, OSError(number, "connection broken"))


def close(connection: socket.socket) -> None:
    """Ends and closes. What still lies there is taken first: closing over unread bytes resets the connection."""
    end(connection)
    try:
        take(connection, "")
    except ClientError:
        pass  # nothing is expected any more
    connection.close()
