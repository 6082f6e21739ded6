"""The server's part of the page of a class: the addresses where it listens, and the time of its last heartbeat.

The addresses come from the names in the servers' metrics samples: HOST HOST:PORT PROCESS (server/serve.py).
"""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from tandem.net.networks import own_addresses
from tandem.protocol.address import family_of, show_address

MAX_ADDRESSES = 4
_SERVER_NAME = re.compile(r"(\S+) (\S+):(\d+) \d+")
_FAMILIES = {"*": "IPv4 and IPv6", "0.0.0.0": "IPv4", "::": "IPv6"}  # of a server on all addresses


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The servers over the records."""

    addresses: tuple[str, ...] = ()  # as a student types them; () if they are not known
    is_local: bool = False  # whether only their own machine can reach them
    silent_since_us: int | None = None  # the last heartbeat: microseconds since 1970; None if it is recent or unknown


def listening_addresses(servers: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Return the addresses of the servers with these names, and whether only their own machine can reach them."""
    names = [name.groups() for name in map(_SERVER_NAME.fullmatch, sorted(servers)) if name]
    found = [address for machine, host, port in names for address in _addresses(machine, host.strip("[]"), int(port))]
    reachable = [text for text, is_loopback in found if not is_loopback]
    shown = tuple(dict.fromkeys(reachable or [text for text, _ in found]))
    return shown[:MAX_ADDRESSES], bool(found) and not reachable


def _addresses(machine: str, host: str, port: int) -> list[tuple[str, bool]]:
    """Return the addresses of a server as others type them, each with whether only its own machine can reach it."""
    if host not in _FAMILIES:
        return [(show_address(host, port), ip_address(host).is_loopback)]
    if machine != socket.gethostname():
        return [(show_address(machine, port), False)]
    usable = [own for own in own_addresses() if family_of(own) in _FAMILIES[host]]
    return [(show_address(own, port), False) for own in usable or [machine]]
