"""Addresses as people write them and as the project shows them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.protocol.address import parse_address, plain_ip, show_address

RIGHT: dict[str, tuple[str, str, int]] = {
    "host and port": ("192.168.1.2:6000", "192.168.1.2", 6000),
    "host alone": ("192.168.1.2", "192.168.1.2", 5550),
    "host and colon": ("192.168.1.2:", "192.168.1.2", 5550),
    "name": ("server.example:80", "server.example", 80),
    "port alone": (":6000", "", 6000),
    "nothing": ("", "", 5550),
    "port 0": ("localhost:0", "localhost", 0),
    "highest port": ("localhost:65535", "localhost", 65535),
    "zeros before the port": ("localhost:00080", "localhost", 80),
    "IPv6 and port": ("[::1]:6000", "::1", 6000),
    "IPv6 in brackets": ("[fe80::1%eth0]", "fe80::1%eth0", 5550),
    "IPv6 alone": ("2001:db8::1", "2001:db8::1", 5550),
    "all IPv6": ("[::]:6000", "::", 6000),
}


@pytest.mark.parametrize(("text", "host", "port"), RIGHT.values(), ids=RIGHT.keys())
def test_right(text: str, host: str, port: int) -> None:
    assert parse_address(text, 5550) == (host, port)


WRONG = {
    "too large": "localhost:65536",
    "many digits": f"localhost:{'1' * 9999}",
    "text": "localhost:http",
    "negative": "localhost:-1",
    "plus": "localhost:+1",
    "white space": "localhost: 80",
    "underscore": "localhost:8_0",
    "other digits": "localhost:²",
    "Arabic digits": "localhost:٨٠",
    "open bracket": "[::1",
    "text behind the bracket": "[::1]80",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"the port|is not \[IPV6\]:PORT"):
        parse_address(text, 5550)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        host, port = parse_address(text, 5550)
    except ValueError:
        return
    assert 0 <= port <= 65535
    assert host in text


@pytest.mark.parametrize(
    ("host", "shown"), [("192.0.2.1", "192.0.2.1:80"), ("::1", "[::1]:80"), ("", "*:80"), ("::", "[::]:80")]
)
def test_shown(host: str, shown: str) -> None:
    assert show_address(host, 80) == shown


@settings(deadline=None)
@given(st.ip_addresses().map(str), st.integers(1, 65535))
def test_what_is_shown_can_be_read(host: str, port: int) -> None:
    assert parse_address(show_address(host, port), 5550) == (host, port)


PLAIN = {
    "IPv4": ("192.0.2.1", "192.0.2.1"),
    "IPv4 on a socket for both": ("::ffff:192.0.2.1", "192.0.2.1"),
    "IPv6": ("2001:db8::1", "2001:db8::1"),
    "IPv6 with a zone": ("fe80::1%eth0", "fe80::1"),
    "IPv6 with a zone that has a dot": ("fe80::1%eth0.5", "fe80::1"),
    "loopback": ("::1", "::1"),
}


@pytest.mark.parametrize(("ip", "plain"), PLAIN.values(), ids=PLAIN.keys())
def test_plain_ip(ip: str, plain: str) -> None:
    assert plain_ip(ip) == plain
