"""Addresses as people write them and as the project shows them."""

import re
import socket
import unicodedata
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.protocol.address import is_loopback, parse_address, parse_listen_address, plain_ip, show_address

Parse = Callable[[str, int], tuple[str, int]]

RIGHT: dict[str, tuple[str, str, int]] = {
    "host and port": ("192.168.1.2:6000", "192.168.1.2", 6000),
    "host alone": ("192.168.1.2", "192.168.1.2", 5550),
    "name": ("server.example:80", "server.example", 80),
    "name with a dot at its end": ("server.example.", "server.example.", 5550),
    "name that begins with digits": ("0x7f-laptop.example", "0x7f-laptop.example", 5550),
    "name with other letters": ("zoë.example", "zoë.example", 5550),
    "name with a line": ("my_laptop-2", "my_laptop-2", 5550),
    "highest port": ("localhost:65535", "localhost", 65535),
    "zeros before the port": ("localhost:00080", "localhost", 80),
    "IPv6 and port": ("[::1]:6000", "::1", 6000),
    "IPv6 in brackets": ("[fe80::1%eth0.5]", "fe80::1%eth0.5", 5550),
    "IPv4 in IPv6": ("[::ffff:192.168.1.2]:1", "::ffff:192.168.1.2", 1),
    "all IPv6": ("[::]:6000", "::", 6000),
}


@pytest.mark.parametrize("parse", [parse_address, parse_listen_address])
@pytest.mark.parametrize(("text", "host", "port"), RIGHT.values(), ids=RIGHT.keys())
def test_right(text: str, host: str, port: int, parse: Parse) -> None:
    assert parse(text, 5550) == (host, port)


TO_LISTEN = {
    "port": ("6000", "", 6000),
    "colon and port": (":6000", "", 6000),
    "a free port": ("0", "", 0),
    "a free port of a host": ("127.0.0.1:0", "127.0.0.1", 0),
}


WRONG_PORT_TO_LISTEN = {"alone": "80000", "behind a colon": ":65536", "of many digits": "9" * 99, "other digits": "٣"}


@pytest.mark.parametrize("text", WRONG_PORT_TO_LISTEN.values(), ids=WRONG_PORT_TO_LISTEN.keys())
def test_a_port_alone_that_is_wrong(text: str) -> None:
    says = f"the port {text.removeprefix(':')!r} is not a number from 0 to 65535; write it as"
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_listen_address(text, 5550)


@pytest.mark.parametrize(("text", "host", "port"), TO_LISTEN.values(), ids=TO_LISTEN.keys())
def test_right_only_to_listen(text: str, host: str, port: int) -> None:
    assert parse_listen_address(text, 5550) == (host, port)
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        parse_address(text, 5550)


EXAMPLE = "write it as 192.168.1.2:5550, or as [2001:db8::2]:5550 for IPv6"

WRONG: dict[str, tuple[str, str]] = {  # text, what the line has to say
    # what a typing error makes of an address that the system would take
    "too few numbers": ("192.168.1", EXAMPLE),
    "two numbers": ("127.1:5550", EXAMPLE),
    "hexadecimal": ("0x7f.1", EXAMPLE),
    "hexadecimal alone": ("0x7f000001:5550", EXAMPLE),
    "hexadecimal at the end": ("laptop.0x1", EXAMPLE),
    "octal": ("010.0.0.1", EXAMPLE),
    "above 255": ("192.168.1.300:5550", EXAMPLE),
    "too many numbers": ("192.168.1.2.5550", EXAMPLE),
    "dot at the end": ("192.168.1.2.", EXAMPLE),
    "digits that IDNA makes ASCII": ("１２７.０.０.１", EXAMPLE),
    "a letter that IDNA makes ASCII": ("0ｘ7f000001", EXAMPLE),
    "many digits": ("1" * 9999 + ".1.1.1", EXAMPLE),
    # what people copy and type
    "address of a page": ("http://192.168.1.2:5550/", "did you mean 192.168.1.2:5550?"),
    "address of a page by name": ("https://server.example/", "did you mean server.example?"),
    "blank for a colon": ("192.168.1.2 5550", "did you mean 192.168.1.2:5550?"),
    "blank behind the colon": ("192.168.1.2: 5550", "did you mean 192.168.1.2:5550?"),
    "blank before": (" 192.168.1.2:5550", "did you mean 192.168.1.2:5550?"),
    "newline behind": ("192.168.1.2:5550\n", "did you mean 192.168.1.2:5550?"),
    "no-break space": ("192.168.1.2\xa05550", "did you mean 192.168.1.2:5550?"),
    "comma for a colon": ("192.168.1.2, 5550", "did you mean 192.168.1.2:5550?"),
    "commas for dots": ("192,168,1,2:5550", "did you mean 192.168.1.2:5550?"),
    "semicolon": ("192.168.1.2;5550", "did you mean 192.168.1.2:5550?"),
    "prefix length": ("192.168.1.2/24", "did you mean 192.168.1.2?"),
    "IPv6 without brackets": ("2001:db8::1", "needs brackets; did you mean [2001:db8::1]?"),
    "IPv6 without brackets, with a port": ("::1:5550", "did you mean [::1:5550] or [::1]:5550?"),
    "full IPv6 and a port": ("1:2:3:4:5:6:7:8:5550", "did you mean [1:2:3:4:5:6:7:8]:5550?"),
    "IPv6 with a zone": ("fe80::1%eth0", "did you mean [fe80::1%eth0]?"),
    "stars": ("*:5550", EXAMPLE),
    "user": ("me@laptop:5550", EXAMPLE),
    "nothing": ("", EXAMPLE),
    # ports
    "no port": ("192.168.1.2:", "the port '' is not a number from 1 to 65535"),
    "too large": ("localhost:65536", "the port '65536'"),
    "port of many digits": (f"localhost:{'1' * 9999}", "is not a number from 1 to 65535"),
    "port as text": ("localhost:http", "the port 'http'"),
    "negative": ("localhost:-1", "the port '-1'"),
    "plus": ("localhost:+1", "the port '+1'"),
    "underscore": ("localhost:8_0", "the port '8_0'"),
    "other digits": ("localhost:²", "the port '²'"),
    "two ports": ("localhost:80:80", "the port '80:80'"),
    "port of an IPv6 address": ("[::1]:", "the port ''"),
    # names and brackets
    "empty label": ("a..b", "is not the name of a machine"),
    "long label": (f"{'a' * 64}.example", "is not the name of a machine"),
    "long name": ("a." * 127 + "a", "is not the name of a machine"),
    "open bracket": ("[::1", "with brackets it is [IPV6] or [IPV6]:PORT"),
    "text behind the bracket": ("[::1]80", "with brackets it is [IPV6] or [IPV6]:PORT"),
    "IPv4 in brackets": ("[192.168.1.2]:80", "with brackets it is [IPV6] or [IPV6]:PORT"),
    "two gaps": ("[1::2::3]:80", "with brackets it is [IPV6] or [IPV6]:PORT"),
    "empty zone": ("[fe80::1%]:80", "with brackets it is [IPV6] or [IPV6]:PORT"),
}


@pytest.mark.parametrize("parse", [parse_address, parse_listen_address])
@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong(text: str, says: str, parse: Parse) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        parse(text, 5550)
    assert "?" not in str(caught.value).replace(repr(text), "")[:-1], "a question is the end of the line"


WRONG_TO_CONNECT = {
    "port alone": ("6000", "a number alone names no machine; write it as 192.168.1.2:6000"),
    "colon and port": (":6000", "the host is missing; write it as 192.168.1.2:6000"),
    "port 0": ("localhost:0", "nothing can be reached at port 0"),
}


@pytest.mark.parametrize(("text", "says"), WRONG_TO_CONNECT.values(), ids=WRONG_TO_CONNECT.keys())
def test_wrong_to_connect_to(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_address(text, 5550)


WRITTEN = st.text() | st.text("0123456789.:[]x%", max_size=20) | st.from_regex(r"(0x?)?[0-9]{1,3}(\.[0-9]{1,3}){0,4}")


@pytest.mark.parametrize("parse", [parse_address, parse_listen_address])
@settings(deadline=None)
@given(WRITTEN)
def test_any_text_is_an_address_or_a_value_error(parse: Parse, text: str) -> None:
    try:
        host, port = parse(text, 5550)
    except ValueError:
        return
    assert 0 <= port <= 65535
    assert host in text
    if read_as_ipv4(host):
        assert str(IPv4Address(host)) == host, "the system reads it as another address"


def read_as_ipv4(host: str) -> bool:
    """Whether the system takes the text for the number of an IPv4 address."""
    try:
        socket.inet_aton(unicodedata.normalize("NFKC", host))
    except (OSError, UnicodeError):
        return False
    return True


@settings(deadline=None)
@given(st.text("0123456789abcdef:.", max_size=40) | st.ip_addresses(v=6).map(str))
def test_ipv6_is_what_the_standard_says(text: str) -> None:
    try:
        IPv6Address(text)
        is_right = True
    except ValueError:
        is_right = False
    try:
        parse_address(f"[{text}]", 5550)
    except ValueError:
        assert not is_right
    else:
        assert is_right


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


def test_is_loopback() -> None:
    found = [ip for ip in ("127.0.0.1", "127.9.9.9", "::1", "192.0.2.127", "2001:db8::1", "::", "") if is_loopback(ip)]
    assert found == ["127.0.0.1", "127.9.9.9", "::1"]
