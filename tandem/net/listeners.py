"""Sockets that listen.

Owns binding and its errors. Knows nothing of what is served on a listener.
"""

import os
import socket

from tandem.net.networks import own_addresses
from tandem.protocol.address import ALL_ADDRESSES, accepted_families, family_of, is_loopback, plain_ip, show_address
from tandem.protocol.errors import TandemError

BACKLOG = 4096  # connections that the system holds ready for us


class ListenError(TandemError):
    """The address cannot be listened on."""


def open_listener(host: str, port: int, shared: bool = False) -> socket.socket:
    """Return a non-blocking socket that listens on an address; see `bind_listener`.

    Raises:
        ListenError: the address cannot be resolved, bound or listened on.
    """
    listener = bind_listener(host, port, shared)
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def bind_listener(host: str, port: int, shared: bool = False) -> socket.socket:
    """Return a non-blocking socket that is bound to an address and does not listen yet.

    The host "" means all addresses of this machine, IPv4 and IPv6. Port 0 takes a free port. Several processes may
    hold a shared socket of the same address.

    Raises:
        ListenError: the address cannot be resolved or bound.
    """
    both_families = not host and socket.has_dualstack_ipv6()
    try:
        found = socket.getaddrinfo("::" if both_families else host or "0.0.0.0", port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait a minute
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both_families else 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def reach_of(listener: socket.socket) -> str:
    """Return in words who can connect to a listener, and which addresses can be typed on other machines."""
    host, port = listener.getsockname()[:2]
    if is_loopback(plain_ip(host)):
        return f"only programs on this machine can connect; for others listen on all addresses, as --listen :{port}"
    families = accepted_families(listener)
    if host not in ALL_ADDRESSES:
        return f"other machines connect with --server {show_address(host, port)}"
    hint = "" if "and" in families else f" (--listen :{port} takes IPv4 and IPv6)"
    usable = [show_address(own, port) for own in own_addresses() if family_of(own) in families]
    if not usable:
        return f"{families} can connect{hint}; this machine has no such address that other machines can use"
    return f"{families} can connect{hint}; other machines with --server {' or '.join(usable)}"


def _cannot_listen(host: str, port: int, error: Exception) -> ListenError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = show_address(host, port)
    return ListenError(f"cannot listen on {where}: {reason}", "another port, or an address that this machine has")
