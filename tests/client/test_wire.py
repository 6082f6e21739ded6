"""The clients' sockets: connect, listen, send, receive, and the surprises of the systems' own sockets."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tandem.client import wire
from tandem.client.failures import ClientError
from testing.clients import assert_failed
from testing.other_side import Finish, Wait, scripted_server
from testing.processes import process

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture(autouse=True)
def sleep_sockets_closed() -> Iterator[None]:
    yield
    wire.close_sleep_sockets()


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A connection: our end, from wire.connect, and the other side's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = wire.connect(wire.RemoteAddress("127.0.0.1", listener.getsockname()[1]), timeout_s=5)
        theirs = listener.accept()[0]
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


class LastPort(socket.socket):
    """A socket of a system on which only one port is left to connect from: the very one that it connects to."""

    def connect(self, address: Any) -> None:
        self.bind(address)
        super().connect(address)


def unused_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_socket_can_be_connected_to_itself() -> None:
    """The trap itself: nobody listens, and connect succeeds. So it does in a tight loop, sooner or later."""
    address = ("127.0.0.42", unused_port("127.0.0.42"))
    with LastPort() as alone:
        alone.connect(address)
        assert alone.getsockname() == alone.getpeername() == address


def test_a_socket_connected_to_itself_counts_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port("127.0.0.43")
    monkeypatch.setattr(socket, "socket", LastPort)
    with pytest.raises(ClientError, match="connection refused") as caught:
        wire.connect(wire.RemoteAddress("127.0.0.43", port), timeout_s=5)
    assert caught.value.waited_s == 0


Found = list[tuple[int, int, int, str, tuple[str, int]]]


def give_addresses(monkeypatch: pytest.MonkeyPatch, *found: tuple[int, str, int]) -> None:
    """What every name resolves to, from now on: family, host, port."""
    answer: Found = [(family, socket.SOCK_STREAM, 0, "", (host, port)) for family, host, port in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)


NO_FAMILY = 9999  # as IPv6 is on a system without it: the name has the address, the system has no socket for it


def test_connect_tries_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(Wait.END) as there:
        give_addresses(
            monkeypatch, (socket.AF_INET, "127.0.0.44", there.port), (socket.AF_INET, "127.0.0.1", there.port)
        )
        with closing(wire.connect(wire.RemoteAddress("two.example", there.port), timeout_s=5)) as connection:
            assert connection.getpeername() == ("127.0.0.1", there.port)


def test_connect_passes_over_a_family_that_the_system_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(Wait.END) as there:
        give_addresses(monkeypatch, (NO_FAMILY, "::1", there.port), (socket.AF_INET, "127.0.0.1", there.port))
        with closing(wire.connect(wire.RemoteAddress("two.example", there.port), timeout_s=5)) as connection:
            assert connection.getpeername() == ("127.0.0.1", there.port)


def test_no_address_that_the_system_could_use(monkeypatch: pytest.MonkeyPatch) -> None:
    give_addresses(monkeypatch, (NO_FAMILY, "::1", 5550))
    with pytest.raises(ClientError, match=r"six\.example:5550"):
        wire.connect(wire.RemoteAddress("six.example", 5550), timeout_s=5)


def test_a_name_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    give_addresses(monkeypatch)
    with pytest.raises(ClientError, match=r"none\.example:5550 has no address"):
        wire.connect(wire.RemoteAddress("none.example", 5550), timeout_s=5)


def test_connect_gives_up_after_its_timeout() -> None:
    """A listener whose queue is full drops who else comes, as a firewall does."""
    taken = []
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:

        def fill() -> None:
            for _ in range(50):
                taken.append(wire.connect(wire.RemoteAddress("127.0.0.1", full.getsockname()[1]), timeout_s=0.3))

        with pytest.raises(ClientError, match="did not answer in time") as caught:
            fill()
    for connection in taken:
        connection.close()
    assert caught.value.waited_s == pytest.approx(0.3)


def test_listen_on_all_addresses_of_both_families() -> None:
    with wire.listen("", 0) as listener:
        port = listener.getsockname()[1]
        hosts = ("127.0.0.1", "::1") if socket.has_dualstack_ipv6() else ("127.0.0.1",)
        for host in hosts:
            wire.connect(wire.RemoteAddress(host, port), timeout_s=5).close()


def test_listen_does_not_wait_for_callers() -> None:
    with wire.listen("127.0.0.1", 0) as listener, pytest.raises(BlockingIOError):
        listener.accept()


def test_listen_again_at_once_on_the_same_port() -> None:
    """A connection that we closed first keeps its port for a minute; the next run may listen there all the same."""
    with wire.listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        listener.setblocking(True)
        with socket.create_connection(address) as caller:
            listener.accept()[0].close()
            assert caller.recv(1) == b""
    wire.listen(*address).close()


def receive_soon(connection: socket.socket) -> bytes:
    """What comes next, waiting for it as the clients do."""
    while (came := wire.receive(connection, "there")) is None:
        wire.sleep()
    return came


def test_receive(ends: Ends) -> None:
    ours, theirs = ends
    assert wire.receive(ours, "there") is None
    theirs.sendall(b"x")
    assert receive_soon(ours) == b"x"
    theirs.close()
    assert receive_soon(ours) == b""


def test_receive_after_a_reset() -> None:
    with scripted_server(Finish.RESET) as there, socket.create_connection(("127.0.0.1", there.port)) as ours:
        ours.setblocking(False)
        with pytest.raises(ClientError, match=r"there ended the connection in the middle \(connection reset\)"):
            receive_soon(ours)


def test_send_to_a_peer_that_never_reads(ends: Ends) -> None:
    with pytest.raises(ClientError, match="there did not answer in time"):
        wire.send(ends[0], b"x" * 50_000_000, 0.2, "there")


def test_send_more_than_the_system_takes_at_once() -> None:
    text = bytes(range(256)) * 40_000
    with (
        scripted_server(Wait.END) as there,
        closing(wire.connect(wire.RemoteAddress("127.0.0.1", there.port), timeout_s=5)) as ours,
    ):
        wire.send(ours, text, 5, "there")
    assert there.came == text


def test_close_is_no_reset_though_something_was_left_unread(ends: Ends) -> None:
    ours, theirs = ends
    theirs.sendall(b"never read")
    ours.setblocking(True)
    ours.recv(1, socket.MSG_PEEK)  # it is there now
    ours.setblocking(False)
    wire.close(ours)
    assert theirs.recv(1) == b""
    assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_the_local_ip_is_plain_ipv4() -> None:
    with wire.listen("", 0) as listener:
        listener.setblocking(True)
        ours = wire.connect(wire.RemoteAddress("127.0.0.1", listener.getsockname()[1]), timeout_s=5)
        with ours, listener.accept()[0] as theirs:
            assert wire.local_ip(ours) == wire.local_ip(theirs) == "127.0.0.1"


def give_own_ips(monkeypatch: pytest.MonkeyPatch, ips: dict[str, str]) -> None:
    """Which own address is on the way to a host, from now on."""
    monkeypatch.setattr(wire.RemoteAddress, "own_ip", lambda remote: ips.get(remote.found[0][4][0], ""))


def test_own_ips_are_on_the_way_to_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    give_own_ips(monkeypatch, {"192.0.2.1": "10.0.0.7", "2001:db8::1": "2001:db8::7"})
    assert wire.own_ips() == ["10.0.0.7", "2001:db8::7"]
    give_own_ips(monkeypatch, {"2001:db8::1": "2001:db8::7"})
    assert wire.own_ips() == ["2001:db8::7"]


def test_own_ips_without_a_way_are_those_of_the_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    give_own_ips(monkeypatch, {})
    monkeypatch.setattr(socket, "gethostname", lambda: "127.0.0.9")
    assert wire.own_ips() == ["127.0.0.9"]
    monkeypatch.setattr(socket, "gethostname", lambda: "a..b")  # a name that cannot be resolved
    assert wire.own_ips() == []


def test_client_2_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        arguments = ("--server", "127.0.0.1:1", "--listen", f"127.0.0.1:{port}")
        with process("-m", "tandem.client", "2", *arguments) as client:
            assert_failed(client, r"arrow 4 \(client 1 -> client 2, handover\)", "already in use", f"127.0.0.1:{port}")


STRANGE = {"not ours": "192.0.2.1:0", "not known": "nowhere.invalid:0"}


@pytest.mark.parametrize("listen", STRANGE.values(), ids=STRANGE.keys())
def test_client_2_on_an_address_that_is_not_this_machines(listen: str) -> None:
    with process("-m", "tandem.client", "2", "--server", "127.0.0.1:1", "--listen", listen) as client:
        assert_failed(client, "arrow 4", "is not an address of this machine")
