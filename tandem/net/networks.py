"""IP networks and addresses: what is in a list of networks, what counts as one host, which addresses this one has.

Pure, but for `own_addresses`, which asks the system and sends nothing.
"""

import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)

HOST_PREFIX_BITS = 64  # of an IPv6 address: one host controls all addresses of such a network
_MAPPED_BITS = 96  # of an IPv6 address: those before the IPv4 address that it holds

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(text: str) -> Networks:
    """Parse ADDRESS[/BITS][,…].

    IPv4 within IPv6 (::ffff:10.0.0.7) becomes the IPv4 address, because connections show it so.

    Raises:
        ValueError: a part is not an address, or is an address within a network. The text says what to give instead.
    """
    return tuple(_parse_network(part.strip()) for part in text.split(","))


def network_filter(networks: Networks) -> Callable[[str], bool]:
    """Return a function that says whether an IP address is in one of the networks."""

    @lru_cache(maxsize=1024)  # nearly every connection comes from the same few balancers
    def is_in_networks(address: str) -> bool:
        ip = ip_address(address)
        return any(ip in network for network in networks)

    return is_in_networks


def host_network(address: str) -> str:
    """Map an IPv6 address to its /64 network: one host controls all of it. Any other text stays as it is.

    An IPv4 address within IPv6 (::ffff:192.0.2.1) becomes plain IPv4.
    """
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), HOST_PREFIX_BITS), strict=False))


def own_addresses() -> list[str]:
    """Return the addresses of this machine that other machines can use: IPv4 first, then IPv6.

    Of each family the one on the way to the Internet is the first. Loopback addresses are left out, and those that need
    a zone (fe80::…). Only Linux tells all of them, elsewhere these first ones are all. Resolves no names, which can
    take long.
    """
    found = dict.fromkeys((*_routed_addresses(), *_listed_ipv4(), *_listed_ipv6()))
    usable = []
    for text in found:
        ip = ip_address(text.partition("%")[0])
        if not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast):
            usable.append(str(ip))
    return sorted(usable, key=lambda text: ":" in text)


def address_towards(host: str, port: int) -> str:
    """Return the address of this machine that a host would see, or "" if there is no way or no such name.

    The kernel chooses it from its routes. To connect UDP sends nothing; a name is resolved.
    """
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM):
            with socket.socket(family, socket.SOCK_DGRAM) as datagrams:
                datagrams.connect(address)
                return str(datagrams.getsockname()[0])
    except (OSError, UnicodeError):
        pass  # no such name, no such family, or no way there
    return ""


def _routed_addresses() -> Iterator[str]:
    """Yield our addresses on the way to addresses that belong to documentation."""
    yield from filter(None, (address_towards(elsewhere, 9) for elsewhere in ("192.0.2.1", "2001:db8::1")))


def _listed_ipv4() -> Iterator[str]:
    """Yield all IPv4 addresses that Linux lists: a leaf of its routing table, then "/32 host LOCAL"."""
    leaf = ""
    for line in _lines_of("/proc/net/fib_trie"):
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words == ["/32", "host", "LOCAL"]:
            yield leaf


def _listed_ipv6() -> Iterator[str]:
    """Yield all IPv6 addresses that Linux lists, each as 32 hexadecimal digits at the beginning of a line."""
    for line in _lines_of("/proc/net/if_inet6"):
        yield str(IPv6Address(int(line[:32], 16)))


def _lines_of(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:
            return file.readlines()
    except OSError:  # not Linux
        return []


def mapped_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address holds (::ffff:10.0.0.7), or None."""
    return address.ipv4_mapped if isinstance(address, IPv6Address) else None


def _parse_network(text: str) -> IPv4Network | IPv6Network:
    try:
        given = ip_interface(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address, or one with its bits, as 10.0.0.0/24") from None
    meant = _without_mapping(given)
    if meant is None:
        raise ValueError(
            f"{text!r} has fewer than the {_MAPPED_BITS} bits that make it IPv4: give that, as 10.0.0.0/24"
        )
    if meant.ip != meant.network.network_address:
        raise ValueError(f"{text!r} is an address within {meant.network}: give {meant.network}, or the address alone")
    return meant.network


def _without_mapping(given: IPv4Interface | IPv6Interface) -> IPv4Interface | IPv6Interface | None:
    """Return the interface, with IPv4 within IPv6 as IPv4. Return None if the network is larger than all of IPv4."""
    ipv4 = mapped_ipv4(given.ip)
    if ipv4 is None:
        return given
    bits = given.network.prefixlen - _MAPPED_BITS
    return IPv4Interface((ipv4, bits)) if bits >= 0 else None
