"""The server behind a balancer: headers removed, clients recorded with their address, health checks not recorded."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.net.networks import parse_networks
from tandem.protocol.message import STATUS_FINISHED, STATUS_WAITING
from tandem.protocol.reader import Reader
from tandem.records.visits import Record
from tandem.server.actions import Action, CommitThenReply, End, Peer, Progress, ProxiedPeer, Reply, Wait
from tandem.server.log import Log
from tandem.server.proxy_handler import ProxyProtocolHandler
from tandem.server.states_and_limits import FIRST_BYTE, MESSAGE, State
from testing.processes import LIMIT, RunningServer, running_server, wait_until
from testing.proxy_headers import LOCAL, UNSPECIFIED, header, introduces
from testing.raw_sockets import Raw, encoded, message_1, message_2, raw

BALANCER = "10.55.0.10"
STUDENT = "198.51.100.7"
HEADER = introduces(STUDENT, 51234)
CHECK = header(LOCAL, UNSPECIFIED)
REPLY = Reply(b"a reply of the visit handler's", None)
CLOSED = End(None)


class Scribe:
    """A visit handler that writes down what it is asked. Each message is complete with its last brace."""

    welcome = b"connection"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []  # what, about whom, with which bytes

    def received_first(self, peer: Peer, progress: Progress, data: bytes) -> Action | None:
        assert progress is None, "something came before"
        if data != b"{quick}":
            return None
        self._ask("received first", peer, data)
        return REPLY

    def received(self, peer: Peer, progress: Progress, data: bytes) -> Action:
        assert progress is None or isinstance(progress, Reader)
        self._ask("received", peer, data)
        return Wait(MESSAGE, progress or Reader()) if data == b"{" else REPLY

    def expired(self, peer: Peer, progress: Progress, state: State) -> Action:
        self._ask("expired", peer)
        return REPLY

    def reply_after_commit(self, commit: CommitThenReply, stored: bool, waited: float) -> bytes:
        return b"stored" if stored else b"not stored"

    def lost(self, peer: Peer, progress: Progress) -> Record | None:
        self._ask("lost", peer)
        return None

    def after_reply(self, peer: Peer, data: bytes) -> Record | None:
        self._ask("after_reply", peer)
        return None

    def on_tick(self, connections: int, waiting: int) -> list[Record]:
        return []

    def _ask(self, what: str, peer: Peer, data: bytes = b"") -> None:
        self.asked.append((what, f"{peer.address}:{peer.port}", data))


class Memory:
    """A log's destination that keeps what is written."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def reopen(self) -> bool:
        return False

    def close(self) -> None: ...


class Door:
    """A connection from an address, its handlers and its log, as the loop drives them."""

    def __init__(self, address: str = BALANCER, port: int = 40000) -> None:
        self.scribe = Scribe()
        self._written = Memory()
        self._log = Log(self._written)
        self.handler = ProxyProtocolHandler(self.scribe, parse_networks(BALANCER), self._log)
        self._peer = ProxiedPeer(address, port, 0.0)  # any Peer will do
        self._progress: Progress = None

    @property
    def lines(self) -> list[str]:
        """What was logged. Call it last."""
        self._log.stop()
        return [line.partition("Z ")[2] for line in self._written.data.decode().splitlines()]

    def received(self, *pieces: bytes) -> Action:
        """Return the action for the last of the pieces."""
        *earlier, last = pieces
        for piece in earlier:
            self._received(piece)
        return self._received(last)

    def _received(self, piece: bytes) -> Action:
        action = self.handler.received_first(self._peer, self._progress, piece)
        if action is None:
            action = self.handler.received(self._peer, self._progress, piece)
        if isinstance(action, Wait):
            self._progress = action.progress
        return action

    def expired(self) -> Action:
        return self.handler.expired(self._peer, self._progress, FIRST_BYTE)

    def lost(self) -> None:
        self.handler.lost(self._peer, self._progress)


def waits_in(action: Action) -> State | None:
    """Return the state in which the action waits."""
    return action.state if isinstance(action, Wait) else None


def test_the_address_of_the_client_is_that_of_the_header() -> None:
    door = Door()
    assert waits_in(door.received(HEADER)) is FIRST_BYTE
    assert door.received(b"{}") == REPLY
    assert door.scribe.asked == [("received", f"{STUDENT}:51234", b"{}")]
    assert not door.lines


def test_header_and_message_in_one_piece() -> None:
    door = Door()
    assert door.received(HEADER + b"{}") == REPLY
    assert door.scribe.asked == [("received", f"{STUDENT}:51234", b"{}")]


def test_byte_by_byte_the_same() -> None:
    door = Door()
    *first, last = [bytes((byte,)) for byte in HEADER]
    for piece in first:
        assert waits_in(door.received(piece)) is MESSAGE
    assert waits_in(door.received(last)) is FIRST_BYTE
    assert door.received(b"{}") == REPLY
    assert door.scribe.asked == [("received", f"{STUDENT}:51234", b"{}")]


def test_a_message_after_its_header_takes_the_quick_look() -> None:
    door = Door()
    door.received(HEADER)
    assert door.received(b"{quick}") == REPLY
    assert door.scribe.asked == [("received first", f"{STUDENT}:51234", b"{quick}")]


def test_a_direct_message_takes_the_quick_look() -> None:
    door = Door(STUDENT)
    assert door.received(b"{quick}") == REPLY
    assert door.scribe.asked == [("received first", f"{STUDENT}:40000", b"{quick}")]


def test_a_student_with_a_balancers_address_introduces_nobody_further() -> None:
    door = Door()
    door.received(introduces(BALANCER, 7))
    door.received(HEADER)
    assert door.scribe.asked == [("received", f"{BALANCER}:7", HEADER)]


def test_a_direct_connection_has_no_header() -> None:
    door = Door(STUDENT)
    assert door.received(HEADER) == REPLY
    assert door.expired() == REPLY
    door.lost()
    assert [what for what, _, _ in door.scribe.asked] == ["received", "expired", "lost"]
    assert door.scribe.asked[0] == ("received", f"{STUDENT}:40000", HEADER)


@pytest.mark.parametrize("before", [(HEADER,), (HEADER[:5], HEADER[5:]), (HEADER + b"{",)], ids=len)
def test_the_end_silence_and_loss_of_a_student_are_the_visit_handlers(before: tuple[bytes, ...]) -> None:
    for happens in ("received", "expired", "lost"):
        door = Door()
        door.received(*before)
        if happens == "received":
            assert door.received(b"") == REPLY
        elif happens == "expired":
            assert door.expired() == REPLY
        else:
            door.lost()
        assert door.scribe.asked[-1] == (happens, f"{STUDENT}:51234", b"")


@pytest.mark.parametrize("before", [(), (CHECK,)], ids=["a plain connection", "a check"])
def test_a_balancer_that_comes_for_itself_is_no_visit(before: tuple[bytes, ...]) -> None:
    for ends in ("received", "lost"):
        door = Door()
        if before:
            assert waits_in(door.received(*before)) is FIRST_BYTE
        if ends == "received":
            assert door.received(b"") == CLOSED
        else:
            door.lost()
        assert not door.scribe.asked
        assert not door.lines


def test_a_check_that_stays_is_sent_away() -> None:
    door = Door()
    door.received(CHECK)
    assert door.expired() == CLOSED
    assert not door.scribe.asked
    assert not door.lines


def test_a_balancer_that_sends_a_message_of_its_own_is_a_student() -> None:
    door = Door()
    assert door.received(CHECK, b"{}") == REPLY
    assert door.scribe.asked == [("received", f"{BALANCER}:40000", b"{}")]


WRONG = {
    "a message": ((b"{}",), "no header came: byte 1 is 0x7b"),
    "version 1": ((b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\r\n",), "version 1 of the header came"),
    "an end too early": ((HEADER[:20], b""), "only 20 bytes of a header came"),
}


@pytest.mark.parametrize(("pieces", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_balancer_without_its_header_is_closed_and_named(pieces: tuple[bytes, ...], words: str) -> None:
    door = Door()
    assert door.received(*pieces) == CLOSED
    [line] = door.lines
    assert line.startswith(f"{BALANCER}:40000 is a balancer (--proxy-from), and {words}")
    assert "send-proxy-v2" in line
    assert not door.scribe.asked


@pytest.mark.parametrize(("pieces", "words"), [((), "no header came"), ((HEADER[:20],), "only 20 bytes")], ids=len)
def test_a_balancer_that_stays_silent_is_closed_and_named(pieces: tuple[bytes, ...], words: str) -> None:
    door = Door()
    if pieces:
        door.received(*pieces)
    assert door.expired() == CLOSED
    [line] = door.lines
    assert words in line
    assert not door.scribe.asked


def test_a_balancer_that_breaks_off_in_its_header_is_no_visit() -> None:
    door = Door()
    door.received(HEADER[:20])
    door.lost()
    assert not door.scribe.asked


# The whole server. Its balancer is 127.0.0.1; connections from 127.0.0.2 are direct.


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind a balancer."""
    options = ("--proxy-from", "127.0.0.1")
    with running_server(tmp_path_factory.mktemp("balanced") / "data", *options, listen="127.0.0.1:0") as running:
        yield running


class Direct(Raw):
    """A connection from an address that is no balancer's."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=LIMIT, source_address=("127.0.0.2", 0))
        self.welcome = b""


@contextmanager
def directly(to: RunningServer) -> Iterator[Raw]:
    connection = Direct(to.host, to.port)
    try:
        yield connection
    finally:
        connection.socket.close()


def test_both_visits_are_recorded_with_the_students_addresses(behind: RunningServer) -> None:
    reply = json.loads(through(behind, introduces("198.51.100.1", 1001), encoded(message_1(ip="198.51.100.1"))))
    assert reply["status"] == STATUS_WAITING
    second = encoded(message_2(reply, ip="198.51.100.2"))
    assert json.loads(through(behind, introduces("198.51.100.2", 1002), second))["status"] == STATUS_FINISHED
    visits = behind.results("--visits", reply["teamname"])
    assert [(visit["address"], visit["port"]) for visit in visits] == [("198.51.100.1", 1001), ("198.51.100.2", 1002)]
    assert [visit["findings"] for visit in visits] == [[], []]  # the ip in the message is where it came from


def test_a_direct_visit_needs_no_header_and_may_have_none(behind: RunningServer) -> None:
    with directly(behind) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(teamname="direct")))
        assert json.loads(connection.rest())["status"] == STATUS_WAITING
    with directly(behind) as connection:
        connection.take_welcome()
        connection.send(HEADER + encoded(message_1(teamname="forged")))
        assert (
            "a load balancer put a PROXY header (version 2) before the message"
            in json.loads(connection.rest())["status"]
        )
    behind.process.wait_for("A PROXY header of a load balancer (proxy-header)")
    wait_until(lambda: any(row["teamname"] == "direct" for row in behind.results()))
    [visit] = behind.results("--visits", "direct")
    assert visit["address"] == "127.0.0.2"


def test_ipv4_within_ipv6_names_the_balancer_too(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", "--proxy-from", "::ffff:127.0.0.1", listen="127.0.0.1:0") as running:
        reply = through(running, introduces("198.51.100.1", 1001), encoded(message_1()))
    assert json.loads(reply)["status"] == STATUS_WAITING


def test_checks_leave_no_line_and_no_header_leaves_one(behind: RunningServer) -> None:
    for said in (b"", CHECK):
        with raw(behind.host, behind.port) as connection:
            assert connection.take_welcome()
            if said:
                connection.send(said)
    with raw(behind.host, behind.port) as connection:
        assert connection.take_welcome()
        connection.send(b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 5550\r\n")
        assert connection.rest() == b""
    assert "send-proxy-v2" in behind.process.wait_for("version 1 of the header came")
    listening, *others = [line for line in behind.process.err.splitlines() if "127.0.0.1:" in line]
    assert "listening on" in listening
    assert len(others) == 1, others


def through(to: RunningServer, header: bytes, message: bytes) -> bytes:
    """The reply to a message that came through the balancer."""
    with raw(to.host, to.port) as connection:
        connection.send(header)
        connection.take_welcome()
        connection.send(message)
        return connection.rest()
