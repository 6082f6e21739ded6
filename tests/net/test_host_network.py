"""The network that stands for a host: the /64 of an IPv6 address, an IPv4 address itself."""

import pytest

from tandem.net.networks import host_network

NETWORKS = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::/64",
    "": "",
    "others": "others",
    "no:address": "no:address",
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_host_network(address: str, network: str) -> None:
    assert host_network(address) == network
