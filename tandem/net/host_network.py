"""Which network stands for a host where something is counted by address."""

import ipaddress


def host_network(address: str) -> str:
    """Map an IPv6 address to its /64 network: one host controls all of it. Any other text stays as it is.

    An IPv4 address within IPv6 (::ffff:192.0.2.1) becomes plain IPv4.
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed), 64), strict=False))
