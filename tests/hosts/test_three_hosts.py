"""The exchange between three hosts with addresses of their own and a long wire between them.

Where a client starts before the other side, it has to be told a port that nobody has taken yet: these are
the usual ones, which are free on hosts of their own.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from operator import attrgetter
from pathlib import Path

import pytest

from tandem.protocol.address import CLIENT_2_PORT, SERVER_PORT
from testing.hosts.network import DEVICE, Host, Network, ip
from testing.hosts.wire import DELAY
from testing.processes import TEAM, Process, RunningServer, process, running_server, team_options

# Client 1 visits the server when it starts: before the server it does so in vain, and its user starts it again.
ORDERS = (
    ("server", "client 1", "client 2"),
    ("server", "client 2", "client 1"),
    ("client 1 in vain", "server", "client 1", "client 2"),
    ("client 1 in vain", "client 2", "server", "client 1"),
    ("client 2", "server", "client 1"),
    ("client 2", "client 1 in vain", "server", "client 1"),
)

AT_THE_SERVER = "tandem client: arrow 1 (server -> client 1, welcome): "
AT_CLIENT_2 = "tandem client: arrow 4 (client 1 -> client 2, handover): "


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_every_order_of_start(network: Network, tmp_path: Path, order: tuple[str, ...]) -> None:
    server = f"{network.server.ipv4}:{SERVER_PORT}"
    peer = f"{network.client_2.ipv4}:{CLIENT_2_PORT}"
    running: dict[str, Process] = {}
    with ExitStack() as ending:
        for step in order:
            match step:
                case "server":
                    records = ending.enter_context(
                        running_server(tmp_path, listen=server, before=network.server.inside)
                    )
                case "client 1 in vain":
                    refused = "connection refused: the machine is there, but nothing listens on"
                    assert failure_of_client_1(network, server, peer).startswith(f"{AT_THE_SERVER}{refused} {server}.")
                case "client 1":
                    running[step] = ending.enter_context(client_1(network, server, peer))
                    if "client 2" not in running:
                        running[step].wait_for("client 2 is not there yet (connection refused")
                case "client 2":
                    running[step] = ending.enter_context(client_2(network, server, f":{CLIENT_2_PORT}"))
        assert_finishes(running["client 1"], server, network.client_1.ipv4)
        assert_finishes(running["client 2"], server, network.client_2.ipv4)
        assert_recorded(records, network.client_1.ipv4, network.client_2.ipv4)


@pytest.mark.parametrize(
    ("ip_of", "zone"),
    [
        pytest.param(attrgetter("ipv6"), "", id="global"),
        pytest.param(attrgetter("link_local"), f"%{DEVICE}", id="link-local"),
    ],
)
def test_ipv6(network: Network, tmp_path: Path, ip_of: Callable[[Host], str], zone: str) -> None:
    with running_server(tmp_path, listen="[::]:0", before=network.server.inside) as records:
        server = f"[{ip_of(network.server)}{zone}]:{records.port}"
        with client_2(network, server, "[::]:0") as second:
            with client_1(network, server, f"[{ip_of(network.client_2)}{zone}]:{port_of(second)}") as first:
                assert_finishes(first, server, ip_of(network.client_1))
            assert_finishes(second, server, ip_of(network.client_2))
        assert_recorded(records, ip_of(network.client_1), ip_of(network.client_2))


def test_firewall_before_client_2(network: Network, tmp_path: Path) -> None:
    """Client 1 says what it looks like; as soon as the port is open, the same exchange finishes."""
    with running_server(tmp_path, listen=f"{network.server.ipv4}:0", before=network.server.inside) as records:
        server = records.address
        with client_2(network, server, "0") as second:
            port = port_of(second)
            peer = f"{network.client_2.ipv4}:{port}"
            with network.wire.firewall(network.client_2.ipv4, port):
                said = failure_of_client_1(network, server, peer, "--wait", "1")
            assert said.startswith(f"{AT_CLIENT_2}connection timed out: {peer} did not answer in time. Try: ")
            assert "the firewall of that machine" in said
            with client_1(network, server, peer) as first:
                assert_finishes(first, server, network.client_1.ipv4)
            assert_finishes(second, server, network.client_2.ipv4)


def test_firewall_before_the_server(network: Network) -> None:
    server = f"{network.server.ipv4}:{SERVER_PORT}"
    with network.wire.firewall(network.server.ipv4, SERVER_PORT):
        said = failure_of_client_1(network, server, network.client_2.ipv4, "--timeout", "1")
    assert said.startswith(f"{AT_THE_SERVER}connection timed out: {server} did not answer in time. Try: ")
    assert "the firewall of that machine" in said


@pytest.mark.parametrize("elsewhere", ["192.0.2.1:5550", "[2001:db8:ffff::1]:5550", "198.51.100.1:5550"])
def test_no_route(network: Network, tmp_path: Path, elsewhere: str) -> None:
    """The first two are in no network of client 1; to the third, its system knows that there is no way."""
    with (
        running_server(tmp_path, listen=f"{network.server.ipv4}:0", before=network.server.inside) as records,
        no_way_to("198.51.100.0/24", network.client_1),
    ):
        to_server = failure_of_client_1(network, elsewhere, network.client_2.ipv4)
        to_client_2 = failure_of_client_1(network, records.address, elsewhere, "--wait", "0.1")
    assert to_server.startswith(f"{AT_THE_SERVER}there is no route to {elsewhere}. Try: ")
    assert to_client_2.startswith(f"{AT_CLIENT_2}there is no route to {elsewhere}. Try: ")


def test_the_server_prints_what_others_can_type(network: Network, tmp_path: Path) -> None:
    host = network.server
    with running_server(tmp_path, listen=":0", before=host.inside) as records:
        said = records.process.wait_for("other machines")
        assert f"--server {host.ipv4}:{records.port} or [{host.ipv6}]:{records.port}" in said
        server = f"{host.ipv4}:{records.port}"
        with client_2(network, server, "0") as second:
            port = port_of(second)
            second.wait_for(f"start client 1 with --peer {network.client_2.ipv4}:{port}; if it cannot connect, check")


def test_nobody_has_the_address(network: Network, tmp_path: Path) -> None:
    """The system asks three seconds for the machine before it says that there is no route. They count, too."""
    begun = time.monotonic()
    with (
        running_server(tmp_path, listen=f"{network.server.ipv4}:0", before=network.server.inside) as records,
        empty_network("10.1.0.1/24", network.client_1),
    ):
        said = failure_of_client_1(network, records.address, "10.1.0.9:5551", "--wait", "4")
    assert said.startswith(f"{AT_CLIENT_2}there is no route to 10.1.0.9:5551. Try: ")
    assert time.monotonic() - begun < 5 * 4


def client_1(network: Network, server: str, peer: str, *options: str) -> AbstractContextManager[Process]:
    arguments = ("-m", "tandem", "client", "1", *team_options(), "--server", server, "--peer", peer, *options)
    return process(*arguments, before=network.client_1.inside)


@contextmanager
def client_2(network: Network, server: str, listen: str) -> Iterator[Process]:
    """Client 2, which is listening by now."""
    arguments = ("-m", "tandem", "client", "2", *team_options(), "--server", server, "--listen", listen)
    with process(*arguments, before=network.client_2.inside) as client:
        client.wait_for("listening on")
        yield client


def port_of(client_2: Process) -> int:
    """Where it listens, from its words "listening on HOST:PORT for client 1"."""
    return int(client_2.wait_for("listening on").split()[2].rpartition(":")[2])


def failure_of_client_1(network: Network, server: str, peer: str, *options: str) -> str:
    """The one line that it says when it does not work."""
    with client_1(network, server, peer, *options) as client:
        assert client.wait() == 1
        assert client.err.count("\n") == 1
        return client.err


@contextmanager
def no_way_to(addresses: str, host: Host) -> Iterator[None]:
    """Within the block, the host knows that there is no way to these addresses."""
    ip("-n", host.namespace, "route", "add", "unreachable", addresses)
    try:
        yield
    finally:
        ip("-n", host.namespace, "route", "delete", "unreachable", addresses)


@contextmanager
def empty_network(address: str, host: Host) -> Iterator[None]:
    """Within the block, the host has an address in a network in which no other machine is."""
    on_host = ("-n", host.namespace)
    ip(*on_host, "link", "add", "empty", "type", "veth", "peer", "name", "other-end")
    try:
        for device in ("empty", "other-end"):
            ip(*on_host, "link", "set", device, "up")
        ip(*on_host, "address", "add", address, "dev", "empty")
        yield
    finally:
        ip(*on_host, "link", "delete", "empty")


def assert_finishes(client: Process, server: str, own_ip: str) -> None:
    assert client.wait() == 0, client.err
    assert f"connected to the server at {server} from {own_ip}\n" in client.out


def assert_recorded(records: RunningServer, ip_1: str, ip_2: str) -> None:
    """One finished team, and of both its visits: the address they came from, the ip they told, how long they took."""
    [team] = records.results()
    assert (team["teamname"], team["state"], team["visits"]) == (TEAM["teamname"], "finished", 2)
    visits = records.results("--visits", TEAM["teamname"])
    assert [visit["outcome"] for visit in visits] == ["message 1", "message 2"]
    assert [visit["address"] for visit in visits] == [ip_1, ip_2]
    assert [json.loads(visit["received"])["ip"] for visit in visits] == [ip_1, ip_2]
    assert [visit["findings"] for visit in visits] == [[], []]
    there_and_back = 2 * DELAY * 1000  # milliseconds: the welcome goes out, then the message comes
    assert all(visit["took_ms"] >= there_and_back for visit in visits)
