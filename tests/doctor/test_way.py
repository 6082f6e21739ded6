"""The test of the way between two doctors, on one machine; what is no doctor; their lines."""

import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.cli import main
from tandem.doctor.connecting import SLOW_MS, Attempt, Reach, connect
from tandem.doctor.findings import DoctorFinding
from tandem.doctor.greeting import (
    MAX_LINE_BYTES,
    Hello,
    greeting,
    parse_hello,
    parse_report,
    read_line,
    report,
    version_of,
)
from tandem.doctor.machine import Machine
from tandem.doctor.way import Way, _conclude, serve_peer, visit_listener
from testing.machines import machine
from testing.processes import LIMIT, ROOT, process, tandem

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.doctor.way.REPORT_TIMEOUT_S", 0.5)
    monkeypatch.setattr("tandem.doctor.greeting.read_line.__defaults__", (0.5,))


Script = Callable[[socket.socket], object]


@contextmanager
def program(script: Script) -> Iterator[tuple[int, list[bytes]]]:
    """A program that accepts one connection. Yields its port, and the list to which all that came is added."""
    came: list[bytes] = []

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(LIMIT)
            script(connection)
            while data := connection.recv(1000):
                came.append(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = threading.Thread(target=run)
        running.start()
        yield listener.getsockname()[1], came
        running.join()


def visited(port: int, host: str = "127.0.0.1") -> tuple[list[DoctorFinding], list[str]]:
    shown: list[str] = []
    return visit_listener(Machine(), host, port, 0, shown.append), shown


@contextmanager
def listening() -> Iterator[tuple[int, list[DoctorFinding], list[str]]]:
    """A doctor that listens in a thread. Its findings and its lines are complete after the block."""
    found: list[DoctorFinding] = []
    shown: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=lambda: found.extend(serve_peer(Machine(), listener, shown.append)))
        serving.start()
        try:
            yield listener.getsockname()[1], found, shown
        finally:
            serving.join(LIMIT)
            assert not serving.is_alive()


def test_a_way_that_works_in_both_directions() -> None:
    with listening() as (port, found, shown):
        assert visited(port)[0] == []
    assert found == []
    assert re.fullmatch(r"127\.0\.0\.1 -> 127\.0\.0\.1:\d+  works \(\d+ ms\)", shown[1])


def test_nothing_listens() -> None:
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        found, [line] = visited(closed.getsockname()[1])
    assert [each.id for each in found] == ["way-refused", "loopback-address"]
    assert line.endswith("  refused")


OTHERS: list[tuple[str, Script, str, str]] = [
    ("welcome", lambda c: c.sendall(b"connection established\n"), "not-a-doctor", "sent `connection established`"),
    ("silent", lambda c: None, "not-a-doctor", "it sent nothing"),
    ("closes", lambda c: c.shutdown(socket.SHUT_WR), "not-a-doctor", "it sent nothing"),
    ("endless", lambda c: c.sendall(b"\x1b" * MAX_LINE_BYTES), "not-a-doctor", r"sent `\x1b\x1b"),
    ("newer", lambda c: c.sendall(b"tandem doctor 2\n"), "other-version", "has version 2 of the test, this one has 1"),
    ("no report", lambda c: c.sendall(greeting()), "not-a-doctor", "it sent nothing"),
    ("wrong report", lambda c: c.sendall(greeting() + b"report\n"), "not-a-doctor", "sent `report`"),
]


@pytest.mark.parametrize(("script", "id", "words"), [each[1:] for each in OTHERS], ids=[each[0] for each in OTHERS])
def test_another_program_is_told_as_such(script: Script, id: str, words: str) -> None:
    with program(script) as (port, came):
        [found] = visited(port)[0]
    assert (found.id, words in found.what) == (id, True), found.what
    sent = b"".join(came)
    assert sent == b"" or parse_hello(sent)  # before it greets, nothing is sent to it


def test_the_one_who_listens_names_another_program_once_and_goes_on() -> None:
    secret = b'{"studentnr1": "0923456", "secret": "5f"}'
    with listening() as (port, found, shown):
        for sent in (secret, b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(sent + b"\n")
                assert client.makefile("rb").readline() == greeting()
        assert visited(port)[0] == []
    told = [line for line in shown if "still listening" in line]
    assert told == ["127.0.0.1 connected, but what it sent is no greeting of a doctor; still listening"]
    assert "0923456" not in "".join(shown)
    assert found == []


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "it sent nothing"),
        (b"tandem doctor 2 5551 x y\n", "it is a doctor of version 2, and this one has 1"),
        (b"tandem doctor 1 0 0123456789abcdef 192.0.2.1\n", "its port or its address cannot be used"),
    ],
)
def test_the_one_who_listens_says_why_it_is_no_doctor(sent: bytes, told: str) -> None:
    with listening() as (port, _, shown):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert client.makefile("rb").read() == greeting()
        visited(port)
    assert shown[0] == f"127.0.0.1 connected, but {told}; still listening"


def test_silent_connections_do_not_delay_a_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than may be connected at a time: they neither delay it nor take its place."""
    monkeypatch.setattr("tandem.doctor.callers.LINE_TIMEOUT_S", LIMIT)
    monkeypatch.setattr("tandem.doctor.callers.MAX_CALLERS", 3)
    with ExitStack() as silent, listening() as (port, found, shown):
        for _ in range(5):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert visited(port)[0] == []
    assert found == []
    assert "still listening" in shown[0]


def answered(hello: bytes) -> tuple[list[tuple[str, Attempt]] | None, list[DoctorFinding]]:
    """What a doctor that listens reports to a peer that sends this line, and what it finds itself."""
    with (
        listening() as (port, found, _),
        socket.create_connection(("127.0.0.1", port)) as peer,
        peer.makefile("rb") as lines,
    ):
        assert lines.readline() == greeting()
        peer.sendall(hello)
        told = parse_report(lines.readline())
    return told, found


def test_a_way_back_that_is_closed_is_one_direction_for_both() -> None:
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        told, [found] = answered(greeting(str(port), TOKEN, "127.0.0.1"))
    assert told == [("127.0.0.1", Attempt(Reach.REFUSED, told[0][1].ms))] if told else None
    assert found.id == "one-direction"
    assert f"from 127.0.0.1 to 127.0.0.1 port {port}: the connection is refused" in found.what


def test_a_way_back_that_leads_to_another_program_is_no_way_back() -> None:
    with program(lambda c: c.sendall(greeting("f" * 16))) as (port, came):
        told, [found] = answered(greeting(str(port), TOKEN, "127.0.0.1"))
    assert told
    assert told[0][1].reach is Reach.OTHER_PROGRAM
    assert (found.id, came) == ("one-direction", [])  # nothing is sent to it


def test_nobody_makes_the_listener_connect_to_another_program_of_its_machine() -> None:
    """A told address of its own is not tried, and a group or the unspecified address is no line of a doctor."""
    for own in ("127.0.0.2", *Machine().addresses()[:1]):
        told, _ = answered(greeting("1", TOKEN, own))
        assert told
        assert [address for address, _ in told] == ["127.0.0.1"]
    for address in ("224.0.0.1", "0.0.0.0", "::", "ff02::1", "localhost", "1.2.3"):
        assert parse_hello(greeting("1", TOKEN, address)) is None


WORKS, SLOW = Attempt(Reach.WORKS, 3), Attempt(Reach.WORKS, SLOW_MS)
DROPPED = Attempt(Reach.DROPPED, 4000)


@pytest.mark.parametrize(
    ("forward", "back", "ids"),
    [
        (WORKS, [("192.0.2.1", WORKS)], []),
        (SLOW, [("192.0.2.1", WORKS)], ["way-slow"]),
        (WORKS, [("192.0.2.1", SLOW)], ["way-slow"]),
        (WORKS, [("192.0.2.1", DROPPED)], ["one-direction"]),
        (WORKS, [("192.0.2.9", DROPPED), ("192.0.2.1", DROPPED)], ["one-direction", "address-translated"]),
        (WORKS, [("192.0.2.9", WORKS), ("192.0.2.1", DROPPED)], ["address-translated"]),
    ],
)
def test_conclusions(forward: Attempt, back: list[tuple[str, Attempt]], ids: list[str]) -> None:
    found = _conclude(Way("192.0.2.1", "192.0.2.2", 5551, forward, back), lambda line: None)
    assert [each.id for each in found] == ids
    for each in found:
        assert each.what
        assert each.help
    if "address-translated" in ids:
        assert "192.0.2.1 is seen as 192.0.2.9 by 192.0.2.2" in found[-1].what


def test_a_name_that_is_unknown_and_a_system_without_a_way() -> None:
    shown: list[str] = []
    [found] = visit_listener(machine(), "no.such.name.invalid", 1, 0, shown.append)
    assert (found.id, shown) == ("name-unknown", [])
    found, other = visit_listener(machine(towards=""), "10.1.2.3", 5551, 0, shown.append)
    assert (found.id, other.id) == ("no-route", "other-subnet")
    assert shown == ["this machine -> 10.1.2.3:5551  no-route"]


@pytest.mark.parametrize(
    ("number", "reach"),
    [
        *((number, Reach.FORBIDDEN) for number in (1, 13, 10013)),
        *((number, Reach.UNREACHABLE) for number in (113, 65, 10065, 101, 51, 10051)),
        *((number, Reach.NO_ROUTE) for number in (22, 99, 49, 10049)),
    ],
)
def test_errors_of_three_systems(number: int, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(socket.socket):
        def connect(self, address: object) -> None:
            error = OSError("made up")
            error.errno = number
            raise error

    monkeypatch.setattr("tandem.doctor.connecting.socket.socket", Failing)
    connection, attempt = connect(machine(), "127.0.0.1", 1)
    assert (connection, attempt.reach) == (None, reach)
    found = visit_listener(machine(), "127.0.0.1", 1, 0, lambda line: None)
    id = "no-route" if reach is Reach.NO_ROUTE else f"way-{reach}"
    assert [each.id for each in found] == [id, "loopback-address"]
    assert found[0].what
    assert found[0].help


ADDRESSES = st.ip_addresses().map(str).filter(lambda text: parse_hello(greeting("1", TOKEN, text)) is not None)
ATTEMPTS = st.builds(Attempt, st.sampled_from(Reach), st.integers(0, 999_999), st.just(""))


@given(port=st.integers(1, 65535), address=ADDRESSES)
def test_a_line_of_the_peer_comes_back_as_it_was(port: int, address: str) -> None:
    line = greeting(str(port), TOKEN, address)
    assert (version_of(line), parse_hello(line)) == ("1", Hello(port, TOKEN, address))
    assert len(line) <= MAX_LINE_BYTES


@given(st.lists(st.tuples(ADDRESSES.filter(lambda text: "::ffff:" not in text), ATTEMPTS), min_size=1, max_size=2))
def test_a_report_comes_back_as_it_was(attempts: list[tuple[str, Attempt]]) -> None:
    line = report(attempts)
    assert parse_report(line) == attempts
    assert len(line) <= MAX_LINE_BYTES


@given(
    st.binary(max_size=80) | st.lists(st.sampled_from([b"tandem doctor ", b"1", b" ", b"report", b"\n"])).map(b"".join)
)
def test_any_bytes_are_a_line_or_none(data: bytes) -> None:
    version_of(data)
    parse_hello(data)
    parse_report(data)


@pytest.mark.parametrize(
    ("sent", "line"),
    [(b"one\ntwo\n", b"one\n"), (b"half", b"half"), (b"x" * 500, b"x" * MAX_LINE_BYTES), (b"", b"")],
)
def test_a_line_has_an_end(sent: bytes, line: bytes) -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(sent)
        assert read_line(right, 0.1) == line


# The commands


def test_the_two_commands_of_the_page_test_the_way() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    listen, visit = (line.split() for line in re.findall(r"^python3 (-m tandem doctor --[lp].*)$", page, re.MULTILINE))
    with process(*listen[:-1], "127.0.0.1:0") as listener:
        where = listener.wait_for("-m tandem doctor --peer ").split()[-1]
        code, out, err = tandem(*visit[2:-1], where, "--yes")
        assert (code, err) == (0, "")
        assert f"127.0.0.1 -> {where}  works" in out
        assert out.endswith("\nboth directions work\n")
        assert listener.wait() == 0
        assert listener.out.endswith("\nboth directions work\n")


@pytest.mark.parametrize(("answer", "code", "words"), [("n", 1, "nothing was connected to"), ("y", 1, "(way-refused)")])
def test_it_asks_before_it_connects(answer: str, code: int, words: str) -> None:
    with closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{closed.getsockname()[1]}"
        terminal, end = pty.openpty()
        command = [sys.executable, "-m", "tandem", "doctor", "--peer", where]
        try:
            os.write(terminal, f"{answer}\n".encode())
            done = subprocess.run(
                command, cwd=ROOT, stdin=end, capture_output=True, text=True, check=False, timeout=LIMIT
            )
        finally:
            os.close(end)
            os.close(terminal)
    assert done.stdout.startswith(f"Does `tandem doctor --listen` run at {where}, and no client 2?")
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done


def test_without_a_terminal_it_wants_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--peer", "127.0.0.1"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), "--yes" in err) == ("", 1, True)
