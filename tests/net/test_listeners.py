"""What a program that listens says about who can connect to it, and how."""

import socket

import pytest

from tandem.net import listeners
from tandem.net.listeners import open_listener, reach_of

OWN = ["192.0.2.7", "2001:db8::7"]

REACH: dict[str, tuple[str, list[str], str]] = {  # host, own addresses, what is said
    "loopback": ("127.0.0.1", OWN, "only programs on this machine can connect; for others listen on all addresses, as"),
    "another loopback": ("127.0.0.9", OWN, "only programs on this machine can connect"),
    "IPv6 loopback": ("::1", OWN, "only programs on this machine can connect"),
    "all": ("", OWN, "IPv4 and IPv6 can connect; other machines with --server 192.0.2.7:PORT or [2001:db8::7]:PORT"),
    "all of IPv4": (
        "0.0.0.0",
        OWN,
        "only IPv4 can connect (--listen :PORT takes IPv4 and IPv6); other machines with --server 192.0.2.7:PORT",
    ),
    "all of IPv6": (
        "::",
        OWN,
        "only IPv6 can connect (--listen :PORT takes IPv4 and IPv6); other machines with --server [2001:db8::7]:PORT",
    ),
    "no network": ("", [], "IPv4 and IPv6 can connect; this machine has no such address that other machines can use"),
}


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
@pytest.mark.parametrize(("host", "own", "says"), REACH.values(), ids=REACH.keys())
def test_who_can_connect(host: str, own: list[str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "own_addresses", lambda: own)
    with open_listener(host, 0) as listener:
        port = str(listener.getsockname()[1])
        found = reach_of(listener)
    assert found.startswith(says.replace("PORT", port))
    assert found.endswith(says.replace("PORT", port)) or "only programs" in found
