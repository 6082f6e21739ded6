"""What the page of a class tells about the server: where it listens, and since when it has been silent.

The addresses come from the names in the servers' metrics samples: HOST HOST:PORT PROCESS (server/serve.py).
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.protocol.address import parse_address, show_address

MAX_ADDRESSES = 4
_SERVER_NAME = re.compile(r"(\S+) (\S+:\d+) \d+")
_ELSEWHERE = "192.0.2.1", 9  # an address for documentation; no packet is sent to it


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The servers over the records."""

    addresses: tuple[str, ...] = ()  # as a student types them; () if they are not known
    is_local: bool = False  # whether only their own machine can reach them
    silent_since_us: int | None = None  # the last heartbeat: microseconds since 1970; None if it is recent or unknown


def listening_addresses(servers: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Return the addresses of the servers with these names, and whether only their own machine can reach them."""
    found = dict.fromkeys(_address(*name.groups()) for name in map(_SERVER_NAME.fullmatch, servers) if name)
    reachable = [text for text, is_loopback in found if not is_loopback]
    return tuple(sorted(reachable or [text for text, _ in found]))[:MAX_ADDRESSES], bool(found) and not reachable


def _address(machine: str, listening: str) -> tuple[str, bool]:
    """Return the address of a server as others type it, and whether only its own machine can reach it."""
    host, port = parse_address(listening, 0)
    ip = ipaddress.ip_address(host)
    if not ip.is_unspecified:
        return show_address(host, port), ip.is_loopback
    return show_address(_own_ip() if machine == socket.gethostname() else machine, port), False


def _own_ip() -> str:
    """Return this machine's IPv4 address in the network with the default route, else its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
