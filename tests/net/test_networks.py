"""IP networks: which addresses are in them, and what is wrong usage. And the addresses of this machine."""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.net import networks
from tandem.net.networks import network_filter, own_addresses, parse_networks

NETWORKS = {
    "10.55.0.10": ({"10.55.0.10"}, {"10.55.0.11", "10.55.1.10", "::1"}),
    "10.55.0.0/24": ({"10.55.0.0", "10.55.0.255"}, {"10.55.1.0"}),
    "10.55.0.10, 2001:db8::10": ({"10.55.0.10", "2001:db8::10"}, {"2001:db8::11", "127.0.0.1"}),
    "2001:db8::/64": ({"2001:db8::ffff"}, {"2001:db8:0:1::"}),
    "0.0.0.0/0": ({"10.55.0.10"}, {"::1"}),
    "::/0": ({"::1"}, {"10.55.0.10"}),
    "::ffff:10.55.0.10": ({"10.55.0.10"}, {"10.55.0.11", "::1"}),
    "::FFFF:a37:a": ({"10.55.0.10"}, {"10.55.0.11"}),
    "::ffff:10.55.0.10/128,::1": ({"10.55.0.10", "::1"}, {"10.55.0.11"}),
    "::ffff:10.0.0.0/104": ({"10.0.0.0", "10.255.255.255"}, {"11.0.0.0", "9.255.255.255"}),
    "::ffff:0.0.0.0/96": ({"0.0.0.0", "255.255.255.255"}, {"::1"}),
}


@pytest.mark.parametrize("text", NETWORKS)
def test_the_addresses_in_the_networks(text: str) -> None:
    within, outside = NETWORKS[text]
    is_in_networks = network_filter(parse_networks(text))
    assert {address for address in within | outside if is_in_networks(address)} == within


@pytest.mark.parametrize("text", ["", "balancer", "10.55.0", "10.55.0.10/33", "10.55.0.10,", "10.55.0.10:5550", "\x1b"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address"):
        parse_networks(text)


@pytest.mark.parametrize("text", ["10.55.0.10/24", "::ffff:10.55.0.10/120"])
def test_an_address_within_a_network_is_not_taken_for_it(text: str) -> None:
    with pytest.raises(ValueError, match=rf"'{re.escape(text)}' is an address within 10\.55\.0\.0/24: give"):
        parse_networks(text)


@pytest.mark.parametrize("text", ["::ffff:10.0.0.0/95", "::ffff:0:0/80", "::ffff:10.0.0.7/0"])
def test_a_part_of_what_makes_it_ipv4_is_not_enough(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^'{re.escape(text)}' has fewer than the 96 bits that make it IPv4: give"):
        parse_networks(text)


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_ipv4_within_ipv6_means_the_same_as_ipv4(address: IPv4Address, bits: int, other: IPv4Address) -> None:
    network = IPv4Network((address, bits), strict=False)
    within = parse_networks(f"::ffff:{network.network_address}/{96 + bits}")
    assert within == parse_networks(str(network))
    assert network_filter(within)(str(other)) == (other in network)


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-f.:]{1,20}(/[0-9]{1,3})?(,[0-9.]{1,15})?", fullmatch=True)))
def test_whatever_the_text_networks_or_a_value_error(text: str) -> None:
    try:
        networks = parse_networks(text)
    except ValueError:
        return
    assert networks


def test_own_addresses_are_those_that_can_be_bound_and_typed() -> None:
    for address in own_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as bound:
            bound.bind((address, 0))
        assert not ip_address(address).is_loopback
        assert not ip_address(address).is_link_local


LISTED_IPV4 = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
        |-- 10.1.2.0
           /24 link UNICAST
        |-- 10.1.2.3
           /32 host LOCAL
        |-- 10.1.2.255
           /32 link BROADCAST
        |-- 169.254.1.1
           /32 host LOCAL
"""
LISTED_IPV6 = """fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000003 04 40 00 82     eth0
"""


def test_all_addresses_that_linux_lists_the_one_on_the_way_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/net/fib_trie": LISTED_IPV4, "/proc/net/if_inet6": LISTED_IPV6}
    monkeypatch.setattr(networks, "_routed_addresses", lambda: iter(["2001:db8::9"]))
    monkeypatch.setattr(networks, "_lines_of", lambda path: files[path].splitlines())
    assert own_addresses() == ["10.1.2.3", "2001:db8::9", "2001:db8::3"]


def test_elsewhere_it_is_the_ones_on_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "_routed_addresses", lambda: iter(["192.0.2.9", "fe80::1%eth0"]))
    monkeypatch.setattr(networks, "_lines_of", lambda path: [])
    assert own_addresses() == ["192.0.2.9"]
