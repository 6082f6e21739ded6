"""Every wait ends within 20 % of its limit, whatever the system's calls cost. The test moves the clock."""

import errno
import math
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tandem.client import client1, client2, wire
from tandem.client.failures import ClientError
from tandem.client.options import parse_options
from tandem.client.output import Output
from tandem.client.visit import ServerVisit
from testing.processes import team_options

NEVER = math.inf


@dataclass
class System:
    """A system whose clock moves only while a program waits.

    `tick_s`: waits end at multiples of it. `overhead_s`: what every wait takes longer.
    """

    tick_s: float = 0.0
    overhead_s: float = 0.0001
    now_s: float = 0.0
    attempts: list[float] = field(default_factory=list)  # when they began

    def wait(self, seconds: float) -> None:
        self.now_s += seconds + self.overhead_s
        if self.tick_s:
            self.now_s = math.ceil(self.now_s / self.tick_s) * self.tick_s


LINUX, WINDOWS = System, lambda: System(tick_s=0.0156)


@dataclass
class Remote:
    """What becomes of an attempt to connect: an error of the system after some seconds."""

    error: int
    after_s: float


REMOTES = {
    "nothing listens": Remote(errno.ECONNREFUSED, 0.0),
    "nothing listens, told late (Windows)": Remote(errno.ECONNREFUSED, 2.03),
    "nobody has the address": Remote(errno.EHOSTUNREACH, 3.07),
    "no answer at all": Remote(0, NEVER),
}


class Sleeper:
    """The sockets of `wire.sleep`: a receive takes its whole timeout."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._timeout_s = 0.0

    def settimeout(self, seconds: float) -> None:
        self._timeout_s = seconds

    def recv(self, size: int) -> bytes:
        self._system.wait(self._timeout_s)
        raise TimeoutError

    def close(self) -> None:
        pass


class Attempt:
    """A socket that cannot be connected."""

    def __init__(self, system: System, remote: Remote) -> None:
        self._system, self._remote = system, remote

    def setblocking(self, flag: bool) -> None:
        assert not flag, "a blocking call takes time that nobody counts"

    def connect(self, address: Any) -> None:
        self._due_s = self._system.now_s + self._remote.after_s
        self._system.attempts.append(self._system.now_s)
        raise BlockingIOError

    def getsockopt(self, level: int, option: int) -> int:
        return self._remote.error if self._system.now_s >= self._due_s else 0

    def getpeername(self) -> Any:
        raise OSError(errno.ENOTCONN, "not connected")

    def close(self) -> None:
        pass


@pytest.fixture(params=[LINUX, WINDOWS], ids=("Linux", "Windows"))
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    made: System = request.param()
    wire.close_sleep_sockets()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socketpair", lambda: (Sleeper(made), Sleeper(made)))
        yield made
    wire.close_sleep_sockets()


def options_of(clientid: int, *arguments: str) -> Any:
    peer = ("--peer", "192.0.2.2") if clientid == 1 else ("--listen", "127.0.0.1:0")
    return parse_options([str(clientid), *team_options(), "--server", "192.0.2.1", *peer, *arguments])


@pytest.mark.parametrize("wait_s", [0.3, 1, 5, 10, 120, 900])
@pytest.mark.parametrize("remote", REMOTES.values(), ids=REMOTES.keys())
def test_client_1_waits_for_client_2(
    remote: Remote, wait_s: float, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = wire.RemoteAddress("192.0.2.2", 5551)
    monkeypatch.setattr(socket, "socket", lambda *_: Attempt(system, remote))
    with pytest.raises(ClientError) as caught:
        client1.connect_to_client_2(target, options_of(1, "--wait", str(wait_s)), Output())
    assert system.now_s == pytest.approx(wait_s, rel=0.2)
    if remote.after_s < wait_s:
        assert "in time" not in caught.value.what, "the last attempt was cut short: an earlier one knows more"


@pytest.mark.parametrize("timeout_s", [0.5, 5, 60])
def test_connecting_to_the_server(timeout_s: float, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    target = wire.RemoteAddress("192.0.2.1", 5550)
    monkeypatch.setattr(socket, "socket", lambda *_: Attempt(system, REMOTES["no answer at all"]))
    with pytest.raises(ClientError, match="did not answer in time"):
        wire.connect(target, timeout_s)
    assert system.now_s == pytest.approx(timeout_s, rel=0.2)


@pytest.mark.parametrize("timeout_s", [0.5, 5])
def test_the_waits_of_a_visit(timeout_s: float, system: System) -> None:
    """First for the welcome, then for the reply."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = wire.RemoteAddress("127.0.0.1", silent.getsockname()[1])
        visit = ServerVisit(target, options_of(1, "--timeout", str(timeout_s)), Output(), (1, 2, 3))
        visit.receive_welcome()
        assert system.now_s == pytest.approx(timeout_s, rel=0.2)
        with pytest.raises(ClientError, match="no reply"):
            visit.receive_reply()
        visit.close()
    assert system.now_s == pytest.approx(2 * timeout_s, rel=0.2)


@pytest.mark.parametrize("wait_s", [0.5, 5, 60])
def test_client_2_waits_for_client_1(wait_s: float, system: System) -> None:
    server = wire.RemoteAddress("192.0.2.1", 5550)
    with pytest.raises(ClientError, match="nothing has connected"):
        client2.await_handover(server, options_of(2, "--wait", str(wait_s)), Output())
    assert system.now_s == pytest.approx(wait_s, rel=0.2)


@pytest.mark.parametrize("timeout_s", [0.5, 5])
def test_client_1_waits_until_client_2_closes(timeout_s: float, system: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as client_2:
        target = wire.RemoteAddress("127.0.0.1", client_2.getsockname()[1])
        with wire.connect(target, 5) as connection:
            begun_s = system.now_s
            options = options_of(1, "--timeout", str(timeout_s))
            assert client1.receive_until_close(connection, b"{}", target, options) == (b"", False)
    assert system.now_s - begun_s == pytest.approx(timeout_s, rel=0.2)
