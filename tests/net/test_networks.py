"""IP networks: which addresses are in them, and what is wrong usage."""

import re
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.net.networks import network_filter, parse_networks

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
