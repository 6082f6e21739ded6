"""Who owns which address, whatever a program has built in."""

from dataclasses import replace
from pathlib import Path

import pytest

from tandem.examiner.lab.hosts.addresses import STAND_INS, addresses_of
from tandem.examiner.lab.hosts.hosts import PORTS_IN_RANGE, ephemeral_ports
from tandem.protocol.errors import TandemError
from testing.examiner.labs import order

ORDER = order(Path("submission"))
STAND_IN = STAND_INS[0]


@pytest.mark.parametrize(
    ("server", "owned", "loopback", "names"),
    [
        ("145.24.222.82", "145.24.222.82", None, {}),
        ("127.0.0.1", STAND_IN, "127.0.0.1", {}),
        ("127.0.0.5", STAND_IN, "127.0.0.5", {}),
        ("0.0.0.0", STAND_IN, "127.0.0.1", {}),
        ("localhost", STAND_IN, "127.0.0.1", {}),
        ("server.school.nl", STAND_IN, None, {"server.school.nl": STAND_IN}),
    ],
)
def test_the_server(server: str, owned: str, loopback: str | None, names: dict[str, str]) -> None:
    found = addresses_of(replace(ORDER, server_host=server))
    assert (found.server, found.server_loopback, found.names) == (owned, loopback, names)


@pytest.mark.parametrize(
    ("peer", "owned", "loopback", "names"),
    [
        ("10.0.0.12", ("10.0.0.12",), None, {}),
        ("192.168.1.7", ("10.0.0.12", "192.168.1.7"), None, {}),
        ("127.0.0.1", ("10.0.0.12",), "127.0.0.1", {}),
        ("localhost", ("10.0.0.12",), "127.0.0.1", {}),
        ("laptop-of-anna", ("10.0.0.12",), None, {"laptop-of-anna": "10.0.0.12"}),
    ],
)
def test_client_2(peer: str, owned: tuple[str, ...], loopback: str | None, names: dict[str, str]) -> None:
    found = addresses_of(replace(ORDER, peer_host=peer))
    assert (found.client2, found.peer_loopback, found.names) == (owned, loopback, names)


@pytest.mark.parametrize("host", ["192.168.1.5", "laptop-of-anna"])
@pytest.mark.parametrize("client2", ["192.168.1.5", "10.0.0.12"])
def test_client_2_at_the_address_of_the_server(host: str, client2: str) -> None:
    """As programs have it that were only tried on one machine of a network."""
    found = addresses_of(replace(ORDER, server_host=host, peer_host=host, client2_address=client2))
    assert found.peer_at_server
    assert found.server not in found.client2
    assert len(found.client2) == 1
    assert found.names == ({host: found.server} if host == "laptop-of-anna" else {})


def test_a_stand_in_is_nobody_elses() -> None:
    taken = replace(ORDER, server_host="localhost", client1_address=STAND_INS[0], peer_host=STAND_INS[1])
    assert addresses_of(taken).server == STAND_INS[2]


@pytest.mark.parametrize(
    "same",
    [
        {"client1_address": "10.0.0.12"},
        {"server_host": "10.0.0.11"},
        {"server_host": "10.0.0.12", "peer_host": "192.168.1.7"},
        {"peer_host": "10.0.0.11"},
    ],
)
def test_two_hosts_with_one_address_are_refused(same: dict[str, str]) -> None:
    with pytest.raises(TandemError, match="addresses of their own"):
        addresses_of(replace(ORDER, **same))  # type: ignore[arg-type]


def test_names_of_the_hosts_file() -> None:
    found = addresses_of(replace(ORDER, server_host="server.school.nl"))
    assert found.hosts_file("laptop-1", "10.0.0.11", own_name_is_loopback=False) == (
        f"127.0.0.1 localhost\n10.0.0.11 laptop-1\n{STAND_IN} server.school.nl\n"
    )
    assert "127.0.1.1 laptop-1\n" in found.hosts_file("laptop-1", "10.0.0.11", own_name_is_loopback=True)


@pytest.mark.parametrize("name", ["server_host", "peer_host", "client1_address", "client2_address"])
def test_ipv6_is_refused(name: str) -> None:
    with pytest.raises(TandemError, match="IPv4 addresses, not ::1"):
        addresses_of(replace(ORDER, **{name: "::1"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("avoid", [set(), {5551, 8001}, {65535}, {50000, 60000}, {40000, 20000}])
def test_no_port_to_avoid_is_ever_given_to_a_connection(avoid: set[int]) -> None:
    first, last = ephemeral_ports(avoid)
    assert last - first + 1 == PORTS_IN_RANGE
    assert not any(first <= port <= last for port in avoid)
    assert 1024 < first < last < 65536
