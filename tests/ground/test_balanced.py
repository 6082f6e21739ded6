"""The ground behind a balancer: headers taken off, students known by their own address, checks unnoticed."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tandem.exchange.message import FINISHED, WAITING
from tandem.ground.balanced import Balanced
from tandem.ground.loop import Connection, Next, Phase
from tandem.ground.proxy import parse_networks
from tests.ground.headers import LOCAL, UNSPECIFIED, header, introduces
from tests.processes import LIMIT, Ground, ground, wait_until
from tests.raw import Raw, encoded, message_1, message_2, raw

BALANCER = "10.55.0.10"
STUDENT = "198.51.100.7"
HEADER = introduces(STUDENT, 51234)
CHECK = header(LOCAL, UNSPECIFIED)
REPLY = b"a reply of the desk's"


class Scribe:
    """A desk that writes down what it is asked."""

    welcome = b"connection"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []  # what, about whom, with which bytes

    def received(self, connection: Connection, data: bytes) -> Next:
        self._ask("received", connection, data)
        return REPLY

    def expired(self, connection: Connection) -> Next:
        self._ask("expired", connection)
        return REPLY

    def lost(self, connection: Connection) -> None:
        self._ask("lost", connection)

    def _ask(self, what: str, connection: Connection, data: bytes = b"") -> None:
        assert connection.mind in (None, self), "something else is left in mind"
        connection.mind = self
        self.asked.append((what, f"{connection.address}:{connection.port}", data))


class Door:
    """A connection from an address, its desk and its log."""

    def __init__(self, address: str = BALANCER, port: int = 40000) -> None:
        self.scribe = Scribe()
        self.lines: list[str] = []
        self.balanced = Balanced(self.scribe, parse_networks(BALANCER), self.lines.append)
        with socket.socket() as unused:
            self.connection = Connection(unused, address, port, opened=0.0)

    def received(self, *pieces: bytes) -> Next:
        """What the last of the pieces is answered; before it, nobody answers."""
        *first, last = pieces
        for piece in first:
            self._obey(self.balanced.received(self.connection, piece))
        return self._obey(self.balanced.received(self.connection, last))

    def expired(self) -> Next:
        return self.balanced.expired(self.connection)

    def lost(self) -> None:
        self.balanced.lost(self.connection)

    def _obey(self, wanted: Next) -> Next:
        if isinstance(wanted, Phase):
            self.connection.phase = wanted
        return wanted


def test_the_student_is_who_the_header_says() -> None:
    door = Door()
    assert door.received(HEADER) is Phase.FIRST_BYTE
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
        assert door.received(piece) is Phase.MESSAGE
    assert door.received(last) is Phase.FIRST_BYTE
    assert door.received(b"{") == REPLY
    assert door.scribe.asked == [("received", f"{STUDENT}:51234", b"{")]


def test_a_ground_that_stops_waits_no_longer_than_it_would() -> None:
    door = Door()
    door.connection.phase = Phase.LEAVING
    assert door.received(HEADER) is Phase.LEAVING


def test_a_student_with_a_balancers_address_introduces_nobody_further() -> None:
    door = Door()
    door.received(introduces(BALANCER, 7))
    door.received(HEADER)
    assert door.scribe.asked == [("received", f"{BALANCER}:7", HEADER)]


def test_whoever_comes_directly_has_no_header() -> None:
    door = Door(STUDENT)
    assert door.received(HEADER) == REPLY
    assert door.expired() == REPLY
    door.lost()
    assert [what for what, _, _ in door.scribe.asked] == ["received", "expired", "lost"]
    assert door.scribe.asked[0] == ("received", f"{STUDENT}:40000", HEADER)


@pytest.mark.parametrize("before", [(HEADER,), (HEADER[:5], HEADER[5:]), (HEADER + b"{",)], ids=len)
def test_the_end_silence_and_loss_of_a_student_are_the_desks(before: tuple[bytes, ...]) -> None:
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
            assert door.received(*before) is Phase.FIRST_BYTE
        if ends == "received":
            assert door.received(b"") == b""
        else:
            door.lost()
        assert not door.scribe.asked
        assert not door.lines


def test_a_check_that_stays_is_sent_away() -> None:
    door = Door()
    door.received(CHECK)
    assert door.expired() == b""
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
    assert door.received(*pieces) == b""
    [line] = door.lines
    assert line.startswith(f"{BALANCER}:40000 is a balancer (--proxy-from), and {words}")
    assert "send-proxy-v2" in line
    assert not door.scribe.asked


@pytest.mark.parametrize(("pieces", "words"), [((), "no header came"), ((HEADER[:20],), "only 20 bytes")], ids=len)
def test_a_balancer_that_stays_silent_is_closed_and_named(pieces: tuple[bytes, ...], words: str) -> None:
    door = Door()
    if pieces:
        door.received(*pieces)
    assert door.expired() == b""
    [line] = door.lines
    assert words in line
    assert not door.scribe.asked


def test_a_balancer_that_breaks_off_in_its_header_is_no_visit() -> None:
    door = Door()
    door.received(HEADER[:20])
    door.lost()
    assert not door.scribe.asked


# The whole ground. Its balancer is 127.0.0.1; who comes from 127.0.0.2 comes directly.


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A ground behind a balancer."""
    options = ("--proxy-from", "127.0.0.1")
    with ground(tmp_path_factory.mktemp("balanced") / "data", *options, listen="127.0.0.1:0") as running:
        yield running


class Direct(Raw):
    """A connection from an address that is no balancer's."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=LIMIT, source_address=("127.0.0.2", 0))
        self.welcome = b""


@contextmanager
def directly(to: Ground) -> Iterator[Raw]:
    connection = Direct(to.host, to.port)
    try:
        yield connection
    finally:
        connection.socket.close()


def test_both_visits_are_recorded_with_the_students_addresses(behind: Ground) -> None:
    reply = json.loads(through(behind, introduces("198.51.100.1", 1001), encoded(message_1(ip="198.51.100.1"))))
    assert reply["status"] == WAITING
    second = encoded(message_2(reply, ip="198.51.100.2"))
    assert json.loads(through(behind, introduces("198.51.100.2", 1002), second))["status"] == FINISHED
    visits = behind.results("--visits", reply["teamname"])
    assert [(visit["address"], visit["port"]) for visit in visits] == [("198.51.100.1", 1001), ("198.51.100.2", 1002)]
    assert [visit["findings"] for visit in visits] == [[], []]  # the ip in the message is where it came from


def test_a_direct_visit_needs_no_header_and_may_have_none(behind: Ground) -> None:
    with directly(behind) as connection:
        connection.take_welcome()
        connection.send(encoded(message_1(teamname="direct")))
        assert json.loads(connection.rest())["status"] == WAITING
    with directly(behind) as connection:
        connection.take_welcome()
        connection.send(HEADER + encoded(message_1(teamname="forged")))
        assert "(version 2) of a balancer stands before the message" in json.loads(connection.rest())["status"]
    behind.process.wait_for("A balancer's PROXY header (proxy-header)")
    wait_until(lambda: any(row["teamname"] == "direct" for row in behind.results()))
    [visit] = behind.results("--visits", "direct")
    assert visit["address"] == "127.0.0.2"


def test_ipv4_within_ipv6_names_the_balancer_too(tmp_path: Path) -> None:
    with ground(tmp_path / "data", "--proxy-from", "::ffff:127.0.0.1", listen="127.0.0.1:0") as running:
        reply = through(running, introduces("198.51.100.1", 1001), encoded(message_1()))
    assert json.loads(reply)["status"] == WAITING


def test_checks_leave_no_line_and_no_header_leaves_one(behind: Ground) -> None:
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


def through(to: Ground, header: bytes, message: bytes) -> bytes:
    """The reply to a message that came through the balancer."""
    with raw(to.host, to.port) as connection:
        connection.send(header)
        connection.take_welcome()
        connection.send(message)
        return connection.rest()
